#include "cvdd/core/budget.hpp"

#include <algorithm>

namespace cvdd {

Duration TokenBucket::take(Timestamp now) {
  if (!used_.empty() && used_.back() > now + window_) {
    // The clock stepped back: what was reserved counts from now on.
    std::fill(used_.begin(), used_.end(), now);
  }
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
