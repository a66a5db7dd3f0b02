// Our bars against the exchange's own. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cvdd/base/types.hpp"

namespace cvdd {

// What a row says of its bar, without what is the same for all rows of an instrument.
struct Claim {
  Timestamp time;
  std::uint32_t rev = 0;
  BarStatus status = BarStatus::gap;
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote, other_base, other_quote;
  std::optional<std::uint64_t> first_id, last_id;  // where they are numbers of a sequence
  bool restored = false;                           // written by an earlier run
  bool cut = false;                                // by a stop: it says partial, and the rest may be had
};
[[nodiscard]] Claim claim_of(const Row& row);
// Adds the sums of `more`; false if one does not fit.
[[nodiscard]] bool add(Claim& sum, const Claim& more);

// What of a whole bar's row is not what the exchange's candle says, with both figures: "base 1.5, exchange 1.7"; empty
// if they agree. Volume that is beside the CVD (blocks, insurance fund) may be in a candle or not. Quote volume may
// differ by one unit of the 8th decimal per fill: exchanges cut it there.
[[nodiscard]] std::string audit(const Claim& claim, const Candle& candle, const CandleFacts& facts);
[[nodiscard]] inline std::string audit(const Row& row, const Candle& candle, const CandleFacts& facts) {
  return audit(claim_of(row), candle, facts);
}

}  // namespace cvdd
