// Where a demo keeps its rows.
#pragma once

#include <filesystem>
#include <string>

namespace cvdd {

// Why a demo can't write there; empty: it can. Rows that are there already are of exchanges that the demo's know
// nothing of.
[[nodiscard]] std::string wrong_demo_folder(const std::string& wanted);

// Where it was wanted; or a folder of our own that goes when we do. Its name can't be foreseen: whoever may write
// beside it can't have put something in our way.
class DemoFolder {
 public:
  explicit DemoFolder(const std::string& wanted);  // throws std::runtime_error, std::filesystem::filesystem_error
  ~DemoFolder();
  DemoFolder(const DemoFolder&) = delete;
  DemoFolder& operator=(const DemoFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] bool ours() const { return ours_; }

 private:
  const bool ours_;
  std::filesystem::path path_;
};

}  // namespace cvdd
