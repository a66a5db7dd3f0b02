// For work on the server's threads beside the io thread.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <ctime>

namespace cvdd::web {

// What this thread has used of a processor.
[[nodiscard]] inline std::chrono::microseconds thread_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_nsec / 1'000);
}

// From now on this thread lets the others go first, where there are fewer processors than work. Where that is not
// allowed it goes on as it is.
inline void step_back() {
  static thread_local const bool done = ::setpriority(PRIO_PROCESS, 0, 10) == 0;
  (void)done;
}

}  // namespace cvdd::web
