// The seam to time. The daemon runs on the system's clocks; the simulation on virtual ones, a day in seconds.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "cvdd/base/types.hpp"

namespace cvdd {

namespace asio = boost::asio;

// For one coroutine of the io thread at a time.
class Timer {
 public:
  virtual ~Timer() = default;
  // Returns at `when`, or earlier if cancelled.
  virtual asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point when) = 0;
  // Ends a wait that is going on; does nothing otherwise.
  virtual void cancel() = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  // UTC; may step. Any thread.
  [[nodiscard]] virtual Timestamp wall() const = 0;
  // Never steps: for deadlines and distances. Any thread.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Timer> timer() = 0;
};

// The steady clock as a moment of no date: what limits are counted by. Markets of one exchange share them, each has its
// own idea of the exchange's time, and no correction of that may bring a request forward.
[[nodiscard]] inline Timestamp undated(const Clock& clock) {
  return {std::chrono::duration_cast<std::chrono::microseconds>(clock.steady().time_since_epoch()).count()};
}

// Its timers wait on `executor`.
[[nodiscard]] std::unique_ptr<Clock> make_system_clock(asio::any_io_executor executor);

}  // namespace cvdd
