// Offline: recordings through the same parse → sequence → ledger → CSV path as the daemon, on event time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

struct ReplayOptions {
  std::string exchange;                  // "binance"; "": recordings are captures, which tell
  std::string market = "auto";           // or a market's name; auto: the first market that lists the symbol
  std::vector<std::string> instruments;  // the exchange's own REST answers (.gz too)
  std::string out_dir;                   // without cvdd files yet, so that numbers are reproducible
  std::vector<std::string> recordings;   // .jsonl, .gz or .zst, merged by time of receipt
  Duration interval = seconds(60);
  Duration close_delay = seconds(2);
};

struct ReplaySummary {
  std::uint64_t messages = 0, trades = 0, duplicates = 0, rejected = 0, other_series = 0, ignored = 0;
  std::uint64_t broken_lines = 0;  // of the recordings themselves
  // Of captures:
  bool captured = false;
  std::uint64_t answers = 0, rows = 0;  // by REST; rows written
  std::uint64_t torn = 0;               // files whose writer did not come to their end
  std::uint64_t without_beginning = 0;  // runs whose first files are gone: their CVDs begin at 0
  std::uint64_t not_found = 0;          // … and trades of theirs that nobody brought
  double seconds = 0;                   // wall time; no price or size
};

// Throws std::runtime_error that says what is wrong, where, and what to do.
[[nodiscard]] ReplaySummary replay(const ReplayOptions& options);
// Whether this file is a part of a capture. Throws std::runtime_error if it can't be read.
[[nodiscard]] bool is_capture(const std::string& path);
[[nodiscard]] std::string summary_line(const ReplaySummary& summary);

}  // namespace cvdd
