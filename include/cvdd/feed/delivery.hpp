// What a connection has for the aggregator, and its way into the queue: marks first, then the records of what was read.
// A full queue makes it wait, and the connection unread meanwhile: TCP pushes back, nothing is dropped. io thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/pipeline/coalesced_wakeup.hpp"
#include "cvdd/system/clock.hpp"

namespace cvdd {

class Delivery {
 public:
  // `writer` may be shared by connections that carry the same.
  Delivery(std::shared_ptr<ChannelWriter> writer, Clock& clock, CoalescedWakeup& wakeup)
      : writer_(std::move(writer)), clock_(clock), wakeup_(wakeup), timer_(clock.timer()) {}

  std::vector<Record> records;  // of the messages that one read brought
  std::vector<Record> marks;    // for which the queue had no room yet

  // The usual case: nobody waits for the queue, and there is room for all. False: wait() is needed.
  [[nodiscard]] bool at_once();
  // Until all of it is in the queue. What was pushed is taken away at once, since this may be given up in the middle.
  asio::awaitable<void> wait();
  // As many marks as there is room for, if nobody waits.
  void push_marks();
  // Records from elsewhere behind all that the connection has received: how many there was room for. 0 while its own
  // are waiting for room.
  [[nodiscard]] std::size_t inject(std::span<const Record> others);
  // Nothing waits, neither of this connection nor of one that shares the queue.
  [[nodiscard]] bool idle() const { return records.empty() && marks.empty() && !writer_->busy(); }

  [[nodiscard]] const std::shared_ptr<ChannelWriter>& writer() const { return writer_; }
  [[nodiscard]] std::uint64_t waits() const { return waits_; }
  [[nodiscard]] std::uint64_t waited_us() const { return waited_us_; }
  // The most records that ever waited in the queue.
  [[nodiscard]] std::size_t queue_max() const { return queue_max_; }

 private:
  void push_marks_now();
  void push_records();

  std::shared_ptr<ChannelWriter> writer_;
  Clock& clock_;
  CoalescedWakeup& wakeup_;
  std::unique_ptr<Timer> timer_;
  std::uint64_t waits_ = 0, waited_us_ = 0;
  std::size_t queue_max_ = 0;
};

}  // namespace cvdd
