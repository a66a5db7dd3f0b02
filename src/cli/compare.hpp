// What the daemon wrote against what the simulated tape says, row by row, by arithmetic of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cvdd/config/config.hpp"
#include "cvdd/sim/tape.hpp"

namespace cvdd {

struct Comparison {
  std::size_t rows = 0;         // bars compared, each at its highest revision
  std::size_t live = 0;         // of them `live`
  std::size_t instruments = 0;  // with at least one row
  std::size_t wrong = 0;
  std::vector<std::string> disagreements;  // the first twenty
};

// Every bar in the files of `directory`: a `live` or `repaired` one must equal the whole bar of the tape, a
// `partial` one the tape's trades from its first_id to its last_id, a `gap` no more than those; CVDs must be the
// running sums of the deltas.
[[nodiscard]] Comparison compare_with_tape(const std::string& directory, const sim::Tape& tape, Duration interval);

// What of a row is not what these trades of its bar make: "base volume", "ids" …; empty if all is.
[[nodiscard]] std::string difference_from_tape(const Row& row, const sim::TapeInstrument& of,
                                               std::span<const sim::TapeTrade> trades);

// The markets that the simulated exchanges have.
[[nodiscard]] KnownMarkets simulated_markets();

}  // namespace cvdd
