// Runs of the simulation that look for one thing each. All print what they saw; true if it was good.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cvdd::simtest {

// Killed again and again, often before anything could be repaired: what rows say to be whole is whole.
bool test_kills(std::uint64_t seed, std::size_t kills);

// New instruments whose CVD begins three days ago, an outage that costs too much to fetch trade by trade, and an
// absence of the process longer than the ledger holds bars for: all of it from candles, within the budget.
bool test_past(std::uint64_t seed);

// The judges themselves: faults planted in rows and files, each of which they must see.
bool test_judges();

}  // namespace cvdd::simtest
