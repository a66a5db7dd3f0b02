// The real file system.
#include "cvdd/storage/file_sink.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

namespace cvdd {

namespace {
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const std::string& path, int flags, mode_t mode = 0644)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool good() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// One write(2); an interrupted one is tried again. Fewer bytes than asked for are an error: the disk is full.
int write_once(int fd, std::string_view text, off_t offset, bool append, ssize_t& written) {
  do {
    written = append ? ::write(fd, text.data(), text.size()) : ::pwrite(fd, text.data(), text.size(), offset);
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(text.size())) return 0;
  return written < 0 ? errno : ENOSPC;
}

class PosixFileSink final : public FileSink {
 public:
  int append(const std::string& path, std::string_view text) override {
    Descriptor opened;
    int fd = -1;
    if (const int error = current(path, opened, fd); error != 0) return error;
    struct stat before {};
    if (::fstat(fd, &before) != 0) return errno;
    ssize_t written = -1;
    const int error = write_once(fd, text, 0, true, written);
    if (error != 0 && written > 0 && ::ftruncate(fd, before.st_size) != 0) return errno;
    return error;
  }

  int overwrite(const std::string& path, std::string_view text) override {
    const Descriptor file(path, O_WRONLY | O_CREAT);
    if (!file.good()) return errno;
    ssize_t written = -1;
    return write_once(file.get(), text, 0, false, written);
  }

  int sync(const std::string& path) override {
    Descriptor mine;
    {
      // The descriptor that was written through: an error of the disk is told to it even if the file was closed since.
      const std::lock_guard guard(mutex_);
      const auto open = open_.find(path);
      mine = open == open_.end() ? Descriptor(path, O_RDONLY)
                                 : Descriptor(::fcntl(open->second.get(), F_DUPFD_CLOEXEC, 0));
    }
    if (!mine.good()) return errno;
    return ::fdatasync(mine.get()) == 0 ? 0 : errno;
  }

  int lock(const std::string& path, std::string_view text, std::string& holder) override {
    // Who can open it can lock it, and keep us out: nobody else may.
    Descriptor file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (!file.good() || ::fchmod(file.get(), 0600) != 0) return errno;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      (void)read(path, 0, 200, holder);
      return error;
    }
    if (::ftruncate(file.get(), 0) != 0) return errno;
    ssize_t written = -1;
    const int error = write_once(file.get(), text, 0, false, written);
    // A full disk must not keep the daemon from starting: the lock holds without its text.
    lock_ = std::move(file);
    return error == ENOSPC ? 0 : error;
  }

  int replace(const std::string& path, std::string_view text) override {
    const std::string temporary = path + ".new";
    (void)::unlink(temporary.c_str());
    const Descriptor file(temporary, O_WRONLY | O_CREAT);
    if (!file.good()) return errno;
    ssize_t written = -1;
    if (const int error = write_once(file.get(), text, 0, false, written); error != 0) {
      (void)::unlink(temporary.c_str());
      return error;
    }
    return std::rename(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  }

  int replace_link(const std::string& link, const std::string& target) override {
    const std::string temporary = link + ".new";
    (void)::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0) return errno;
    return std::rename(temporary.c_str(), link.c_str()) == 0 ? 0 : errno;
  }

  int read(const std::string& path, std::uint64_t offset, std::size_t size, std::string& text) override {
    const Descriptor file(path, O_RDONLY);
    struct stat status {};
    if (!file.good() || ::fstat(file.get(), &status) != 0) {
      const int error = errno;
      text.clear();
      return error;
    }
    const auto end = static_cast<std::uint64_t>(status.st_size);
    // A text that has this size already is not filled with zeros first.
    text.resize(offset >= end ? 0 : std::min<std::uint64_t>(size, end - offset));
    std::size_t got = 0;
    while (got < text.size()) {
      const ssize_t n = ::pread(file.get(), text.data() + got, text.size() - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return 0;
  }

  int size(const std::string& path, std::uint64_t& size) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno;
    size = static_cast<std::uint64_t>(status.st_size);
    return 0;
  }

  int truncate(const std::string& path, std::uint64_t size) override {
    return ::truncate(path.c_str(), static_cast<off_t>(size)) == 0 ? 0 : errno;
  }

  int list(const std::string& directory, std::vector<std::string>& names) override {
    std::error_code error;
    for (auto i = std::filesystem::directory_iterator(directory, error); !error && i != std::filesystem::end(i);
         i.increment(error)) {
      std::error_code ignored;
      if (i->is_regular_file(ignored) && !i->is_symlink(ignored)) names.push_back(i->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return error.value();
  }

  int remove(const std::string& path) override { return ::unlink(path.c_str()) == 0 ? 0 : errno; }

  int make_directory(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    return error.value();
  }

 private:
  static constexpr std::size_t open_max = 4;  // today's file, yesterday's, and their successors after a failure

  // The descriptor that appends to what is at `path` now: a file that was deleted or renamed meanwhile is left alone.
  int current(const std::string& path, Descriptor& opened, int& fd) {
    const std::lock_guard guard(mutex_);
    struct stat there {
    }, ours{};
    const auto known = open_.find(path);
    if (known != open_.end() && ::stat(path.c_str(), &there) == 0 && ::fstat(known->second.get(), &ours) == 0 &&
        there.st_ino == ours.st_ino && there.st_dev == ours.st_dev) {
      fd = known->second.get();
      return 0;
    }
    if (known != open_.end()) open_.erase(known);
    opened = Descriptor(path, O_WRONLY | O_APPEND | O_CREAT);
    if (!opened.good()) return errno;
    if (open_.size() >= open_max) open_.erase(open_.begin());  // the oldest day: names sort by date
    fd = open_.emplace(path, std::move(opened)).first->second.get();
    return 0;
  }

  std::mutex mutex_;
  std::map<std::string, Descriptor> open_;
  Descriptor lock_;
};
}  // namespace

std::unique_ptr<FileSink> make_file_sink() { return std::make_unique<PosixFileSink>(); }

}  // namespace cvdd
