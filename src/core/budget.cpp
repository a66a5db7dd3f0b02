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

}  // namespace cvdd
