// Values beside the trades, put into rows. Pure; private to the context ledger.
#pragma once

#include <optional>

#include "cvdd/ledger/context.hpp"

namespace cvdd::context {

// Into the row of a bar that ends at `end`.
void put(ContextRow& row, const BestPrices& book, Timestamp end);
void put(ContextRow& row, const MarkPrice& price, Timestamp end);
void put(ContextRow& row, const FundingRate& rate);
// What it does not tell in one unit, the mark price makes of the other.
void put(ContextRow& row, const OpenInterest& open, const std::optional<Decimal>& mark, Timestamp end);

}  // namespace cvdd::context
