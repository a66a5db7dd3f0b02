#include "clickhouse_lines.hpp"

#include <fmt/format.h>

#include "cvdd/base/time_text.hpp"

namespace cvdd::engine {

namespace {
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

void append_limbs(std::string& out, const StoreRow& row) {
  // Its sums wrap around in silence: far below that is refused.
  constexpr std::int64_t whole_max = 1'000'000'000'000'000;
  for (const Decimal* delta : {&row.row.delta_base, &row.row.delta_quote}) {
    const auto limbs = limbs_of(*delta);
    if (!limbs || (*limbs)[0] >= whole_max || (*limbs)[0] <= -whole_max) {
      throw StoreError(StoreError::Kind::row,
                       "a delta of more than 15 digits before the point: its sum would not be exact");
    }
    for (const std::int64_t limb : *limbs) out += fmt::format("{}\t", limb);
  }
}

void append_time(std::string& out, std::string_view text) {
  const Timestamp time = parse_time(text).value_or(Timestamp{-1});
  if (time.us < 0 || time.us > 4'294'967'295'000'000) {
    throw StoreError(StoreError::Kind::row, "a time that ClickHouse's DateTime does not hold");
  }
  out += fmt::format("{}\t", time.us / 1'000'000);
}
}  // namespace

std::string text_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// A field of the format TabSeparated.

void append_field(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') out += '\\';
    out += c;
  }
  out += '\t';
}

void append_line(std::string& out, const StoreRow& row) {
  const Layout& layout = layout_of(row.kind);
  const Fields f = fields_of(row.line);
  for (const TableColumn& column : layout.stored) {
    const auto text = stored_text(column, row, f);
    if (!text) {
      out += "\\N\t";
    } else if (column.form == Form::time) {
      append_time(out, *text);
    } else {
      append_field(out, *text);
    }
  }
  if (layout.summed) append_limbs(out, row);
  out.back() = '\n';
}

std::vector<std::vector<std::string>> lines_of(std::string_view text) {
  std::vector<std::vector<std::string>> out;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    std::vector<std::string>& fields = out.emplace_back();
    for (std::size_t tab; (tab = line.find('\t')) != line.npos; line.remove_prefix(tab + 1)) {
      fields.push_back(unescaped(line.substr(0, tab)));
    }
    fields.push_back(unescaped(line));
  }
  return out;
}

}  // namespace cvdd::engine
