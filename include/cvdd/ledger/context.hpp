// What stands beside the trades, by bar: updates come in, rows go out (docs/csv-context.md). It knows nothing of
// trades, and the ledger nothing of it. Pure; owned by the aggregator thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/market_data.hpp"

namespace cvdd {

// Forced orders of a bar.
struct LiquidationSums {
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote;
};

// One line of the context file, as values. Empty: not known, or not there on this market.
struct ContextRow {
  Timestamp time;
  std::string exchange;
  Market market = Market::spot;
  std::string symbol;
  std::uint32_t rev = 0;
  BarStatus status = BarStatus::live;  // live, partial or gap
  std::optional<Decimal> bid, bid_size, ask, ask_size;
  std::optional<std::uint64_t> book_age_ms;
  std::optional<Decimal> mark, index;
  std::optional<std::uint64_t> mark_age_ms;
  std::optional<Decimal> funding_rate;
  std::optional<Timestamp> funding_time;
  std::optional<Decimal> open_interest_base, open_interest_quote;
  std::optional<std::uint64_t> open_interest_age_ms;
  std::optional<LiquidationSums> liquidations;
  LiquidationsTold told = LiquidationsTold::none;
};

// What is asked for of an instrument.
struct ContextWanted {
  DataKinds kinds;
  LiquidationsTold told = LiquidationsTold::none;
};

class ContextLedger {
 public:
  explicit ContextLedger(Duration interval) : interval_(interval) {}

  // Rows begin with the bar in which the first of the kinds is subscribed, or refused. `known`: the newest row that the
  // files have of it; null: none. What was said of the instrument before is gone on with.
  void begin(const Instrument& instrument, const ContextWanted& wanted, const ContextRow* known);
  // An update of who did not begin is dropped.
  void apply(const ContextUpdate& update);
  // Rows of all bars that end at `upto` or before it, and of those that changed after they were written, by time.
  void close(Timestamp upto, std::vector<ContextRow>& out);
  // The end of the run: open bars are partial.
  void finish(Timestamp now, std::vector<ContextRow>& out);
  // The number may be another's from now on. What to go on with, if it comes again.
  std::optional<ContextRow> forget(std::uint32_t instrument);
  [[nodiscard]] bool empty() const { return accounts_.empty(); }

  struct Counters {
    std::uint64_t late = 0;       // forced orders of bars that are not kept any more; the open bar says gap
    std::uint64_t revisions = 0;  // rows written anew
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  // The newest value of each kind; empty: there was none.
  struct Values {
    std::optional<BestPrices> book;
    std::optional<MarkPrice> mark;
    std::optional<FundingRate> funding;
    std::optional<OpenInterest> open_interest;
  };
  struct Bar {
    Values newest;
    LiquidationSums sums;
    bool incomplete = false;            // a forced order can't be summed up, or belongs to no bar that is kept
    bool changed = false;               // since it was written
    std::optional<ContextRow> written;  // its newest row
  };
  // A time in which a kind told nothing.
  struct Silence {
    Timestamp from;
    std::optional<Timestamp> to;  // empty: it goes on
    bool cut = false;             // false: it had not begun
  };
  struct Account {
    const Instrument* instrument = nullptr;
    ContextWanted wanted;
    std::array<std::deque<Silence>, static_cast<std::size_t>(DataKind::count_)> silences;
    std::map<Timestamp, Bar> bars;  // those that are open, and the newest of those that are closed
    Values carried;                 // of all bars before `next`
    std::optional<Timestamp> next;  // the oldest open bar; empty: rows have not begun
    std::optional<Timestamp> ended;
  };
  void mark(Account& account, const FeedMark& mark);
  void begin_rows(Account& account, Timestamp time);
  void count(Account& account, const Liquidation& order);
  void touch(Account& account, Timestamp from) const;
  [[nodiscard]] Bar* bar_at(Account& account, Timestamp time) const;
  void write(Account& account, Timestamp time, Bar& bar, bool partial, std::vector<ContextRow>& out);
  void revise(Account& account, std::vector<ContextRow>& out);
  void drop_old(Account& account) const;
  [[nodiscard]] BarStatus status_of(const Account& account, Timestamp time, const Bar& bar, bool partial) const;
  [[nodiscard]] std::size_t kept() const;

  Duration interval_;
  std::map<std::uint32_t, Account> accounts_;
  Counters counters_;
};

}  // namespace cvdd
