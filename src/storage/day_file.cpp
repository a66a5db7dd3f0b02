#include "cvdd/storage/day_file.hpp"

#include <fmt/format.h>

#include "cvdd/ledger/context_row.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"

namespace cvdd {

namespace {
constexpr std::string_view suffix = ".csv";
}  // namespace

const RowFormat& format_of(RowTable table) {
  static const std::array<RowFormat, row_tables.size()> formats{
      RowFormat{"cvd-", "latest.csv", csv_header(), 3,
                [](std::string_view line) { return parse_row(line).has_value(); }},
      RowFormat{"flow-", "latest-flow.csv", flow_header(), 4,
                [](std::string_view line) { return parse_flow_row(line).has_value(); }},
      RowFormat{"context-", "latest-context.csv", context_header(), 3,
                [](std::string_view line) { return parse_context_row(line).has_value(); }}};
  return formats[static_cast<std::size_t>(table)];
}

std::string name_of(const DayFile& file) {
  return fmt::format("{}{}{}{}", format_of(file.table).prefix, file.day,
                     file.part == 0 ? "" : fmt::format(".{}", file.part), suffix);
}

std::optional<DayFile> day_file_from(const std::string& name, RowTable table) {
  const std::string_view prefix = format_of(table).prefix;
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() < prefix.size() + 10 + suffix.size()) {
    return std::nullopt;
  }
  DayFile file{name.substr(prefix.size(), 10), 0, table};
  if (!parse_time(file.day + "T00:00:00Z")) return std::nullopt;
  const std::string rest = name.substr(prefix.size() + 10, name.size() - prefix.size() - 10 - suffix.size());
  if (rest.empty()) return file;
  if (rest.size() < 2 || rest.size() > 6 || rest[0] != '.' ||
      rest.find_first_not_of("0123456789", 1) != std::string::npos) {
    return std::nullopt;
  }
  file.part = static_cast<std::uint32_t>(std::stoul(rest.substr(1)));
  return name_of(file) == name ? std::optional(file) : std::nullopt;
}

std::optional<DayFile> any_day_file_from(const std::string& name) {
  for (const RowTable table : row_tables) {
    if (auto file = day_file_from(name, table)) return file;
  }
  return std::nullopt;
}

}  // namespace cvdd
