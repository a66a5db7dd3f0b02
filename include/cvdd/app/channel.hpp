// The way from the io thread to the aggregator: one bounded lock-free queue per connection, and one bell for all.
// Exactly one thread pushes into a channel (io), exactly one pops (aggregator).
#pragma once

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <semaphore>
#include <span>

#include "cvdd/core/types.hpp"

namespace cvdd {

// Wakes the sleeping aggregator; costs one atomic load while it is awake.
class Bell {
 public:
  // Any thread: after something was pushed.
  void ring() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_relaxed) && sleeping_.exchange(false, std::memory_order_acq_rel)) {
      semaphore_.release();
    }
  }
  // The aggregator: sleeps until the bell rings or `deadline`, unless `anything_there()` says that there is work.
  template <class AnythingThere>
  void wait_until(std::chrono::steady_clock::time_point deadline, AnythingThere anything_there) {
    sleeping_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!anything_there() && semaphore_.try_acquire_until(deadline)) return;
    // Whoever took the flag has released, or is about to release, the semaphore: take it, so that counts stay even.
    if (!sleeping_.exchange(false, std::memory_order_acq_rel)) semaphore_.acquire();
  }

 private:
  std::atomic<bool> sleeping_{false};
  std::binary_semaphore semaphore_{0};
};

class Channel {
 public:
  // 16,384 records of 64 bytes: about two seconds of the busiest connection known.
  explicit Channel(std::size_t capacity = 16'384) : queue_(capacity) {}

  // Pushes what fits, in order, and returns how many that were. The caller keeps the rest and stops reading.
  std::size_t push(std::span<const Record> records) { return queue_.push(records.data(), records.size()); }
  std::size_t pop(std::span<Record> records) { return queue_.pop(records.data(), records.size()); }
  [[nodiscard]] bool empty() { return queue_.read_available() == 0; }

 private:
  boost::lockfree::spsc_queue<Record> queue_;
};

// Several connections that feed one channel (a twin, a successor), on the io thread: what was decided first goes first.
// Who has to wait for room keeps its place in the row.
class Outlet {
 public:
  explicit Outlet(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  // A place in the row for as long as it lives.
  class Place {
   public:
    explicit Place(Outlet& outlet) : outlet_(outlet), number_(outlet.next_++) { outlet_.row_.push_back(number_); }
    ~Place() { std::erase(outlet_.row_, number_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] bool first() const { return outlet_.row_.front() == number_; }

   private:
    Outlet& outlet_;
    std::uint64_t number_;
  };
  [[nodiscard]] bool busy() const { return !row_.empty(); }
  [[nodiscard]] const std::shared_ptr<Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<Channel> channel_;
  std::deque<std::uint64_t> row_;
  std::uint64_t next_ = 0;
};

}  // namespace cvdd
