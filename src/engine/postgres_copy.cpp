#include "postgres_copy.hpp"

#include <fmt/format.h>

#include <map>

namespace cvdd::engine {

namespace {
void append_field(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') out += '\\';
    out += c;
  }
  out += '\t';
}

// "a = excluded.a, …" of all columns but the key.
std::string overwritten(const Layout& layout) {
  std::string out;
  for (const TableColumn& one : layout.stored) {
    if (one.key) continue;
    const std::string name = one.name == "index" ? "\"index\"" : std::string(one.name);
    out += fmt::format("{}{} = excluded.{}", out.empty() ? "" : ", ", name, name);
  }
  return out;
}
}  // namespace

BatchParts parts_of(std::span<const StoreRow> rows, const Layout& layout, bool fresh) {
  struct Bar {
    const StoreRow* row = nullptr;
    bool first = false;
  };
  std::map<std::string, Bar> bars;
  std::string key;
  for (const StoreRow& row : rows) {
    if (row.kind != layout.kind) continue;
    const Fields f = fields_of(row.line);
    key.clear();
    for (const TableColumn& column : layout.stored) {
      if (!column.key) break;
      key += column.from == TableColumn::From::collector ? std::string_view(row.collector) : f[column.field];
      key += ',';
    }
    Bar& bar = bars[key];
    bar.first = bar.first || row.row.rev == 0;
    if (bar.row == nullptr || row.row.rev >= bar.row->row.rev) bar.row = &row;
  }
  BatchParts parts;
  for (const auto& [name, bar] : bars) (fresh && bar.first ? parts.fresh : parts.merged).push_back(bar.row);
  return parts;
}

void append_copy_line(std::string& out, const StoreRow& row, const Layout& layout, std::optional<std::size_t> number) {
  const Fields f = fields_of(row.line);
  for (const TableColumn& column : layout.stored) {
    if (const auto text = stored_text(column, row, f)) {
      append_field(out, *text);
    } else {
      out += "\\N\t";
    }
  }
  if (number) {
    out += fmt::format("{}\n", *number);
  } else {
    out.back() = '\n';
  }
}

std::string batch_table_of(const Layout& layout) { return "cvdd_batch_" + std::string(layout.name); }

std::string merge_of(const Layout& layout) {
  const std::string key = names_of(layout, true);
  return fmt::format(
      "INSERT INTO {0} SELECT DISTINCT ON ({1}) {2} FROM {3} ORDER BY {1}, rev DESC, number DESC ON CONFLICT ({1}) DO "
      "UPDATE SET {4} WHERE excluded.rev > {0}.rev OR (excluded.rev = {0}.rev AND excluded.* IS DISTINCT FROM {0}.*)",
      layout.table, key, names_of(layout), batch_table_of(layout), overwritten(layout));
}

}  // namespace cvdd::engine
