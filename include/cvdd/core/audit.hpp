// Our bars against the exchange's own. Pure.
#pragma once

#include <string>

#include "cvdd/core/types.hpp"

namespace cvdd {

// Which closed bars are compared with the exchange's candles (configuration key `audit`).
enum class AuditMode : std::uint8_t { off, sample, all };

// How exactly an exchange's candle can be compared.
struct CandleFacts {
  bool takers = false;          // it tells what buyers took, and how many fills there were
  bool base_exact = true;       // false: rounded, so quote volume alone is compared
  bool quote_exact = true;      // false: there is no quote volume, or it is rounded by more than a digit per fill
  bool quiet_left_out = false;  // a bar without a trade has no candle; else one that is missing tells nothing
};

// What of a whole bar's row is not what the exchange's candle says, with both figures: "base 1.5, exchange 1.7"; empty
// if they agree. Volume that is beside the CVD (blocks, insurance fund) may be in a candle or not. Quote volume may
// differ by one unit of the 8th decimal per fill: exchanges cut it there.
[[nodiscard]] std::string audit(const Row& row, const Candle& candle, const CandleFacts& facts);

}  // namespace cvdd
