// Bars of a group, summed from the day files. Blocks on the disk: on a thread that may wait.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/storage/file_sink.hpp"
#include "group.hpp"
#include "query.hpp"

namespace cvdd::web {

struct GroupBar {
  Timestamp time;
  std::uint64_t rev = 0;                          // the sum of the rows' revisions
  BarStatus status = BarStatus::live;             // the worst
  std::size_t members = 0;                        // that have a row of this bar
  std::optional<Decimal> open, high, low, close;  // of the first member
  std::uint64_t buys = 0, sells = 0;
  Sum buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote;
  Sum cvd_base, cvd_quote;  // of all members; who has no row of this bar has what it had before
  std::optional<std::uint64_t> missing = 0;
};
struct GroupBars {
  std::vector<GroupBar> bars;  // oldest first
  std::string next;            // there is more: the `from` that goes on; or empty
  std::string error;           // instead of all that
};
// Rows of `members`, whose order decides whose prices are told. All of a day are read before any of its bars is told:
// at most `query.limit` bars, fewer where there are many members. `stop`, `pause` and `time_max`: as read_bars has
// them; the time is looked at between two days.
[[nodiscard]] GroupBars read_group_bars(FileSink& files, const std::string& directory, const BarsQuery& query,
                                        const std::vector<InstrumentName>& members, std::chrono::milliseconds time_max,
                                        const std::function<bool()>& stop, const std::function<void()>& pause = {});
// Rows that are kept at once while they are summed.
inline constexpr std::size_t group_rows_max = 100'000;

}  // namespace cvdd::web
