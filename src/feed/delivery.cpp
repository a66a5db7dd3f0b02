#include "cvdd/feed/delivery.hpp"

#include <algorithm>

namespace cvdd {

bool Delivery::at_once() {
  if (writer_->busy()) return false;
  push_marks_now();
  if (!marks.empty()) return false;
  push_records();
  if (!records.empty()) return false;
  wakeup_.pull();
  return true;
}

void Delivery::push_records() {
  Channel& channel = *writer_->channel();
  channel.stamp(clock_.steady());
  const std::size_t pushed = channel.push(records);
  records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(pushed));
  queue_max_ = std::max(queue_max_, channel.waiting());
}

void Delivery::push_marks() {
  if (!writer_->busy()) push_marks_now();
}

void Delivery::push_marks_now() {
  if (marks.empty()) return;
  const std::size_t pushed = writer_->channel()->push(marks);
  marks.erase(marks.begin(), marks.begin() + static_cast<std::ptrdiff_t>(pushed));
  wakeup_.pull();
}

asio::awaitable<void> Delivery::wait() {
  const ChannelWriter::Turn turn(*writer_);
  while (true) {
    if (turn.first()) {
      push_marks_now();
      if (marks.empty()) push_records();
      if (records.empty() && marks.empty()) {
        wakeup_.pull();
        co_return;
      }
      wakeup_.now();
    }
    ++waits_;
    const auto since = clock_.steady();
    co_await timer_->wait_until(since + std::chrono::milliseconds(1));
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - since);
    waited_us_ += static_cast<std::uint64_t>(waited.count());
  }
}

std::size_t Delivery::inject(std::span<const Record> others) {
  if (writer_->busy()) return 0;
  const std::size_t pushed = writer_->channel()->push(others);
  wakeup_.pull();
  return pushed;
}

}  // namespace cvdd
