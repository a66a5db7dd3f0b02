// How long to wait before the next attempt: at most a second first, doubling to a cap, with jitter so that many
// connections cut at once don't come back at once. Pure: randomness comes from the seed.
#pragma once

#include <cstdint>
#include <optional>

#include "cvdd/base/types.hpp"

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

// After how long a connection made at `now` is to be renewed. `lifetime`: the exchange closes it at this age (0:
// never); `age`: asked for in the configuration (0: not); `at`: time of day at which nobody minds. `number`: of the
// connection, so that not all are renewed at once. 0: never.
[[nodiscard]] Duration renew_after(Timestamp now, Duration lifetime, Duration age, std::optional<Duration> at,
                                   std::size_t number);

}  // namespace cvdd
