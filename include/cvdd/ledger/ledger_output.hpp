// What a ledger has to tell beside the rows that it is asked for, of all its instruments together. Plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/flow.hpp"

namespace cvdd {

struct LedgerCounters {
  std::uint64_t trades = 0;         // messages that moved a CVD
  std::uint64_t other = 0;          // messages beside the CVD
  std::uint64_t late = 0;           // trades of a bar that was written already
  std::uint64_t before_first = 0;   // trades of bars before the instrument's first one: dropped
  std::uint64_t too_late = 0;       // trades of bars no longer in memory: their loss is marked in the open bar
  std::uint64_t too_far_ahead = 0;  // trades more than BarSeries::ahead_max after the newest bar: refused, marked
  std::uint64_t rows = 0;
  std::uint64_t revisions = 0;
};

struct LedgerOutput {
  LedgerCounters counters;
  std::vector<std::string> errors;  // one message each
  std::vector<Row> ready;           // rows of bars before those in memory, which candles made
  std::vector<FlowRow> flow;        // rows of the flow file, in the order in which the rows they belong to were made
  void complain(const Instrument& of, std::string_view what) {
    errors.push_back(of.exchange + " " + std::string(name_of(of.market)) + " " + of.symbol + ": " + std::string(what));
  }
  void count_rows(std::span<const Row> rows) {
    counters.rows += rows.size();
    for (const Row& row : rows) counters.revisions += row.rev > 0 ? 1U : 0U;
  }
};

}  // namespace cvdd
