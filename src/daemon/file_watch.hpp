// Tells when one of a few files was saved, in whatever way: written in place, renamed over, a symbolic link switched,
// deleted and made anew. By inotify on the folders; one call per burst of saves. io thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "saved_file.hpp"

namespace cvdd {

namespace asio = boost::asio;

class FileWatcher {
 public:
  // `changed` is called when a file was saved and nobody seems to be writing it any more; also when one has been away
  // for longer than editors take that delete and write, and when it is back.
  FileWatcher(asio::any_io_executor executor, std::vector<std::string> files, std::function<void()> changed);
  // Without inotify (its limits are reached) the files are looked at every second.
  void start();
  void stop();

 private:
  struct Watched {
    std::string path;
    SavedFile state;
    std::set<std::string> names;  // by which events tell of it: "FOLDER/NAME", also of links on the way
  };
  void watch_folders();
  void wait_for_events();
  // Whether any of them is about our files.
  bool take_events(std::size_t bytes);
  void look_by(std::chrono::steady_clock::time_point when);
  void look();

  std::vector<Watched> files_;
  std::function<void()> changed_;
  std::map<int, std::string> folders_;  // watch descriptor → folder
  asio::posix::stream_descriptor events_;
  asio::steady_timer calm_;
  std::optional<std::chrono::steady_clock::time_point> first_event_;  // of those that were not looked after yet
  std::vector<char> buffer_;
  bool stopped_ = false;
};

}  // namespace cvdd
