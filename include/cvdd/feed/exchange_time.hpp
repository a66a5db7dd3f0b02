// What time it is at an exchange. Measured by asking for its server time, then carried by the steady clock, so that a
// local clock that is wrong or steps does no harm. One per exchange and market; written by the io thread, read by any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "cvdd/system/clock.hpp"

namespace cvdd {

// One question and its answer: the exchange said `server` somewhere between the two moments.
struct TimeSample {
  std::chrono::steady_clock::time_point asked, answered;
  Timestamp server;
};

// By how much server time is ahead of the steady clock (microseconds), and by how much that may be wrong, either way.
struct TimeEstimate {
  std::int64_t ahead_us = 0;
  Duration error;
};

// From several samples: what the quickest answer and those that agree with it allow. A page that tells whole seconds,
// or milliseconds, tells that its time is not over yet. Empty if there is no answer, or if most contradict the
// quickest.
[[nodiscard]] std::optional<TimeEstimate> judge_time(std::span<const TimeSample> samples);

class ExchangeTime {
 public:
  // Until the exchange was asked, what the local clock says now is believed, but not a later step of it.
  explicit ExchangeTime(const Clock& clock);

  [[nodiscard]] Timestamp now() const;
  void measured(std::int64_t ahead_of_steady_us) {
    const std::int64_t moved = ahead_of_steady_us - anchor_us_.exchange(ahead_of_steady_us, std::memory_order_relaxed);
    if (moved > jump.us || moved < -jump.us) borne_out_.store(false, std::memory_order_release);
    known_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool known() const { return known_.load(std::memory_order_acquire); }
  // Trades agree with it, until it is measured to be more than `jump` beside that.
  void bear_out() { borne_out_.store(true, std::memory_order_release); }
  [[nodiscard]] bool borne_out() const { return borne_out_.load(std::memory_order_acquire); }
  // By how much the local clock is ahead of now() (negative: behind).
  [[nodiscard]] Duration local_clock_ahead() const { return clock_.wall() - now(); }

  static constexpr Duration jump = seconds(2);

 private:
  const Clock& clock_;
  std::atomic<std::int64_t> anchor_us_{0};
  std::atomic<bool> known_{false}, borne_out_{false};
};

// The time by which bars are closed: that of the slowest clock, so that none is closed early. One that is far from what
// most agree on does not count: its own bars come late or early, not everybody's. One that is ahead of the local clock
// alone, and of which no trade says so too, may be wrong, and closes no bar. The local clock is the last witness.
class ClosingTime {
 public:
  explicit ClosingTime(const Clock& clock) : clock_(clock) {}
  void add(std::shared_ptr<const ExchangeTime> time);
  // Any thread.
  [[nodiscard]] Timestamp now() const;
  static constexpr Duration far = seconds(5);

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const ExchangeTime>> times_;
  mutable std::vector<Timestamp> nows_;  // of the call that goes on
};

}  // namespace cvdd
