// How often an instrument trades, and whether it has been quiet for longer than can be believed. Quiet alone proves
// nothing, so the answer is only when to ask the exchange what its newest trade is. Pure: times come in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cvdd/base/types.hpp"

namespace cvdd {

class TradeRate {
 public:
  void heard(Timestamp now) {
    if (count_ > 0) {
      const auto gap = static_cast<float>(std::max<std::int64_t>((now - last_).us, 0));
      const auto weight = static_cast<float>(std::min<std::uint16_t>(count_, gaps_max));
      mean_us_ += (gap - mean_us_) / weight;
    }
    if (count_ < gaps_max) ++count_;
    last_ = now;
    asked_ = 0;
  }
  // Quiet for so many times longer than is usual enough: 1 or more means ask. 0 while too little is known of it.
  [[nodiscard]] double overdue(Timestamp now) const {
    if (count_ < gaps_min) return 0;
    return static_cast<double>((now - last_).us) / static_cast<double>(patience().us);
  }
  // How many trades are usual in the time that it has been quiet for; 0 while too little is known of it.
  [[nodiscard]] double expected(Timestamp now) const {
    if (count_ < gaps_min || mean_us_ <= 0) return 0;
    return static_cast<double>((now - last_).us) / static_cast<double>(mean_us_);
  }
  // The clock by which it was heard turns out to have been another, by so much.
  void clock_moved(Duration by) {
    if (count_ > 0) last_ = last_ + by;
  }
  // It was asked for: the next time after twice as long.
  void asked() { asked_ = static_cast<std::uint8_t>(std::min(asked_ + 1, asked_max)); }
  [[nodiscard]] Timestamp last() const { return last_; }  // 0: never

  // 30 usual gaps, not less than 15 s nor more than 10 min, and that once more for each time it was asked for in vain.
  [[nodiscard]] Duration patience() const {
    const Duration usual{static_cast<std::int64_t>(mean_us_ * gaps_of_quiet)};
    return {std::clamp(usual, quiet_min, quiet_max).us << asked_};
  }
  static constexpr Duration quiet_min = seconds(15), quiet_max = seconds(600);

 private:
  static constexpr std::uint16_t gaps_min = 20, gaps_max = 500;
  static constexpr float gaps_of_quiet = 30;
  static constexpr int asked_max = 5;
  Timestamp last_;
  float mean_us_ = 0;
  std::uint16_t count_ = 0;
  std::uint8_t asked_ = 0;
};

}  // namespace cvdd
