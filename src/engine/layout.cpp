#include "cvdd/engine/layout.hpp"

#include <algorithm>
#include <stdexcept>

namespace cvdd::engine {

namespace {
using enum Form;

const std::vector<Column> cvd_columns{
    {"time", time},          {"exchange", name},       {"market", name},        {"symbol", name},
    {"rev", count},          {"status", name},         {"open", decimal, true}, {"high", decimal, true},
    {"low", decimal, true},  {"close", decimal, true}, {"buys", count},         {"sells", count},
    {"buy_base", decimal},   {"sell_base", decimal},   {"buy_quote", decimal},  {"sell_quote", decimal},
    {"delta_base", decimal}, {"delta_quote", decimal}, {"cvd_base", decimal},   {"cvd_quote", decimal},
    {"other_base", decimal}, {"other_quote", decimal}, {"first_id", text},      {"last_id", text},
    {"missing", count, true}};

const std::vector<Column> context_columns{{"time", time},
                                          {"exchange", name},
                                          {"market", name},
                                          {"symbol", name},
                                          {"rev", count},
                                          {"status", name},
                                          {"bid", decimal, true},
                                          {"bid_size", decimal, true},
                                          {"ask", decimal, true},
                                          {"ask_size", decimal, true},
                                          {"book_age_ms", count, true},
                                          {"mark", decimal, true},
                                          {"index", decimal, true},
                                          {"mark_age_ms", count, true},
                                          {"funding_rate", decimal, true},
                                          {"funding_time", time, true},
                                          {"open_interest_base", decimal, true},
                                          {"open_interest_quote", decimal, true},
                                          {"open_interest_age_ms", count, true},
                                          {"liq_buys", count, true},
                                          {"liq_sells", count, true},
                                          {"liq_buy_base", decimal, true},
                                          {"liq_sell_base", decimal, true},
                                          {"liq_buy_quote", decimal, true},
                                          {"liq_sell_quote", decimal, true},
                                          {"liq_kind", text, true}};

// What a bar's trades would have to be known one by one for is empty where they are not.
const std::vector<Column> flow_columns{{"time", time},
                                       {"exchange", name},
                                       {"market", name},
                                       {"symbol", name},
                                       {"bucket", name},
                                       {"rev", count},
                                       {"status", name},
                                       {"buys", count},
                                       {"sells", count},
                                       {"buy_base", decimal},
                                       {"sell_base", decimal},
                                       {"buy_quote", decimal},
                                       {"sell_quote", decimal},
                                       {"delta_base", decimal},
                                       {"delta_quote", decimal},
                                       {"cvd_base", decimal},
                                       {"cvd_quote", decimal},
                                       {"delta_min_base", decimal, true},
                                       {"delta_max_base", decimal, true},
                                       {"largest_buy_quote", decimal, true},
                                       {"largest_sell_quote", decimal, true}};

Layout make_layout(RowKind kind, std::string_view file, std::string_view table, const std::vector<Column>& columns) {
  Layout layout{kind, file, table, columns, "", {}, false};
  for (const Column& one : columns) {
    if (!layout.header.empty()) layout.header += ',';
    layout.header += one.name;
    layout.summed = layout.summed || one.name == "delta_base";
  }
  const auto take = [&](std::string_view name, bool key) {
    const std::size_t at = column_of(layout, name);
    layout.stored.push_back(
        {columns[at].name, TableColumn::From::field, at, columns[at].form, columns[at].optional, key});
  };
  for (const std::string_view key : {"exchange", "market", "symbol", "time"}) take(key, true);
  if (kind == RowKind::flow) take("bucket", true);
  layout.stored.push_back({"collector", TableColumn::From::collector, 0, Form::name, false, true});
  for (const std::string_view first : {"rev", "status"}) take(first, false);
  layout.stored.push_back({"quality", TableColumn::From::quality, 0, Form::count, false, false});
  for (std::size_t at = column_of(layout, "status") + 1; at < columns.size(); ++at) take(columns[at].name, false);
  return layout;
}
}  // namespace

const Layout& layout_of(RowKind kind) {
  static const Layout cvd = make_layout(RowKind::cvd, "cvd", "rows", cvd_columns);
  static const Layout context = make_layout(RowKind::context, "context", "context_rows", context_columns);
  static const Layout flow = make_layout(RowKind::flow, "flow", "flow_rows", flow_columns);
  switch (kind) {
    case RowKind::cvd:
      return cvd;
    case RowKind::context:
      return context;
    case RowKind::flow:
      return flow;
  }
  return cvd;
}

std::optional<RowKind> row_kind_from(std::string_view name) {
  for (const RowKind kind : row_kinds) {
    if (layout_of(kind).name == name) return kind;
  }
  return std::nullopt;
}

std::size_t column_of(const Layout& layout, std::string_view name) {
  const auto at =
      std::find_if(layout.columns.begin(), layout.columns.end(), [&](const Column& c) { return c.name == name; });
  if (at == layout.columns.end()) throw std::out_of_range("no column " + std::string(name));
  return static_cast<std::size_t>(at - layout.columns.begin());
}

std::string names_of(const Layout& layout, bool key) {
  std::string out;
  for (const TableColumn& one : layout.stored) {
    if (key && !one.key) continue;
    if (!out.empty()) out += ", ";
    // A word of SQL's own.
    out += one.name == "index" ? "\"index\"" : one.name;
  }
  return out;
}

}  // namespace cvdd::engine
