#include "compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"

namespace cvdd {

namespace {
using sim::TapeInstrument;
using sim::TapeTrade;

struct Sums {
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote, other_base, other_quote;
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
  Int128 base[3] = {0, 0, 0}, quote[3] = {0, 0, 0};  // bought, sold, other
  Sums s;
  const bool inverse = of.instrument.market == Market::inverse;
  const Decimal& contract = of.instrument.contract_size;
  std::int64_t high = 0, low = 0;
  const TapeTrade *first = nullptr, *last = nullptr, *opening = nullptr, *closing = nullptr;
  for (const TapeTrade& t : trades) {
    const unsigned side = t.block ? 2 : t.buyer_is_maker ? 1 : 0;
    const Int128 units = t.size_steps * contract.mantissa;
    if (inverse) {
      quote[side] += units;
      base[side] += inverse_base_e12(units, t.price_ticks, of.price_decimals);
    } else {
      base[side] += units;
      quote[side] += units * t.price_ticks;
    }
    if (first == nullptr) first = &t;
    last = &t;
    if (t.block) continue;
    if (opening == nullptr) opening = &t;
    closing = &t;
    (side == 0 ? s.buys : s.sells) += t.last_fill - t.first_fill + 1;
    high = std::max(high, t.price_ticks);
    low = low == 0 ? t.price_ticks : std::min(low, t.price_ticks);
  }
  const unsigned unit_scale = of.size_decimals + contract.scale;
  const unsigned base_scale = inverse ? 12 : unit_scale;
  const unsigned quote_scale = inverse ? unit_scale : unit_scale + of.price_decimals;
  s.buy_base = {base[0], base_scale};
  s.sell_base = {base[1], base_scale};
  s.buy_quote = {quote[0], quote_scale};
  s.sell_quote = {quote[1], quote_scale};
  s.other_base = {base[2], base_scale};
  s.other_quote = {quote[2], quote_scale};
  if (first != nullptr) {
    const auto price = [&](std::int64_t ticks) { return to_string(Decimal(ticks, of.price_decimals)); };
    if (opening != nullptr) {
      s.open = price(opening->price_ticks);
      s.close = price(closing->price_ticks);
      s.high = price(high);
      s.low = price(low);
    }
    const bool numbers = of.instrument.ids == Ids::sequence;
    s.first_id = !numbers ? sim::id_text(of, *first)
                          : std::to_string(of.numbering == sim::Numbering::merged ? first->first_fill : first->id);
    s.last_id = numbers ? std::to_string(last->id) : sim::id_text(of, *last);
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

// Inverse base volumes are rounded per message. A message that merges fills is rounded once, its fills out of history
// each: then they differ by up to half of the last digit per fill.
bool equal_base(const Decimal& a, const Decimal& b, bool rounded, std::uint64_t fills) {
  if (!rounded) return a == b;
  const auto d = subtract(a, b);
  const Int128 most = static_cast<Int128>(fills);
  return d && Decimal(most, 12) >= *d && *d >= Decimal(-most, 12);
}

std::string difference(const Row& row, const Sums& s, const TapeInstrument& of) {
  const bool rounded = of.instrument.market == Market::inverse && of.numbering == sim::Numbering::merged;
  if (row.buys != s.buys || row.sells != s.sells) return "fills";
  if (!equal_base(row.buy_base, s.buy_base, rounded, row.buys)) return "base volume";
  if (!equal_base(row.sell_base, s.sell_base, rounded, row.sells)) return "base volume";
  if (row.buy_quote != s.buy_quote || row.sell_quote != s.sell_quote) return "quote volume";
  if (row.other_base != s.other_base || row.other_quote != s.other_quote) return "other volume";
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
  return difference(row, sum(of, trades), of);
}

namespace {
using Key = std::tuple<std::string, Market, std::string, std::int64_t>;

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
      Key key{row->exchange, row->market, row->symbol, row->time.us};
      const auto old = rows.find(key);
      if (old == rows.end() || old->second.rev < row->rev) rows.insert_or_assign(std::move(key), std::move(*row));
    }
  }
  return rows;
}
}  // namespace

namespace {
// From the row's first id to its last: the trades it may know of.
void keep_between(std::vector<TapeTrade>& trades, const TapeInstrument& of, const Row& row) {
  const auto position = [&](const std::string& id, std::uint64_t otherwise) {
    if (id.empty()) return otherwise;
    if (of.instrument.ids == Ids::sequence) return static_cast<std::uint64_t>(std::stoull(id));
    for (const TapeTrade& t : trades) {
      if (sim::id_text(of, t) == id) return t.id;
    }
    return otherwise;
  };
  const std::uint64_t first = position(row.first_id, 1), last = position(row.last_id, 0);
  std::erase_if(trades, [&](const TapeTrade& t) { return t.id < first || t.id > last; });
}
}  // namespace

Comparison compare_with_tape(const std::string& directory, const sim::Tape& tape, Duration interval) {
  Comparison result;
  std::map<std::size_t, std::pair<Decimal, Decimal>> running;  // by instrument of the tape
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
    const std::size_t index = tape.find(row.exchange, row.market, row.symbol);
    if (index == sim::Tape::npos) {
      complain(row, "instrument");
      continue;
    }
    sim::TapeBar bar = tape.bar(index, row.time, interval);
    const bool whole = row.status == BarStatus::live || row.status == BarStatus::repaired;
    if (whole) {
      ++result.live;
    } else {
      keep_between(bar.trades, tape.instruments()[index], row);
    }
    const Sums sums_of_tape = sum(tape.instruments()[index], bar.trades);
    std::string what = difference(row, sums_of_tape, tape.instruments()[index]);
    if (row.status == BarStatus::gap && within(row, sums_of_tape)) what.clear();
    auto [sums, fresh] = running.try_emplace(index);
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

KnownMarkets simulated_markets() {
  KnownMarkets known;
  for (const sim::Protocol* protocol : sim::protocols()) {
    for (const Market market : protocol->markets()) known.markets.emplace_back(std::string(protocol->name()), market);
  }
  return known;
}

}  // namespace cvdd
