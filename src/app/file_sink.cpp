// The real file system.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "cvdd/app/file_sink.hpp"

namespace cvdd {

namespace {
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool good() const { return fd_ >= 0; }

 private:
  int fd_;
};

class PosixFileSink final : public FileSink {
 public:
  int append(const std::string& path, std::string_view text) override {
    const Descriptor file(path, O_WRONLY | O_APPEND | O_CREAT);
    if (!file.good()) return errno;
    struct stat before {};
    if (::fstat(file.get(), &before) != 0) return errno;
    ssize_t written = -1;
    do {
      written = ::write(file.get(), text.data(), text.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(text.size())) return 0;
    const int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ::ftruncate(file.get(), before.st_size) != 0) return errno;
    return error;
  }

  int replace(const std::string& path, std::string_view text) override {
    const std::string temporary = path + ".new";
    (void)::unlink(temporary.c_str());
    if (const int error = append(temporary, text); error != 0) {
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
    text.clear();
    const Descriptor file(path, O_RDONLY);
    if (!file.good()) return errno;
    text.resize(size);
    std::size_t got = 0;
    while (got < size) {
      const ssize_t n = ::pread(file.get(), text.data() + got, size - got, static_cast<off_t>(offset + got));
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

  int make_directory(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    return error.value();
  }
};
}  // namespace

std::unique_ptr<FileSink> make_file_sink() { return std::make_unique<PosixFileSink>(); }

}  // namespace cvdd
