// Coinbase Exchange: spot.
//
// Docs: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (checked 2026-11-20; "Match", "Heartbeat"),
// "Rate limits", and of REST "Get all known trading pairs", "Get product trades", "Get server time" beside it.
// Sample: {"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8",
//          "taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","time":"2014-11-07T08:19:27.028459Z",
//          "product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}
// Side: "side" is the MAKER order's side. A maker who sold was bought from: the taker bought.
// Ids: trade_id is consecutive per product. The channel may drop messages; the heartbeat, once a second, tells the
// newest trade_id. The first message of a product is `last_match`, an old trade.
// Frames of the Advanced Trade feed ("market_trades", maker's side too) are understood as well.
#include <algorithm>
#include <charconv>

#include "candles.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "fields.hpp"
#include "json.hpp"
#include "registry.hpp"

namespace cvdd {

namespace {

using fields::Kind;
using fields::text;
using json::Scalar;
using json::Slot;
using json::ondemand::value;

// ---- Trades ----

struct Row {
  Scalar type, product, id, time, price, size, side;  // a trade
  Scalar last_trade, message, reason, channel;        // other messages
};
constexpr Slot<Row> row_slots[] = {{"type", &Row::type},       {"product_id", &Row::product},
                                   {"trade_id", &Row::id},     {"time", &Row::time},
                                   {"price", &Row::price},     {"size", &Row::size},
                                   {"side", &Row::side},       {"last_trade_id", &Row::last_trade},
                                   {"message", &Row::message}, {"reason", &Row::reason},
                                   {"channel", &Row::channel}};

// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400, year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

// "2014-11-07T08:19:27.028459Z", or "…+00:00", to the microsecond; further digits are cut.
std::optional<Timestamp> time_of(const Scalar& field) {
  std::string_view s = text(field);
  const std::string_view zone = s.ends_with("+00:00") ? "+00:00" : "Z";
  if (!s.ends_with(zone)) return std::nullopt;
  s.remove_suffix(zone.size());
  const auto number = [&](std::size_t at, std::size_t length) -> std::int64_t {
    std::int64_t n = 0;
    const char* end = s.data() + at + length;
    const auto [last, error] = std::from_chars(s.data() + at, end, n);
    return error == std::errc{} && last == end && s[at] != '-' ? n : -1;
  };
  if (s.size() < 19 || s.size() > 34 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':') {
    return std::nullopt;
  }
  const std::int64_t year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const std::int64_t hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (year < 1971 || year > 2250 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  std::int64_t fraction = 0, unit = 1'000'000;
  if (s.size() > 19 && s[19] == '.') {
    for (const char c : s.substr(20)) {
      if (c < '0' || c > '9') return std::nullopt;
      unit /= 10;
      fraction += (c - '0') * unit;
    }
  } else if (s.size() != 19) {
    return std::nullopt;
  }
  return Timestamp{((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60'000'000 + second * 1'000'000 +
                   fraction};
}

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = fields::integer(row.id);
  const auto time = time_of(row.time);
  auto maker = fields::aggressor(row.side, "buy", "sell");
  if (!maker) maker = fields::aggressor(row.side, "BUY", "SELL");  // the Advanced feed
  if (!id || !time || !maker) return Refusal::bad_field;
  trade.instrument = &instrument;
  trade.time = *time;
  trade.id = *id;
  trade.series = Series::single;
  trade.aggressor = *maker == Aggressor::buyer ? Aggressor::seller : Aggressor::buyer;
  return fields::read_volume(row.price, row.size, trade);
}

void take_trade(const Row& row, const SymbolTable& symbols, bool snapshot, Parsed& out) {
  fields::take_row(
      row.product, symbols, out,
      [&](const Instrument& instrument, Trade& trade) {
        trade.snapshot = snapshot;
        return read_trade(row, instrument, trade);
      },
      [&] { return time_of(row.time); }, [] { return static_cast<const Instrument*>(nullptr); });
}

// ---- Answers and heartbeats ----

// {"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]},…]}: all that is subscribed now.
struct Message {
  Row top;
  std::vector<Row> rows;  // of the Advanced feed
  Scalar trades;          // … the list they are in
  bool snapshot = false;  // … and what kind of event they came in
  std::vector<std::string_view> products;
};

bool read_channels(value v, Message& m) {
  return json::each_item(v, 1, [&](value channel) {
    std::vector<std::string_view> products;
    Scalar name;
    const bool whole = json::each_field(channel, 2, [&](std::string_view key, value field) {
      if (key == "name") return json::read(field, 3, name);
      if (key != "product_ids") return json::skip(field, 3);
      return json::each_item(field, 3, [&](value item) {
        Scalar product;
        if (!json::read(item, 4, product)) return false;
        if (product.is_string()) products.push_back(product.text);
        return true;
      });
    });
    if (name.is_string("matches")) m.products.insert(m.products.end(), products.begin(), products.end());
    return whole;
  });
}

bool read_events(value v, Message& m) {
  return json::each_item(v, 1, [&](value event) {
    Scalar type;
    const bool whole = json::each_field(event, 2, [&](std::string_view key, value field) {
      if (key == "type") return json::read(field, 3, type);
      return key == "trades" ? json::read_rows(field, 3, row_slots, m.rows, &m.trades) : json::skip(field, 3);
    });
    m.snapshot = m.snapshot || type.is_string("snapshot");
    return whole;
  });
}

void read_error(const Row& top, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.ok = false;
  ack.rest = Ack::Rest::again;
  ack.error = text(top.message);
  const std::string_view reason = text(top.reason);
  if (!reason.empty()) ack.error.append(": ").append(reason);
  // "BTC-XXX is not a valid product"
  const std::string_view first = reason.substr(0, reason.find(' '));
  if (first.find('-') != first.npos) ack.topics.emplace_back(first);
  ack.temporary = ack.error.find("ate limit") != std::string::npos;
}

bool is_other_type(std::string_view type) {
  static constexpr std::string_view types[] = {"ticker", "l2update", "snapshot", "received", "open",     "done",
                                               "change", "activate", "status",   "auction",  "rfq_match"};
  return std::ranges::find(types, type) != std::end(types);
}

// One that can't be read is no trade that was lost, only one word less about the newest.
void read_heartbeat(const Row& row, const SymbolTable& symbols, Parsed& out) {
  const Instrument* const instrument = fields::wanted(symbols, text(row.product));
  const auto id = fields::integer(row.last_trade);
  const auto time = time_of(row.time);
  if (!id || !time) return out.refuse(Refusal::bad_field);
  out.ignored = instrument == nullptr || *id == 0;
  if (!out.ignored) out.newest.push_back({instrument, Series::single, *id, *time});
}

void read_message(const Message& m, const SymbolTable& symbols, Parsed& out) {
  const std::string_view type = text(m.top.type);
  if (type == "match" || type == "last_match") return take_trade(m.top, symbols, type == "last_match", out);
  if (type == "heartbeat") return read_heartbeat(m.top, symbols, out);
  if (type == "error") return read_error(m.top, out);
  if (type == "subscriptions") {
    Ack& ack = out.acks.emplace_back();
    ack.rest = Ack::Rest::refused;
    for (const std::string_view product : m.products) ack.topics.emplace_back(product);
    if (ack.topics.empty()) ack.topics.emplace_back();
    return;
  }
  if (m.top.channel.is_string("market_trades")) {
    for (const Row& row : m.rows) take_trade(row, symbols, m.snapshot, out);
    if (m.rows.empty()) fields::take_none(m.trades, nullptr, out);
    return;
  }
  out.ignored = is_other_type(type) || m.top.channel.is_string();
  if (!out.ignored) out.refuse(Refusal::not_understood, nullptr);
}

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  thread_local Message m;
  out.clear();
  m.top = {};
  m.rows.clear();
  m.products.clear();
  m.snapshot = false;
  m.trades = {};
  const Refusal whole = json::read_message(reader, message, [&](std::string_view key, value v) {
    if (key == "channels") return read_channels(v, m);
    if (key == "events") return read_events(v, m);
    return json::read_field(key, v, 1, row_slots, m.top);
  });
  if (whole != Refusal::none) return out.refuse(whole, nullptr);
  read_message(m, symbols, out);
}

// ---- Requests ----

std::string request(std::string_view type, std::span<const Instrument* const> instruments) {
  std::string products = "[";
  for (const Instrument* instrument : instruments) {
    if (products.back() != '[') products += ',';
    products += '"';
    fields::append_escaped(products, instrument->symbol);
    products += '"';
  }
  products += ']';
  std::string out = "{\"type\":\"";
  out.append(type).append(R"(","channels":[{"name":"matches","product_ids":)").append(products);
  return out.append(R"(},{"name":"heartbeat","product_ids":)").append(products).append("}]}");
}
std::string subscribe(std::span<const Instrument* const> instruments, Stream, std::uint64_t) {
  return request("subscribe", instruments);
}
std::string unsubscribe(std::span<const Instrument* const> instruments, Stream, std::uint64_t) {
  return request("unsubscribe", instruments);
}

std::string ws_target(Stream) { return "/"; }
Series series_of(Stream) { return Series::single; }

// ---- REST ----

std::vector<std::string> instruments_targets(std::span<const std::string>) { return {"/products"}; }

struct Listed {
  Scalar symbol, base, quote, status, disabled, message, epoch;
};
constexpr Slot<Listed> listed_slots[] = {
    {"id", &Listed::symbol},     {"base_currency", &Listed::base},        {"quote_currency", &Listed::quote},
    {"status", &Listed::status}, {"trading_disabled", &Listed::disabled}, {"message", &Listed::message},
    {"epoch", &Listed::epoch}};

// Answers are arrays; {"message":"…"} says why not. The reason, if it is none.
template <class T, std::size_t N>
std::string read_array(std::string_view body, const Slot<T> (&slots)[N], json::Reader& reader, std::vector<T>& rows) {
  json::ondemand::document document;
  json::ondemand::value array;
  if (json::trimmed(body).starts_with('{')) {
    Listed top;
    const Refusal refusal = json::read_message(
        reader, body, [&](std::string_view key, value v) { return json::read_field(key, v, 1, listed_slots, top); });
    if (refusal == Refusal::none && top.message.is_string()) return std::string(top.message.text);
    return "not a JSON array";
  }
  if (!json::trimmed(body).starts_with('[') || !reader.open(body, document) ||
      document.get_value().get(array) != simdjson::SUCCESS || !json::read_rows(array, 0, slots, rows) ||
      !json::at_end(document)) {
    return "not a whole JSON array";
  }
  return "";
}

bool parse_instruments(std::string_view body, InstrumentPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Listed> rows;
  error = read_array(body, listed_slots, reader, rows);
  if (!error.empty()) return false;
  for (const Listed& row : rows) {
    if (!fields::usable_symbol(row.symbol)) continue;
    Instrument& instrument = out.instruments.emplace_back();
    instrument.exchange = "coinbase";
    instrument.market = Market::spot;
    instrument.symbol = row.symbol.text;
    instrument.base = text(row.base);
    instrument.quote = text(row.quote);
    instrument.trading = row.status.is_string("online") && !row.disabled.is_true();
  }
  return true;
}

// {"iso":"2015-01-07T23:47:25.201Z","epoch":1420674445.201}
bool parse_time(std::string_view body, Timestamp& out) {
  json::Reader reader;
  Scalar iso;
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    return key == "iso" ? json::read(v, 1, iso) : json::skip(v, 1);
  });
  const auto time = refusal == Refusal::none ? time_of(iso) : std::nullopt;
  out = time.value_or(Timestamp{});
  return time.has_value();
}

constexpr std::uint32_t history_rows_max = 1000;

// `after` is exclusive, and the newest of those before it come first.
std::string history_target(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  const std::uint32_t rows = std::min(limit, history_rows_max);
  std::string out = "/products/";
  fields::append_encoded(out, instrument.symbol);
  out.append("/trades?limit=").append(std::to_string(rows));
  return out.append("&after=").append(std::to_string(from_id + rows));
}

std::string newest_target(const Instrument& instrument, Stream) {
  std::string out = "/products/";
  fields::append_encoded(out, instrument.symbol);
  return out.append("/trades?limit=1");
}

bool parse_history(std::string_view body, const Instrument& instrument, HistoryPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Row> rows;
  out.clear();
  error = read_array(body, row_slots, reader, rows);
  if (!error.empty()) return false;
  for (const Row& row : rows) {
    Trade trade;
    const Refusal refusal = read_trade(row, instrument, trade);
    fields::take_past(out, trade, refusal, fields::integer(row.id), time_of(row.time));
  }
  fields::put_in_order(out, true);
  return true;
}

// ---- Candles: [time, low, high, open, close, volume], newest first; quiet ones are left out ----
// Some that begin before `start` may come along.

constexpr Duration candle_intervals[] = {seconds(60),    seconds(300),    seconds(900),
                                         seconds(3'600), seconds(21'600), seconds(86'400)};
constexpr std::uint32_t candles_max = 300;

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, Duration interval, Timestamp) {
  std::string out = "/products/";
  fields::append_encoded(out, instrument.symbol);
  out.append("/candles?granularity=").append(std::to_string(interval.us / 1'000'000));
  return out.append("&start=").append(format_time(from)).append("&end=").append(format_time(to - interval));
}

bool parse_candles(std::string_view body, const Instrument& instrument, std::vector<Candle>& out, std::string& error) {
  json::Reader reader;
  json::ondemand::document document;
  json::ondemand::value array;
  candles::Cells cells;
  out.clear();
  error = "not a whole JSON array of candles";
  if (!json::trimmed(body).starts_with('[') || !reader.open(body, document) ||
      document.get_value().get(array) != simdjson::SUCCESS || !candles::read_cells(array, 0, cells) ||
      !json::at_end(document)) {
    return false;
  }
  error = candles::read(cells, {0, 3, 2, 1, 4, 5, 1'000'000}, instrument, out);
  return error.empty();
}

// ---- Instruments that a list does not have ----

std::string symbol_of(std::string_view message) {
  if (message.find("match\"") == message.npos && message.find("\"market_trades\"") == message.npos) return {};
  return json::first_string(message, {"product_id"});
}

bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  const auto dash = symbol.find('-');
  if (dash == symbol.npos || symbol.find('-', dash + 1) != symbol.npos) return false;
  out = Instrument{};
  out.exchange = "coinbase";
  out.market = Market::spot;
  out.symbol = symbol;
  out.base = symbol.substr(0, dash);
  out.quote = symbol.substr(dash + 1);
  return true;
}

// ---- The market ----

constexpr std::string_view ws[] = {"wss://ws-feed.exchange.coinbase.com"};
constexpr std::string_view rest[] = {"https://api.exchange.coinbase.com"};

consteval Exchange family() {
  Exchange out{};
  out.name = "coinbase";
  out.market = Market::spot;
  out.ws_hosts = ws;
  out.rest_hosts = rest;
  // 8 connections a second; a heartbeat a second for each product, so not too many on one. What is quiet here is known
  // to be quiet: the heartbeat says what the newest trade is.
  out.limits = {100, 50, 20, 8, seconds(1), {}, seconds(400), 0, {}};
  out.region_note = "no other host serves this market";
  out.ws_target = ws_target;
  out.series_of = series_of;
  out.subscribe = subscribe;
  out.unsubscribe = unsubscribe;
  out.parse = parse;
  out.instruments_targets = instruments_targets;
  out.parse_instruments = parse_instruments;
  out.time_target = "/time";
  out.parse_time = parse_time;
  out.history_per_minute = 300;  // 10 a second are allowed
  out.weight_pool = "public";
  out.history_page = history_rows_max;
  out.history_target = history_target;
  out.short_page_is_end = false;  // pages were seen to be cut to 100 rows whatever was asked for
  out.newest_target = newest_target;
  out.parse_history = parse_history;
  out.candle_intervals = candle_intervals;
  out.candles_page = candles_max;
  out.candle_facts = candles::facts(Market::spot);
  out.candle_facts.quiet_left_out = true;
  out.candles_target = candles_target;
  out.parse_candles = parse_candles;
  out.symbol_of = symbol_of;
  out.assume_instrument = assume_instrument;
  return out;
}

constexpr Exchange spot = family();
constexpr const Exchange* markets[] = {&spot};

}  // namespace

std::span<const Exchange* const> coinbase_markets() { return markets; }

}  // namespace cvdd
