#include "sim/tape_figures.hpp"

#include <algorithm>

namespace cvdd::simtest {

namespace {
using sim::TapeInstrument;
using sim::TapeTrade;

struct Side {
  std::uint64_t fills = 0;
  Exact base, quote;
};
struct Figures {
  Side buy, sell, other;
  std::optional<Exact> open, high, low, close;
  std::string first_id, last_id;
};

// Inverse contracts: base = quote ÷ price, half-even to 12 decimals.
Exact base_of_inverse(const Exact& quote, const TapeTrade& trade, const TapeInstrument& of) {
  Int128 numerator = quote.mantissa;
  for (unsigned i = 0; i < 12U + of.price_decimals - quote.scale; ++i) numerator *= 10;
  const Int128 price = trade.price_ticks;
  const Int128 quotient = numerator / price, rest = 2 * (numerator % price);
  const bool up = rest > price || (rest == price && quotient % 2 == 1);
  return exact(quotient + (up ? 1 : 0), 12);
}

void add(Side& side, const TapeTrade& trade, const TapeInstrument& of) {
  const Decimal& contract = of.instrument.contract_size;
  const Exact units =
      exact(static_cast<Int128>(trade.size_steps) * contract.mantissa, of.size_decimals + contract.scale);
  const bool inverse = of.instrument.market == Market::inverse;
  side.fills += trade.last_fill - trade.first_fill + 1;
  side.base = side.base + (inverse ? base_of_inverse(units, trade, of) : units);
  side.quote =
      side.quote + (inverse ? units : exact(units.mantissa * trade.price_ticks, units.scale + of.price_decimals));
}

Figures figures_of(const TapeInstrument& of, std::span<const TapeTrade> trades) {
  Figures f;
  for (const TapeTrade& trade : trades) {
    add(trade.block ? f.other : trade.buyer_is_maker ? f.sell : f.buy, trade, of);
    if (trade.block) continue;
    const Exact price = exact(trade.price_ticks, of.price_decimals);
    if (!f.open) f.open = f.high = f.low = price;
    f.close = price;
    f.high = std::max(*f.high, price);
    f.low = std::min(*f.low, price);
  }
  if (trades.empty()) return f;
  const bool numbers = of.instrument.ids == Ids::sequence;
  const bool merged = of.numbering == sim::Numbering::merged;
  f.first_id = numbers ? std::to_string(merged ? trades.front().first_fill : trades.front().id)
                       : sim::id_text(of, trades.front());
  f.last_id = numbers ? std::to_string(trades.back().id) : sim::id_text(of, trades.back());
  return f;
}

// Inverse base volumes are rounded once for a message, and its fills out of history each: where messages merge fills
// they differ by up to half of the last digit for each.
Exact tolerance(const ReadRow& row, const TapeInstrument& of) {
  const bool rounded = of.instrument.market == Market::inverse && of.numbering == sim::Numbering::merged;
  return rounded ? exact(static_cast<Int128>(row.buys + row.sells), 12) : Exact{};
}

bool more(const Exact& a, const Exact& b, const Exact& tolerance) { return b + tolerance < a; }
bool differ(const Exact& a, const Exact& b, const Exact& tolerance) {
  return more(a, b, tolerance) || more(b, a, tolerance);
}
}  // namespace

std::string difference(const ReadRow& row, const TapeInstrument& of, std::span<const TapeTrade> trades) {
  const Figures f = figures_of(of, trades);
  const bool candle = row.status == Status::history;
  if (!candle && (row.buys != f.buy.fills || row.sells != f.sell.fills)) return "fills";
  // COIN-M's candles round what base volume the contracts are.
  const bool rounded_candle = candle && of.instrument.market == Market::inverse;
  const Exact off = tolerance(row, of);
  if (!rounded_candle && (differ(row.buy_base, f.buy.base, off) || differ(row.sell_base, f.sell.base, off))) {
    return "base volume";
  }
  if (row.buy_quote != f.buy.quote || row.sell_quote != f.sell.quote) return "quote volume";
  if (candle) return "";
  if (row.other_base != f.other.base || row.other_quote != f.other.quote) return "other volume";
  if (row.first_id != f.first_id || row.last_id != f.last_id) return "ids";
  const bool prices = row.open == f.open && row.high == f.high && row.low == f.low && row.close == f.close;
  return f.open && !prices ? "prices" : "";
}

bool lacks(const ReadRow& row, const TapeInstrument& of, std::span<const TapeTrade> trades) {
  const Figures f = figures_of(of, trades);
  const Exact off = tolerance(row, of);
  return row.buys < f.buy.fills || row.sells < f.sell.fills || more(f.buy.base, row.buy_base, off) ||
         more(f.sell.base, row.sell_base, off) || row.buy_quote < f.buy.quote || row.sell_quote < f.sell.quote ||
         row.other_quote < f.other.quote;
}

bool exceeds(const ReadRow& row, const TapeInstrument& of, std::span<const TapeTrade> trades) {
  const Figures f = figures_of(of, trades);
  const Exact off = tolerance(row, of);
  return f.buy.fills < row.buys || f.sell.fills < row.sells || more(row.buy_base, f.buy.base, off) ||
         more(row.sell_base, f.sell.base, off) || f.buy.quote < row.buy_quote || f.sell.quote < row.sell_quote ||
         f.other.quote < row.other_quote;
}

}  // namespace cvdd::simtest
