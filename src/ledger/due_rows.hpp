// Which rows of an instrument's bars are due, and what is forgotten once they are written. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/flow.hpp"
#include "cvdd/ledger/gap_tracker.hpp"
#include "cvdd/ledger/open_bar.hpp"
#include "cvdd/ledger/rebuilder.hpp"

namespace cvdd {

// Appends the rows of the bars up to `last` that are not written, or would say something else now. `active`: the
// instrument goes on. `flow`: the
// rows of the flow file that belong to them. Returns the bar whose sum does not fit, if there is one: no row of it or
// after it is appended.
[[nodiscard]] std::optional<Timestamp> append_due_rows(const Instrument& instrument, BarSeries& bars,
                                                       const GapTracker& gaps, bool active, Timestamp last,
                                                       std::vector<Row>& rows, std::vector<FlowRow>& flow);

// Written bars beyond the few that late trades may still reach leave the memory, those of which nothing more is to be
// said; and of too many all.
void forget_settled(BarSeries& bars, GapTracker& gaps, const Rebuilder& rebuilder, const LedgerOptions& options);

// The bar that is open at `now`; but for the instrument and its newest trade. Only while there are bars.
[[nodiscard]] OpenBar open_bar_of(const BarSeries& bars, Timestamp now);

}  // namespace cvdd
