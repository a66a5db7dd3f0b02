// Tells when one of a few files was saved, in whatever way: written in place, renamed over, a symbolic link switched,
// deleted and made anew. By inotify on the folders; one call per burst of saves. io thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace cvdd {

namespace asio = boost::asio;

class FileWatcher {
 public:
  // `changed` is called when the contents of a file differ from those last seen and have been calm for a moment.
  // A file that is gone is no change: editors delete and write.
  FileWatcher(asio::any_io_executor executor, std::vector<std::string> files, std::function<void()> changed);
  // Without inotify (its limits are reached) the files are looked at every second.
  void start();
  void stop();

 private:
  void watch_folders();
  void wait_for_events();
  void look_later(std::chrono::milliseconds delay);
  void look();

  std::vector<std::string> files_;
  std::function<void()> changed_;
  std::map<std::string, std::string> seen_;  // file → contents
  std::set<std::string> folders_;            // watched
  asio::posix::stream_descriptor events_;
  asio::steady_timer calm_;
  std::vector<char> buffer_;
  bool stopped_ = false;
};

}  // namespace cvdd
