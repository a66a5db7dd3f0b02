#include "postgres_copy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace cvdd::engine {

namespace {
auto key_of(const StoreRow& row) {
  return std::tuple(std::string_view(row.row.exchange), name_of(row.row.market), std::string_view(row.row.symbol),
                    row.row.time.us, std::string_view(row.bucket), std::string_view(row.collector));
}

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
  std::vector<const StoreRow*> sorted;
  sorted.reserve(rows.size());
  for (const StoreRow& row : rows) {
    if (row.kind == layout.kind) sorted.push_back(&row);
  }
  // Those of one key stay in the order in which they came.
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const StoreRow* a, const StoreRow* b) { return key_of(*a) < key_of(*b); });
  BatchParts parts;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end =
        std::find_if(begin, sorted.end(), [&](const StoreRow* r) { return key_of(*r) != key_of(**begin); });
    const bool first = std::any_of(begin, end, [](const StoreRow* r) { return r->row.rev == 0; });
    const StoreRow* highest = *begin;
    for (auto at = begin; at != end; ++at) highest = (*at)->row.rev >= highest->row.rev ? *at : highest;
    (fresh && first ? parts.fresh : parts.merged).push_back(highest);
    begin = end;
  }
  return parts;
}

std::vector<Share> shares_of(std::span<const StoreRow> rows, bool fresh, std::size_t connections) {
  std::vector<Share> shares(connections);
  const auto deal = [&](const std::vector<const StoreRow*>& all, auto&& list_of) {
    for (std::size_t i = 0; i < connections; ++i) {
      list_of(shares[i]).assign(all.begin() + static_cast<std::ptrdiff_t>(all.size() * i / connections),
                                all.begin() + static_cast<std::ptrdiff_t>(all.size() * (i + 1) / connections));
    }
  };
  for (const RowKind kind : row_kinds) {
    const BatchParts parts = parts_of(rows, layout_of(kind), fresh);
    deal(
        parts.fresh, [&](Share & share) -> auto& { return share[index_of(kind)].fresh; });
    deal(
        parts.merged, [&](Share & share) -> auto& { return share[index_of(kind)].merged; });
  }
  return shares;
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
