#include <map>

#include "cvdd/base/time_text.hpp"
#include "cvdd/sim/protocol.hpp"
#include "sim/context.hpp"

namespace cvdd::simtest {

using sim::TapeContext;
using sim::TapeInstrument;

namespace {
constexpr std::string_view header =
    "time,exchange,market,symbol,rev,status,bid,bid_size,ask,ask_size,book_age_ms,mark,index,mark_age_ms,funding_rate,"
    "funding_time,open_interest_base,open_interest_quote,open_interest_age_ms,liq_buys,liq_sells,liq_buy_base,"
    "liq_sell_base,liq_buy_quote,liq_sell_quote,liq_kind";

// One line, by its columns.
struct Line {
  std::string text;
  std::map<std::string, std::string> fields;
  [[nodiscard]] const std::string& operator[](const std::string& name) const { return fields.at(name); }
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == ',') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

Int128 power(unsigned n) { return n == 0 ? Int128{1} : 10 * power(n - 1); }

// a ÷ b with twelve decimals, half-even.
Exact quotient(Int128 a, Int128 b) {
  const Int128 scaled = a * power(12), whole = scaled / b, rest = scaled % b;
  const bool up = 2 * rest > b || (2 * rest == b && whole % 2 == 1);
  return exact(whole + (up ? 1 : 0), 12);
}

Exact price(const TapeInstrument& what, std::int64_t ticks) { return exact(ticks, what.price_decimals); }

// So many steps, in base units at this price.
Exact base(const TapeInstrument& what, std::int64_t steps, std::int64_t ticks) {
  const Decimal& contract = what.instrument.contract_size;
  if (what.instrument.market != Market::inverse) {
    return exact(Int128{steps} * contract.mantissa, what.size_decimals + contract.scale);
  }
  return quotient(Int128{steps} * contract.mantissa * power(what.price_decimals),
                  Int128{ticks} * power(what.size_decimals + contract.scale));
}
Exact quote(const TapeInstrument& what, std::int64_t steps, std::int64_t ticks) {
  const Decimal& contract = what.instrument.contract_size;
  if (what.instrument.market != Market::inverse) {
    return exact(Int128{steps} * contract.mantissa * ticks,
                 unsigned{what.size_decimals} + contract.scale + what.price_decimals);
  }
  return exact(Int128{steps} * contract.mantissa, what.size_decimals + contract.scale);
}

// What an exchange's contract tells, and what it does not (docs/csv-context.md).
struct Tells {
  bool mark = false, index = false, funding = false, moment = false;
  std::string_view orders;  // empty: none
};
Tells tells(const TapeInstrument& what) {
  const Market market = what.instrument.market;
  const std::string& exchange = what.instrument.exchange;
  const bool contract = market == Market::linear || market == Market::inverse;
  Tells out;
  out.mark = market != Market::spot;
  out.index = out.mark && exchange != "okx";
  out.funding = contract;
  out.moment = contract && exchange != "deribit";
  if (contract && exchange == "bybit") out.orders = "all";
  if (contract && (exchange == "binance" || exchange == "okx")) out.orders = "sampled";
  return out;
}

class Judge {
 public:
  Judge(const sim::Tape& tape, Duration interval, bool calm, ContextVerdict& out)
      : tape_(tape), interval_(interval), calm_(calm), out_(out) {}

  void take(const std::string& path, const std::string& text) {
    const auto fields = split(text);
    static const auto names = split(header);
    if (fields.size() != names.size()) return out_.complain(path + ": no row: " + text);
    Line line{text, {}};
    for (std::size_t i = 0; i < names.size(); ++i) line.fields[names[i]] = fields[i];
    const auto time = parse_time(line["time"]);
    const auto market = market_from(line["market"]);
    const std::size_t index = market ? tape_.find(line["exchange"], *market, line["symbol"]) : sim::Tape::npos;
    if (!time || index == sim::Tape::npos || bar_start(*time, interval_) != *time ||
        path.find(line["time"].substr(0, 10)) == path.npos) {
      return out_.complain(path + ": whose row is it: " + text);
    }
    ++out_.rows;
    values(line, tape_.instruments()[index], *time + interval_);
    auto& newest = bars_[index][*time];
    if (!newest.fields.empty()) {
      ++out_.revisions;
      if (std::stoul(line["rev"]) < std::stoul(newest["rev"])) out_.complain("revisions go back: " + text);
    } else if (line["rev"] != "0" && calm_) {
      out_.complain("it begins with a revision: " + text);
    }
    newest = std::move(line);
  }

  void finish() {
    for (const auto& [index, bars] : bars_) {
      const TapeInstrument& what = tape_.instruments()[index];
      for (const auto& [time, line] : bars) {
        const bool edge = time == bars.begin()->first || time == bars.rbegin()->first;
        out_.live += line["status"] == "live" ? 1U : 0U;
        if (calm_ && !edge && line["status"] != "live") out_.complain("not live: " + line.text);
        if (calm_ && !edge && !bars.contains(time + interval_))
          out_.complain("the next bar is not there: " + line.text);
        orders(line, what, time);
      }
    }
    std::size_t told = 0;
    for (const TapeInstrument& what : tape_.instruments()) {
      told += sim::find_protocol(what.instrument.exchange)->context_topics(what).empty() ? 0U : 1U;
    }
    if (calm_ && bars_.size() != told) out_.complain("instruments without a row");
  }

 private:
  void expect(const Line& line, const std::string& column, const std::optional<Exact>& truth) {
    ++out_.values;
    const std::string& text = line[column];
    if (text.empty() != !truth || (truth && read_exact(text) != truth)) {
      out_.complain(column + " is not what the exchange said: " + line.text);
    }
  }

  // What the exchange said at the moment that an age tells; empty: the row says nothing of it.
  std::optional<TapeContext> truth(const Line& line, const TapeInstrument& what, Timestamp end, const char* age) {
    if (line[age].empty()) return std::nullopt;
    const Timestamp told = end - milliseconds(std::stoll(line[age]));
    if (told >= end || told.us % 1'000'000 != 0) out_.complain(std::string(age) + " is of no second: " + line.text);
    if (calm_ && line["status"] == "live" && std::string_view(age) != "open_interest_age_ms" && line[age] != "1000") {
      out_.complain(std::string(age) + ": something newer was told: " + line.text);
    }
    if (calm_ && std::stoll(line[age]) > 125'000) out_.complain(std::string(age) + " is too old: " + line.text);
    return sim::tape_context(what, told);
  }

  void values(const Line& line, const TapeInstrument& what, Timestamp end) {
    const Tells has = tells(what);
    if (const auto now = truth(line, what, end, "book_age_ms")) {
      const auto side = [&](const char* name, std::int64_t ticks, std::int64_t steps) {
        expect(line, name, ticks == 0 ? std::nullopt : std::optional(price(what, ticks)));
        expect(line, std::string(name) + "_size", ticks == 0 ? std::nullopt : std::optional(base(what, steps, ticks)));
      };
      side("bid", now->bid_ticks, now->bid_steps);
      side("ask", now->ask_ticks, now->ask_steps);
    } else if (calm_ && line["status"] == "live") {
      out_.complain("live without a book: " + line.text);
    }
    const auto marked = truth(line, what, end, "mark_age_ms");
    if (marked) {
      expect(line, "mark", price(what, marked->mark_ticks));
      expect(line, "index", has.index ? std::optional(price(what, marked->index_ticks)) : std::nullopt);
      expect(line, "funding_rate",
             has.funding ? std::optional(exact(marked->funding_hundred_millionths, 8)) : std::nullopt);
      const std::string moment = has.moment ? format_time(marked->funding_applies) : "";
      if (line["funding_time"] != moment) out_.complain("funding_time: " + line.text);
    } else if (calm_ && has.mark && line["status"] == "live") {
      out_.complain("live without a mark price: " + line.text);
    }
    if (const auto open = truth(line, what, end, "open_interest_age_ms"); open && marked) {
      expect(line, "open_interest_base", base(what, open->open_steps, marked->mark_ticks));
      expect(line, "open_interest_quote", quote(what, open->open_steps, marked->mark_ticks));
    }
    if (!has.mark && line.text.find(",,,,,,,,,,,,,,,") == line.text.npos)
      out_.complain("spot has no such thing: " + line.text);
  }

  void orders(const Line& line, const TapeInstrument& what, Timestamp time) {
    const std::string_view kind = tells(what).orders;
    if (kind.empty()) {
      if (!line["liq_buys"].empty()) out_.complain("nobody told forced orders: " + line.text);
      return;
    }
    if (line["liq_buys"].empty()) {
      if (line["status"] == "live") out_.complain("live without forced orders: " + line.text);
      return;
    }
    if (line["liq_kind"] != kind) out_.complain("liq_kind: " + line.text);
    std::size_t counts[2]{};
    Exact bases[2]{}, quotes[2]{};
    for (Timestamp second = time; second < time + interval_; second = second + seconds(1)) {
      const auto order = sim::tape_context(what, second).order;
      if (!order) continue;
      const std::size_t side = order->buys ? 0 : 1;
      ++counts[side];
      bases[side] = bases[side] + base(what, order->steps, order->ticks);
      quotes[side] = quotes[side] + quote(what, order->steps, order->ticks);
    }
    const char* sides[] = {"buy", "sell"};
    for (std::size_t side = 0; side < 2; ++side) {
      const std::string name = sides[side];
      const auto count = std::stoull(line["liq_" + name + "s"]);
      if (line["status"] != "live") {
        if (count > counts[side]) out_.complain("more forced orders than there were: " + line.text);
        continue;
      }
      out_.orders += count;
      if (count != counts[side]) out_.complain("forced orders are missing or too many: " + line.text);
      expect(line, "liq_" + name + "_base", bases[side]);
      expect(line, "liq_" + name + "_quote", quotes[side]);
    }
  }

  const sim::Tape& tape_;
  Duration interval_;
  bool calm_;
  ContextVerdict& out_;
  std::map<std::size_t, std::map<Timestamp, Line>> bars_;  // by instrument and time, each at its newest row
};
}  // namespace

std::string with_column(std::string_view line, std::string_view column, std::string_view text) {
  const auto names = split(header), fields = split(line);
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out += (i == 0 ? "" : ",") + (names[i] == column ? std::string(text) : fields[i]);
  }
  return out;
}

ContextVerdict judge_context(const MemoryFiles& files, const sim::Tape& tape, Duration interval, bool calm) {
  ContextVerdict out;
  Judge judge(tape, interval, calm, out);
  for (const auto& [path, text] : files.files) {
    if (path.find("/context-") == path.npos) continue;
    bool first = true;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      if (end == text.size()) out.complain(path + ": a line without its end: " + line);
      if (first && line != header) out.complain(path + ": not the contract's header: " + line);
      if (!first) judge.take(path, line);
      first = false;
      at = end + 1;
    }
  }
  judge.finish();
  return out;
}

}  // namespace cvdd::simtest
