#include "file_watch.hpp"

#include <spdlog/spdlog.h>
#include <sys/inotify.h>

#include <boost/asio/buffer.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace cvdd {

namespace {
namespace fs = std::filesystem;
// A save is several events; and in effect within two seconds is promised.
constexpr std::chrono::milliseconds calm_for{150};
// What inotify does not see: network file systems, mounts switched underneath.
constexpr std::chrono::milliseconds look_anyway{1'000};

std::optional<std::string> contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
}  // namespace

FileWatcher::FileWatcher(asio::any_io_executor executor, std::vector<std::string> files, std::function<void()> changed)
    : files_(std::move(files)), changed_(std::move(changed)), events_(executor), calm_(executor), buffer_(16 * 1024) {}

void FileWatcher::start() {
  if (files_.empty()) return;
  for (const std::string& file : files_) {
    if (auto text = contents_of(file)) seen_[file] = std::move(*text);
  }
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    spdlog::warn("no inotify, files are looked at every second reason=\"{}\"", std::strerror(errno));
  } else {
    events_.assign(fd);
    watch_folders();
    wait_for_events();
  }
  look_later(look_anyway);
}

void FileWatcher::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  events_.close(ignored);
  calm_.cancel();
}

// The folder of the name and, if that is a link, the folders on the way to what it points to.
void FileWatcher::watch_folders() {
  constexpr std::uint32_t what = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB;
  for (const std::string& file : files_) {
    fs::path path = file;
    for (int links = 0; links < 8; ++links) {
      const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
      if (folders_.insert(folder).second && ::inotify_add_watch(events_.native_handle(), folder.c_str(), what) < 0) {
        folders_.erase(folder);  // tried again at the next look
      }
      std::error_code error;
      if (!fs::is_symlink(path, error)) break;
      const fs::path target = fs::read_symlink(path, error);
      path = target.is_absolute() ? target : path.parent_path() / target;
    }
  }
}

void FileWatcher::wait_for_events() {
  events_.async_read_some(asio::buffer(buffer_), [this](const boost::system::error_code& error, std::size_t) {
    if (error || stopped_) return;
    look_later(calm_for);
    wait_for_events();
  });
}

void FileWatcher::look_later(std::chrono::milliseconds delay) {
  calm_.expires_after(delay);
  calm_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopped_) return;
    look();
    look_later(look_anyway);
  });
}

void FileWatcher::look() {
  if (events_.is_open()) watch_folders();
  bool changed = false;
  for (const std::string& file : files_) {
    auto text = contents_of(file);
    if (!text || seen_[file] == *text) continue;
    seen_[file] = std::move(*text);
    changed = true;
  }
  if (changed) changed_();
}

}  // namespace cvdd
