// What an exchange's candles say of the bars of one instrument: proven, contradicted, or why they can't be asked about.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/candle_audit.hpp"
#include "cvdd/ledger/proof.hpp"

namespace cvdd {

using Claims = std::map<Timestamp, Claim>;  // each bar at its highest revision

// Why a bar is not compared with a candle.
enum class NotAskable : std::uint8_t {
  gap,
  cut,        // `partial`
  candles,    // `history`: it was made of a candle
  company,    // whole itself, in a candle's time together with bars that are not
  no_candle,  // the exchange has none of its time
  nobody,     // that could be asked
  count_
};

struct Tally {
  std::uint64_t bars = 0, proven = 0, contradicted = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(NotAskable::count_)> not_askable{};
  [[nodiscard]] std::uint64_t& operator[](NotAskable why) { return not_askable[static_cast<std::size_t>(why)]; }
  void add(const Tally& more);
};

// Counts each of `claims` once. Of each candle that contradicts them a line with both figures is added to `lines`, up
// to a number that somebody reads.
[[nodiscard]] Tally compare_bars(const Claims& claims, std::span<const Candle> candles, const ProofRules& rules,
                                 const CandleFacts& facts, std::vector<std::string>& lines);

// "12 bars: 3 proven, 1 contradicted, 8 not askable (1 cut, 7 in a minute that is not whole)"
[[nodiscard]] std::string text_of(const Tally& tally);

}  // namespace cvdd
