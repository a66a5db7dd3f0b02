// Binance: spot, USD-M futures (linear) and COIN-M futures (inverse).
//
// Docs: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (checked 2026-11-20) and the
// USD-M and COIN-M "Websocket Market Streams" pages beside it.
// Sample: {"stream":"bnbbtc@aggTrade","data":{"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001",
//          "q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}}
// Side: "m": true — "Is the buyer the market maker?" A buyer who made the order was hit by a seller: the taker sold.
//
// The futures stream @trade is live but undocumented; its field X tells market trades from other prints.
#include <algorithm>

#include "binance_context.hpp"
#include "channels.hpp"
#include "cvdd/base/prefetch.hpp"
#include "fast_reader.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::Kind;
using fields::number;
using fields::text;
using fields::wanted;
using json::Scalar;
using json::Slot;

// ---- Trades ----

// Milliseconds, or microseconds if the connection or the request asked for them.
std::optional<Timestamp> trade_time(std::uint64_t value) {
  constexpr std::uint64_t first_microseconds = 1'000'000'000'000'000;  // 2001 in µs, the year 33658 in ms
  constexpr std::uint64_t year_2250 = 8'835'984'000'000'000;
  if (value == 0) return std::nullopt;
  const std::uint64_t us = value >= first_microseconds ? value : value * 1000;
  if (us > year_2250) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(us)};
}

// A row of a frame or of the history.
struct Row {
  Scalar e, s, t, a, p, q, f, l, m, X, u, b, time, st;
  [[nodiscard]] std::optional<Timestamp> when() const {
    const auto value = number(time);
    return value ? trade_time(*value) : std::nullopt;
  }
  // {"id":28457,"price":"4.00000100","qty":"12.00000000","time":1499865549590,"isBuyerMaker":true} is a single trade of
  // the history, with longer names than a frame.
  [[nodiscard]] Series series() const { return a.present() || !t.present() ? Series::aggregate : Series::single; }
  [[nodiscard]] auto id_in_order() const { return number(series() == Series::aggregate ? a : t); }
};
constexpr Slot<Row> row_slots[] = {{"e", &Row::e}, {"s", &Row::s}, {"t", &Row::t},    {"a", &Row::a},  {"p", &Row::p},
                                   {"q", &Row::q}, {"f", &Row::f}, {"l", &Row::l},    {"m", &Row::m},  {"X", &Row::X},
                                   {"u", &Row::u}, {"b", &Row::b}, {"T", &Row::time}, {"st", &Row::st}};
constexpr Slot<Row> past_slots[] = {
    {"a", &Row::a},    {"p", &Row::p},       {"q", &Row::q},           {"f", &Row::f},  {"l", &Row::l},
    {"T", &Row::time}, {"X", &Row::X},       {"m", &Row::m},           {"id", &Row::t}, {"price", &Row::p},
    {"qty", &Row::q},  {"time", &Row::time}, {"isBuyerMaker", &Row::m}};

// Price, size and what X says about them.
Refusal read_volume(const Row& row, Trade& trade) {
  const auto price = fields::decimal(row.p);
  const auto size = fields::decimal(row.q);
  if (!price || !size) return Refusal::bad_number;
  if (row.X.is_string("NA") && price->is_zero() && size->is_zero()) {
    trade.placeholder = true;
    return Refusal::none;
  }
  if (!price->is_positive() || !size->is_positive()) return Refusal::bad_number;
  // Insurance fund and ADL prints are no market trades, and a kind we have never seen might not be one either.
  if (row.X.present() && !row.X.is_string("MARKET") && !row.X.is_string("RPI")) trade.in_cvd = false;
  trade.price = *price;
  return fields::convert(trade, *size) ? Refusal::none : Refusal::overflow;
}

// How many matches an aggregate covers. Holes inside f … l are possible on futures (other prints) and counted along.
constexpr std::uint64_t fills_limit = std::uint64_t{1} << 31;
std::optional<std::uint32_t> fills_of(const Row& row) {
  const auto first = number(row.f), last = number(row.l);
  if (!first || !last || *last < *first || *last - *first >= fills_limit) return std::nullopt;
  return static_cast<std::uint32_t>(*last - *first + 1);
}

// A trade of a known instrument. Field types first, numbers after: a wrong type tells more than a wrong value.
Refusal read_trade(const Row& row, Series series, const Instrument& instrument, Trade& trade) {
  const auto id = number(series == Series::aggregate ? row.a : row.t);
  const auto time = row.when();
  if (!id || !time || !row.m.is(Kind::boolean)) return Refusal::bad_field;
  if (!fields::is_decimal_kind(row.p) || !fields::is_decimal_kind(row.q)) return Refusal::bad_field;
  if (row.X.present() && !row.X.is(Kind::string)) return Refusal::bad_field;
  if (series == Series::aggregate) {
    const auto fills = fills_of(row);
    if (!fills) return Refusal::bad_field;
    trade.fills = *fills;
    trade.first_fill = number(row.f).value_or(0);
  }
  fields::set(trade, instrument, *time, *id, row.m.is_true() ? Aggressor::seller : Aggressor::buyer, series);
  trade.in_cvd = series != Series::block;
  return read_volume(row, trade);
}
Refusal read_past(const Row& row, const Instrument& instrument, Trade& trade) {
  return read_trade(row, row.series(), instrument, trade);
}

// ---- Channels ----

// "btcusdt@aggTrade"; of a symbol's letters the ASCII ones alone are made small, other bytes are UTF-8.
std::string topic(const DataChannel& channel, const Instrument& instrument) {
  std::string out = instrument.symbol;
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out.append("@").append(channel.name);
}
constexpr DataChannel aggregates{.kinds = {DataKind::trade},
                                 .name = "aggTrade",
                                 .stream = Stream::aggregate,
                                 .series = Series::aggregate,
                                 .topic = topic};
constexpr DataChannel singles{
    .kinds = {DataKind::trade}, .name = "trade", .stream = Stream::single, .series = Series::single, .topic = topic};
// On no other stream; spot alone has them, and both its streams take them along.
constexpr DataChannel block_trades{
    .kinds = {DataKind::trade}, .name = "blockTrade", .series = Series::block, .topic = topic};
constexpr DataChannel trade_channels[] = {aggregates, singles, block_trades};

std::string open_interest_target(const Instrument& instrument);
// Its weight is 1 of the 2,400 a minute of USD-M and COIN-M, of which a page of history takes 20.
constexpr Poll open_interest{
    .target = open_interest_target, .every = seconds(60), .per_request = 20, .read = binance::read_open_interest};

constexpr DataChannel spot_channels[] = {
    aggregates, singles, block_trades, {.kinds = {DataKind::book}, .name = binance::spot_book, .topic = topic}};
// USD-M serves the book by one door, all else by another (linear_target); COIN-M has one door.
constexpr std::string_view book_door = "/public/stream", other_door = "/market/stream";
template <Market market>
constexpr DataChannel futures_channels[] = {
    aggregates,
    singles,
    block_trades,
    {.kinds = {DataKind::book},
     .name = binance::futures_book,
     .ws_target = market == Market::linear ? book_door : "",
     .topic = topic},
    {.kinds = {DataKind::mark, DataKind::funding},
     .name = binance::mark_price,
     .ws_target = market == Market::linear ? other_door : "",
     .topic = topic},
    {.kinds = {DataKind::liquidation},
     .name = binance::forced_orders,
     .ws_target = market == Market::linear ? other_door : "",
     .topic = topic},
    {.kinds = {DataKind::open_interest}, .name = "openInterest", .poll = &open_interest, .topic = topic}};
template <Market market>
constexpr std::span<const DataChannel> channels_of() {
  if constexpr (market == Market::spot) {
    return spot_channels;
  } else {
    return futures_channels<market>;
  }
}

// ---- Messages ----

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

struct Head {
  Scalar stream, data, id, result, code, message, rows;
  Scalar error, error_code, error_text;
  Row row, top;  // of the object "data", and of the message itself
};
constexpr Slot<Head> head_slots[] = {{"stream", &Head::stream},
                                     {"id", &Head::id},
                                     {"result", &Head::result},
                                     {"code", &Head::code},
                                     {"msg", &Head::message}};
constexpr Slot<Head> error_slots[] = {{"code", &Head::error_code}, {"msg", &Head::error_text}};

// Answers come in three forms: {"result":…,"id":…}, {"error":{"code":…,"msg":…},"id":…}, {"code":…,"msg":…,"id":…}.
bool read_ack(const Head& head, Parsed& out) {
  const bool nested = head.error.is(Kind::object);
  const bool flat = head.code.is(Kind::number) && head.message.is_string();
  if (!nested && !flat && !head.result.present()) return false;
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(head.id).value_or(0);
  ack.ok = !nested && !flat;
  if (ack.ok) return true;
  const Scalar& code = nested ? head.error_code : head.code;
  const Scalar& why = nested ? head.error_text : head.message;
  ack.error = why.is_string() ? why.text : std::string_view("no message");
  if (code.is(Kind::number)) ack.error.append(" (code ").append(code.text).append(")");
  return true;
}

// A symbol that we asked for is ours, whatever else the message says about its market.
template <Market market>
Refusal read_frame(const Row& row, Series series, const SymbolTable& symbols, Parsed& out) {
  if (!row.s.is_string()) return Refusal::bad_field;
  const Instrument* const instrument = wanted(symbols, row.s.text);
  if (instrument == nullptr) {
    const auto st = number(row.st);  // 1 = USD-M, 2 = COIN-M
    const bool other = market != Market::spot && st && *st == (market == Market::linear ? 2U : 1U);
    return other ? Refusal::wrong_market : Refusal::unknown_symbol;
  }
  Trade trade;
  const Refusal refusal = read_trade(row, series, *instrument, trade);
  if (refusal == Refusal::none) out.trades.push_back(trade);
  return refusal;
}

// "btcusdt@aggTrade": what a combined stream carries is known from its name.
bool is_trade_stream(std::string_view stream) {
  const auto at = stream.rfind('@');
  return at != stream.npos && channels::named(trade_channels, stream.substr(at + 1)) != nullptr;
}
// "btcusdt@bookTicker", "!miniTicker@arr": no trades, whatever comes.
bool is_other_stream(std::string_view stream) {
  return !is_trade_stream(stream) && (stream.starts_with('!') || stream.find('@') != stream.npos);
}

const Instrument* instrument_of_stream(std::string_view stream, const SymbolTable& symbols) {
  std::string symbol(stream.substr(0, stream.find('@')));
  for (char& c : symbol) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return wanted(symbols, symbol);
}

template <Market market>
Refusal read_message(const Head& head, const SymbolTable& symbols, Parsed& out) {
  const bool named = head.data.present() && head.stream.is_string();
  const bool other_stream = named && is_other_stream(head.stream.text);
  if (head.data.present() && !head.data.is(Kind::object)) {
    out.ignored = other_stream;
    if (out.ignored) return Refusal::none;
    return named && is_trade_stream(head.stream.text) ? Refusal::bad_field : Refusal::not_understood;
  }
  const Row& row = head.data.present() ? head.row : head.top;
  if (row.e.is_string()) {
    const DataChannel* const channel = channels::named(trade_channels, row.e.text);
    if (channel != nullptr) return read_frame<market>(row, channel->series, symbols, out);
    out.closing_soon = row.e.text == "serverShutdown";
    out.ignored = !out.closing_soon && (other_stream || is_other_event(row.e.text));
    return out.closing_soon || out.ignored ? Refusal::none : Refusal::not_understood;
  }
  if (row.e.present() || (named && is_trade_stream(head.stream.text))) return Refusal::bad_field;
  if (!head.data.present() && read_ack(head, out)) return Refusal::none;
  // The spot book ticker is the only other message without an event type.
  out.ignored = other_stream || (row.u.is(Kind::number) && row.s.is_string() && row.b.present() && row.a.present());
  return out.ignored ? Refusal::none : Refusal::not_understood;
}

// A whole message, one row of which was refused: whose? By the symbol in it, or else by the stream's name.
void note_refused(Refusal why, const Head& head, const SymbolTable& symbols, Parsed& out) {
  const Row& row = head.data.is(Kind::object) ? head.row : head.top;
  const Instrument* of = row.s.is_string() ? wanted(symbols, row.s.text) : nullptr;
  if (of == nullptr && head.stream.is_string()) of = instrument_of_stream(head.stream.text, symbols);
  if (of == nullptr && (why == Refusal::unknown_symbol || why == Refusal::wrong_market)) return out.refuse(why);
  out.refuse(why, of, row.when().value_or(Timestamp{}));
}

template <Market market>
struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&&) {
    if (key.size() == 1 || key == "st") return json::read_field<row_slots>(key, v, 1, head.top);
    if (key == "data") {
      head.data.kind = json::kind_of(v);
      return json::read_fields<row_slots>(v, 1, head.row);
    }
    if (key != "error") return json::read_field<head_slots>(key, v, 1, head);
    head.error.kind = json::kind_of(v);
    return json::read_fields<error_slots>(v, 1, head);
  }
  // What a frame is, its row says itself.
  static const DataChannel* channel_of(const Head&) { return nullptr; }
  static const Scalar& topic(const Head& head) { return head.stream; }
  static std::string_view symbol_in(std::string_view) { return {}; }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable& symbols, Parsed& out) {
    if (head.stream.is_string() && binance::is_context(head.stream.text)) {
      // The second reading takes the place of what the first one read.
      const std::string stream(head.stream.text);
      binance::read_context(stream, message, symbols, out);
      return Refusal::none;
    }
    const Refusal refusal = read_message<market>(head, symbols, out);
    if (refusal != Refusal::none) note_refused(refusal, head, symbols, out);
    return Refusal::none;
  }
};

// Some streams of other things come as bare arrays of events.
Refusal read_array(std::string_view message, Parsed& out) {
  thread_local json::Reader reader;
  json::ondemand::document document;
  json::Value array;
  bool others = false, trades = false;
  const auto item = [&](json::Value element) {
    Row row;
    if (!json::read_fields<row_slots>(element, 1, row)) return false;
    const bool other = row.e.is_string() && is_other_event(row.e.text);
    others = others || other;
    trades = trades || !other;
    return true;
  };
  if (!reader.open(message, document) || document.get_value().get(array) != simdjson::SUCCESS ||
      !json::each_item(array, 0, item) || !json::at_end(document)) {
    return Refusal::not_json;
  }
  out.ignored = others && !trades;
  return out.ignored ? Refusal::none : Refusal::not_understood;
}

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
  if (fields::convert(trade, size)) return true;
  out.trades.pop_back();
  return false;
}

template <Market market>
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  out.clear();
  if (read_plain(message, symbols, out)) return;
  if (!json::trimmed(message).starts_with('[')) return channels::parse<Message<market>>(message, symbols, out);
  const Refusal refusal = read_array(message, out);
  if (refusal != Refusal::none) out.refuse(refusal, nullptr);
}

// ---- Requests ----

template <Market market>
std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  std::string out = R"({"method":")";
  out.append(verb == Verb::subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE").append(R"(","params":[)");
  for (const Instrument* instrument : instruments) {
    if (out.back() != '[') out += ',';
    out += fields::in_quotes(topic(channel, *instrument));
    if (market == Market::spot && channel.kinds.has(DataKind::trade)) {
      out += "," + fields::in_quotes(topic(block_trades, *instrument));
    }
  }
  return out.append("],\"id\":").append(std::to_string(id)).append("}");
}

// Its answer, {"result":[…],"id":…}, is read as an acknowledgement.
std::string probe(std::uint64_t id) { return "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":" + std::to_string(id) + "}"; }

std::string plain_target(Stream) { return "/stream"; }
// A stream asked for on the wrong one of these is acknowledged and stays silent. COIN-M has no such routes by its
// documentation, but collectors have seen it serve them alone since April 2026: they are its second choice.
std::string linear_target(Stream stream) { return stream == Stream::aggregate ? "/market/stream" : "/public/stream"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{{}, "code", {}, "msg"}, list_envelope{"symbols", "code", {}, "msg"};

rest::Query query(Market market, std::string_view what) {
  const std::string_view root = market == Market::spot     ? "/api/v3/"
                                : market == Market::linear ? "/fapi/v1/"
                                                           : "/dapi/v1/";
  return rest::Query(std::string(root).append(what));
}

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string>) {
  return {query(market, "exchangeInfo")};
}
// Without `permissions` spot lists what has one of SPOT, MARGIN and LEVERAGED; what has others is found by its name.
std::string instrument_target(std::string_view name) { return query(Market::spot, "exchangeInfo").add("symbol", name); }

struct Listed {
  Scalar symbol, status, base, quote, margin, contract_size, contract_status, spot_allowed, onboard;
};
constexpr Slot<Listed> listed_slots[] = {{"symbol", &Listed::symbol},
                                         {"status", &Listed::status},
                                         {"baseAsset", &Listed::base},
                                         {"quoteAsset", &Listed::quote},
                                         {"marginAsset", &Listed::margin},
                                         {"contractSize", &Listed::contract_size},
                                         {"contractStatus", &Listed::contract_status},
                                         {"isSpotTradingAllowed", &Listed::spot_allowed},
                                         {"onboardDate", &Listed::onboard}};

template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  if (!fields::usable_symbol(row.symbol) || !row.base.is_string() || !row.quote.is_string()) return std::nullopt;
  Instrument out;
  out.exchange = "binance";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = row.base.text;
  out.quote = row.quote.text;
  if (market != Market::spot) out.settle = text(row.margin);
  if (market == Market::inverse) {
    const auto size = fields::is_decimal_kind(row.contract_size) ? fields::decimal(row.contract_size) : std::nullopt;
    if (!size || !size->is_positive()) return std::nullopt;  // without it no size means anything
    out.contract_size = *size;
  }
  out.trading = (market == Market::inverse ? row.contract_status : row.status).is_string("TRADING");
  if (market == Market::spot && row.spot_allowed.text == "false") out.trading = false;
  out.listed = fields::milliseconds_since_1970(row.onboard).value_or(Timestamp{});
  return out;
}

template <Market market>
Outcome<InstrumentPage> parse_instruments(std::string_view body) {
  auto page = rest::instruments<list_envelope, listed_slots, make_instrument<market>>(body);
  if (page && page->instruments.empty()) return Failure{"no usable instrument in \"symbols\""};
  return page;
}

// "Invalid symbol.", "Illegal characters found in parameter 'symbol'"
bool is_unknown(unsigned, std::string_view body) { return rest::has_code(body, envelope, {"-1121", "-1100"}); }

std::string symbol_of(std::string_view message) { return json::first_string_if(message, {"rade\""}, {"s"}); }

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

// ---- History ----

constexpr std::uint32_t history_page = 1000;

rest::Query of(const Instrument& instrument, std::string_view what) {
  return query(instrument.market, what).add("symbol", instrument.symbol);
}
std::string open_interest_target(const Instrument& instrument) { return of(instrument, "openInterest"); }
std::string by_id(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  return of(instrument, "aggTrades").add("fromId", from_id).add("limit", std::min(limit, history_page));
}
std::string since(const Instrument& instrument, Timestamp from, std::uint32_t limit) {
  return of(instrument, "aggTrades").add("startTime", rest::ms(from)).add("limit", std::min(limit, history_page));
}
// The newest aggregate or single trade, as the stream has them.
std::string newest(const Instrument& instrument, Stream stream) {
  return of(instrument, stream == Stream::aggregate ? "aggTrades" : "trades").add("limit", 1);
}
constexpr History history{
    .page = history_page,
    .series = Series::aggregate,
    .by_id = by_id,
    .since = since,
    .newest = newest,
    .read = rest::history<envelope, past_slots, read_past, rest::Order::oldest_first, rest::Rows::unnamed>};

// ---- Candles ----
// [open time, open, high, low, close, volume, close time, quote volume, trades, taker buy volume, taker buy quote
// volume, unused]; on COIN-M volumes are contracts, and what is quote volume elsewhere is base volume there.

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1m"},     {seconds(180), "3m"},    {seconds(300), "5m"},     {seconds(900), "15m"},
    {seconds(1'800), "30m"}, {seconds(3'600), "1h"},  {seconds(7'200), "2h"},   {seconds(14'400), "4h"},
    {seconds(21'600), "6h"}, {seconds(28'800), "8h"}, {seconds(43'200), "12h"}, {seconds(86'400), "1d"}};
constexpr std::uint32_t candles_page = 1000;  // more is allowed, and weighs more than twice as much

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return of(instrument, "klines")
      .add("interval", interval.name)
      .add("startTime", rest::ms(from))
      .add("endTime", rest::ms(to) - 1)
      .add("limit", candles_page);
}

bool read_candle(std::span<const Scalar> row, const Instrument& instrument, Candle& out) {
  if (row.size() < 11) return false;
  const auto opened = fields::integer(row[0]), fills = fields::integer(row[8]);
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

Outcome<std::vector<Candle>> read_candles(std::string_view body, const Instrument& instrument) {
  json::Reader reader;
  candles::Cells cells;
  const auto take = [&](json::Value list, unsigned depth) { return candles::read_cells(list, depth, cells); };
  std::string error = rest::read(reader, body, envelope, {}, take);
  if (!error.empty()) return Failure{std::move(error)};
  std::vector<Candle> out;
  for (const auto& row : cells) {
    if (!read_candle(row, instrument, out.emplace_back())) {
      return Failure{"candle " + std::to_string(out.size() - 1) + " is none"};
    }
  }
  return out;
}

template <Market market>
constexpr Candles candles_there{
    .intervals = candle_intervals,
    .page = candles_page,
    .facts = {.takers = true, .base_exact = market != Market::inverse, .quote_exact = true, .quiet_left_out = false},
    .target = candles_target,
    .read = read_candles};

// ---- The three markets ----

struct Hosts {
  std::span<const std::string_view> ws, rest;
  std::string_view time;
};
constexpr std::string_view spot_ws[] = {"wss://stream.binance.com:9443", "wss://data-stream.binance.vision"};
constexpr std::string_view spot_rest[] = {"https://api.binance.com", "https://data-api.binance.vision"};
constexpr std::string_view linear_ws[] = {"wss://fstream.binance.com"};
constexpr std::string_view linear_rest[] = {"https://fapi.binance.com"};
constexpr std::string_view inverse_ws[] = {"wss://dstream.binance.com"};
constexpr std::string_view inverse_rest[] = {"https://dapi.binance.com"};
constexpr Hosts hosts[] = {{spot_ws, spot_rest, "/api/v3/time"},
                           {linear_ws, linear_rest, "/fapi/v1/time"},
                           {inverse_ws, inverse_rest, "/dapi/v1/time"}};
constexpr std::string_view time_field = "serverTime";

template <Market market>
constexpr Exchange exchange{
    .name = "binance",
    .market = market,
    .ws_hosts = hosts[static_cast<std::size_t>(market)].ws,
    .rest_hosts = hosts[static_cast<std::size_t>(market)].rest,
    // 1024 streams per connection are allowed, of which spot takes two per instrument; 5 messages a second on spot, 10
    // elsewhere.
    .limits = {.instruments_per_connection = market == Market::spot ? 500U : 1000U,
               .instruments_per_request = market == Market::spot ? 100U : 200U,
               .messages_per_second = market == Market::spot ? 4U : 8U,
               .connection_attempts = 300,
               .connection_attempts_window = seconds(300),
               .lifetime = seconds(86'400),
               .silence = seconds(60)},
    .region_note = market == Market::spot
                       ? "data-stream.binance.vision and data-api.binance.vision serve spot everywhere"
                       : "no other host serves this market",
    .ws_target = market == Market::linear ? linear_target : plain_target,
    .other_ws_target = market == Market::inverse ? linear_target : nullptr,
    .channels = channels_of<market>(),
    .liquidations = market == Market::spot ? LiquidationsTold::none : LiquidationsTold::sampled,
    .request = request<market>,
    .probe = probe,
    .parse = parse<market>,
    .instruments_targets = instruments_targets<market>,
    .is_unknown = is_unknown,
    .instrument_target = market == Market::spot ? instrument_target : nullptr,
    .parse_instruments = parse_instruments<market>,
    .time_target = hosts[static_cast<std::size_t>(market)].time,
    .parse_time = rest::time<envelope, time_field, fields::milliseconds_since_1970>,
    // aggTrades weighs 4 of 6,000 a minute on spot, 20 of the 2,400 that USD-M and COIN-M share.
    .history_per_minute = market == Market::spot ? 750U : 60U,
    .weight_pool = market == Market::spot ? "spot" : "futures",
    .history = &history,
    .candles = &candles_there<market>,
    .symbol_of = symbol_of,
    .looks_like_ours = looks_like_ours<market>,
    .assume_instrument = assume_instrument<market>};
constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>, &exchange<Market::inverse>};

}  // namespace

std::span<const Exchange* const> binance_markets() { return markets; }

}  // namespace cvdd
