#include "cvdd/core/retry.hpp"

#include <algorithm>

namespace cvdd {

Duration Backoff::next() {
  const unsigned doublings = std::min(failures_, 30U);
  ++failures_;
  std::int64_t d = first_.us;
  for (unsigned i = 0; i < doublings && d < max_.us; ++i) d *= 2;
  d = std::min(d, max_.us);
  // splitmix64
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  const std::int64_t half = d / 2;
  return {half + static_cast<std::int64_t>(z % static_cast<std::uint64_t>(d - half + 1))};
}

}  // namespace cvdd
