// The system's clocks.
#include "cvdd/system/clock.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cvdd {

namespace {
using std::chrono::steady_clock;

class SystemTimer final : public Timer {
 public:
  explicit SystemTimer(const asio::any_io_executor& executor) : timer_(executor) {}
  asio::awaitable<void> wait_until(steady_clock::time_point when) override {
    timer_.expires_at(when);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  void cancel() override { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

class SystemClock final : public Clock {
 public:
  explicit SystemClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Timestamp wall() const override {
    using namespace std::chrono;
    return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
  }
  steady_clock::time_point steady() const override { return steady_clock::now(); }
  std::unique_ptr<Timer> timer() override { return std::make_unique<SystemTimer>(executor_); }

 private:
  asio::any_io_executor executor_;
};
}  // namespace

std::unique_ptr<Clock> make_system_clock(asio::any_io_executor executor) {
  return std::make_unique<SystemClock>(std::move(executor));
}

}  // namespace cvdd
