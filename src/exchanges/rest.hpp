// Asking an exchange's REST interface, and reading what it answers. Used by the exchanges' files alone.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "candles.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "fields.hpp"
#include "json.hpp"

namespace cvdd::rest {

// A path and what stands behind its question mark.
class Query {
 public:
  explicit Query(std::string path) : text_(std::move(path)) {}
  Query& add(std::string_view name, std::string_view value);
  Query& add(std::string_view name, std::integral auto value) {
    return add(name, std::string_view(std::to_string(value)));
  }
  // For the inside of a path: "/products/BTC-USD/trades".
  [[nodiscard]] static std::string encoded(std::string_view text);
  operator std::string() const { return text_; }  // NOLINT: `return Query(…).add(…);`

 private:
  std::string text_;
};
[[nodiscard]] constexpr std::int64_t ms(Timestamp t) { return t.us / 1'000; }
// Targets for what names have in common: each of `keys` once, in alphabetical order.
template <class ToTarget>
[[nodiscard]] std::vector<std::string> each_once(std::vector<std::string> keys, ToTarget&& to_target) {
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (std::string& key : keys) key = to_target(std::string(key));
  return keys;
}

// How an exchange's answers say whether they are one. Paths name fields within fields: "result.list"; "*" is a field of
// any name, "[]" an element of a list.
struct Envelope {
  std::string_view rows;     // the list; empty: the body is it
  std::string_view code;     // whether it is an answer, and why not …
  std::string_view ok;       // … and what stands there if it is; empty: such a field is there only if it is none
  std::string_view message;  // why not, in words
};
// A further field that is wanted of an answer, if it is there.
struct Field {
  std::string_view path;
  json::Scalar* out;
};
using OnRows = std::function<bool(json::Value rows, unsigned depth)>;

// Reads an answer: its rows, and the fields of `more`, whose texts live as long as the reader. Empty, or the reason why
// it is none. Without `on_rows` it needs no list.
[[nodiscard]] std::string read(json::Reader& reader, std::string_view body, const Envelope& envelope,
                               std::span<const Field> more, const OnRows& on_rows);
// Whether an answer is none for one of these codes.
[[nodiscard]] bool has_code(std::string_view body, const Envelope& envelope,
                            std::initializer_list<std::string_view> codes);
// Every row becomes one Row; what is none an empty one. An object in place of the list is a row itself: so it is where
// rows stand under keys of their own.
template <const auto& slots>
[[nodiscard]] OnRows into(std::vector<json::RowOf<slots>>& rows) {
  return [&rows](json::Value list, unsigned depth) {
    const auto take = [&](json::Value item, unsigned at) {
      rows.emplace_back();
      return json::read_fields<slots>(item, at, rows.back());
    };
    if (json::kind_of(list) == json::Scalar::Kind::object) return take(list, depth);
    return json::each_item(list, depth, [&](json::Value item) { return take(item, depth + 1); });
  };
}

// All rows of an answer; their texts live as long as the reader.
template <const Envelope& envelope, const auto& slots>
[[nodiscard]] Outcome<std::vector<json::RowOf<slots>>> rows_of(json::Reader& reader, std::string_view body) {
  std::vector<json::RowOf<slots>> rows;
  std::string error = read(reader, body, envelope, {}, into<slots>(rows));
  if (!error.empty()) return Failure{std::move(error)};
  return rows;
}

// The exchange's clock: `convert` makes a moment of the field at `path`.
template <const Envelope& envelope, const std::string_view& path, auto convert>
[[nodiscard]] Outcome<Timestamp> time(std::string_view body) {
  json::Reader reader;
  json::Scalar field;
  const Field more[] = {{path, &field}};
  if (std::string error = read(reader, body, envelope, more, {}); !error.empty()) return Failure{std::move(error)};
  if (const std::optional<Timestamp> time = convert(field)) return *time;
  return Failure{"no time in the answer"};
}

// A whole list of instruments: `make` makes one of a row, or none.
template <const Envelope& envelope, const auto& slots, auto make>
[[nodiscard]] Outcome<InstrumentPage> instruments(std::string_view body) {
  json::Reader reader;
  const auto rows = rows_of<envelope, slots>(reader, body);
  if (!rows) return Failure{rows.error()};
  InstrumentPage page;
  for (const auto& row : *rows) {
    if (auto instrument = make(row)) page.instruments.push_back(std::move(*instrument));
  }
  return page;
}

// A page of past trades. A Row has `id_in_order()`, if ids have an order and it can be read, and `when()`. Where rows
// name an instrument, it must be the one that was asked for.
enum class Order : std::uint8_t { oldest_first, newest_first };
enum class Rows : std::uint8_t { named, unnamed };
template <const Envelope& envelope, const auto& slots, auto read_trade, Order order, Rows names>
[[nodiscard]] Outcome<HistoryPage> history(std::string_view body, const Instrument& instrument) {
  json::Reader reader;
  const auto rows = rows_of<envelope, slots>(reader, body);
  if (!rows) return Failure{rows.error()};
  HistoryPage page;
  for (const auto& row : *rows) {
    Refusal refusal = Refusal::none;
    if constexpr (names == Rows::named) {
      if (row.symbol.is_string() && row.symbol.text != instrument.symbol) {
        return Failure{"trades of another instrument"};
      }
      if (!row.symbol.is_string()) refusal = Refusal::bad_field;
    }
    Trade trade;
    if (refusal == Refusal::none) refusal = read_trade(row, instrument, trade);
    fields::take_past(page, trade, refusal, row.id_in_order(), row.when());
  }
  fields::put_in_order(page, order == Order::newest_first);
  return page;
}

// A page of candles, rows of values.
template <const Envelope& envelope, const candles::Columns& columns>
[[nodiscard]] Outcome<std::vector<Candle>> candles_of(std::string_view body, const Instrument& instrument) {
  json::Reader reader;
  candles::Cells cells;
  const auto take = [&](json::Value list, unsigned depth) { return candles::read_cells(list, depth, cells); };
  if (std::string error = read(reader, body, envelope, {}, take); !error.empty()) return Failure{std::move(error)};
  return candles::read(cells, columns, instrument);
}
// … of objects, whose values take the places of a CandleRow.
struct CandleRow {
  json::Scalar time, open, high, low, close, volume, fills;
};
template <const Envelope& envelope, const auto& slots, const candles::Columns& columns>
[[nodiscard]] Outcome<std::vector<Candle>> candles_in(std::string_view body, const Instrument& instrument) {
  json::Reader reader;
  const auto rows = rows_of<envelope, slots>(reader, body);
  if (!rows) return Failure{rows.error()};
  candles::Cells cells;
  for (const CandleRow& r : *rows) cells.push_back({r.time, r.open, r.high, r.low, r.close, r.volume, r.fills});
  return candles::read(cells, columns, instrument);
}

}  // namespace cvdd::rest
