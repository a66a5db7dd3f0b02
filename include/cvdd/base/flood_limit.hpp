// How often in a second something may come that costs more to take than it brings. Pure: times come in.
#pragma once

#include <chrono>
#include <cstdint>

namespace cvdd {

class FloodLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit FloodLimit(std::uint32_t per_second) : per_second_(per_second) {}
  // So many more came at `now`. False if there were too many in the second that began with the first of them.
  [[nodiscard]] bool add(std::uint64_t more, Time now) {
    if (more == 0) return true;
    if (now - second_ > std::chrono::seconds(1)) {
      second_ = now;
      count_ = 0;
    }
    count_ += more;
    return count_ <= per_second_;
  }

 private:
  std::uint32_t per_second_;
  Time second_{};
  std::uint64_t count_ = 0;
};

}  // namespace cvdd
