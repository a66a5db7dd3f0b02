// How long something took, many times over: counts in buckets an eighth of an octave wide, so that any quantile is
// known to about 12 %. One thread adds; any thread may read at any time. 2 KiB, nothing is allocated.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "cvdd/base/types.hpp"

namespace cvdd {

class Latency {
 public:
  // Below zero (a clock is wrong) counts as zero; above about twelve days as that.
  void add(Duration time, std::uint64_t times = 1) {
    const auto us = static_cast<std::uint64_t>(time.us < 0 ? 0 : time.us);
    bump(counts_[index_of(us)], times);
    bump(sum_us_, us * times);
  }
  [[nodiscard]] std::uint64_t count() const { return up_to({INT64_MAX}); }
  [[nodiscard]] Duration sum() const { return {static_cast<std::int64_t>(sum_us_.load(std::memory_order_relaxed))}; }
  // How many took no longer than the upper end of the bucket that `time` is in. Powers of two microseconds are such
  // ends.
  [[nodiscard]] std::uint64_t up_to(Duration time) const {
    std::uint64_t sum = 0;
    const std::size_t end = index_of(static_cast<std::uint64_t>(time.us < 1 ? 0 : time.us - 1));
    for (std::size_t i = 0; i <= end; ++i) sum += counts_[i].load(std::memory_order_relaxed);
    return sum;
  }
  // The upper end of the bucket that holds the quantile, of `of` parts `part`: quantile(99, 100). 0 if there is none.
  [[nodiscard]] Duration quantile(std::uint64_t part, std::uint64_t of) const {
    const std::uint64_t all = count();
    std::uint64_t left = (all * part + of - 1) / of;
    for (std::size_t i = 0; i < counts_.size() && all > 0; ++i) {
      const std::uint64_t here = counts_[i].load(std::memory_order_relaxed);
      if (here >= left) return {static_cast<std::int64_t>(end_of(i))};
      left -= here;
    }
    return {};
  }

 private:
  static constexpr std::uint64_t steps = 8, octaves = 40;
  // 0 … 7 each for itself, then eight to an octave.
  static constexpr std::size_t index_of(std::uint64_t us) {
    if (us < steps) return us;
    const auto octave = static_cast<std::uint64_t>(std::bit_width(us)) - 4;  // 8 … 15: 0
    if (octave >= octaves - 1) return steps * octaves - 1;
    return steps + octave * steps + ((us >> octave) - steps);
  }
  // The first that is too large for it.
  static constexpr std::uint64_t end_of(std::size_t index) {
    if (index < steps) return index + 1;
    const std::size_t octave = (index - steps) / steps;
    return (steps + (index - steps) % steps + 1) << octave;
  }
  static void bump(std::atomic<std::uint64_t>& what, std::uint64_t by) {
    what.store(what.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::array<std::atomic<std::uint64_t>, steps * octaves> counts_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

}  // namespace cvdd
