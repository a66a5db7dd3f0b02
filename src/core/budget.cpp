#include "cvdd/core/budget.hpp"

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

namespace {
// Each market of an exchange has its own idea of the time, which is corrected now and then by some milliseconds: who
// was told to wait must not come that much too early.
constexpr Duration margin = milliseconds(500);

Duration told_or(std::optional<Duration> retry_after, Duration otherwise) {
  return retry_after ? Duration{retry_after->us + margin.us} : otherwise;
}
}  // namespace

Manners manners_of(unsigned status, std::optional<Duration> retry_after) {
  switch (status) {
    case 418:
      return {told_or(retry_after, seconds(300)), {}, "banned for a while: too many requests"};
    case 429:
      return {told_or(retry_after, seconds(60)), {}, "too many requests"};
    case 403:
      return {{}, retry_after.value_or(seconds(600)), "this address is refused"};
    case 451:
      return {{}, retry_after.value_or(seconds(600)), "this region is refused"};
    default:
      return {};
  }
}

}  // namespace cvdd
