// How much of a processor all readers together may have: a share of it, and some more at once for who comes seldom.
// Any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

namespace cvdd::web {

class Allowance {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Span = std::chrono::microseconds;
  // `percent` of a processor; unused, it adds up to `most`.
  Allowance(int percent, Span most) : percent_(percent), most_(most), left_(most) {}

  void spend(Span work, Time now = std::chrono::steady_clock::now()) {
    const std::lock_guard lock(mutex_);
    refill(now);
    left_ -= work;
  }
  // How long until there is something left; 0: there is.
  [[nodiscard]] Span wait(Time now = std::chrono::steady_clock::now()) {
    const std::lock_guard lock(mutex_);
    refill(now);
    return left_.count() > 0 ? Span{0} : Span{(-left_.count() + 1) * 100 / percent_ + 1};
  }

 private:
  void refill(Time now) {
    if (at_ == Time{}) at_ = now;
    const auto passed = std::chrono::duration_cast<Span>(now - at_);
    const Span more{passed.count() * percent_ / 100};
    if (more.count() <= 0) return;
    left_ = std::min(most_, left_ + more);
    at_ = now;
  }
  std::mutex mutex_;
  const int percent_;
  const Span most_;
  Span left_;
  Time at_{};
};

}  // namespace cvdd::web
