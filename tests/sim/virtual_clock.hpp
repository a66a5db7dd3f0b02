// Virtual time: nothing waits, the next thing that is due happens. One thread; the same events, the same order.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <map>
#include <utility>

#include "cvdd/system/clock.hpp"

namespace cvdd::simtest {

using SteadyTime = std::chrono::steady_clock::time_point;

class VirtualClock final : public Clock {
 public:
  using Key = std::pair<SteadyTime, std::uint64_t>;

  explicit VirtualClock(Timestamp start) : start_(start) {}

  [[nodiscard]] Timestamp wall() const override { return wall_at(now_) + step_; }
  // What the exchanges' clocks say; the machine's own, wall(), may be wrong.
  [[nodiscard]] Timestamp true_time() const { return wall_at(now_); }
  void step_wall(Duration by) { step_ = {step_.us + by.us}; }
  [[nodiscard]] SteadyTime steady() const override { return now_; }
  [[nodiscard]] std::unique_ptr<Timer> timer() override;

  [[nodiscard]] Timestamp wall_at(SteadyTime t) const {
    return start_ + Duration{std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count()};
  }
  [[nodiscard]] SteadyTime steady_at(Timestamp t) const {
    return SteadyTime{} + std::chrono::microseconds((t - start_).us);
  }
  // The executor that virtual timers wait on: that of the engine's life at hand.
  void use(asio::any_io_executor executor) { executor_ = std::move(executor); }

  Key at(SteadyTime when, std::function<void()> what) {
    const Key key{std::max(when, now_), ++count_};
    events_.emplace(key, std::move(what));
    return key;
  }
  void forget(const Key& key) { events_.erase(key); }
  // Goes to the next event that is due by `until` and makes it happen; else goes to `until` and returns false.
  bool advance(SteadyTime until) {
    if (events_.empty() || events_.begin()->first.first > until) {
      now_ = std::max(now_, until);
      return false;
    }
    now_ = events_.begin()->first.first;
    const auto what = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    what();
    return true;
  }

 private:
  Timestamp start_;
  SteadyTime now_{};
  Duration step_;
  std::uint64_t count_ = 0;
  std::map<Key, std::function<void()>> events_;
  asio::any_io_executor executor_;
};

// What a virtual timer and the event that ends its wait share; the timer may be gone when the event comes.
class VirtualTimer final : public Timer {
 public:
  VirtualTimer(VirtualClock& clock, const asio::any_io_executor& executor)
      : clock_(clock), timer_(std::make_shared<asio::steady_timer>(executor)) {}
  ~VirtualTimer() override { timer_->cancel(); }

  asio::awaitable<void> wait_until(SteadyTime when) override {
    struct Event {
      VirtualClock& clock;
      VirtualClock::Key key;
      ~Event() { clock.forget(key); }
    };
    const auto timer = timer_;
    const Event event{clock_, clock_.at(when, [timer] { timer->cancel(); })};
    timer->expires_at(SteadyTime::max());
    boost::system::error_code ignored;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  void cancel() override { timer_->cancel(); }

 private:
  VirtualClock& clock_;
  std::shared_ptr<asio::steady_timer> timer_;
};

inline std::unique_ptr<Timer> VirtualClock::timer() { return std::make_unique<VirtualTimer>(*this, executor_); }

}  // namespace cvdd::simtest
