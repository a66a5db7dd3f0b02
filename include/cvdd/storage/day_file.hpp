// Files of rows: one of each table and UTC day, and how their lines are told. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cvdd {

// What the files of a table hold.
enum class RowTable : std::uint8_t { cvd, flow, context };
inline constexpr std::array<RowTable, 3> row_tables{RowTable::cvd, RowTable::flow, RowTable::context};

struct RowFormat {
  std::string_view prefix;                          // of the files' names: "cvd-"
  std::string_view latest;                          // the link to the newest
  std::string_view header;                          // the first line
  int key_fields = 3;                               // behind the time: whose row it is; the rev follows
  bool (*is_row)(std::string_view line) = nullptr;  // whether we would have written it
};
[[nodiscard]] const RowFormat& format_of(RowTable table);

// One file of rows. A day has a second one only after a failure: when the first can't be trusted or believed any more.
struct DayFile {
  std::string day;         // "2026-11-20"
  std::uint32_t part = 0;  // 0: cvd-DAY.csv, N: cvd-DAY.N.csv
  RowTable table = RowTable::cvd;
  friend auto operator<=>(const DayFile&, const DayFile&) = default;
};
[[nodiscard]] std::string name_of(const DayFile& file);
// Empty: it is no such file of this table.
[[nodiscard]] std::optional<DayFile> day_file_from(const std::string& name, RowTable table = RowTable::cvd);
// … of any.
[[nodiscard]] std::optional<DayFile> any_day_file_from(const std::string& name);

}  // namespace cvdd
