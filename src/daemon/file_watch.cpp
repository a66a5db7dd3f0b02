#include "file_watch.hpp"

#include <spdlog/spdlog.h>
#include <sys/inotify.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace cvdd {

namespace {
namespace fs = std::filesystem;
// A save is several events; and in effect within two seconds is promised.
constexpr std::chrono::milliseconds calm_for{150}, calm_max{600};
// What inotify does not see: network file systems, mounts switched underneath.
constexpr std::chrono::milliseconds look_anyway{1'000};
constexpr std::chrono::milliseconds look_again{250};  // at what is not settled
constexpr std::size_t contents_max = (std::size_t{16} << 20) + 1;

std::optional<std::string> contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string all, piece(16 * 1024, '\0');
  while (in && all.size() < contents_max) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    all.append(piece, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad()) return std::nullopt;
  return all;
}
}  // namespace

FileWatcher::FileWatcher(asio::any_io_executor executor, std::vector<std::string> files, std::function<void()> changed)
    : changed_(std::move(changed)), events_(executor), calm_(executor), buffer_(16 * 1024) {
  for (std::string& file : files) files_.push_back({std::move(file), {}, {}});
}

void FileWatcher::start() {
  if (files_.empty()) return;
  for (Watched& file : files_) file.state.begin(contents_of(file.path));
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    spdlog::warn("no inotify, files are looked at every second reason=\"{}\"", std::strerror(errno));
  } else {
    events_.assign(fd);
    watch_folders();
    wait_for_events();
  }
  look_by(std::chrono::steady_clock::now() + look_anyway);
}

void FileWatcher::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  events_.close(ignored);
  calm_.cancel();
}

// The folder of the name and, if that is a link, the folders on the way to what it points to.
void FileWatcher::watch_folders() {
  constexpr std::uint32_t what =
      IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB;
  for (Watched& file : files_) {
    fs::path path = file.path;
    file.names.clear();
    for (int links = 0; links < 8; ++links) {
      const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
      file.names.insert(folder + "/" + path.filename().string());
      // One that is watched has the same number again; one that can't be is tried again at the next look.
      const int watch = ::inotify_add_watch(events_.native_handle(), folder.c_str(), what);
      if (watch >= 0) folders_[watch] = folder;
      std::error_code error;
      if (!fs::is_symlink(path, error)) break;
      const fs::path target = fs::read_symlink(path, error);
      path = target.is_absolute() ? target : path.parent_path() / target;
    }
  }
}

void FileWatcher::wait_for_events() {
  events_.async_read_some(asio::buffer(buffer_), [this](const boost::system::error_code& error, std::size_t bytes) {
    if (error || stopped_) return;
    if (take_events(bytes)) {
      const auto now = std::chrono::steady_clock::now();
      if (!first_event_) first_event_ = now;
      look_by(std::min(now + calm_for, *first_event_ + calm_max));
    }
    wait_for_events();
  });
}

// What others write beside our files is not our business, however busy they are.
bool FileWatcher::take_events(std::size_t bytes) {
  bool ours = false;
  for (std::size_t at = 0; at + sizeof(inotify_event) <= bytes;) {
    inotify_event event{};
    std::memcpy(&event, buffer_.data() + at, sizeof event);
    const char* name = buffer_.data() + at + sizeof event;
    at += sizeof event + event.len;
    if ((event.mask & (IN_Q_OVERFLOW | IN_IGNORED)) != 0)
      ours = true;  // something was lost, or a folder is another one
    if ((event.mask & IN_IGNORED) != 0) folders_.erase(event.wd);
    const auto folder = folders_.find(event.wd);
    if (event.len == 0 || folder == folders_.end()) continue;
    const std::string path = folder->second + "/" + std::string(name, ::strnlen(name, event.len));
    for (Watched& file : files_) {
      if (!file.names.contains(path)) continue;
      ours = true;
      if ((event.mask & IN_MODIFY) != 0) file.state.being_written(std::chrono::steady_clock::now());
      if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) file.state.written();
    }
  }
  return ours;
}

void FileWatcher::look_by(std::chrono::steady_clock::time_point when) {
  calm_.expires_at(when);
  calm_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopped_) return;
    first_event_.reset();
    look();
    const bool unsettled = std::ranges::any_of(files_, [](const Watched& f) { return f.state.unsettled(); });
    look_by(std::chrono::steady_clock::now() + (unsettled ? look_again : look_anyway));
  });
}

void FileWatcher::look() {
  if (events_.is_open()) watch_folders();
  bool changed = false;
  for (Watched& file : files_) {
    switch (file.state.look(contents_of(file.path), std::chrono::steady_clock::now())) {
      case SavedFile::News::none:
        break;
      case SavedFile::News::saved:
      case SavedFile::News::gone:
      case SavedFile::News::back:
        changed = true;
        break;
    }
  }
  if (changed) changed_();
}

}  // namespace cvdd
