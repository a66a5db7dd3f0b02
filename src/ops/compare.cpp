#include "cvdd/ops/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

#include "cvdd/core/csv.hpp"

namespace cvdd {

namespace {
using sim::TapeInstrument;
using sim::TapeTrade;

struct Sums {
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote;
  std::string open, high, low, close, first_id, last_id;
};

std::int64_t power_of_ten(unsigned n) {
  std::int64_t p = 1;
  while (n-- > 0) p *= 10;
  return p;
}

// Inverse: quote = contracts × size, base = quote ÷ price, half-even to 12 decimals; in plain integers.
Int128 inverse_base_e12(Int128 quote, std::int64_t ticks, unsigned price_decimals) {
  const Int128 numerator = quote * power_of_ten(12) * power_of_ten(price_decimals);
  Int128 whole = numerator / ticks;
  const Int128 twice = (numerator % ticks) * 2;
  if (twice > ticks || (twice == ticks && whole % 2 != 0)) ++whole;
  return whole;
}

Sums sum(const TapeInstrument& of, std::span<const TapeTrade> trades) {
  Int128 base[2] = {0, 0}, quote[2] = {0, 0};
  Sums s;
  const bool inverse = of.instrument.market == Market::inverse;
  std::int64_t high = 0, low = 0;
  for (const TapeTrade& t : trades) {
    const unsigned side = t.buyer_is_maker ? 1 : 0;
    (side == 0 ? s.buys : s.sells) += t.last_fill - t.first_fill + 1;
    if (inverse) {
      const Int128 usd = t.size_steps * of.instrument.contract_size.mantissa;
      quote[side] += usd;
      base[side] += inverse_base_e12(usd, t.price_ticks, of.price_decimals);
    } else {
      base[side] += t.size_steps;
      quote[side] += static_cast<Int128>(t.size_steps) * t.price_ticks;
    }
    high = std::max(high, t.price_ticks);
    low = low == 0 ? t.price_ticks : std::min(low, t.price_ticks);
  }
  const unsigned base_scale = inverse ? 12 : of.size_decimals;
  const unsigned quote_scale = inverse ? 0 : of.size_decimals + of.price_decimals;
  s.buy_base = {base[0], base_scale};
  s.sell_base = {base[1], base_scale};
  s.buy_quote = {quote[0], quote_scale};
  s.sell_quote = {quote[1], quote_scale};
  if (!trades.empty()) {
    const auto price = [&](std::int64_t ticks) { return to_string(Decimal(ticks, of.price_decimals)); };
    s.open = price(trades.front().price_ticks);
    s.close = price(trades.back().price_ticks);
    s.high = price(high);
    s.low = price(low);
    s.first_id = std::to_string(trades.front().id);
    s.last_id = std::to_string(trades.back().id);
  }
  return s;
}

// A bar with a hole may lack trades anywhere in it; it must never have more than the tape.
bool within(const Row& row, const Sums& s) {
  const auto fits = [](const Decimal& part, const Decimal& whole) {
    const auto rest = subtract(whole, part);
    return rest && rest->mantissa >= 0;
  };
  return row.buys <= s.buys && row.sells <= s.sells && fits(row.buy_base, s.buy_base) &&
         fits(row.sell_base, s.sell_base) && fits(row.buy_quote, s.buy_quote) && fits(row.sell_quote, s.sell_quote);
}

std::string difference(const Row& row, const Sums& s) {
  if (row.buys != s.buys || row.sells != s.sells) return "fills";
  if (row.buy_base != s.buy_base || row.sell_base != s.sell_base) return "base volume";
  if (row.buy_quote != s.buy_quote || row.sell_quote != s.sell_quote) return "quote volume";
  if (row.first_id != s.first_id || row.last_id != s.last_id) return "ids";
  const auto text = [](const std::optional<Decimal>& d) { return d ? to_string(*d) : std::string(); };
  if (!s.open.empty() &&
      (text(row.open) != s.open || text(row.high) != s.high || text(row.low) != s.low || text(row.close) != s.close)) {
    return "prices";
  }
  return "";
}

}  // namespace

std::string difference_from_tape(const Row& row, const TapeInstrument& of, std::span<const TapeTrade> trades) {
  return difference(row, sum(of, trades));
}

namespace {
using Key = std::tuple<Market, std::string, std::int64_t>;

std::map<Key, Row> newest_revisions(const std::string& directory, Comparison& result) {
  std::map<Key, Row> rows;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("cvd-") || !name.ends_with(".csv")) continue;
    std::ifstream in(entry.path());
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      auto row = parse_row(line);
      if (!row) {
        ++result.wrong;
        result.disagreements.push_back(name + ": not a row: " + line);
        continue;
      }
      Key key{row->market, row->symbol, row->time.us};
      const auto old = rows.find(key);
      if (old == rows.end() || old->second.rev < row->rev) rows.insert_or_assign(std::move(key), std::move(*row));
    }
  }
  return rows;
}
}  // namespace

Comparison compare_with_tape(const std::string& directory, const sim::Tape& tape, Duration interval) {
  Comparison result;
  std::map<std::pair<Market, std::string>, std::pair<Decimal, Decimal>> running;
  const auto complain = [&](const Row& row, const std::string& what) {
    ++result.wrong;
    if (result.disagreements.size() < 20) {
      std::string text;
      append_row(text, row);
      result.disagreements.push_back(what + " differs: " + text.substr(0, text.size() - 1));
    }
  };
  for (const auto& [key, row] : newest_revisions(directory, result)) {
    ++result.rows;
    const std::size_t index = tape.find(row.market, row.symbol);
    if (index == sim::Tape::npos) {
      complain(row, "instrument");
      continue;
    }
    sim::TapeBar bar = tape.bar(index, row.time, interval);
    const bool whole = row.status == BarStatus::live || row.status == BarStatus::repaired;
    if (whole) {
      ++result.live;
    } else {
      const std::uint64_t first = row.first_id.empty() ? 1 : std::stoull(row.first_id);
      const std::uint64_t last = row.last_id.empty() ? 0 : std::stoull(row.last_id);
      std::erase_if(bar.trades, [&](const TapeTrade& t) { return t.id < first || t.id > last; });
    }
    const Sums sums_of_tape = sum(tape.instruments()[index], bar.trades);
    std::string what = difference(row, sums_of_tape);
    if (row.status == BarStatus::gap && within(row, sums_of_tape)) what.clear();
    auto [sums, fresh] = running.try_emplace({row.market, row.symbol});
    if (fresh) ++result.instruments;
    const auto base = add(sums->second.first, row.delta_base), quote = add(sums->second.second, row.delta_quote);
    if (base && quote) sums->second = {*base, *quote};
    if (!what.empty()) {
      complain(row, what);
    } else if (!base || !quote || *base != row.cvd_base || *quote != row.cvd_quote) {
      complain(row, "cvd");
    }
  }
  return result;
}

KnownMarkets simulated_markets(std::span<const sim::TapeInstrument> instruments) {
  KnownMarkets known;
  for (const auto& s : instruments) {
    const std::pair<std::string, Market> market{s.instrument.exchange, s.instrument.market};
    if (std::find(known.markets.begin(), known.markets.end(), market) == known.markets.end()) {
      known.markets.push_back(market);
    }
  }
  return known;
}

}  // namespace cvdd
