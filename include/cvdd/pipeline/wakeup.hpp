// Wakes the sleeping aggregator: one atomic load while it is awake, one system call if it sleeps.
//
// On Linux's futex itself. A condition variable takes two system calls more, for its mutex; the semaphore of libstdc++
// 12 does not sleep until its deadline but looks again and again (900 sleeps and 900 yields a second, seen).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace cvdd {

class Wakeup {
 public:
  // Any thread: after something was pushed.
  void ring() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (state_.load(std::memory_order_relaxed) == awake) return;
    if (state_.exchange(awake, std::memory_order_relaxed) == asleep) wake();
  }
  // The aggregator: sleeps until the wakeup rings or `deadline`, unless `anything_there()` says that there is work.
  template <class AnythingThere>
  void wait_until(std::chrono::steady_clock::time_point deadline, AnythingThere anything_there) {
    state_.store(asleep, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!anything_there()) sleep_until(deadline);
    state_.store(awake, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t awake = 0, asleep = 1;
  void wake();
  void sleep_until(std::chrono::steady_clock::time_point deadline);
  alignas(64) std::atomic<std::uint32_t> state_{awake};
};

}  // namespace cvdd
