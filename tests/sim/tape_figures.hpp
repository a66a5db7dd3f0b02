// What trades of a tape make of a bar, in plain integers, and what of a row is not that. Pure.
#pragma once

#include <span>
#include <string>

#include "cvdd/sim/tape.hpp"
#include "sim/row_reader.hpp"

namespace cvdd::simtest {

// The first column (or pair) of a row that is not what these trades, all of its bar, make: "fills", "base volume", …;
// empty if it is right. Of `history` rows, which have no fills and ids, the volumes alone are judged.
[[nodiscard]] std::string difference(const ReadRow& row, const sim::TapeInstrument& of,
                                     std::span<const sim::TapeTrade> trades);
// It has fewer fills, or less of a volume, than these trades make.
[[nodiscard]] bool lacks(const ReadRow& row, const sim::TapeInstrument& of, std::span<const sim::TapeTrade> trades);
// It has more of something.
[[nodiscard]] bool exceeds(const ReadRow& row, const sim::TapeInstrument& of, std::span<const sim::TapeTrade> trades);

}  // namespace cvdd::simtest
