// The way from the io thread to the aggregator: one bounded lock-free queue per connection.
// Exactly one thread pushes into a channel (io), exactly one pops (aggregator).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include "cvdd/base/latency.hpp"
#include "cvdd/base/types.hpp"
#include "cvdd/pipeline/spsc_ring.hpp"

namespace cvdd {

class Channel {
 public:
  // 16,384 records of 64 bytes: about two seconds of the busiest connection known.
  static constexpr std::size_t capacity_default = 16'384;
  // `waited`: where it is noted how long records wait here; several channels may share it. May be null.
  explicit Channel(std::size_t capacity = capacity_default, std::shared_ptr<Latency> waited = nullptr)
      : ring_(capacity), waited_(std::move(waited)) {}

  // Pushes what fits, in order, and returns how many that were. The caller keeps the rest and stops reading.
  std::size_t push(std::span<const Record> records) { return ring_.push(records); }
  // The oldest that wait, up to `most`; good until they are released.
  [[nodiscard]] std::span<const Record> front(std::size_t most) { return ring_.front(most); }
  void release(std::size_t n) { ring_.release(n); }
  std::size_t pop(std::span<Record> records) {
    const auto some = front(records.size());
    std::copy(some.begin(), some.end(), records.begin());
    release(some.size());
    return some.size();
  }
  [[nodiscard]] bool empty() const { return ring_.empty(); }
  // Who pushes: records that were not taken yet.
  [[nodiscard]] std::size_t waiting() { return ring_.waiting(); }

  // Before a push; when was that of the oldest push that was not popped since? Zero: none. A pop that came in between
  // loses one stamp, no more.
  using Time = std::chrono::steady_clock::time_point;
  void stamp(Time now) {
    if (stamped_.load(std::memory_order_relaxed) == Time{}) stamped_.store(now, std::memory_order_relaxed);
  }
  // Who takes: of the batch that is in the ledger now.
  void note_waited(Duration time) {
    if (waited_) waited_->add(time);
  }
  [[nodiscard]] Time take_stamp() {
    return stamped_.load(std::memory_order_relaxed) == Time{} ? Time{}
                                                              : stamped_.exchange(Time{}, std::memory_order_relaxed);
  }

 private:
  RecordRing ring_;
  std::shared_ptr<Latency> waited_;
  alignas(64) std::atomic<Time> stamped_{Time{}};
};

// Several connections that feed one channel (a twin, a successor), on the io thread: what was decided first goes first.
// Writers that wait for space are served in order.
class ChannelWriter {
 public:
  explicit ChannelWriter(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  // One writer's turn, for as long as it lives.
  class Turn {
   public:
    explicit Turn(ChannelWriter& writer) : writer_(writer), number_(writer.next_++) {
      writer_.waiting_.push_back(number_);
    }
    ~Turn() { std::erase(writer_.waiting_, number_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    [[nodiscard]] bool first() const { return writer_.waiting_.front() == number_; }

   private:
    ChannelWriter& writer_;
    std::uint64_t number_;
  };
  [[nodiscard]] bool busy() const { return !waiting_.empty(); }
  [[nodiscard]] const std::shared_ptr<Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<Channel> channel_;
  std::deque<std::uint64_t> waiting_;
  std::uint64_t next_ = 0;
};

}  // namespace cvdd
