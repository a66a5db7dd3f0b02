// Bars of an earlier run that lack trades, and the ids to fetch so that they can be made again from scratch. Pure: both
// the sequencer, which waits for the ids, and the ledger, which makes the bars, plan from the same rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

// All trades with these ids belong to the bars [from, to], and those of them that are not whole have no others. Bars of
// which the files have no row at all, as nobody ran, are among them.
struct RebuildPlan {
  std::uint64_t first = 0, last = 0;  // last < first: nothing is missing after all
  Timestamp from, to;
  // The run reaches to the newest bar, so more may be missing after `last`: of `open_from` and the bars after it.
  bool open = false;
  Timestamp open_from;
};

// Whether `row`, one of these of one instrument (oldest first), is the first that there ever was of it: its bar began
// before anybody listened. A CVD that was 0 before the row does not say so where there are older ones.
[[nodiscard]] bool is_first_ever(std::span<const Row> rows, const Row& row);

// `rows`: of one instrument whose ids are a sequence, oldest first, each bar at its highest revision. A run of bars
// that say `gap` (or were cut by a stop) between two whole ones can be made again: what is missing lies between their
// ids. Runs of more than `ids_max` ids are left as they are. At the end of the rows a run reaches to the newest id
// known.
[[nodiscard]] std::vector<RebuildPlan> plan_rebuilds(std::span<const Row> rows, Duration interval);

// Of which numbers the newest of `rows` are. `since`: the start of the first bar all of whose ids are of them, the
// epoch where no other numbers are seen; `highest`: the highest of them that is known, 0: none is. Exchanges that begin
// to number anew go far back: trades that change places at a bar's end do not.
struct Numbering {
  Timestamp since;
  std::uint64_t highest = 0;
};
// `newest`: the id of the newest trade, maybe of a bar before these; 0: unknown.
[[nodiscard]] Numbering newest_numbering(std::span<const Row> rows, std::uint64_t newest, Duration interval);

// Whether nothing had been counted when the oldest of these rows began: then no id of before it can be known. `rows`:
// oldest first; false if there is none.
[[nodiscard]] bool begins_with_nothing(std::span<const Row> rows);

inline constexpr std::uint64_t rebuild_ids_max = 200'000;

}  // namespace cvdd
