// A child process of the bench's own: started, looked at from outside, ended.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace cvdd::attack {

class Process {
 public:
  // Its output goes to `log`. `processor`: the one it is held to; -1: any.
  Process(const std::vector<std::string>& command, const std::string& log, int processor);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  [[nodiscard]] double rss_mib() const;
  [[nodiscard]] double cpu_seconds() const;
  [[nodiscard]] bool running() const;
  // Asks it to end, and waits; kills it after ten seconds. Its exit status, or -1.
  int stop();

 private:
  pid_t pid_ = -1;
};

[[nodiscard]] std::string text_of_file(const std::string& path);
inline constexpr int daemon_processor = 0, other_processor = 1;
void stay_on(int processor);

}  // namespace cvdd::attack
