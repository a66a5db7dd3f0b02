#include "cvdd/storage/interval_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cvdd/ledger/csv_row.hpp"

namespace cvdd {

std::string interval_too_long(const std::string& directory, Duration found, Duration interval) {
  if (found >= interval) return {};
  return fmt::format("{}: holds bars of {} s, but interval is {} s: one interval per data_dir; choose another data_dir",
                     directory, found.us / 1'000'000, interval.us / 1'000'000);
}

std::string interval_off(const std::string& directory, std::string_view exchange, std::string_view symbol,
                         Timestamp bar, Duration interval) {
  if (bar_start(bar, interval) == bar) return {};
  return fmt::format(
      "{}: {} {} has a bar that does not begin on a multiple of {} s: another interval was used here; choose another "
      "data_dir",
      directory, exchange, symbol, interval.us / 1'000'000);
}

std::string interval_conflict(const std::string& directory, std::string_view lines, Duration interval) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const auto row = parse_row(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (!row) continue;
    if (std::string why = interval_off(directory, row->exchange, row->symbol, row->time, interval); !why.empty()) {
      return why;
    }
  }
  return {};
}

}  // namespace cvdd
