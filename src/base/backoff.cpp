#include "cvdd/base/backoff.hpp"

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

Duration renew_after(Timestamp now, Duration lifetime, Duration age, std::optional<Duration> at, std::size_t number) {
  constexpr Duration day = seconds(86'400), soonest = seconds(3'600), apart = seconds(20);
  const Duration limit{lifetime.us / 100 * 97};
  const auto spread = static_cast<std::int64_t>(number % 10);
  // Up to a twentieth earlier.
  const auto by_age = [&](Duration whole) { return Duration{whole.us - whole.us / 200 * spread}; };
  if (age.us > 0) return by_age(age);
  if (lifetime.us == 0) return {};
  if (at) {
    Duration wait{(at->us - now.us % day.us + day.us) % day.us};
    if (wait < soonest) wait.us += day.us;
    wait.us += apart.us * spread;
    if (wait <= limit) return wait;
  }
  return by_age(limit);
}

}  // namespace cvdd
