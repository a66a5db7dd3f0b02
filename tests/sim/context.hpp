// What stands beside the trades, judged: the files against what the exchange told, second by second. Shares no code
// with what writes them.
#pragma once

#include <string>
#include <string_view>

#include "sim/oracle.hpp"

namespace cvdd::simtest {

struct ContextVerdict {
  std::size_t rows = 0, live = 0, revisions = 0, orders = 0, values = 0;  // orders: in live bars; values: compared
  std::vector<std::string> complaints;
  void complain(std::string what) {
    if (complaints.size() < 20) complaints.push_back(std::move(what));
  }
};

// Judges every line: what it says of a price is what the exchange said at the moment by which its age tells when; a bar
// that is live in the end has every forced order, any other none that was not. `calm`: nothing went wrong, so that
// every bar but an instrument's first is live, and no older than the last second.
[[nodiscard]] ContextVerdict judge_context(const MemoryFiles& files, const sim::Tape& tape, Duration interval,
                                           bool calm);

// The line with this text in the place of a column's.
[[nodiscard]] std::string with_column(std::string_view line, std::string_view column, std::string_view text);

// The same run with and without: the other files are the same bytes; and runs with every fault there is.
[[nodiscard]] bool test_context(std::uint64_t seed, std::uint64_t seeds);

}  // namespace cvdd::simtest
