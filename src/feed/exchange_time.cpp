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

namespace {
struct Bounds {
  std::int64_t low, high;  // of "server time minus steady time"
};

// How long what the page says is said: as long as the coarsest digit that all its answers may have been cut to.
std::int64_t step_of(std::span<const TimeSample> samples) {
  for (const std::int64_t step : {1'000'000, 100'000, 10'000, 1'000, 100, 10}) {
    if (std::all_of(samples.begin(), samples.end(), [&](const TimeSample& s) { return s.server.us % step == 0; })) {
      return step;
    }
  }
  return 1;
}
}  // namespace

std::optional<TimeEstimate> judge_time(std::span<const TimeSample> samples) {
  const std::int64_t step = step_of(samples);
  std::vector<Bounds> bounds;
  for (const TimeSample& s : samples) {
    const std::int64_t asked = us_of(s.asked.time_since_epoch()), answered = us_of(s.answered.time_since_epoch());
    if (answered < asked || answered - asked > round_trip_max_us) continue;
    bounds.push_back({s.server.us - answered, s.server.us + step - 1 - asked});
  }
  if (bounds.empty()) return std::nullopt;
  Bounds agreed = *std::min_element(bounds.begin(), bounds.end(),
                                    [](const Bounds& a, const Bounds& b) { return a.high - a.low < b.high - b.low; });
  const Bounds best = agreed;
  // Clocks of several hosts are not one clock.
  constexpr std::int64_t tolerance = 1'000'000;
  std::size_t agree = 0;
  for (const Bounds& b : bounds) {
    if (b.low - tolerance > best.high || b.high + tolerance < best.low) continue;
    ++agree;
    if (b.low <= agreed.high && b.high >= agreed.low) {
      agreed = {std::max(agreed.low, b.low), std::min(agreed.high, b.high)};
    }
  }
  if (agree * 2 <= samples.size()) return std::nullopt;
  const std::int64_t half = (agreed.high - agreed.low) / 2;
  return TimeEstimate{agreed.low + half, Duration{half}};
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
