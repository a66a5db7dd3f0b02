// The bar that is open now, as far as it has come: for who looks on. A value without strings.
#pragma once

#include <cstdint>
#include <optional>

#include "cvdd/base/types.hpp"

namespace cvdd {

struct OpenBar {
  const Instrument* instrument = nullptr;         // stays for as long as it is collected, and longer
  Timestamp time;                                 // start of the bar
  Timestamp last_trade;                           // trade time of the newest trade there is; 0: none yet
  std::optional<Decimal> open, high, low, close;  // as a row's: without a trade, the last price
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote;
  Decimal delta_base, delta_quote;
  Decimal cvd_base, cvd_quote;  // with this bar
};

}  // namespace cvdd
