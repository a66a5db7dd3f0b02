#include "checkpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cvdd::engine {

namespace {
constexpr std::string_view title = "cvdd-engine checkpoint 1";

std::uint32_t sum_of(std::string_view text) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

[[noreturn]] void fail(const std::string& path, const char* what) {
  const char* const advice = errno == ENOSPC || errno == EDQUOT
                                 ? "make room on its disk: until then a restart publishes again what is in the stream"
                                 : "its folder must be there and be this user's";
  throw std::runtime_error(fmt::format("{}: {}: {}; {}", path, what, std::strerror(errno), advice));
}
}  // namespace

std::string encode(const Checkpoint& checkpoint) {
  std::string text = fmt::format("stream {} {}\n", checkpoint.stream_created, checkpoint.last_sequence);
  for (const auto& [name, position] : checkpoint.files) {
    text += fmt::format("file {} {} {}\n", name, position.offset, position.print);
  }
  return fmt::format("{} {}\n{}", title, sum_of(text), text);
}

std::optional<Checkpoint> decode_checkpoint(std::string_view text) {
  const std::size_t newline = text.find('\n');
  if (newline == text.npos || !text.starts_with(title)) return std::nullopt;
  const std::string_view rest = text.substr(newline + 1);
  if (text.substr(0, newline) != fmt::format("{} {}", title, sum_of(rest))) return std::nullopt;
  Checkpoint checkpoint;
  std::istringstream in{std::string(rest)};
  for (std::string word; in >> word;) {
    if (word == "stream") {
      in >> checkpoint.stream_created >> checkpoint.last_sequence;
    } else {
      Position position;
      in >> word >> position.offset >> position.print;
      checkpoint.files[word] = position;
    }
    if (!in) return std::nullopt;
  }
  return checkpoint;
}

CheckpointFile::CheckpointFile(std::string path) : path_(std::move(path)) {
  const std::string lock = path_ + ".lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) fail(lock, "can't be made");
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(lock_);
  throw std::runtime_error(path_ + ": another cvdd-engine ship works by it: stop that first");
}

CheckpointFile::~CheckpointFile() { ::close(lock_); }

std::optional<Checkpoint> CheckpointFile::read(bool& damaged) const {
  std::ifstream in(path_, std::ios::binary);
  damaged = false;
  if (!in) return std::nullopt;
  std::stringstream all;
  all << in.rdbuf();
  const auto checkpoint = decode_checkpoint(all.str());
  damaged = !checkpoint;
  return checkpoint;
}

void CheckpointFile::write(const Checkpoint& checkpoint) const {
  const std::string text = encode(checkpoint), beside = path_ + ".tmp";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(beside, "can't be written");
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!whole || ::rename(beside.c_str(), path_.c_str()) != 0) fail(path_, "can't be written");
  const std::size_t slash = path_.rfind('/');
  const int folder =
      ::open(slash == path_.npos ? "." : path_.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  (void)::fsync(folder);
  ::close(folder);
}

}  // namespace cvdd::engine
