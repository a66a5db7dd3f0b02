// How a daemon is doing, as a table that fits where it is shown. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cvdd {

// One instrument, or a group: "group", how many members count, its name. All text is fit for a terminal.
struct StatusLine {
  std::string exchange, market, symbol, state, price, delta, cvd, hour, day, proven;
  std::uint64_t fills = 0;  // of the open bar
};

// An instrument that is not live; text as above.
struct Trouble {
  std::string name, state, since, reason;
};
// One line each; of more than two that say the same, one line for all of them.
[[nodiscard]] std::vector<std::string> told_together(const std::vector<Trouble>& troubles);

struct StatusModel {
  std::string asked;  // whom: "127.0.0.1:9480"
  bool ready = false;
  std::uint64_t live = 0, wanted = 0, gaps = 0, trades_per_second = 0, backlog_rows = 0;
  std::vector<std::string> troubles;  // why it is not ready, then what is not live, one line each
  std::vector<StatusLine> lines;
  std::vector<StatusLine> groups;  // shown above the instruments
};

// 0: no limit.
struct ScreenSize {
  std::size_t columns = 0, rows = 0;
};

// Columns that a terminal takes for this text: of UTF-8, Chinese, Japanese and Korean characters take two.
[[nodiscard]] std::size_t display_width(std::string_view text);

class StatusTable {
 public:
  // Lines, each with its newline, none wider than `size`, not more than fit. At most `instruments_max` instruments:
  // those with most fills at the first time, and in that order ever after; new ones come behind, and move up when
  // others are gone. Groups stand above them, in
  // their order, as far as half of the rows. What is least needed is left out where the table is too wide.
  [[nodiscard]] std::string draw(const StatusModel& model, ScreenSize size, std::size_t instruments_max);

 private:
  std::vector<std::string> order_;  // names of instruments
  std::uint64_t traded_ = 0;        // fills that were seen
};

}  // namespace cvdd
