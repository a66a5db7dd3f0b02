// Binance: spot, USD-M futures (linear) and COIN-M futures (inverse).
//
// Docs: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (checked 2026-11-20) and the
// USD-M and COIN-M "Websocket Market Streams" pages beside it.
// Sample: {"stream":"bnbbtc@aggTrade","data":{"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001",
//          "q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}}
// Side: "m": true — "Is the buyer the market maker?" A buyer who made the order was hit by a seller: the taker sold.
//
// The futures stream @trade is live but undocumented; its field X tells market trades from other prints.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "cvdd/base/prefetch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "fast_reader.hpp"
#include "fields.hpp"
#include "json.hpp"
#include "registry.hpp"

namespace cvdd {

namespace {

namespace ondemand = simdjson::ondemand;

using fields::append_encoded;
using fields::convert;
using fields::decimal;
using fields::integer;
using fields::is_decimal_kind;
using fields::Kind;
using fields::number;
using fields::usable_symbol;
using fields::wanted;
using json::at_end;
using json::Reader;
using json::Scalar;
using json::trimmed;

// ---- Reading JSON ----

// The fields we know, of any kind of object. Order does not matter; of a repeated field the last one holds.
struct Fields {
  Scalar e, s, t, a, p, q, f, l, m, X, u, b, time, st;                         // frames; `time` is T
  Scalar id, result, code, msg, stream, data, error;                           // envelopes and answers
  Scalar symbol, status, base, quote, margin, contract_size, contract_status;  // exchangeInfo
  Scalar spot_allowed;
  Scalar onboard;
  Scalar price, quantity, past_time, buyer_maker;  // of a single trade in the history
  Fields* data_fields = nullptr;                   // where the fields of the object "data" go
  Fields* error_fields = nullptr;                  // and those of "error"
};

Scalar* letter_slot(Fields& fields, char key) {
  switch (key) {
    case 'e':
      return &fields.e;
    case 's':
      return &fields.s;
    case 't':
      return &fields.t;
    case 'a':
      return &fields.a;
    case 'p':
      return &fields.p;
    case 'q':
      return &fields.q;
    case 'f':
      return &fields.f;
    case 'l':
      return &fields.l;
    case 'm':
      return &fields.m;
    case 'X':
      return &fields.X;
    case 'T':
      return &fields.time;
    case 'u':
      return &fields.u;
    case 'b':
      return &fields.b;
    default:
      return nullptr;
  }
}

Scalar* slot(Fields& fields, std::string_view key) {
  if (key.size() == 1) return letter_slot(fields, key[0]);
  static constexpr std::pair<std::string_view, Scalar Fields::*> names[] = {
      {"st", &Fields::st},
      {"data", &Fields::data},
      {"stream", &Fields::stream},
      {"id", &Fields::id},
      {"result", &Fields::result},
      {"code", &Fields::code},
      {"msg", &Fields::msg},
      {"error", &Fields::error},
      {"symbol", &Fields::symbol},
      {"status", &Fields::status},
      {"baseAsset", &Fields::base},
      {"quoteAsset", &Fields::quote},
      {"marginAsset", &Fields::margin},
      {"contractSize", &Fields::contract_size},
      {"contractStatus", &Fields::contract_status},
      {"isSpotTradingAllowed", &Fields::spot_allowed},
      {"onboardDate", &Fields::onboard},
      {"price", &Fields::price},
      {"qty", &Fields::quantity},
      {"time", &Fields::past_time},
      {"isBuyerMaker", &Fields::buyer_maker},
  };
  for (const auto& [name, member] : names) {
    if (name == key) return &(fields.*member);
  }
  return nullptr;
}

bool read_object(ondemand::object object, unsigned depth, Fields* fields);

bool read_value(ondemand::value value, unsigned depth, Scalar& out, Fields* nested) {
  ondemand::object object;
  ondemand::json_type type{};
  if (nested == nullptr) return json::read(value, depth, out);
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type != ondemand::json_type::object) return json::read(value, depth, out);
  out.kind = Kind::object;
  return depth < json::depth_max && value.get_object().get(object) == simdjson::SUCCESS &&
         read_object(object, depth + 1, nested);
}

bool read_field(std::string_view key, ondemand::value field, unsigned depth, Fields* fields) {
  Scalar value;
  Scalar* known = fields ? slot(*fields, key) : nullptr;
  Fields* nested = nullptr;
  if (known && known == &fields->data) nested = fields->data_fields;
  if (known && known == &fields->error) nested = fields->error_fields;
  if (!read_value(field, depth, value, nested)) return false;
  if (known) *known = value;
  return true;
}

bool read_object(ondemand::object object, unsigned depth, Fields* fields) {
  return json::each_field(
      object, [&](std::string_view key, ondemand::value value) { return read_field(key, value, depth, fields); });
}

// ---- From fields to trades ----

// Milliseconds, or microseconds if the connection or the request asked for them.
std::optional<Timestamp> trade_time(std::uint64_t value) {
  constexpr std::uint64_t first_microseconds = 1'000'000'000'000'000;  // 2001 in µs, the year 33658 in ms
  constexpr std::uint64_t year_2250 = 8'835'984'000'000'000;
  if (value == 0) return std::nullopt;
  const std::uint64_t us = value >= first_microseconds ? value : value * 1000;
  if (us > year_2250) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(us)};
}

// Price, size and what X says about them.
Refusal read_volume(const Fields& fields, Trade& trade) {
  auto price = decimal(fields.p);
  auto size = decimal(fields.q);
  if (!price || !size) return Refusal::bad_number;
  if (fields.X.is_string("NA") && price->is_zero() && size->is_zero()) {
    trade.placeholder = true;
    return Refusal::none;
  }
  if (!price->is_positive() || !size->is_positive()) return Refusal::bad_number;
  // Insurance fund and ADL prints are no market trades, and a kind we have never seen might not be one either.
  if (fields.X.present() && !fields.X.is_string("MARKET") && !fields.X.is_string("RPI")) trade.in_cvd = false;
  trade.price = *price;
  return convert(trade, *size) ? Refusal::none : Refusal::overflow;
}

constexpr std::uint64_t fills_limit = std::uint64_t{1} << 31;

// How many matches an aggregate covers. Holes inside f … l are possible on futures (other prints) and counted along.
std::optional<std::uint32_t> fills_of(const Fields& fields) {
  auto first = number(fields.f);
  auto last = number(fields.l);
  if (!first || !last || *last < *first || *last - *first >= fills_limit) return std::nullopt;
  return static_cast<std::uint32_t>(*last - *first + 1);
}

// A trade of a known instrument. Field types first, numbers after: a wrong type tells more than a wrong value.
Refusal read_trade(const Fields& fields, Series series, const Instrument& instrument, Trade& trade) {
  auto id = number(series == Series::aggregate ? fields.a : fields.t);
  const auto when = number(fields.time);
  auto time = when ? trade_time(*when) : std::nullopt;
  if (!id || !time || !fields.m.is(Kind::boolean)) return Refusal::bad_field;
  if (!is_decimal_kind(fields.p) || !is_decimal_kind(fields.q)) return Refusal::bad_field;
  if (fields.X.present() && !fields.X.is(Kind::string)) return Refusal::bad_field;
  if (series == Series::aggregate) {
    auto fills = fills_of(fields);
    if (!fills) return Refusal::bad_field;
    trade.fills = *fills;
    trade.first_fill = number(fields.f).value_or(0);
  }
  trade.instrument = &instrument;
  trade.time = *time;
  trade.id = *id;
  trade.series = series;
  trade.in_cvd = series != Series::block;
  trade.aggressor = fields.m.text == "true" ? Aggressor::seller : Aggressor::buyer;
  return read_volume(fields, trade);
}

// A symbol that we asked for is ours, whatever else the message says about its market.
Refusal read_frame(const Fields& fields, Series series, Market market, const SymbolTable& symbols, Parsed& out) {
  if (!fields.s.is(Kind::string)) return Refusal::bad_field;
  const Instrument* const instrument = wanted(symbols, fields.s.text);
  if (instrument == nullptr) {
    const auto st = number(fields.st);  // 1 = USD-M, 2 = COIN-M
    const bool other = market != Market::spot && st && *st == (market == Market::linear ? 2U : 1U);
    return other ? Refusal::wrong_market : Refusal::unknown_symbol;
  }
  Trade trade;
  Refusal refusal = read_trade(fields, series, *instrument, trade);
  if (refusal == Refusal::none) out.trades.push_back(trade);
  return refusal;
}

std::optional<Series> series_of_event(std::string_view event) {
  if (event == "aggTrade") return Series::aggregate;
  if (event == "trade") return Series::single;
  if (event == "blockTrade") return Series::block;
  return std::nullopt;
}

bool is_other_event(std::string_view event) {
  static constexpr std::string_view events[] = {"depthUpdate",      "kline",
                                                "bookTicker",       "24hrTicker",
                                                "24hrMiniTicker",   "1hTicker",
                                                "4hTicker",         "1dTicker",
                                                "avgPrice",         "forceOrder",
                                                "markPriceUpdate",  "compositeIndex",
                                                "indexPriceUpdate", "assetIndexUpdate",
                                                "contractInfo",     "referencePrice",
                                                "continuous_kline", "indexPrice_kline",
                                                "markPrice_kline",  "tradingSession",
                                                "rpiDepthUpdate"};
  return std::ranges::find(events, event) != std::end(events);
}

std::string error_text(const Fields& fields) {
  std::string text(fields.msg.is(Kind::string) ? fields.msg.text : std::string_view("no message"));
  if (fields.code.is(Kind::number)) text.append(" (code ").append(fields.code.text).append(")");
  return text;
}

// Answers come in three forms: {"result":…,"id":…}, {"error":{"code":…,"msg":…},"id":…}, {"code":…,"msg":…,"id":…}.
bool read_ack(const Fields& fields, Parsed& out) {
  bool nested = fields.error.is(Kind::object);
  bool flat = fields.code.is(Kind::number) && fields.msg.is(Kind::string);
  if (!nested && !flat && !fields.result.present()) return false;
  Ack& ack = out.acks.emplace_back();
  ack.id = integer(fields.id).value_or(0);
  ack.ok = !nested && !flat;
  if (!ack.ok) ack.error = error_text(nested ? *fields.error_fields : fields);
  return true;
}

// "btcusdt@aggTrade": what a combined stream carries is known from its name.
bool is_trade_stream(std::string_view stream) {
  const auto at = stream.rfind('@');
  return at != std::string_view::npos && series_of_event(stream.substr(at + 1));
}
// "btcusdt@bookTicker", "!miniTicker@arr": no trades, whatever comes.
bool is_other_stream(std::string_view stream) {
  return !is_trade_stream(stream) && (stream.starts_with('!') || stream.find('@') != std::string_view::npos);
}

const Instrument* instrument_of_stream(std::string_view stream, const SymbolTable& symbols) {
  std::string symbol(stream.substr(0, stream.find('@')));
  for (char& c : symbol) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return wanted(symbols, symbol);
}

Refusal read_message(const Fields& top, Market market, const SymbolTable& symbols, Parsed& out) {
  const bool named = top.data.present() && top.stream.is(Kind::string);
  const bool other_stream = named && is_other_stream(top.stream.text);
  if (top.data.present() && !top.data.is(Kind::object)) {
    out.ignored = other_stream;
    if (out.ignored) return Refusal::none;
    return named && is_trade_stream(top.stream.text) ? Refusal::bad_field : Refusal::not_understood;
  }
  const Fields& fields = top.data.present() ? *top.data_fields : top;
  if (fields.e.is(Kind::string)) {
    if (auto series = series_of_event(fields.e.text)) return read_frame(fields, *series, market, symbols, out);
    out.closing_soon = fields.e.text == "serverShutdown";
    out.ignored = !out.closing_soon && (other_stream || is_other_event(fields.e.text));
    return out.closing_soon || out.ignored ? Refusal::none : Refusal::not_understood;
  }
  if (fields.e.present() || (named && is_trade_stream(top.stream.text))) return Refusal::bad_field;
  if (!top.data.present() && read_ack(top, out)) return Refusal::none;
  // The spot book ticker is the only other message without an event type.
  out.ignored = other_stream ||
                (fields.u.is(Kind::number) && fields.s.is(Kind::string) && fields.b.present() && fields.a.present());
  return out.ignored ? Refusal::none : Refusal::not_understood;
}

// A whole message, one row of which was refused: whose? By the symbol in it, or else by the stream's name.
void note_refused(Refusal why, const Fields& top, const SymbolTable& symbols, Parsed& out) {
  const Fields& fields = top.data.is(Kind::object) ? *top.data_fields : top;
  const Instrument* of = fields.s.is(Kind::string) ? wanted(symbols, fields.s.text) : nullptr;
  if (of == nullptr && top.stream.is(Kind::string)) of = instrument_of_stream(top.stream.text, symbols);
  if (of == nullptr && (why == Refusal::unknown_symbol || why == Refusal::wrong_market)) return out.refuse(why);
  const auto when = number(fields.time);
  out.refuse(why, of, (when ? trade_time(*when) : std::nullopt).value_or(Timestamp{}));
}

// Some streams of other things come as bare arrays of events.
Refusal read_array(ondemand::document& document, std::string_view message, Parsed& out) {
  ondemand::value value;
  if (!trimmed(message).starts_with('[')) return json::read_other(document, message);
  bool others = false, trades = false;
  const auto item = [&](ondemand::value element) {
    Fields fields;
    if (!json::each_field(element, 1, [&](std::string_view key, ondemand::value field) {
          return read_field(key, field, 2, &fields);
        })) {
      return false;
    }
    const bool other = fields.e.is(Kind::string) && is_other_event(fields.e.text);
    others = others || other;
    trades = trades || !other;
    return true;
  };
  if (document.get_value().get(value) != simdjson::SUCCESS || !json::each_item(value, 0, item) || !at_end(document)) {
    return Refusal::not_json;
  }
  out.ignored = others && !trades;
  return out.ignored ? Refusal::none : Refusal::not_understood;
}

void parse_any(std::string_view message, Market market, const SymbolTable& symbols, Parsed& out);

// ---- The message that nearly all are ----

// An aggregate as the exchange sends it, to the letter; false at the first surprise, and nothing is said then.
CVDD_FAST_PATH bool read_plain(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  plain::Cursor at(message);
  std::string_view stream, symbol;
  std::uint64_t id = 0, first = 0, last = 0, time = 0;
  Decimal price, size, normal;
  bool seller = false, ignored = false;
  at.expect("{\"stream\":\"").string(stream).expect("\",\"data\":{\"e\":\"aggTrade\",\"E\":").skip_number();
  if (at.skip(",\"a\":")) {
    at.number(id).expect(",\"s\":\"").string(symbol).expect("\"");
  } else {
    at.expect(",\"s\":\"").string(symbol).expect("\",\"a\":").number(id);
  }
  // Here, because what it finds may have to come from memory: the rest of the message is read meanwhile.
  const auto found = symbols.find(symbol);
  const Instrument* const instrument = found == symbols.end() ? nullptr : found->second;
  if (instrument == nullptr) return false;
  prefetch(*instrument, 64);
  at.expect(",\"p\":\"").decimal(price).expect("\",\"q\":\"").decimal(size).expect("\"");
  if (at.skip(",\"nq\":\"")) at.decimal(normal).expect("\"");
  at.expect(",\"f\":").number(first).expect(",\"l\":").number(last).expect(",\"T\":").number(time);
  at.expect(",\"m\":").boolean(seller);
  if (at.skip(",\"M\":")) at.boolean(ignored);
  if (at.skip(",\"st\":")) at.skip_number();
  at.expect("}}");
  if (!at.good() || !at.at_end()) return false;
  const auto when = trade_time(time);
  if (!when || last < first || last - first >= fills_limit || !price.is_positive() || !size.is_positive()) return false;
  Trade& trade = out.trades.emplace_back();
  trade.instrument = instrument;
  trade.time = *when;
  trade.id = id;
  trade.fills = static_cast<std::uint32_t>(last - first + 1);
  trade.first_fill = first;
  trade.aggressor = seller ? Aggressor::seller : Aggressor::buyer;
  trade.price = price;
  if (convert(trade, size)) return true;
  out.trades.pop_back();
  return false;
}

template <Market market>
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  out.clear();
  if (!read_plain(message, symbols, out)) parse_any(message, market, symbols, out);
}

void parse_any(std::string_view message, Market market, const SymbolTable& symbols, Parsed& out) {
  thread_local Reader reader;
  out.clear();
  Fields top, data, error;
  top.data_fields = &data;
  top.error_fields = &error;
  ondemand::document document;
  ondemand::object object;
  const bool an_object = trimmed(message).starts_with('{');
  auto read = [&] {
    if (!reader.open(message, document)) return Refusal::not_json;
    if (!an_object) return read_array(document, message, out);
    if (document.get_object().get(object) != simdjson::SUCCESS) return Refusal::not_json;
    if (!read_object(object, 0, &top) || !at_end(document)) return Refusal::not_json;
    return read_message(top, market, symbols, out);
  };
  const Refusal refusal = read();
  if (refusal == Refusal::none) return;
  if (refusal == Refusal::not_json || !an_object) return out.refuse(refusal, nullptr);  // half of it says nothing
  note_refused(refusal, top, symbols, out);
}

// ---- Requests ----

void append_stream(std::string& out, std::string_view symbol, std::string_view kind) {
  if (out.back() != '[') out += ',';
  out += '"';
  for (char c : symbol) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;  // ASCII only; other bytes are UTF-8
  }
  out.append(kind).append("\"");
}

// Block trades are on no other stream; spot alone has them.
template <Market market>
std::string request(std::string_view method, std::span<const Instrument* const> instruments, Stream stream,
                    std::uint64_t id) {
  std::string out = "{\"method\":\"";
  out.append(method).append("\",\"params\":[");
  for (const Instrument* instrument : instruments) {
    append_stream(out, instrument->symbol, stream == Stream::aggregate ? "@aggTrade" : "@trade");
    if constexpr (market == Market::spot) append_stream(out, instrument->symbol, "@blockTrade");
  }
  return out.append("],\"id\":").append(std::to_string(id)).append("}");
}
template <Market market>
std::string subscribe(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t id) {
  return request<market>("SUBSCRIBE", instruments, stream, id);
}
template <Market market>
std::string unsubscribe(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t id) {
  return request<market>("UNSUBSCRIBE", instruments, stream, id);
}

// Its answer, {"result":[…],"id":…}, is read as an acknowledgement.
std::string probe(std::uint64_t id) { return "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":" + std::to_string(id) + "}"; }

Series series_of(Stream stream) { return stream == Stream::aggregate ? Series::aggregate : Series::single; }

std::string plain_target(Stream) { return "/stream"; }
// A stream asked for on the wrong one of these is acknowledged and stays silent. COIN-M has no such routes by its
// documentation, but collectors have seen it serve them alone since April 2026: they are its second choice.
std::string linear_target(Stream stream) { return stream == Stream::aggregate ? "/market/stream" : "/public/stream"; }

// ---- REST ----

bool is_error_body(const Fields& top, std::string& error) {
  if (!top.code.is(Kind::number) || !top.msg.present()) return false;
  error = error_text(top);
  return true;
}

std::optional<Instrument> make_instrument(const Fields& fields, Market market) {
  if (!usable_symbol(fields.symbol) || !fields.base.is(Kind::string) || !fields.quote.is(Kind::string)) {
    return std::nullopt;
  }
  Instrument out;
  out.exchange = "binance";
  out.market = market;
  out.symbol = fields.symbol.text;
  out.base = fields.base.text;
  out.quote = fields.quote.text;
  if (market != Market::spot && fields.margin.is(Kind::string)) out.settle = fields.margin.text;
  if (market == Market::inverse) {
    auto size = is_decimal_kind(fields.contract_size) ? decimal(fields.contract_size) : std::nullopt;
    if (!size || !size->is_positive()) return std::nullopt;  // without it no size means anything
    out.contract_size = *size;
  }
  out.trading = (market == Market::inverse ? fields.contract_status : fields.status).is_string("TRADING");
  if (market == Market::spot && fields.spot_allowed.text == "false") out.trading = false;
  out.listed = fields::milliseconds_since_1970(fields.onboard).value_or(Timestamp{});
  return out;
}

bool read_symbols(ondemand::value value, Market market, std::vector<Instrument>& out) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto element : array) {
    ondemand::object object;
    Fields fields;
    if (element.get_object().get(object) != simdjson::SUCCESS || !read_object(object, 2, &fields)) return false;
    if (auto instrument = make_instrument(fields, market)) out.push_back(std::move(*instrument));
  }
  return true;
}

template <Market market>
bool parse_instruments(std::string_view body, InstrumentPage& out, std::string& error) {
  Reader reader;  // bodies are large and rare: give the memory back
  Fields top;
  bool found = false;
  std::vector<Instrument> listed;
  error.clear();
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, ondemand::value value) {
    if (key != "symbols") return read_field(key, value, 1, &top);
    found = true;
    return read_symbols(value, market, listed);
  });
  if (refusal != Refusal::none) {
    error = "not a whole JSON object as exchangeInfo answers";
  } else if (!is_error_body(top, error)) {
    if (!found) error = "no \"symbols\" in the answer";
    if (found && listed.empty()) error = "no usable instrument in \"symbols\"";
  }
  if (!error.empty()) return false;
  out.instruments.insert(out.instruments.end(), listed.begin(), listed.end());
  return true;
}

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string>) {
  if (market == Market::spot) return {"/api/v3/exchangeInfo"};
  return {market == Market::linear ? "/fapi/v1/exchangeInfo" : "/dapi/v1/exchangeInfo"};
}

// Without `permissions` spot lists what has one of SPOT, MARGIN and LEVERAGED; what has others is found by its name.
std::string instrument_target(std::string_view name) {
  std::string out = "/api/v3/exchangeInfo?symbol=";
  append_encoded(out, name);
  return out;
}

// "Invalid symbol.", "Illegal characters found in parameter 'symbol'"
bool is_unknown(unsigned, std::string_view body) {
  Reader reader;
  Fields top;
  const Refusal refusal = json::read_message(
      reader, body, [&](std::string_view key, ondemand::value value) { return read_field(key, value, 1, &top); });
  return refusal == Refusal::none && top.msg.present() && (top.code.text == "-1121" || top.code.text == "-1100");
}

bool parse_time(std::string_view body, Timestamp& out) {
  Reader reader;
  ondemand::document document;
  std::int64_t ms = 0;
  if (!reader.open(body, document) || document["serverTime"].get(ms) != simdjson::SUCCESS) return false;
  if (ms <= 0 || ms > 9'000'000'000'000) return false;
  out = {ms * 1'000};
  return true;
}

constexpr std::uint32_t history_rows_max = 1000;

std::string rest_target(const Instrument& instrument, std::string_view what) {
  std::string out = instrument.market == Market::spot     ? "/api/v3/"
                    : instrument.market == Market::linear ? "/fapi/v1/"
                                                          : "/dapi/v1/";
  out.append(what).append("?symbol=");
  append_encoded(out, instrument.symbol);
  return out;
}
std::string milliseconds_of(Timestamp t) { return std::to_string(t.us / 1'000); }

std::string history_target(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  return rest_target(instrument, "aggTrades") + "&fromId=" + std::to_string(from_id) +
         "&limit=" + std::to_string(std::min(limit, history_rows_max));
}

std::string since_target(const Instrument& instrument, Timestamp from, std::uint32_t limit) {
  return rest_target(instrument, "aggTrades") + "&startTime=" + milliseconds_of(from) +
         "&limit=" + std::to_string(std::min(limit, history_rows_max));
}

// The newest aggregate or single trade, as the stream has them.
std::string newest_target(const Instrument& instrument, Stream stream) {
  return rest_target(instrument, stream == Stream::aggregate ? "aggTrades" : "trades") + "&limit=1";
}

// {"id":28457,"price":"4.00000100","qty":"12.00000000","time":1499865549590,"isBuyerMaker":true} is a single trade,
// with longer names than a frame.
Series past_series(Fields& fields) {
  if (fields.a.present() || !fields.id.present()) return Series::aggregate;
  fields.t = fields.id;
  fields.p = fields.price;
  fields.q = fields.quantity;
  fields.time = fields.past_time;
  fields.m = fields.buyer_maker;
  return Series::single;
}

bool read_history(ondemand::array array, const Instrument& instrument, HistoryPage& out) {
  for (auto element : array) {
    ondemand::value value;
    Fields fields;
    const auto field = [&](std::string_view key, ondemand::value v) { return read_field(key, v, 2, &fields); };
    if (element.get(value) != simdjson::SUCCESS || !json::each_field(value, 1, field)) return false;
    Trade trade;
    const Series series = past_series(fields);
    const Refusal refusal = read_trade(fields, series, instrument, trade);
    const auto when = number(fields.time);
    fields::take_past(out, trade, refusal, number(series == Series::aggregate ? fields.a : fields.t),
                      when ? trade_time(*when) : std::nullopt);
  }
  return true;
}

bool parse_history(std::string_view body, const Instrument& instrument, HistoryPage& out, std::string& error) {
  Reader reader;
  ondemand::document document;
  ondemand::array array;
  ondemand::object object;
  Fields top;
  out.clear();
  error.clear();
  bool opened = reader.open(body, document);
  if (opened && trimmed(body).starts_with('{')) {
    bool whole = document.get_object().get(object) == simdjson::SUCCESS && read_object(object, 0, &top);
    if (!whole || !is_error_body(top, error)) error = "not an array of trades";
  } else if (!opened || document.get_array().get(array) != simdjson::SUCCESS) {
    error = "not a JSON array of trades";
  } else if (!read_history(array, instrument, out)) {
    error = "not a whole JSON array of trades";
  } else if (!at_end(document)) {
    error = "text after the array of trades";
  }
  if (!error.empty()) out.clear();
  fields::put_in_order(out, false);
  return error.empty();
}

// ---- Candles ----
// [open time, open, high, low, close, volume, close time, quote volume, trades, taker buy volume, taker buy quote
// volume, unused]; on COIN-M volumes are contracts, and what is quote volume elsewhere is base volume there.

constexpr Duration candle_intervals[] = {seconds(60),     seconds(180),    seconds(300),    seconds(900),
                                         seconds(1'800),  seconds(3'600),  seconds(7'200),  seconds(14'400),
                                         seconds(21'600), seconds(28'800), seconds(43'200), seconds(86'400)};
constexpr std::string_view candle_names[] = {"1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"};
// More is allowed, and weighs more than twice as much.
constexpr std::uint32_t candles_max = 1000;

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, Duration interval, Timestamp) {
  const auto known = std::ranges::find(candle_intervals, interval) - std::begin(candle_intervals);
  return rest_target(instrument, "klines") + "&interval=" + std::string(candle_names[known]) +
         "&startTime=" + milliseconds_of(from) + "&endTime=" + std::to_string(to.us / 1'000 - 1) +
         "&limit=" + std::to_string(candles_max);
}

bool read_candle(std::span<const Scalar> row, const Instrument& instrument, Candle& out) {
  if (row.size() < 11) return false;
  const auto opened = integer(row[0]), fills = integer(row[8]);
  if (!opened || *opened > 9'000'000'000'000 || !fills) return false;
  out.time = {static_cast<std::int64_t>(*opened) * 1'000};
  out.fills = *fills;
  const auto sum = [&](std::size_t i, Decimal& value) {
    const auto read = row[i].is_string() ? parse_sum(row[i].text) : std::nullopt;
    if (!read || read->is_negative()) return false;
    value = normalized(*read);
    return true;
  };
  Decimal volume, other, buy_volume, buy_other;
  if (!sum(1, out.open) || !sum(2, out.high) || !sum(3, out.low) || !sum(4, out.close) || !sum(5, volume) ||
      !sum(7, other) || !sum(9, buy_volume) || !sum(10, buy_other)) {
    return false;
  }
  if (compare(buy_volume, volume) > 0 || compare(buy_other, other) > 0) return false;
  if (instrument.market != Market::inverse) {
    out.base = volume, out.quote = other, out.buy_base = buy_volume, out.buy_quote = buy_other;
    return true;
  }
  const auto quote = multiply(volume, instrument.contract_size), buy = multiply(buy_volume, instrument.contract_size);
  if (!quote || !buy) return false;
  out.base = other, out.buy_base = buy_other, out.quote = normalized(*quote), out.buy_quote = normalized(*buy);
  return true;
}

bool parse_candles(std::string_view body, const Instrument& instrument, std::vector<Candle>& out, std::string& error) {
  Reader reader;
  ondemand::document document;
  ondemand::object object;
  ondemand::value value;
  Fields top;
  out.clear();
  error.clear();
  const bool opened = reader.open(body, document);
  if (opened && trimmed(body).starts_with('{')) {
    const bool whole = document.get_object().get(object) == simdjson::SUCCESS && read_object(object, 0, &top);
    if (!whole || !is_error_body(top, error)) error = "not an array of candles";
    return false;
  }
  std::vector<Scalar> row;
  const auto read_row = [&](ondemand::value item) {
    row.clear();
    const bool whole = json::each_item(item, 1, [&](ondemand::value field) {
      row.emplace_back();
      return json::read(field, 2, row.back());
    });
    Candle candle;
    if (!whole || !read_candle(row, instrument, candle)) {
      if (error.empty()) error = "candle " + std::to_string(out.size()) + " is none";
      return false;
    }
    out.push_back(candle);
    return true;
  };
  const bool array = opened && trimmed(body).starts_with('[') && document.get_value().get(value) == simdjson::SUCCESS;
  if (!array || !json::each_item(value, 0, read_row) || !at_end(document)) {
    if (error.empty()) error = "not a whole JSON array of candles";
  }
  if (!error.empty()) out.clear();
  return error.empty();
}

// ---- Instruments that a list does not have ----

std::string symbol_of(std::string_view message) {
  if (message.find("rade\"") == std::string_view::npos) return {};
  return json::first_string(message, {"s"});
}

// "BTCUSD_PERP", "BTCUSD_261225": COIN-M. "BTCUSDT_261225": USD-M. Spot has no underscores.
Market market_told(std::string_view symbol) {
  const auto under = symbol.find('_');
  if (under == std::string_view::npos) return Market::spot;
  return symbol.substr(0, under).ends_with("USD") ? Market::inverse : Market::linear;
}

// "BTCUSDT" is both spot and USD-M, but only spot's trades have the field M, and they always have.
template <Market market>
bool looks_like_ours(std::string_view message) {
  const bool spot =
      message.find("\"M\"") != std::string_view::npos || message.find("\"blockTrade\"") != std::string_view::npos;
  return market == Market::inverse || spot == (market == Market::spot);
}

// Spot and USD-M sizes are base units whatever the symbol. A COIN-M delivery contract has its pair's perpetual size;
// where that is not listed either, Binance's rule is 100 USD for BTC and 10 USD for every other coin.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument> listed, Instrument& out) {
  const Market told = market_told(symbol);
  if (symbol.empty() || (told != market && !(told == Market::spot && market == Market::linear))) return false;
  out = Instrument{};
  out.exchange = "binance";
  out.market = market;
  out.symbol = symbol;
  if (market != Market::inverse) return true;
  const std::string perpetual = std::string(symbol.substr(0, symbol.find('_'))) + "_PERP";
  const auto found = std::find_if(listed.begin(), listed.end(), [&](const auto& i) { return i.symbol == perpetual; });
  out.contract_size =
      found != listed.end() ? found->contract_size : Decimal(symbol.starts_with("BTCUSD") ? 100 : 10, 0);
  return true;
}

// ---- The three markets ----

constexpr std::string_view spot_ws[] = {"wss://stream.binance.com:9443", "wss://data-stream.binance.vision"};
constexpr std::string_view spot_rest[] = {"https://api.binance.com", "https://data-api.binance.vision"};
constexpr std::string_view linear_ws[] = {"wss://fstream.binance.com"};
constexpr std::string_view linear_rest[] = {"https://fapi.binance.com"};
constexpr std::string_view inverse_ws[] = {"wss://dstream.binance.com"};
constexpr std::string_view inverse_rest[] = {"https://dapi.binance.com"};

// 1024 streams per connection and 5 messages a second are allowed; spot takes two streams per instrument.
constexpr Limits spot_limits{500, 100, 4, 300, seconds(300), seconds(86'400), seconds(60), 0, {}};
// 1024 streams and 10 messages a second.
constexpr Limits futures_limits{1000, 200, 8, 300, seconds(300), seconds(86'400), seconds(60), 0, {}};

template <Market market>
consteval Exchange family(std::span<const std::string_view> ws_hosts, std::span<const std::string_view> rest_hosts,
                          const Limits& limits, std::string (*ws_target)(Stream), std::string_view time_target) {
  Exchange out{};
  out.name = "binance";
  out.market = market;
  out.ws_hosts = ws_hosts;
  out.rest_hosts = rest_hosts;
  out.limits = limits;
  out.region_note = market == Market::spot
                        ? "data-stream.binance.vision and data-api.binance.vision serve spot everywhere"
                        : "no other host serves this market";
  out.ws_target = ws_target;
  if (market == Market::inverse) out.other_ws_target = linear_target;
  out.subscribe = subscribe<market>;
  out.unsubscribe = unsubscribe<market>;
  out.probe = probe;
  out.parse = parse<market>;
  out.instruments_targets = instruments_targets<market>;
  out.series_of = series_of;
  out.history_series = Series::aggregate;
  out.time_target = time_target;
  out.parse_time = parse_time;
  out.parse_instruments = parse_instruments<market>;
  out.is_unknown = is_unknown;
  if (market == Market::spot) out.instrument_target = instrument_target;
  // aggTrades weighs 4 of 6,000 a minute on spot, 20 of the 2,400 that USD-M and COIN-M share.
  out.history_per_minute = market == Market::spot ? 750 : 60;
  out.weight_pool = market == Market::spot ? "spot" : "futures";
  out.history_page = history_rows_max;
  out.history_target = history_target;
  out.newest_target = newest_target;
  out.parse_history = parse_history;
  out.since_target = since_target;
  out.candle_intervals = candle_intervals;
  out.candles_page = candles_max;
  out.candle_facts = {true, market != Market::inverse, true, false};
  out.candles_target = candles_target;
  out.parse_candles = parse_candles;
  out.symbol_of = symbol_of;
  out.looks_like_ours = looks_like_ours<market>;
  out.assume_instrument = assume_instrument<market>;
  return out;
}

constexpr Exchange spot = family<Market::spot>(spot_ws, spot_rest, spot_limits, plain_target, "/api/v3/time");
constexpr Exchange linear =
    family<Market::linear>(linear_ws, linear_rest, futures_limits, linear_target, "/fapi/v1/time");
constexpr Exchange inverse =
    family<Market::inverse>(inverse_ws, inverse_rest, futures_limits, plain_target, "/dapi/v1/time");
constexpr const Exchange* markets[] = {&spot, &linear, &inverse};

}  // namespace

std::span<const Exchange* const> binance_markets() { return markets; }

}  // namespace cvdd
