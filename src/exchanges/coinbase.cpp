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

#include "channels.hpp"
#include "cvdd/base/time_text.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades: a message is one, and its fields are those of other messages too ----

struct Row {
  Scalar type, symbol, id, time, price, size, side;   // a trade
  Scalar last_trade, message, reason, channel, rows;  // other messages
  [[nodiscard]] auto when() const { return fields::iso_time(time); }
  [[nodiscard]] auto id_in_order() const { return fields::integer(id); }
};
constexpr Slot<Row> row_slots[] = {{"type", &Row::type},       {"product_id", &Row::symbol},
                                   {"trade_id", &Row::id},     {"time", &Row::time},
                                   {"price", &Row::price},     {"size", &Row::size},
                                   {"side", &Row::side},       {"last_trade_id", &Row::last_trade},
                                   {"message", &Row::message}, {"reason", &Row::reason},
                                   {"channel", &Row::channel}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = row.id_in_order();
  const auto time = row.when();
  auto maker = fields::aggressor(row.side, "buy", "sell");
  if (!maker) maker = fields::aggressor(row.side, "BUY", "SELL");  // the Advanced feed
  if (!id || !time || !maker) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *id, *maker == Aggressor::buyer ? Aggressor::seller : Aggressor::buyer);
  trade.snapshot = row.type.is_string("last_match") || row.type.is_string("snapshot");
  return fields::read_volume(row.price, row.size, trade);
}

// ---- Channels ----

constexpr DataChannel channels_there[] = {{.kinds = {DataKind::trade}, .name = "matches"}};

// ---- Messages ----

// {"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]},…]}: all that is subscribed now.
void read_subscriptions(std::string_view message, Parsed& out) {
  json::Reader reader;
  Ack& ack = out.acks.emplace_back();
  ack.rest = Ack::Rest::refused;
  const auto channel = [&](json::Value v) {
    std::vector<std::string> products;
    Scalar name;
    const bool whole = json::each_field(v, 2, [&](std::string_view key, json::Value field) {
      if (key == "name") return json::read(field, 3, name);
      return key == "product_ids" ? json::read_strings(field, 3, products) : json::skip(field, 3);
    });
    if (name.is_string(channels_there[0].name)) std::ranges::move(products, std::back_inserter(ack.topics));
    return whole;
  };
  (void)json::read_message(reader, message, [&](std::string_view key, json::Value v) {
    return key == "channels" ? json::each_item(v, 1, channel) : json::skip(v, 1);
  });
  if (ack.topics.empty()) ack.topics.emplace_back();
}

// The Advanced feed: {"channel":"market_trades","events":[{"type":"update","trades":[…]},…]}. One event that is a
// snapshot makes all of them old.
void read_events(std::string_view message, Rows& to) {
  json::Reader reader;
  std::vector<Row> rows;
  Scalar list, kind;
  const auto event = [&](json::Value v) {
    Scalar type;
    const bool whole = json::each_field(v, 2, [&](std::string_view key, json::Value field) {
      if (key == "type") return json::read(field, 3, type);
      if (key != "trades") return json::skip(field, 3);
      list.kind = json::is_array(field) ? Scalar::Kind::array : Scalar::Kind::object;
      return rest::into<row_slots>(rows)(field, 3);
    });
    if (!kind.is_string("snapshot")) kind = type;
    return whole;
  };
  (void)json::read_message(reader, message, [&](std::string_view key, json::Value v) {
    return key == "events" ? json::each_item(v, 1, event) : json::skip(v, 1);
  });
  for (Row& row : rows) {
    row.type = kind;
    channels::take_row(row, read_trade, to);
  }
  if (rows.empty()) channels::take_none(list, to);
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
  const Instrument* const instrument = fields::wanted(symbols, text(row.symbol));
  const auto id = fields::integer(row.last_trade);
  const auto time = row.when();
  if (!id || !time) return out.refuse(Refusal::bad_field);
  out.ignored = instrument == nullptr || *id == 0;
  if (!out.ignored) out.newest.push_back({instrument, Series::single, *id, *time});
}

struct Message {
  using Head = Row;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key == "channels" || key == "events") return rows(v, 1);
    return json::read_field<row_slots>(key, v, 1, head);
  }
  // No list of rows stands in the message itself.
  static const DataChannel* channel_of(const Head&) { return nullptr; }
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view) { return {}; }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable& symbols, Parsed& out) {
    const std::string_view type = text(head.type);
    Rows rows{symbols, [](const void*) { return std::string_view(); }, nullptr, out};
    if (type == "match" || type == "last_match") {
      channels::take_row(head, read_trade, rows);
    } else if (type == "heartbeat") {
      read_heartbeat(head, symbols, out);
    } else if (type == "error") {
      read_error(head, out);
    } else if (type == "subscriptions") {
      read_subscriptions(message, out);
    } else if (head.channel.is_string("market_trades")) {
      read_events(message, rows);
    } else {
      out.ignored = is_other_type(type) || head.channel.is_string();
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// ---- Requests ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t) {
  const std::string products = R"(","product_ids":[)" + fields::quoted_topics(channel, instruments) + "]}";
  return R"({"type":")" + std::string(verb == Verb::subscribe ? "subscribe" : "unsubscribe") +
         R"(","channels":[{"name":")" + std::string(channel.name) + products + R"(,{"name":"heartbeat)" + products +
         "]}";
}

std::string ws_target(Stream) { return "/"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{{}, {}, {}, "message"};

std::vector<std::string> instruments_targets(std::span<const std::string>) { return {"/products"}; }

struct Listed {
  Scalar symbol, base, quote, status, disabled;
};
constexpr Slot<Listed> listed_slots[] = {{"id", &Listed::symbol},
                                         {"base_currency", &Listed::base},
                                         {"quote_currency", &Listed::quote},
                                         {"status", &Listed::status},
                                         {"trading_disabled", &Listed::disabled}};

std::optional<Instrument> make_instrument(const Listed& row) {
  if (!fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "coinbase";
  out.market = Market::spot;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  out.trading = row.status.is_string("online") && !row.disabled.is_true();
  return out;
}

std::string symbol_of(std::string_view message) {
  return json::first_string_if(message, {"match\"", "\"market_trades\""}, {"product_id"});
}
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  return fields::assume_pair("coinbase", symbol, '-', out);
}

// ---- History, newest first ----

constexpr std::uint32_t history_page = 1000;

rest::Query query(const Instrument& instrument, std::string_view what) {
  return rest::Query("/products/" + rest::Query::encoded(instrument.symbol) + "/" + std::string(what));
}
// `after` is exclusive, and the newest of those before it come first.
std::string by_id(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  const std::uint32_t rows = std::min(limit, history_page);
  return query(instrument, "trades").add("limit", rows).add("after", from_id + rows);
}
std::string newest(const Instrument& instrument, Stream) { return query(instrument, "trades").add("limit", 1); }

constexpr History history{
    .page = history_page,
    .short_page_is_end = false,  // pages were seen to be cut to 100 rows whatever was asked for
    .by_id = by_id,
    .newest = newest,
    .read = rest::history<envelope, row_slots, read_trade, rest::Order::newest_first, rest::Rows::unnamed>};

// ---- Candles: [time, low, high, open, close, volume], newest first; quiet ones are left out ----
// Some that begin before `start` may come along.

constexpr CandleInterval candle_intervals[] = {{seconds(60), "60"},        {seconds(300), "300"},
                                               {seconds(900), "900"},      {seconds(3'600), "3600"},
                                               {seconds(21'600), "21600"}, {seconds(86'400), "86400"}};
constexpr candles::Columns columns{
    .time = 0, .open = 3, .high = 2, .low = 1, .close = 4, .volume = 5, .time_unit_us = 1'000'000};

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return query(instrument, "candles")
      .add("granularity", interval.name)
      .add("start", format_time(from))
      .add("end", format_time(to - interval.length));
}

constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = 300,
                                .facts = {.base_exact = true, .quote_exact = false, .quiet_left_out = true},
                                .target = candles_target,
                                .read = rest::candles_of<envelope, columns>};

// ---- The market ----

constexpr std::string_view ws[] = {"wss://ws-feed.exchange.coinbase.com"};
constexpr std::string_view rest_hosts[] = {"https://api.exchange.coinbase.com"};
constexpr std::string_view time_field = "iso";
constexpr rest::Envelope bare;

constexpr Exchange spot{.name = "coinbase",
                        .market = Market::spot,
                        .ws_hosts = ws,
                        .rest_hosts = rest_hosts,
                        // 8 connections a second; a heartbeat a second for each product, so not too many on one. What
                        // is quiet here is known to be quiet: the heartbeat says what the newest trade is.
                        .limits = {.instruments_per_connection = 100,
                                   .instruments_per_request = 50,
                                   .messages_per_second = 20,
                                   .connection_attempts = 8,
                                   .connection_attempts_window = seconds(1),
                                   .silence = seconds(400)},
                        .region_note = "no other host serves this market",
                        .ws_target = ws_target,
                        .channels = channels_there,
                        .request = request,
                        .parse = channels::parse<Message>,
                        .instruments_targets = instruments_targets,
                        .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument>,
                        .time_target = "/time",
                        .parse_time = rest::time<bare, time_field, fields::iso_time>,
                        .history_per_minute = 300,  // 10 a second are allowed
                        .weight_pool = "public",
                        .history = &history,
                        .candles = &candles_there,
                        .symbol_of = symbol_of,
                        .assume_instrument = assume_instrument};
constexpr const Exchange* markets[] = {&spot};

}  // namespace

std::span<const Exchange* const> coinbase_markets() { return markets; }

}  // namespace cvdd
