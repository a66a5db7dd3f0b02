// A capture of the daemon's, replayed: the frames and answers are read again, and the ledger is told everything in the
// order in which it was told then, so that its rows are the same bytes.
#pragma once

#include "cvdd/daemon/replay.hpp"

namespace cvdd {

// Of the options the recordings and the folder count. Throws std::runtime_error that says what is wrong, where, and
// what to do.
[[nodiscard]] ReplaySummary replay_capture(const ReplayOptions& options);

}  // namespace cvdd
