#include "sim/row_reader.hpp"

#include <chrono>

namespace cvdd::simtest {

namespace {
constexpr std::array<std::string_view, 25> columns = {
    "time",        "exchange",   "market",     "symbol",      "rev",      "status",    "open",
    "high",        "low",        "close",      "buys",        "sells",    "buy_base",  "sell_base",
    "buy_quote",   "sell_quote", "delta_base", "delta_quote", "cvd_base", "cvd_quote", "other_base",
    "other_quote", "first_id",   "last_id",    "missing"};
constexpr std::array<std::string_view, statuses> status_names = {"live", "partial", "gap", "repaired", "history"};
constexpr std::array<std::string_view, 4> market_names = {"spot", "linear", "inverse", "option"};

std::optional<std::uint64_t> count_in(std::string_view text) {
  if (text.empty() || text.size() > 19 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// "2026-11-20T20:59:00Z"
std::optional<Timestamp> time_in(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i]) return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  const int hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto since = std::chrono::sys_days(day).time_since_epoch();
  const std::int64_t whole_days = since.count();
  return Timestamp{(whole_days * 86'400 + hour * 3'600 + minute * 60 + second) * 1'000'000};
}

template <class Value, std::size_t N>
std::optional<Value> named(std::string_view text, const std::array<std::string_view, N>& names) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Value>(i);
  }
  return std::nullopt;
}

// Takes the fields one after the other; remembers the first that is none.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  std::string_view next() {
    ++taken_;
    const auto comma = rest_.find(',');
    const std::string_view field = rest_.substr(0, comma);
    ended_ = comma == rest_.npos;
    if (ended_ && taken_ < columns.size()) wrong();
    rest_.remove_prefix(ended_ ? rest_.size() : comma + 1);
    return field;
  }
  template <class Value>
  void take(Value& into, const std::optional<Value>& value) {
    if (value) {
      into = *value;
    } else {
      wrong();
    }
  }
  void sum(Exact& into) { take(into, read_exact(next())); }
  void price(std::optional<Exact>& into) {
    const std::string_view text = next();
    if (text.empty()) return;
    into = read_exact(text);
    if (!into) wrong();
  }
  void wrong() {
    if (wrong_.empty()) wrong_ = columns[std::min(taken_, columns.size()) - 1];
  }
  [[nodiscard]] std::string why() const {
    if (!wrong_.empty()) return "bad " + std::string(wrong_);
    return ended_ ? "" : "more than " + std::to_string(columns.size()) + " columns";
  }

 private:
  std::string_view rest_, wrong_;
  std::size_t taken_ = 0;
  bool ended_ = false;
};

// What one row can say against itself.
std::string contradiction(const ReadRow& row) {
  const Exact zero;
  if (row.delta_base != row.buy_base - row.sell_base) return "delta_base is not buy_base - sell_base";
  if (row.delta_quote != row.buy_quote - row.sell_quote) return "delta_quote is not buy_quote - sell_quote";
  for (const Exact& volume :
       {row.buy_base, row.sell_base, row.buy_quote, row.sell_quote, row.other_base, row.other_quote}) {
    if (volume < zero) return "a volume is negative";
  }
  const bool price = row.open.has_value();
  if (row.high.has_value() != price || row.low.has_value() != price || row.close.has_value() != price) {
    return "some prices are empty";
  }
  if (price && (*row.high < *row.open || *row.high < *row.close || *row.open < *row.low || *row.close < *row.low)) {
    return "a price is beyond high and low";
  }
  if (row.first_id.empty() != row.last_id.empty()) return "one id is empty";
  if (row.first_id.empty() && row.status != Status::history && row.buys + row.sells != 0) return "trades without ids";
  if (row.whole() && row.missing != 0) return "whole, and something is missing";
  return "";
}
}  // namespace

std::string_view name_of(Status status) { return status_names[static_cast<std::size_t>(status)]; }

std::string_view header_of_contract() {
  static const std::string header = [] {
    std::string text;
    for (const std::string_view column : columns) text += std::string(text.empty() ? "" : ",") + std::string(column);
    return text;
  }();
  return header;
}

std::optional<ReadRow> read_row(std::string_view line, std::string& why) {
  Fields fields(line);
  ReadRow row;
  row.text = line;
  fields.take(row.time, time_in(fields.next()));
  row.exchange = fields.next();
  fields.take(row.market, named<Market>(fields.next(), market_names));
  row.symbol = fields.next();
  std::uint64_t rev = 0;
  fields.take(rev, count_in(fields.next()));
  row.rev = static_cast<std::uint32_t>(rev);
  fields.take(row.status, named<Status>(fields.next(), status_names));
  for (auto* price : {&row.open, &row.high, &row.low, &row.close}) fields.price(*price);
  for (auto* fills : {&row.buys, &row.sells}) fields.take(*fills, count_in(fields.next()));
  for (auto* sum : {&row.buy_base, &row.sell_base, &row.buy_quote, &row.sell_quote, &row.delta_base, &row.delta_quote,
                    &row.cvd_base, &row.cvd_quote, &row.other_base, &row.other_quote}) {
    fields.sum(*sum);
  }
  row.first_id = fields.next();
  row.last_id = fields.next();
  const std::string_view missing = fields.next();
  if (missing != "?") {
    std::uint64_t count = 0;
    fields.take(count, count_in(missing));
    row.missing = count;
  }
  why = fields.why();
  if (why.empty() && (row.exchange.empty() || row.symbol.empty())) why = "no instrument";
  if (why.empty()) why = contradiction(row);
  if (!why.empty()) return std::nullopt;
  return row;
}

}  // namespace cvdd::simtest
