// The three kinds of files of rows, column by column: what a line must look like, and which column of which table takes
// each of its fields. A new column is one line here, and a step of each database's schema. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cvdd::engine {

enum class RowKind : std::uint8_t {
  cvd,      // the bars: docs/csv.md
  context,  // what stands beside the trades: quotes, funding, open interest, liquidations
  flow,     // a bar's volume by size of trade: one row a bucket, and one of all
};
inline constexpr RowKind row_kinds[] = {RowKind::cvd, RowKind::context, RowKind::flow};
[[nodiscard]] inline constexpr std::size_t index_of(RowKind kind) { return static_cast<std::size_t>(kind); }

enum class Form : std::uint8_t {
  name,     // text that is never empty
  text,     // text
  time,     // 2026-11-20T20:59:00Z
  count,    // digits
  decimal,  // digits with a point, exact
};

struct Column {
  std::string_view name;
  Form form = Form::text;
  bool optional = false;  // empty: not known, NULL in a database
};

// A column of the table: a field of the line, or what is known about it beside.
struct TableColumn {
  enum class From : std::uint8_t { field, collector, quality };
  std::string_view name;
  From from = From::field;
  std::size_t field = 0;  // its number in the line
  Form form = Form::text;
  bool optional = false, key = false;
};

struct Layout {
  RowKind kind = RowKind::cvd;
  std::string_view name;   // with which its files' names begin: "cvd"
  std::string_view table;  // "rows"
  std::vector<Column> columns;
  std::string header;               // the first line of its files, without newline
  std::vector<TableColumn> stored;  // the key first, with the collector at its end
  bool summed = false;              // has delta_base and delta_quote, whose sums are to be exact
};
[[nodiscard]] const Layout& layout_of(RowKind kind);
[[nodiscard]] std::optional<RowKind> row_kind_from(std::string_view name);
// Its number among the columns of the file; throws std::out_of_range if it has none of this name.
[[nodiscard]] std::size_t column_of(const Layout& layout, std::string_view name);
// The table's columns by name, with commas; `key`: of its key alone.
[[nodiscard]] std::string names_of(const Layout& layout, bool key = false);

}  // namespace cvdd::engine
