#include "cvdd/feed/exchange_time.hpp"

#include <algorithm>

namespace cvdd {

namespace {
std::int64_t us_of(std::chrono::steady_clock::duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}
// An answer slower than this tells too little.
constexpr std::int64_t round_trip_max_us = 5'000'000;
}  // namespace

std::optional<std::int64_t> judge_time(std::span<const TimeSample> samples) {
  struct Bounds {
    std::int64_t low, high;  // of "server time minus steady time"
  };
  std::vector<Bounds> bounds;
  for (const TimeSample& s : samples) {
    const Bounds b{s.server.us - us_of(s.answered.time_since_epoch()), s.server.us - us_of(s.asked.time_since_epoch())};
    if (b.high - b.low >= 0 && b.high - b.low <= round_trip_max_us) bounds.push_back(b);
  }
  if (bounds.empty()) return std::nullopt;
  const auto best = *std::min_element(bounds.begin(), bounds.end(),
                                      [](const Bounds& a, const Bounds& b) { return a.high - a.low < b.high - b.low; });
  const std::int64_t middle = best.low + (best.high - best.low) / 2;
  // Server times come in whole milliseconds at best, in seconds at worst.
  constexpr std::int64_t tolerance = 1'000'000;
  const auto agree = static_cast<std::size_t>(std::count_if(bounds.begin(), bounds.end(), [&](const Bounds& b) {
    return middle >= b.low - tolerance && middle <= b.high + tolerance;
  }));
  return agree * 2 > samples.size() ? std::optional(middle) : std::nullopt;
}

ExchangeTime::ExchangeTime(const Clock& clock)
    : clock_(clock), anchor_us_(clock.wall().us - us_of(clock.steady().time_since_epoch())) {}

Timestamp ExchangeTime::now() const {
  return {us_of(clock_.steady().time_since_epoch()) + anchor_us_.load(std::memory_order_relaxed)};
}

void ClosingTime::add(std::shared_ptr<const ExchangeTime> time) {
  const std::lock_guard lock(mutex_);
  times_.push_back(std::move(time));
}

Timestamp ClosingTime::now() const {
  const std::lock_guard lock(mutex_);
  if (times_.empty()) return clock_.wall();
  nows_.clear();
  // An exchange that was asked has two votes, the local clock one; who was never asked has none.
  const Timestamp local = clock_.wall();
  for (const auto& time : times_) {
    const Timestamp t = time->now();
    if (!time->known() || (!time->borne_out() && t - local > far)) continue;
    nows_.push_back(t);
    nows_.push_back(t);
  }
  nows_.push_back(local);
  std::sort(nows_.begin(), nows_.end());
  const Timestamp middle = nows_[nows_.size() / 2];
  for (const Timestamp t : nows_) {
    if (middle - t <= far) return t;
  }
  return middle;
}

}  // namespace cvdd
