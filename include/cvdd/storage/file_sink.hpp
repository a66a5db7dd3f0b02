// The seam to the file system: everything cvdd writes or reads back goes through here, so that faults can be played
// in tests. Functions return 0 or an errno value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cvdd {

class FileSink {
 public:
  virtual ~FileSink() = default;
  // Appends all of `text` to `path` by one write(2), creating the file. A short write is cut back and reported.
  virtual int append(const std::string& path, std::string_view text) = 0;
  // Writes `text` over the beginning of the file, creating it; what lies beyond stays.
  virtual int overwrite(const std::string& path, std::string_view text) = 0;
  // Returns when all that was appended or overwritten before has reached the disk. May take long; any thread, also
  // while another one uses the sink.
  virtual int sync(const std::string& path) = 0;
  // Takes an exclusive lock that lasts as long as the sink, and leaves `text` in the file. EWOULDBLOCK: somebody else
  // has it, and `holder` is what they left.
  virtual int lock(const std::string& path, std::string_view text, std::string& holder) = 0;
  // The whole file anew: readers see the old text or the new one, never a part.
  virtual int replace(const std::string& path, std::string_view text) = 0;
  // Makes `link` a symbolic link to `target` (relative), replacing it atomically.
  virtual int replace_link(const std::string& link, const std::string& target) = 0;
  // Up to `size` bytes from `offset` on; fewer only at the end of the file. Several threads may read at once.
  virtual int read(const std::string& path, std::uint64_t offset, std::size_t size, std::string& text) = 0;
  virtual int size(const std::string& path, std::uint64_t& size) = 0;
  virtual int truncate(const std::string& path, std::uint64_t size) = 0;
  // Names (not paths) of the regular files in a directory, sorted.
  virtual int list(const std::string& directory, std::vector<std::string>& names) = 0;
  virtual int remove(const std::string& path) = 0;
  // With its parents; no error if it is there.
  virtual int make_directory(const std::string& path) = 0;
};
[[nodiscard]] std::unique_ptr<FileSink> make_file_sink();

}  // namespace cvdd
