// The text of a file as it is read piece by piece: plain, gzip or zstd, told apart by how it begins.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace cvdd {

class TextSource {
 public:
  virtual ~TextSource() = default;
  // Fills a part of `out`, 0: the end. Throws std::runtime_error naming the file if it is damaged.
  [[nodiscard]] virtual std::size_t read(std::span<char> out) = 0;
  // The file ends in the middle of what was packed: who wrote it did not come to its end.
  [[nodiscard]] virtual bool torn() const { return false; }
};

// Throws std::runtime_error naming the file if it can't be opened, or is zstd and we were built without it.
[[nodiscard]] std::unique_ptr<TextSource> open_text(const std::string& path);

}  // namespace cvdd
