// Which instruments are simulated: well-known names at believable prices, then made-up ones.
#include <fmt/format.h>

#include <array>

#include "cvdd/sim/protocol.hpp"
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

// Premiums in hundredths of a per cent of the coin.
constexpr std::array option_names = {Known{"BTC", 4, 1, 325, 12}, Known{"ETH", 4, 0, 415, 10}};

Known made_up(std::string_view base, Market market, std::size_t n) {
  auto spread = static_cast<std::int64_t>(n * 7'919 % 9'000);
  if (market == Market::inverse) return {base, 3, 0, 2'000 + 10 * spread, 20};
  return {base, 4, 1, 3'000 + 20 * spread, 1'500};
}

}  // namespace

TapeInstrument make_instrument(Market market, std::size_t n, std::uint32_t trades_per_minute) {
  std::span<const Known> names = spot_names;
  if (market == Market::linear) names = linear_names;
  if (market == Market::inverse) names = inverse_names;
  if (market == Market::option) names = option_names;
  const std::string invented = fmt::format("S{:04}", n);
  const Known known = n < names.size() ? names[n] : made_up(invented, market, n);
  TapeInstrument made;
  made.instrument.market = market;
  made.instrument.base = known.base;
  made.price_decimals = known.price_decimals;
  made.size_decimals = known.size_decimals;
  made.start_price_ticks = known.price_ticks;
  made.typical_size_steps = known.size_steps;
  made.trades_per_minute = trades_per_minute;
  return made;
}

// Opaque ids are UUIDs, on spot numbers.
std::string id_text(const TapeInstrument& what, const TapeTrade& trade) {
  if (what.id_text != nullptr) return what.id_text(trade);
  switch (what.instrument.ids) {
    case Ids::sequence:
      break;
    case Ids::opaque: {
      if (what.instrument.market == Market::spot) return std::to_string(2'290'000'000'000'000'000 + trade.id);
      std::uint64_t z = (trade.id + what.instrument.symbol.size()) * 0x9E3779B97F4A7C15ULL;
      const std::uint64_t high = (z ^ (z >> 29U)) * 0xBF58476D1CE4E5B9ULL | (std::uint64_t{1} << 63U);
      const std::uint64_t low = (high ^ (high >> 31U)) * 0x94D049BB133111EBULL;
      return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFFU,
                         low >> 48U, low & 0xFFFFFFFFFFFFU);
    }
  }
  return std::to_string(trade.id);
}

std::vector<TapeInstrument> make_instruments_of(const Protocol& protocol, std::size_t count,
                                                std::uint32_t trades_per_minute) {
  std::vector<TapeInstrument> result;
  const auto markets = protocol.markets();
  for (std::size_t i = 0; i < count; ++i) {
    TapeInstrument made = make_instrument(markets[i % markets.size()], i / markets.size(), trades_per_minute);
    made.instrument.exchange = protocol.name();
    made.instrument.id = static_cast<std::uint32_t>(i);
    protocol.describe(made);
    result.push_back(std::move(made));
  }
  return result;
}

std::vector<TapeInstrument> make_instruments(std::size_t count, std::uint32_t trades_per_minute) {
  return make_instruments_of(*find_protocol("binance"), count, trades_per_minute);
}

std::vector<TapeInstrument> make_instruments_everywhere(std::size_t count, std::uint32_t trades_per_minute) {
  std::vector<TapeInstrument> result;
  for (std::size_t n = 0; result.size() < count; ++n) {
    for (const Protocol* protocol : protocols()) {
      for (const Market market : protocol->markets()) {
        if (result.size() == count) return result;
        TapeInstrument made = make_instrument(market, n, trades_per_minute);
        made.instrument.exchange = protocol->name();
        made.instrument.id = static_cast<std::uint32_t>(result.size());
        protocol->describe(made);
        result.push_back(std::move(made));
      }
    }
  }
  return result;
}

}  // namespace cvdd::sim
