// A request's target taken apart, and its parameters checked. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/core/types.hpp"

namespace cvdd::web {

struct Target {
  std::string path;
  std::map<std::string, std::string> parameters;
};
// Empty if the target is no path with parameters: not UTF-8, "%" without two hex digits, a control character, a
// parameter twice, more than 32 of them.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

// What /api/v1/bars is asked for.
struct BarsQuery {
  std::string exchange, symbol;
  std::optional<Market> market;
  Timestamp from, to;
  std::size_t limit = 1'500;
  bool csv = false, as_seen = false;
  static constexpr std::size_t limit_max = 20'000;
};
// Or what is wrong with it.
[[nodiscard]] std::optional<BarsQuery> parse_bars_query(const Target& target, Timestamp now, std::string& error);

// "binance:spot:BTCUSDT,okx:linear:BTC-USDT-SWAP"; at most `max`.
struct InstrumentName {
  std::string exchange;
  Market market = Market::spot;
  std::string symbol;
  friend auto operator<=>(const InstrumentName&, const InstrumentName&) = default;
};
[[nodiscard]] std::optional<std::vector<InstrumentName>> parse_names(std::string_view text, std::size_t max);

// As if written out letter by letter: takes equally long wherever they differ.
[[nodiscard]] bool same_secret(std::string_view given, std::string_view secret);

}  // namespace cvdd::web
