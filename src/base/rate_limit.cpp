#include "cvdd/base/rate_limit.hpp"

#include <algorithm>

namespace cvdd {

Duration TokenBucket::take(Timestamp now) {
  // The clock stepped back, and so do the reservations. (By a little it always may: not everybody's clock is the same.)
  if (const Duration back = last_ - now; back > step_min) {
    for (Timestamp& t : used_) t = t - back;
    last_ = now;
  }
  last_ = std::max(last_, now);
  Timestamp at = now;
  if (used_.size() == capacity_) {
    at = std::max(now, used_.front() + window_);
    used_.pop_front();
  }
  if (!used_.empty()) at = std::max(at, used_.back());
  used_.push_back(at);
  return at - now;
}

Manners manners_of(unsigned status, std::optional<Duration> retry_after) {
  switch (status) {
    case 418:
      return {retry_after.value_or(seconds(300)), {}, "banned for a while: too many requests"};
    case 429:
      return {retry_after.value_or(seconds(60)), {}, "too many requests"};
    case 403:
      return {{}, retry_after.value_or(seconds(600)), "this address is refused"};
    case 451:
      return {{}, retry_after.value_or(seconds(600)), "this region is refused"};
    default:
      return {};
  }
}

}  // namespace cvdd
