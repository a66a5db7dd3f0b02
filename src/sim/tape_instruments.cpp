// Which instruments are simulated: well-known names at believable prices, then made-up ones.
#include <fmt/format.h>

#include <array>

#include "cvdd/sim/tape.hpp"

namespace cvdd::sim {
namespace {

struct Known {
  std::string_view base;
  std::uint8_t price_decimals, size_decimals;
  std::int64_t price_ticks, size_steps;
};

constexpr std::array spot_names = {
    Known{"BTC", 2, 5, 8'308'430, 600},  Known{"ETH", 2, 4, 254'310, 900},      Known{"SOL", 2, 3, 14'825, 4'000},
    Known{"XRP", 4, 1, 21'874, 2'500},   Known{"DOGE", 5, 0, 16'204, 3'000},    Known{"BNB", 2, 3, 61'450, 800},
    Known{"PEPE", 8, 0, 445, 9'000'000}, Known{"ADA", 4, 1, 6'813, 5'000},      Known{"LINK", 2, 2, 1'382, 4'000},
    Known{"AVAX", 2, 2, 2'217, 3'000},   Known{"SHIB", 8, 0, 1'197, 4'000'000}, Known{"LTC", 2, 3, 8'866, 3'000}};
constexpr std::array linear_names = {
    Known{"BTC", 2, 3, 8'309'170, 22},  Known{"ETH", 2, 3, 254'380, 400},  Known{"1000PEPE", 7, 0, 44'478, 10'403},
    Known{"SOL", 4, 2, 1'482'600, 800}, Known{"XRP", 4, 1, 21'880, 3'000}, Known{"DOGE", 6, 0, 162'060, 2'500},
    Known{"BNB", 3, 2, 614'510, 150},   Known{"ADA", 5, 0, 68'140, 900},   Known{"1000SHIB", 6, 0, 11'974, 20'000},
    Known{"LINK", 3, 2, 13'824, 4'000}, Known{"AVAX", 4, 0, 221'730, 60},  Known{"LTC", 2, 3, 8'867, 3'000}};
constexpr std::array inverse_names = {Known{"BTC", 1, 0, 837'816, 12}, Known{"ETH", 2, 0, 254'350, 40},
                                      Known{"SOL", 3, 0, 148'260, 30}, Known{"XRP", 4, 0, 21'878, 25},
                                      Known{"DOGE", 5, 0, 16'207, 20}, Known{"BNB", 3, 0, 614'520, 25},
                                      Known{"ADA", 5, 0, 68'150, 20},  Known{"LINK", 3, 0, 13'826, 20},
                                      Known{"AVAX", 3, 0, 22'175, 20}, Known{"LTC", 2, 0, 8'868, 20}};

Known made_up(std::string_view base, Market market, std::size_t n) {
  auto spread = static_cast<std::int64_t>(n * 7'919 % 9'000);
  if (market == Market::inverse) return {base, 3, 0, 2'000 + 10 * spread, 20};
  return {base, 4, 1, 3'000 + 20 * spread, 1'500};
}

}  // namespace

std::vector<TapeInstrument> make_instruments(std::size_t count, std::uint32_t trades_per_minute) {
  constexpr std::array markets = {Market::spot, Market::linear, Market::inverse};
  std::vector<TapeInstrument> result;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Market market = markets[i % markets.size()];
    const std::size_t n = i / markets.size();
    std::span<const Known> names = spot_names;
    if (market == Market::linear) names = linear_names;
    if (market == Market::inverse) names = inverse_names;
    const std::string invented = fmt::format("S{:04}", n);
    const Known known = n < names.size() ? names[n] : made_up(invented, market, n);

    TapeInstrument made;
    Instrument& what = made.instrument;
    what.exchange = "binance";
    what.market = market;
    what.base = known.base;
    what.quote = market == Market::inverse ? "USD" : "USDT";
    if (market == Market::linear) what.settle = "USDT";
    if (market == Market::inverse) what.settle = what.base;
    what.symbol = what.base + (market == Market::inverse ? "USD_PERP" : "USDT");
    if (market == Market::inverse) what.contract_size = known.base == "BTC" ? Decimal{100, 0} : Decimal{10, 0};
    what.id = static_cast<std::uint32_t>(i);
    made.price_decimals = known.price_decimals;
    made.size_decimals = known.size_decimals;
    made.start_price_ticks = known.price_ticks;
    made.typical_size_steps = known.size_steps;
    made.trades_per_minute = trades_per_minute;
    result.push_back(std::move(made));
  }
  return result;
}

}  // namespace cvdd::sim
