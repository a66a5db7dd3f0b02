// Docs: "Individual Symbol Ticker Streams" (spot), "Partial Book Depth Streams", "Mark Price Stream", "Liquidation
// Order Streams" and "Open Interest" of USD-M and COIN-M (https://developers.binance.com/docs, checked 2026-11-20).
// Samples: {"e":"markPriceUpdate","E":1790000000000,"s":"BTCUSDT","p":"66794.15000000","i":"66784.62659091",
//            "P":"66784.25641265","r":"0.00038167","T":1790006400000,"st":1}
//          {"e":"forceOrder","E":1790000000460,"o":{"s":"BTCUSDT","S":"SELL","q":"0.014","p":"66010","ap":"66012.1",
//            "X":"FILLED","l":"0.014","z":"0.014","T":1790000000458}}
// Best prices of spot come from the ticker, once a second: the book ticker tells every change, and no time. Those of
// futures come from the best five, twice a second; their ticker has none.
// Side: of the order that closes the position. Sizes: contracts on COIN-M, base units elsewhere.
#include "binance_context.hpp"

#include "beside.hpp"
#include "json.hpp"
#include "rest.hpp"

namespace cvdd::binance {

namespace {

using fields::Kind;
using json::Scalar;
using json::Slot;

// {"openInterest":"10659.509","symbol":"BTCUSDT","time":1790000000000}, or {"code":-1121,"msg":"Invalid symbol."}
struct Answer {
  Scalar open, symbol, time, code, message;
};
constexpr Slot<Answer> answer_slots[] = {{"openInterest", &Answer::open},
                                         {"symbol", &Answer::symbol},
                                         {"time", &Answer::time},
                                         {"code", &Answer::code},
                                         {"msg", &Answer::message}};

// A price and a size, as the best five have them.
struct Level {
  Scalar price, size;
};
constexpr Scalar Level::*const level_columns[] = {&Level::price, &Level::size};

struct Row {
  Scalar e, event_time, symbol, mark, index, rate, applies;
  Scalar bid, bid_size, ask, ask_size;
  Scalar side, filled, average, time;  // of a forced order
};
constexpr Slot<Row> row_slots[] = {{"e", &Row::e},       {"E", &Row::event_time}, {"s", &Row::symbol},
                                   {"p", &Row::mark},    {"i", &Row::index},      {"r", &Row::rate},
                                   {"T", &Row::applies}, {"b", &Row::bid},        {"B", &Row::bid_size},
                                   {"a", &Row::ask},     {"A", &Row::ask_size}};
constexpr Slot<Row> order_slots[] = {
    {"s", &Row::symbol}, {"S", &Row::side}, {"z", &Row::filled}, {"ap", &Row::average}, {"T", &Row::time}};

// The first of a side's levels; none leaves it empty.
bool read_levels(json::Value levels, unsigned depth, Scalar& price, Scalar& size) {
  bool first = true;
  return json::each_item(levels, depth, [&](json::Value item) {
    Level level;
    if (!json::read_fields<level_columns>(item, depth + 1, level)) return false;
    if (std::exchange(first, false)) price = level.price, size = level.size;
    return true;
  });
}

bool read_field(std::string_view key, json::Value value, unsigned depth, Row& row) {
  if (key == "o") return json::read_fields<order_slots>(value, depth, row);
  if ((key == "b" || key == "a") && json::is_array(value)) {
    return key == "b" ? read_levels(value, depth, row.bid, row.bid_size)
                      : read_levels(value, depth, row.ask, row.ask_size);
  }
  return json::read_field<row_slots>(key, value, depth, row);
}

Refusal take_book(const Row& row, const Instrument& instrument, Timestamp time, Parsed& out) {
  BestPrices book{&instrument, time, {}, {}, {}, {}};
  const Refusal bid = fields::read_side(row.bid, row.bid_size, instrument, book.bid, book.bid_size);
  const Refusal ask = fields::read_side(row.ask, row.ask_size, instrument, book.ask, book.ask_size);
  if (bid != Refusal::none || ask != Refusal::none) return bid != Refusal::none ? bid : ask;
  out.add<BestPrices>() = book;
  return Refusal::none;
}

// A dated contract has no funding: its rate is "", and no time is told.
Refusal take_mark(const Row& row, const Instrument& instrument, Timestamp time, Parsed& out) {
  MarkPrice price{&instrument, time, {}, {}};
  FundingRate funding{&instrument, time, {}, {}};
  using fields::first_of;
  if (fields::good(
          first_of(fields::read_rate(row.rate, funding.rate), fields::read_moment(row.applies, funding.applies)),
          out) &&
      funding.rate && funding.applies) {
    out.add<FundingRate>() = funding;
  }
  const Refusal refusal =
      first_of(fields::read_price(row.mark, price.mark), fields::read_price(row.index, price.index));
  if (refusal != Refusal::none || !price.mark) return refusal != Refusal::none ? refusal : Refusal::bad_number;
  out.add<MarkPrice>() = price;
  return Refusal::none;
}

// An order of which nothing was filled closed nothing yet.
Refusal take_order(const Row& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  const auto side = fields::aggressor(row.side, "BUY", "SELL");
  if (!time || !side || !fields::is_decimal_kind(row.filled)) return Refusal::bad_field;
  const auto filled = fields::decimal(row.filled);
  out.ignored = filled && filled->is_zero();
  if (out.ignored) return Refusal::none;
  Liquidation order{&instrument, *time, *side, {}, {}, {}};
  const Refusal refusal = fields::read_filled(row.average, row.filled, instrument, order);
  if (refusal == Refusal::none) out.add<Liquidation>() = order;
  return refusal;
}

Refusal take(const Row& row, std::string_view name, const SymbolTable& symbols, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.event_time);
  if (!row.symbol.is_string() || !time) return Refusal::bad_field;
  const Instrument* const instrument = fields::wanted(symbols, row.symbol.text);
  if (instrument == nullptr) {
    out.ignored = true;
    return Refusal::none;
  }
  const auto is = [&](std::string_view event, std::string_view stream) {
    return row.e.is_string(event) && name == stream;
  };
  if (is("24hrTicker", spot_book) || is("depthUpdate", futures_book)) return take_book(row, *instrument, *time, out);
  if (is("markPriceUpdate", mark_price)) return take_mark(row, *instrument, *time, out);
  if (is("forceOrder", forced_orders)) return take_order(row, *instrument, out);
  return Refusal::not_understood;
}

std::string_view name_in(std::string_view stream) {
  const auto at = stream.find('@');
  return at == stream.npos ? std::string_view() : stream.substr(at + 1);
}
}  // namespace

bool is_context(std::string_view stream) {
  const std::string_view name = name_in(stream);
  return name == spot_book || name == futures_book || name == mark_price || name == forced_orders;
}

void read_context(std::string_view stream, std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  Row row;
  const Refusal whole = json::read_message(reader, message, [&](std::string_view key, json::Value value) {
    if (key != "data") return json::skip(value, 1);
    return json::each_field(value, 1,
                            [&](std::string_view name, json::Value v) { return read_field(name, v, 2, row); });
  });
  const Refusal refusal = whole != Refusal::none ? whole : take(row, name_in(stream), symbols, out);
  if (refusal != Refusal::none) out.refuse(refusal);
}

std::string read_open_interest(std::string_view body, const Instrument& instrument, Parsed& out) {
  thread_local json::Reader reader;
  Answer answer;
  out.clear();
  const Refusal whole = json::read_message(reader, body, [&](std::string_view key, json::Value value) {
    return json::read_field<answer_slots>(key, value, 1, answer);
  });
  if (whole != Refusal::none) return "not a whole JSON object";
  if (answer.code.present()) {
    return std::string(fields::text(answer.message)) + " (code " + std::string(answer.code.text) + ")";
  }
  const auto time = fields::milliseconds_since_1970(answer.time);
  OpenInterest open{&instrument, time.value_or(Timestamp{}), {}, {}};
  if (!time || !answer.symbol.is_string(instrument.symbol) ||
      fields::read_open(answer.open, instrument, open) != Refusal::none) {
    return "no open interest of " + instrument.symbol + " in the answer";
  }
  out.add<OpenInterest>() = open;
  return "";
}

}  // namespace cvdd::binance
