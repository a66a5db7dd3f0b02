// A rate limit as exchanges state them: at most so many in any window of this length. Pure: time comes in.
#pragma once

#include <cstdint>
#include <deque>

#include "cvdd/core/types.hpp"

namespace cvdd {

class TokenBucket {
 public:
  // At most `capacity` (≥ 1) tokens in any `window`.
  TokenBucket(std::uint32_t capacity, Duration window) : capacity_(capacity == 0 ? 1 : capacity), window_(window) {}
  // Reserves one token and returns how long to wait from `now` until it may be used (0: at once). A clock that steps
  // back neither loosens the limit nor blocks for longer than one window per `capacity` tokens.
  [[nodiscard]] Duration take(Timestamp now);

 private:
  std::uint32_t capacity_;
  Duration window_;
  std::deque<Timestamp> used_;  // the last `capacity` reservations, oldest first
};

}  // namespace cvdd
