// Lines of the files beside the CVD's. Here they are only passed on: what is checked is that every field is what its
// column holds, so that no database is told nonsense, and no digit is touched.
#include "side_row.hpp"

#include <algorithm>
#include <limits>

#include "cvdd/base/time_text.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t number_max = 100;  // characters

bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const std::size_t point = text.find('.');
  if (text.size() > number_max || !digits(text.substr(0, point))) return false;
  return point == text.npos || digits(text.substr(point + 1));
}

std::optional<std::uint64_t> count_from(std::string_view text) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max() / 2;  // two of them have a sum
  const auto value = parse_digits(text);
  return value && *value <= most ? value : std::nullopt;
}

bool is_form(Form form, std::string_view text) {
  switch (form) {
    case Form::name:
      return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' '; });
    case Form::text:
      return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' '; });
    case Form::time:
      return parse_time(text).has_value();
    case Form::count:
      return count_from(text).has_value();
    case Form::decimal:
      return is_decimal(text);
  }
  return false;
}

// What the contract names word by word.
bool is_word_known(const Layout& layout, std::string_view column, std::string_view text) {
  if (column == "status") {
    const auto status = bar_status_from(text);
    const bool beside = layout.kind == RowKind::context;
    return status && (!beside || (*status != BarStatus::history && *status != BarStatus::repaired));
  }
  if (column == "market") return market_from(text).has_value();
  if (column == "bucket") return text == "all" || (is_decimal(text) && text.front() != '-');
  if (column == "liq_kind") return text.empty() || text == "all" || text == "sampled" || text == "flagged";
  return true;
}

// The fields that this program itself makes something of.
bool read_known(StoreRow& out, const Layout& layout, const Fields& f) {
  const auto field = [&](std::string_view name) { return f[column_of(layout, name)]; };
  const auto rev = parse_digits(field("rev"));
  if (!rev || *rev > std::numeric_limits<std::uint32_t>::max()) return false;
  out.row.time = *parse_time(field("time"));
  out.row.exchange = field("exchange");
  out.row.market = *market_from(field("market"));
  out.row.symbol = field("symbol");
  out.row.rev = static_cast<std::uint32_t>(*rev);
  out.row.status = *bar_status_from(field("status"));
  const bool flow = layout.kind == RowKind::flow;
  out.row.buys = count_from(field(flow ? "buys" : "liq_buys")).value_or(0);
  out.row.sells = count_from(field(flow ? "sells" : "liq_sells")).value_or(0);
  if (!flow) return true;
  out.bucket = field("bucket");
  const auto read = [&](std::string_view name, Decimal& to) {
    if (field(name).empty()) return true;
    const auto value = parse_sum(field(name));
    to = value.value_or(Decimal{});
    return value.has_value();
  };
  return read("delta_base", out.row.delta_base) && read("delta_quote", out.row.delta_quote);
}
}  // namespace

std::optional<StoreRow> side_row_from(const Layout& layout, std::string_view collector, std::string_view line,
                                      std::string& reason) {
  const auto commas = static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
  if (commas + 1 != layout.columns.size()) {
    reason = std::to_string(commas + 1) + " fields, and " + std::to_string(layout.columns.size()) + " are expected";
    return std::nullopt;
  }
  const Fields f = fields_of(line);
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    const Column& column = layout.columns[i];
    const bool absent = f[i].empty() && column.optional;
    if ((absent || is_form(column.form, f[i])) && is_word_known(layout, column.name, f[i])) continue;
    reason = std::string(column.name) + " is not as cvdd writes it";
    return std::nullopt;
  }
  StoreRow out{std::string(collector), std::string(line), {}, layout.kind, ""};
  if (read_known(out, layout, f)) return out;
  reason = "a number that is too large";
  return std::nullopt;
}

}  // namespace cvdd::engine
