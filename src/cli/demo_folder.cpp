#include "demo_folder.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "cvdd/storage/day_file.hpp"

namespace cvdd {

namespace fs = std::filesystem;

std::string wrong_demo_folder(const std::string& wanted) {
  std::error_code error;
  for (auto i = fs::directory_iterator(wanted, error); !error && i != fs::directory_iterator(); i.increment(error)) {
    if (!any_day_file_from(i->path().filename().string())) continue;
    return fmt::format("{} holds rows already, which this demo's exchanges know nothing of; choose another --out",
                       wanted);
  }
  return "";
}

DemoFolder::DemoFolder(const std::string& wanted) : ours_(wanted.empty()) {
  if (!ours_) {
    fs::create_directories(wanted);
    path_ = fs::absolute(wanted);
    return;
  }
  std::string name = (fs::temp_directory_path() / "cvdd-demo-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error(
        fmt::format("{}: can't be made: {}; choose a folder with --out", name, std::strerror(errno)));
  }
  path_ = name;
}

DemoFolder::~DemoFolder() {
  std::error_code ignored;
  if (ours_) fs::remove_all(path_, ignored);
}

}  // namespace cvdd
