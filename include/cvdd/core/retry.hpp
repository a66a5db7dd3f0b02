// How long to wait before the next attempt: at most a second first, doubling to a cap, with jitter so that many
// connections cut at once don't come back at once. Pure: randomness comes from the seed.
#pragma once

#include <cstdint>

#include "cvdd/core/types.hpp"

namespace cvdd {

class Backoff {
 public:
  Backoff(Duration first, Duration max, std::uint64_t seed) : first_(first), max_(max), state_(seed) {}
  // The delay before the next attempt: between half of d and d, where d doubles from `first` to `max`.
  [[nodiscard]] Duration next();
  // The attempt proved good (data came).
  void reset() { failures_ = 0; }
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  Duration first_, max_;
  std::uint64_t state_;
  unsigned failures_ = 0;
};

}  // namespace cvdd
