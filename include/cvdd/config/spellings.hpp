// What people write, and what exchanges call it: other exchanges' spellings of an instrument, other words for a market.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

// A name without what only spelling adds: separators, a perpetual's mark, the settling coin, a multiplier of small
// coins. "BTC/USDT:USDT", "BTC-USDT-SWAP", "btcusdtperp" → "BTCUSDT"; "1000PEPEUSDT" → "PEPEUSDT"; "XBTUSD" → "BTCUSD".
[[nodiscard]] std::string plain_name(std::string_view name);

// Suggests instruments for names that are not listed. Holds what it compares with, so that many names cost one pass.
class NearInstruments {
 public:
  // `listed` must outlive it.
  explicit NearInstruments(const std::vector<Instrument>& listed) : listed_(listed) {}
  // Symbols that trade, best first, at most `most`: those that mean the same in another spelling, then those that
  // differ by little.
  [[nodiscard]] std::vector<std::string> of(std::string_view name, std::size_t most);

 private:
  void prepare();
  const std::vector<Instrument>& listed_;
  std::vector<std::string> names_, plain_, pairs_;  // of each: upper case; plain; base and quote ("": it has a date)
};

// Which markets somebody may mean: "perp", "swap", "futures" → linear, inverse; "usdm" → linear; "coinm" → inverse; a
// market's own name → that. Empty: none. Any case.
[[nodiscard]] std::vector<Market> markets_called(std::string_view word);

// Whether a listed name is meant: by wildcards (* and ?), or else by a part of it. Any case.
[[nodiscard]] bool name_matches(std::string_view pattern, std::string_view name);

}  // namespace cvdd
