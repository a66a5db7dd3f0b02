// A bar as a row says it, and the other way round. Pure.
#pragma once

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/evidence.hpp"

namespace cvdd {

// What a row of an earlier run says of its bar. `ids`: of its instrument; `oldest`: of the rows that are known.
[[nodiscard]] Bar bar_of(const Row& row, Ids ids, bool oldest);
// A bar that has no row yet, as the exchange's candle has it.
[[nodiscard]] Bar bar_of(const Candle& candle);
// The next row of a bar, without what comes from the bars before it.
[[nodiscard]] Row row_of(const Instrument& instrument, Timestamp time, const Bar& bar, const Evidence& evidence);
// … and with that. `totals`: this bar included.
void set_totals(Row& row, const Totals& totals);

}  // namespace cvdd
