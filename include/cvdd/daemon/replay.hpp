// Offline: recordings through the same parse → sequence → ledger → CSV path as the daemon, on event time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

struct ReplayOptions {
  std::string exchange;                  // "binance"
  std::string market = "auto";           // or a market's name; auto: the first market that lists the symbol
  std::vector<std::string> instruments;  // the exchange's own REST answers (.gz too)
  std::string out_dir;                   // without cvdd files yet, so that numbers are reproducible
  std::vector<std::string> recordings;   // .jsonl or .jsonl.gz, merged by time of receipt
  Duration interval = seconds(60);
  Duration close_delay = seconds(2);
};

struct ReplaySummary {
  std::uint64_t messages = 0, trades = 0, duplicates = 0, rejected = 0, other_series = 0, ignored = 0;
  std::uint64_t broken_lines = 0;  // of the recordings themselves
  double seconds = 0;              // wall time; no price or size
};

// Throws std::runtime_error that says what is wrong, where, and what to do.
[[nodiscard]] ReplaySummary replay(const ReplayOptions& options);
[[nodiscard]] std::string summary_line(const ReplaySummary& summary);

}  // namespace cvdd
