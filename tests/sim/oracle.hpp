// The judges of a simulated run: what the files say, revision by revision, against the tape, the faults, and what was
// delivered. They share no code with what writes rows.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "sim/faults.hpp"
#include "sim/row_reader.hpp"
#include "sim/world.hpp"
#include "sim/written.hpp"

namespace cvdd::simtest {

struct Verdict {
  std::array<std::size_t, statuses> by_status{};  // bars, at their highest revision
  std::size_t rows = 0, revisions = 0;            // bars; rows that are not the first of theirs
  std::size_t live_said = 0, live_wrong = 0;      // rows, at any revision
  std::size_t unknowable = 0;                     // wrong, and no exchange tells by what anybody could know
  std::size_t unreachable = 0;                    // gaps in the end, of ids without order, that no page reaches back to
  std::vector<Duration> corrected;                // how long each wrong `live` stood until another row said otherwise
  std::vector<std::string> doubts;                // bars that were gaps for a moment without a fault
  std::vector<std::string> complaints;
  void complain(std::string what) {
    if (complaints.size() < 40) complaints.push_back(std::move(what));
  }
  [[nodiscard]] std::size_t of(Status status) const { return by_status[static_cast<std::size_t>(status)]; }
};

// What the daemon itself said of an instrument: bars before `until` have their final proof.
struct Claimed {
  Timestamp at;
  std::size_t instrument = 0;
  Timestamp until;
};

struct RunFacts {
  Timestamp begin, end;  // of the run
  Duration interval;
  Duration proof_within = seconds(900);
  std::vector<Fault> faults;
  std::vector<Claimed> claimed;  // in order
  // The sum of what faults may have cost the daemon of [from, to).
  [[nodiscard]] Duration trouble(std::size_t side, Timestamp from, Timestamp to) const;
  // Whether the bar that begins at `bar` may show the effects of a fault.
  [[nodiscard]] bool excused(std::size_t side, Timestamp bar) const;
  // Whether a fault of this kind befell the market when the bar's trades were made.
  [[nodiscard]] bool touched(FaultKind kind, std::size_t side, Timestamp bar) const;
};

// Every row of the files, in the order they were written. Complains of lines that are none, and of rows in another
// day's file.
[[nodiscard]] std::vector<ReadRow> rows_of(const MemoryFiles& files, Verdict& verdict);

// Judges every row as of the moment it was written, by what could be known then. Never: more than the tape has; a
// `repaired` or `history` row that is not the tape; a whole row without a trade that this life of the process had read;
// a `live` row that is wrong although the daemon called it proven, or for longer than `proof_within`; a `live` row
// without its final proof for longer than that; a CVD that is not the sum. Whatever a fault cost the daemon of its
// time is added. (src: revisions.cpp)
void judge_revisions(const std::vector<Written>& rows, World& world, const RunFacts& facts, Verdict& verdict);

// Judges what holds in the end. Marks appear only where a fault was; marked rows hold what was delivered; `missing` is
// exact; no bar is left out without a reason; after the last fault's reach every row is live; what history has of a gap
// has come. And with judge_revisions, how it came to that.
[[nodiscard]] Verdict judge(const WatchedFiles& files, World& world, const RunFacts& facts);

}  // namespace cvdd::simtest
