#include "cvdd/net/ticks.hpp"

#include <boost/asio/async_result.hpp>
#include <utility>

namespace cvdd {

asio::execution_context::id Ticks::id;

Ticks& Ticks::of(const asio::any_io_executor& executor) {
  Ticks& ticks = asio::use_service<Ticks>(asio::query(executor, asio::execution::context));
  if (!ticks.timer_) ticks.timer_.emplace(executor);
  return ticks;
}

void Ticks::shutdown() {
  waiting_.clear();
  due_.clear();
  at_end_.clear();
  timer_.reset();
}

asio::awaitable<void> Ticks::next(TickReader& reader, std::chrono::steady_clock::duration every) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const Time due((now / every + 1) * every);
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this, due, &reader](Handler go_on) {
        waiting_.push_back({due, &reader, std::move(go_on)});
        arm(due);
      },
      asio::use_awaitable);
}

bool Ticks::at_end(std::function<void()> work) {
  if (firing_) at_end_.push_back(std::move(work));
  return firing_;
}

void Ticks::arm(Time due) {
  if (due >= armed_) return;
  armed_ = due;
  timer_->expires_at(due);
  timer_->async_wait([this](const boost::system::error_code& error) {
    if (!error) fire();
  });
}

void Ticks::fire() {
  armed_ = Time::max();
  const Time now = std::chrono::steady_clock::now();
  due_.swap(waiting_);
  for (Waiting& w : due_) {
    if (w.due <= now) {
      w.reader->fetch();
    } else {
      arm(w.due);
      waiting_.push_back({w.due, w.reader, std::move(w.go_on)});
    }
  }
  {
    struct Turn {
      Ticks& ticks;
      ~Turn() {
        ticks.firing_ = false;
        ticks.due_.clear();
      }
    } const turn{*this};
    firing_ = true;
    for (Waiting& w : due_) {
      if (w.due > now) continue;
      Handler go_on(std::move(w.go_on));
      go_on();
    }
  }
  for (const auto& work : at_end_) work();
  at_end_.clear();
}

}  // namespace cvdd
