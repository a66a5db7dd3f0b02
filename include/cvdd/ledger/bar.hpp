// One bar of one instrument while it is in memory: sums, first and last trade, and what is known to be missing.
// Pure value; owned by the ledger.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/flow.hpp"

namespace cvdd {

struct Bar {
  // Sums. `buys` and `sells` count fills.
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote, other_base, other_quote;
  std::optional<Decimal> open, high, low, close;
  // Order inside a bar is trade time, then id; these are the keys of the trades that made open and close …
  Timestamp open_time, close_time;
  std::uint64_t open_id = 0, close_id = 0;
  // … and of the first and the last trade of all, those beside the CVD included: what is fetched after a restart begins
  // behind it. The time is 0 if there is none.
  Timestamp first_time, last_time;
  std::uint64_t first_id = 0, last_id = 0;
  std::string first_name, last_name;  // what rows print instead; empty: the ids

  // What is known about completeness beyond the ledger's open holes and losses.
  bool partial_begin = false;  // subscribed inside this bar
  bool partial_end = false;    // stopped or unsubscribed inside this bar
  bool lost = false;           // a hole of unknown size that can't be resolved any more
  bool inherited = false;      // lost, as an earlier run has said, until the loss that it is part of is settled
  bool recovered = false;      // something was missing and is there now
  bool history = false;        // from the exchange's candles
  std::uint64_t missing = 0;   // ids given up on
  bool absent = false;         // the daemon did not run: not written unless it turns out to be known
  bool restored = false;       // as the files of an earlier run have it
  bool contradicted = false;   // something of it is neither counted nor a copy of what is
  bool proven = false;         // the exchange's own figures agree with it as it is
  bool settled = false;        // all of it is what the exchange's history has

  FlowOfBar flow;  // its size buckets; nothing where there are none, or nothing was counted in them

  // What the file says.
  std::uint32_t revs = 0;      // rows written so far; the next row's rev
  bool changed = false;        // differs from the last row written
  bool delta_changed = false;  // … and so do the CVDs after it
  BarStatus written_status = BarStatus::live;
  std::optional<std::uint64_t> written_missing;

  // Bought minus sold; zero if that does not fit.
  [[nodiscard]] Decimal delta_base() const { return subtract(buy_base, sell_base).value_or(Decimal{}); }
  [[nodiscard]] Decimal delta_quote() const { return subtract(buy_quote, sell_quote).value_or(Decimal{}); }
  [[nodiscard]] bool has_trades() const { return open.has_value(); }
  [[nodiscard]] bool has_ids() const { return last_time.us != 0; }
  [[nodiscard]] bool written() const { return revs > 0; }
};

// How an instrument's trades are counted by their size.
struct FlowRules {
  const SizeBuckets* buckets = nullptr;
  bool ordered = false;  // its ids have an order
};

// Adds a trade's volume and price; false if a sum overflows (the bar is unchanged then). `name`: of its id, if it has
// one. `flow`: null: sizes don't matter.
[[nodiscard]] bool add_trade(Bar& bar, const Record& trade, const IdText& name = {}, const FlowRules* flow = nullptr);
// Adds volume beside the CVD; false if a sum overflows.
[[nodiscard]] bool add_other(Bar& bar, const Record& trade, const IdText& name = {}, const FlowRules* flow = nullptr);
// What the record of a trade says; a placeholder adds nothing.
[[nodiscard]] inline bool add_record(Bar& bar, const Record& trade, const IdText& name = {},
                                     const FlowRules* flow = nullptr) {
  const RecordKind kind = trade.kind();
  if (kind == RecordKind::trade || kind == RecordKind::again) return add_trade(bar, trade, name, flow);
  if (kind == RecordKind::other || kind == RecordKind::again_other) return add_other(bar, trade, name, flow);
  return true;
}

// Whether the row that an earlier run wrote of the bar may have this trade in it. `ordered`: ids have an order.
[[nodiscard]] bool may_have_counted(const Bar& bar, const Record& trade, bool ordered);

}  // namespace cvdd
