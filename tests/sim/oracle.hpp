// The judges of a simulated run: what the files say against the tape, the faults, and what was delivered.
#pragma once

#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "sim/faults.hpp"
#include "sim/row_reader.hpp"
#include "sim/world.hpp"
#include "support/memory_files.hpp"

namespace cvdd::simtest {

struct Verdict {
  std::size_t rows = 0, live = 0, gap = 0, partial = 0, repaired = 0, revisions = 0;
  std::vector<std::string> doubts;  // rows that were gaps for a moment without a fault
  std::vector<std::string> complaints;
  void complain(std::string what) {
    if (complaints.size() < 40) complaints.push_back(std::move(what));
  }
};

struct RunFacts {
  Timestamp begin, end;  // of the run
  Duration interval;
  std::vector<Fault> faults;
  bool everything_comes_back = false;  // no hole was open when the process ended: history can fill every one
};

// Every row of the files, in the order they were written. Complains of lines that are none, and of rows in another
// day's file.
[[nodiscard]] std::vector<ReadRow> rows_of(const MemoryFiles& files, Verdict& verdict);

// Safety: rows that are not marked equal the tape; marked ones hold exactly what was delivered; marks appear only
// where a fault was; `missing` is exact; CVDs are the sums of the deltas; no bar is left out without a reason.
// Liveness: after the last fault's reach every row is live.
[[nodiscard]] Verdict judge(const MemoryFiles& files, World& world, const RunFacts& facts);

}  // namespace cvdd::simtest
