// How a ledger counts, the same for all of its instruments. Plain values.
#pragma once

#include <algorithm>
#include <cstddef>

#include "cvdd/base/types.hpp"

namespace cvdd {

struct LedgerOptions {
  Duration interval = seconds(60);
  // true: an instrument's rows begin with its first trade, marks carry no usable time (replay, clock = "exchange").
  bool event_time = false;
  // true: holes may be filled from the exchange's history, so the bars they touch are kept until a verdict.
  bool repairs = false;
  // true: a bar is whole only as far as marks say that somebody watched, or ids go on. false: what is read is all that
  // there is (replay).
  bool watched = false;

  // Bars in memory per instrument once they are written, at least; more while something about them is open. They reach
  // back as far as it may take to find out that a connection is mute (`mute_after_max`), if they are not too many.
  [[nodiscard]] std::size_t bars_kept() const {
    const auto bars = static_cast<std::size_t>(mute_after_max.us / interval.us) + 2;
    return std::clamp<std::size_t>(bars, 5, 64);
  }
  static constexpr Duration mute_after_max = seconds(400);
  // With something open about them. Without repairs only what comes by itself can still change them.
  [[nodiscard]] std::size_t bars_kept_max() const { return repairs ? absence_max : 64; }
  static constexpr std::size_t absence_max = 240;
};

}  // namespace cvdd
