#include "cvdd/pipeline/wakeup.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace cvdd {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "what futex(2) takes");

void Wakeup::wake() { (void)::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }

// steady_clock is CLOCK_MONOTONIC, by which FUTEX_WAIT_BITSET counts.
void Wakeup::sleep_until(std::chrono::steady_clock::time_point deadline) {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count();
  if (ns <= 0) return;
  const timespec until{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  while (state_.load(std::memory_order_relaxed) == asleep) {
    const long result =
        ::syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, asleep, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result != 0 && errno != EINTR) return;  // the time has come, or it rang before we slept
  }
}

}  // namespace cvdd
