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

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

namespace {

namespace ondemand = simdjson::ondemand;

// ---- Reading JSON: every message is walked to its end, so that nothing is taken from a broken one. ----

struct Scalar {
  enum class Kind : std::uint8_t { absent, string, number, boolean, null, object, array };
  Kind kind = Kind::absent;
  std::string_view text;  // unescaped string, or the raw token of a number or literal

  [[nodiscard]] bool present() const { return kind != Kind::absent; }
  [[nodiscard]] bool is(Kind k) const { return kind == k; }
  [[nodiscard]] bool is_string(std::string_view s) const { return kind == Kind::string && text == s; }
};
using Kind = Scalar::Kind;

// The fields we know, of any kind of object. Order does not matter; of a repeated field the last one holds.
struct Fields {
  Scalar e, s, t, a, p, q, f, l, m, X, u, b, time, st;                         // frames; `time` is T
  Scalar id, result, code, msg, stream, data, error;                           // envelopes and answers
  Scalar symbol, status, base, quote, margin, contract_size, contract_status;  // exchangeInfo
  Scalar spot_allowed;
  Fields* data_fields = nullptr;   // where the fields of the object "data" go
  Fields* error_fields = nullptr;  // and those of "error"
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
  };
  for (const auto& [name, member] : names) {
    if (name == key) return &(fields.*member);
  }
  return nullptr;
}

bool is_number(std::string_view s) {
  std::size_t i = 0;
  auto digits = [&] {
    std::size_t start = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
    return i - start;
  };
  if (i < s.size() && s[i] == '-') ++i;
  std::size_t start = i;
  std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && s[start] == '0')) return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == s.size();
}

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view space = " \t\r\n";
  auto first = s.find_first_not_of(space);
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(space) - first + 1);
}

Kind kind_of_token(std::string_view token) {
  if (token == "true" || token == "false") return Kind::boolean;
  if (token == "null") return Kind::null;
  return is_number(token) ? Kind::number : Kind::absent;
}

// Deeper than anything Binance sends; bounds the recursion.
constexpr unsigned depth_max = 32;

bool read_object(ondemand::object object, unsigned depth, Fields* fields);

// Reads any value to its end; false if it is not JSON. simdjson alone would step over what it is not asked for
// without looking at it.
bool read_value(ondemand::value value, unsigned depth, Scalar& out, Fields* nested) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case ondemand::json_type::string:
      out.kind = Kind::string;
      return value.get_string().get(out.text) == simdjson::SUCCESS;
    case ondemand::json_type::object: {
      ondemand::object object;
      out.kind = Kind::object;
      return depth < depth_max && value.get_object().get(object) == simdjson::SUCCESS &&
             read_object(object, depth + 1, nested);
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      out.kind = Kind::array;
      if (depth >= depth_max || value.get_array().get(array) != simdjson::SUCCESS) return false;
      for (auto element : array) {
        ondemand::value item;
        Scalar ignored;
        if (element.get(item) != simdjson::SUCCESS || !read_value(item, depth + 1, ignored, nullptr)) return false;
      }
      return true;
    }
    default:
      out.text = trimmed(value.raw_json_token());
      out.kind = kind_of_token(out.text);
      return out.present();
  }
}

bool read_field(ondemand::field& field, std::string_view key, unsigned depth, Fields* fields) {
  Scalar value;
  Scalar* known = fields ? slot(*fields, key) : nullptr;
  Fields* nested = nullptr;
  if (known && known == &fields->data) nested = fields->data_fields;
  if (known && known == &fields->error) nested = fields->error_fields;
  if (!read_value(field.value(), depth, value, nested)) return false;
  if (known) *known = value;
  return true;
}

bool read_object(ondemand::object object, unsigned depth, Fields* fields) {
  for (auto entry : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    if (!read_field(field, key, depth, fields)) return false;
  }
  return true;
}

// simdjson reads past the end of its input: messages are copied into a buffer with room for that. Kept between
// messages, so that nothing is allocated for each; what is read from it lives until the next message.
struct Reader {
  ondemand::parser parser;
  std::vector<char> buffer;

  bool open(std::string_view text, ondemand::document& document) {
    std::size_t need = text.size() + simdjson::SIMDJSON_PADDING;
    if (buffer.size() < need) buffer.resize(need);
    if (!text.empty()) std::memcpy(buffer.data(), text.data(), text.size());
    std::memset(buffer.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    return parser.iterate(buffer.data(), text.size(), buffer.size()).get(document) == simdjson::SUCCESS;
  }
};

// After the outermost value has been read: is there nothing behind it?
bool at_end(ondemand::document& document) { return document.current_location().error() == simdjson::OUT_OF_BOUNDS; }

// What is not an object: whole, but nothing we know, or broken?
Refusal read_other(ondemand::document& document, std::string_view message) {
  std::string_view text = trimmed(message);
  if (text.starts_with('[')) {
    ondemand::value value;
    Scalar ignored;
    bool whole = document.get_value().get(value) == simdjson::SUCCESS && read_value(value, 0, ignored, nullptr) &&
                 at_end(document);
    return whole ? Refusal::not_understood : Refusal::not_json;
  }
  std::string_view string;
  if (text.starts_with('"') && document.get_string().get(string) == simdjson::SUCCESS && at_end(document)) {
    return Refusal::not_understood;
  }
  return kind_of_token(text) == Kind::absent ? Refusal::not_json : Refusal::not_understood;
}

// ---- From fields to trades ----

std::optional<std::uint64_t> integer(const Scalar& field) {
  std::uint64_t value = 0;
  const char* end = field.text.data() + field.text.size();
  if (field.text.empty()) return std::nullopt;
  auto [last, error] = std::from_chars(field.text.data(), end, value);
  if (error != std::errc{} || last != end) return std::nullopt;
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return value;
}
std::optional<std::uint64_t> number(const Scalar& field) {
  return field.is(Kind::number) ? integer(field) : std::nullopt;
}

// Milliseconds, or microseconds if the connection or the request asked for them.
std::optional<Timestamp> trade_time(const Scalar& field) {
  constexpr std::uint64_t first_microseconds = 1'000'000'000'000'000;  // 2001 in µs, the year 33658 in ms
  constexpr std::uint64_t year_2500 = 16'725'225'600'000'000;
  auto value = number(field);
  if (!value || *value == 0) return std::nullopt;
  std::uint64_t us = *value >= first_microseconds ? *value : *value * 1000;
  if (us > year_2500) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(us)};
}

std::optional<Decimal> decimal(const Scalar& field) { return parse_decimal(field.text); }
bool is_decimal_kind(const Scalar& field) { return field.is(Kind::string) || field.is(Kind::number); }

bool convert(Trade& trade, const Decimal& size) {
  if (trade.instrument->market == Market::inverse) {
    auto quote = multiply(size, trade.instrument->contract_size);
    auto base = quote ? divide_half_even(*quote, trade.price, 12) : std::nullopt;
    if (!base) return false;
    trade.quote = *quote;
    trade.base = *base;
    return true;
  }
  auto quote = multiply(trade.price, size);
  if (!quote) return false;
  trade.base = size;
  trade.quote = *quote;
  return true;
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

// How many matches an aggregate covers. Holes inside f … l are possible on futures (other prints) and counted along.
std::optional<std::uint32_t> fills_of(const Fields& fields) {
  auto first = number(fields.f);
  auto last = number(fields.l);
  if (!first || !last || *last < *first || *last - *first >= (std::uint64_t{1} << 31)) return std::nullopt;
  return static_cast<std::uint32_t>(*last - *first + 1);
}

// A trade of a known instrument. Field types first, numbers after: a wrong type tells more than a wrong value.
Refusal read_trade(const Fields& fields, Series series, const Instrument& instrument, Trade& trade) {
  auto id = number(series == Series::aggregate ? fields.a : fields.t);
  auto time = trade_time(fields.time);
  if (!id || !time || !fields.m.is(Kind::boolean)) return Refusal::bad_field;
  if (!is_decimal_kind(fields.p) || !is_decimal_kind(fields.q)) return Refusal::bad_field;
  if (fields.X.present() && !fields.X.is(Kind::string)) return Refusal::bad_field;
  if (series == Series::aggregate) {
    auto fills = fills_of(fields);
    if (!fills) return Refusal::bad_field;
    trade.fills = *fills;
  }
  trade.instrument = &instrument;
  trade.time = *time;
  trade.id = *id;
  trade.series = series;
  trade.in_cvd = series != Series::block;
  trade.aggressor = fields.m.text == "true" ? Aggressor::seller : Aggressor::buyer;
  return read_volume(fields, trade);
}

Refusal read_frame(const Fields& fields, Series series, Market market, const SymbolTable& symbols, Parsed& out) {
  if (!fields.s.is(Kind::string)) return Refusal::bad_field;
  if (fields.st.present() && market != Market::spot) {
    auto st = number(fields.st);  // 1 = USD-M, 2 = COIN-M
    if (!st) return Refusal::bad_field;
    if (*st == (market == Market::linear ? 2U : 1U)) return Refusal::wrong_market;
  }
  auto found = symbols.find(fields.s.text);
  if (found == symbols.end() || !found->second) return Refusal::unknown_symbol;
  Trade trade;
  Refusal refusal = read_trade(fields, series, *found->second, trade);
  if (refusal == Refusal::none) out.trades.push_back(trade);
  return refusal;
}

std::optional<Series> series_of(std::string_view event) {
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
                                                "markPrice_kline"};
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

Refusal read_message(const Fields& top, Market market, const SymbolTable& symbols, Parsed& out) {
  if (top.data.present() && !top.data.is(Kind::object)) return Refusal::not_understood;
  const Fields& fields = top.data.present() ? *top.data_fields : top;
  if (fields.e.is(Kind::string)) {
    if (auto series = series_of(fields.e.text)) return read_frame(fields, *series, market, symbols, out);
    out.closing_soon = fields.e.text == "serverShutdown";
    out.ignored = is_other_event(fields.e.text);
    return out.closing_soon || out.ignored ? Refusal::none : Refusal::not_understood;
  }
  if (fields.e.present()) return Refusal::bad_field;
  if (top.data.present() && top.stream.is(Kind::string)) {
    auto at = top.stream.text.rfind('@');
    if (at != std::string_view::npos && series_of(top.stream.text.substr(at + 1))) return Refusal::bad_field;
  }
  if (!top.data.present() && read_ack(top, out)) return Refusal::none;
  // The spot book ticker is the only other message without an event type.
  out.ignored = fields.u.is(Kind::number) && fields.s.is(Kind::string) && fields.b.present() && fields.a.present();
  return out.ignored ? Refusal::none : Refusal::not_understood;
}

template <Market market>
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local Reader reader;
  out.clear();
  Fields top, data, error;
  top.data_fields = &data;
  top.error_fields = &error;
  ondemand::document document;
  ondemand::object object;
  auto read = [&] {
    if (!reader.open(message, document)) return Refusal::not_json;
    if (!trimmed(message).starts_with('{')) return read_other(document, message);
    if (document.get_object().get(object) != simdjson::SUCCESS) return Refusal::not_json;
    if (!read_object(object, 0, &top) || !at_end(document)) return Refusal::not_json;
    return read_message(top, market, symbols, out);
  };
  out.refusal = read();
  out.refused_rows = out.refusal == Refusal::none ? 0 : 1;
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

std::string plain_target(Stream) { return "/stream"; }
// A stream asked for on the wrong one of these is acknowledged and stays silent.
std::string linear_target(Stream stream) { return stream == Stream::aggregate ? "/market/stream" : "/public/stream"; }

// ---- REST ----

bool is_error_body(const Fields& top, std::string& error) {
  if (!top.code.is(Kind::number) || !top.msg.present()) return false;
  error = error_text(top);
  return true;
}

// No CSV field is quoted: a symbol that would need it cannot be used.
bool usable_symbol(const Scalar& field) {
  return field.is(Kind::string) && !field.text.empty() && std::ranges::none_of(field.text, [](char c) {
           return c == ',' || c == '"' || (c >= 0 && c <= ' ') || c == 0x7f;
         });
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

bool read_exchange_info(ondemand::object object, Market market, Fields& top, bool& found,
                        std::vector<Instrument>& out) {
  for (auto entry : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    bool symbols = key == "symbols";
    found = found || symbols;
    if (!(symbols ? read_symbols(field.value(), market, out) : read_field(field, key, 1, &top))) return false;
  }
  return true;
}

template <Market market>
bool parse_instruments(std::string_view body, std::vector<Instrument>& out, std::string& error) {
  Reader reader;  // bodies are large and rare: give the memory back
  ondemand::document document;
  ondemand::object object;
  Fields top;
  bool found = false;
  out.clear();
  error.clear();
  bool whole = reader.open(body, document) && document.get_object().get(object) == simdjson::SUCCESS &&
               read_exchange_info(object, market, top, found, out) && at_end(document);
  if (!whole) {
    error = "not a whole JSON object as exchangeInfo answers";
  } else if (!is_error_body(top, error)) {
    if (!found) error = "no \"symbols\" in the answer";
    if (found && out.empty()) error = "no usable instrument in \"symbols\"";
  }
  if (!error.empty()) out.clear();
  return error.empty();
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

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (plain) {
      out += c;
    } else {
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    }
  }
}

constexpr std::uint32_t history_rows_max = 1000;

std::string history_target(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  std::string out = instrument.market == Market::spot     ? "/api/v3"
                    : instrument.market == Market::linear ? "/fapi/v1"
                                                          : "/dapi/v1";
  out += "/aggTrades?symbol=";
  append_encoded(out, instrument.symbol);
  out.append("&fromId=").append(std::to_string(from_id));
  return out.append("&limit=").append(std::to_string(std::min(limit, history_rows_max)));
}

// One row that cannot be used spoils the page: a repair must be complete or not claimed.
bool read_history(ondemand::array array, const Instrument& instrument, std::vector<Trade>& out, std::string& error) {
  for (auto element : array) {
    ondemand::object object;
    Fields fields;
    if (element.get_object().get(object) != simdjson::SUCCESS || !read_object(object, 1, &fields)) {
      error = "not a whole JSON array of aggregate trades";
      return false;
    }
    Trade trade;
    Refusal refusal = read_trade(fields, Series::aggregate, instrument, trade);
    if (refusal != Refusal::none) {
      error.append("row ").append(std::to_string(out.size())).append(": ").append(name_of(refusal));
      return false;
    }
    out.push_back(trade);
  }
  return true;
}

bool parse_history(std::string_view body, const Instrument& instrument, std::vector<Trade>& out, std::string& error) {
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
    if (!whole || !is_error_body(top, error)) error = "not an array of aggregate trades";
  } else if (!opened || document.get_array().get(array) != simdjson::SUCCESS) {
    error = "not a JSON array of aggregate trades";
  } else if (read_history(array, instrument, out, error) && !at_end(document)) {
    error = "text after the array of aggregate trades";
  }
  if (!error.empty()) out.clear();
  return error.empty();
}

// ---- Instruments that a list does not have ----

std::string symbol_of(std::string_view message) {
  constexpr std::string_view key = "\"s\":\"";
  if (message.find("rade\"") == std::string_view::npos) return {};
  const auto at = message.find(key);
  if (at == std::string_view::npos) return {};
  const auto begin = at + key.size();
  return std::string(message.substr(begin, message.find('"', begin) - begin));
}

// Spot and USD-M sizes are base units whatever the symbol. A COIN-M delivery contract has its pair's perpetual size;
// where that is not listed either, Binance's rule is 100 USD for BTC and 10 USD for every other coin.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument> listed, Instrument& out) {
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
constexpr Limits spot_limits{500, 100, 4, 300, seconds(300), seconds(86'400), seconds(20), seconds(60)};
// 1024 streams and 10 messages a second.
constexpr Limits futures_limits{1000, 200, 8, 300, seconds(300), seconds(86'400), seconds(180), seconds(60)};

template <Market market>
consteval Exchange family(std::span<const std::string_view> ws_hosts, std::span<const std::string_view> rest_hosts,
                          const Limits& limits, std::string (*ws_target)(Stream), std::string_view instruments_target,
                          std::string_view time_target) {
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
  out.subscribe = subscribe<market>;
  out.unsubscribe = unsubscribe<market>;
  out.probe = probe;
  out.parse = parse<market>;
  out.instruments_target = instruments_target;
  out.time_target = time_target;
  out.parse_time = parse_time;
  out.parse_instruments = parse_instruments<market>;
  // aggTrades weighs 4 of 6,000 a minute on spot, 20 of the 2,400 that USD-M and COIN-M share.
  out.history_per_minute = market == Market::spot ? 750 : 60;
  out.weight_pool = market == Market::spot ? "spot" : "futures";
  out.history_page = history_rows_max;
  out.history_target = history_target;
  out.parse_history = parse_history;
  out.symbol_of = symbol_of;
  out.assume_instrument = assume_instrument<market>;
  return out;
}

}  // namespace

extern const Exchange binance_spot, binance_linear, binance_inverse;

constexpr Exchange binance_spot =
    family<Market::spot>(spot_ws, spot_rest, spot_limits, plain_target, "/api/v3/exchangeInfo", "/api/v3/time");
constexpr Exchange binance_linear = family<Market::linear>(linear_ws, linear_rest, futures_limits, linear_target,
                                                           "/fapi/v1/exchangeInfo", "/fapi/v1/time");
constexpr Exchange binance_inverse = family<Market::inverse>(inverse_ws, inverse_rest, futures_limits, plain_target,
                                                             "/dapi/v1/exchangeInfo", "/dapi/v1/time");

}  // namespace cvdd
