// Whether an aggregate is made of fills that an earlier one has: the same volume under another id. Pure; one for each
// instrument, or for each run of trades.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

class FillOrder {
 public:
  // The next aggregate in the order of ids, made of `fills` fills from `first` on; `first` 0: its fills have no
  // numbers. Where numbers do not go on from one aggregate to the next anyway, they tell nothing. `time`: of the trade.
  [[nodiscard]] bool repeats(std::uint64_t first, std::uint64_t fills, Timestamp time = {}) {
    if (first == 0) return false;
    const bool goes_on = first > last_;
    if (begin_ == 0) begin_ = first;
    if (!goes_on && in_order_ < in_order_min && first >= begin_ && !overlapped_) overlapped_ = time;
    const bool repeats = !goes_on && in_order_ >= in_order_min;
    const unsigned less = in_order_ >= in_order_min + doubt ? in_order_ - doubt : 0;
    in_order_ = goes_on ? std::min(in_order_ + 1, in_order_sure) : less;
    if (!repeats) last_ = first + fills - 1;
    return repeats;
  }
  // When an aggregate was made that has fills of an earlier one, and came before their order was known; told once, when
  // it is known.
  [[nodiscard]] std::optional<Timestamp> take_overlap() {
    return in_order_ < in_order_min ? std::nullopt : std::exchange(overlapped_, std::nullopt);
  }
  // Ids from `id` on are missing, and may come later: what they are made of lies behind what was counted so far.
  void missing_from(std::uint64_t id) {
    if (last_ == 0 || in_order_ < in_order_min) return;
    if (missing_.size() == missing_max) missing_.erase(missing_.begin());
    missing_.push_back({id, last_});
  }
  // The same of an aggregate that was missing.
  [[nodiscard]] bool repeats_late(std::uint64_t id, std::uint64_t first, std::uint64_t fills) {
    if (first == 0) return false;
    // The hole that begins nearest before it.
    const auto before = std::find_if(missing_.rbegin(), missing_.rend(), [&](const Missing& m) { return m.id <= id; });
    if (before == missing_.rend()) return false;
    if (first <= before->last) return true;
    before->last = first + fills - 1;
    before->id = id;
    return false;
  }

 private:
  struct Missing {
    std::uint64_t id, last;  // the newest fill that was counted before this id
  };
  static constexpr std::size_t missing_max = 16;  // holes; of an older one nobody knows what it may have
  std::vector<Missing> missing_;
  // An order that has held for long is not given up for the first aggregate that repeats another.
  static constexpr unsigned in_order_min = 3, in_order_sure = 50, doubt = 10;
  std::optional<Timestamp> overlapped_;
  std::uint64_t begin_ = 0;  // the first fill that was counted; 0: none
  std::uint64_t last_ = 0;   // the newest fill that was counted; 0: none
  unsigned in_order_ = 0;    // aggregates in a row whose fills went on
};

}  // namespace cvdd
