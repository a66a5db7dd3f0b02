// How the daemon is doing, in a few numbers: for systemd's status line and watchdog, and whoever else looks. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cvdd {

struct Health {
  std::uint64_t instruments = 0;                 // wanted, whether the exchange knows them or not
  std::uint64_t live = 0;                        // of them subscribed now
  std::uint64_t trades = 0;                      // since the start
  std::uint64_t trades_per_second = 0;           // of the last seconds
  std::uint64_t gaps = 0;                        // instruments whose newest bar lacks something
  std::uint64_t backlog_rows = 0;                // waiting in memory for the disk
  std::chrono::milliseconds aggregator_idle{0};  // since the aggregator thread last looked at the time
};

// "1,000 instruments live, 0 gaps, 2,310 trades/s", and what is wrong.
[[nodiscard]] std::string status_line(const Health& health);

// Whether the aggregator thread is alive: awake, it looks at the time every second. (That the io thread is alive shows
// in its asking.)
[[nodiscard]] constexpr bool making_progress(const Health& health) {
  return health.aggregator_idle < std::chrono::seconds(10);
}

}  // namespace cvdd
