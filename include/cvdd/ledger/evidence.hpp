// What is known of one bar, and what its row may say because of it. A bar is a gap until something shows that it is
// whole. Pure values and functions; any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "cvdd/base/types.hpp"

namespace cvdd {

// The id of a `lost` record that nothing was seen to be lost by.
inline constexpr std::uint64_t doubt_alone = 1;

struct Evidence {
  // Something reaches over the whole bar: neighbouring ids, a connection that was watched, history, a candle. false:
  // nothing does.
  bool covered = false;
  // A trade of it is neither counted nor a true copy of one that is, or a loss that nobody could measure is in it.
  bool contradicted = false;
  std::uint64_t missing = 0;  // ids that are known to be missing
  bool proven = false;        // the exchange's own figures agree with it as it is: nothing else counts then
  bool cut = false;           // subscribed, stopped or unsubscribed inside it, and the rest was not recovered
  bool candles = false;       // made from the exchange's candles
  bool recovered = false;     // something was missing, or not proven, and is now
  bool final = true;  // what covers it can't turn out to be wrong: ids, history, a candle; not a feed that is watched
};

// The CSV column `missing`; empty: "?".
[[nodiscard]] constexpr std::optional<std::uint64_t> missing_of(const Evidence& e) {
  if (e.proven) return 0;
  if (e.contradicted || !e.covered) return std::nullopt;
  // Once something was missing, being watched does not do any more.
  if (e.missing == 0 && e.recovered && !e.final && !e.cut) return std::nullopt;
  return e.missing;
}

// The CSV column `status`.
[[nodiscard]] constexpr BarStatus status_of(const Evidence& e) {
  if (missing_of(e) != std::optional<std::uint64_t>(0)) return BarStatus::gap;
  if (e.cut && !e.proven) return BarStatus::partial;
  if (e.candles) return BarStatus::history;
  return e.recovered || e.cut ? BarStatus::repaired : BarStatus::live;
}

}  // namespace cvdd
