// Kraken: spot.
//
// Docs: https://docs.kraken.com/api/docs/websocket-v2/trade (checked 2026-11-27), "Ping", "Heartbeat" and "Status"
// beside it; of REST "Get Recent Trades", "Get OHLC Data", "Get Tradable Asset Pairs", "Get Server Time". Sample:
// {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,
//          "qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}]}
// Side: "side" is the taker's.
// Ids: trade_id counts the trades of one book. REST has all of them; the feed was seen to leave out those that share a
// moment with another, so a hole is nothing unusual: it waits for its bar's end, and one page brings what a bar lacks.
// Names: the feed says BTC and DOGE where REST says XBT and XDG.
// Frames of v1, which have no ids, are understood as well: messages of other projects' tests are such.
#include <algorithm>

#include "channels.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades ----

struct Row {
  Scalar symbol, id, price, size, side, time;
  [[nodiscard]] auto when() const { return fields::iso_time(time); }
  [[nodiscard]] auto id_in_order() const { return fields::number(id); }
};
constexpr Slot<Row> row_slots[] = {{"symbol", &Row::symbol}, {"side", &Row::side},   {"price", &Row::price},
                                   {"qty", &Row::size},      {"trade_id", &Row::id}, {"timestamp", &Row::time}};
// Of REST, and of v1: [price, volume, time, side, order type, misc, id].
struct PastRow {
  Scalar symbol, price, size, time, side, type, misc, id;
  [[nodiscard]] auto when() const { return fields::seconds_since_1970(time); }
  [[nodiscard]] auto id_in_order() const { return fields::number(id); }
};
constexpr Scalar PastRow::*const past_columns[] = {&PastRow::price, &PastRow::size, &PastRow::time, &PastRow::side,
                                                   &PastRow::type,  &PastRow::misc, &PastRow::id};

template <class AnyRow>
Refusal make_trade(const AnyRow& row, const Instrument& instrument, std::optional<std::uint64_t> id,
                   std::optional<Aggressor> side, Trade& trade) {
  const auto time = row.when();
  if (!id || !time || !side) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *id, *side);
  return fields::read_volume(row.price, row.size, trade);
}
Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  return make_trade(row, instrument, row.id_in_order(), fields::aggressor(row.side, "buy", "sell"), trade);
}
// The last fifty, which a subscription begins with.
Refusal read_old_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  trade.snapshot = true;
  return read_trade(row, instrument, trade);
}
Refusal read_past_trade(const PastRow& row, const Instrument& instrument, Trade& trade) {
  return make_trade(row, instrument, row.id_in_order(), fields::aggressor(row.side, "b", "s"), trade);
}
// The moment stands in for the id.
Refusal read_v1_trade(const PastRow& row, const Instrument& instrument, Trade& trade) {
  const auto time = row.when();
  const auto id = time ? std::optional(static_cast<std::uint64_t>(time->us)) : std::nullopt;
  return make_trade(row, instrument, id, fields::aggressor(row.side, "b", "s"), trade);
}

// ---- Channels ----

constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_trade>},
    {.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_old_trade>}};

// ---- Messages ----

struct Head {
  Scalar channel, type, method, success, error, fault, symbol, request, rows;
};
constexpr Slot<Head> head_slots[] = {{"channel", &Head::channel}, {"type", &Head::type},    {"method", &Head::method},
                                     {"success", &Head::success}, {"error", &Head::error},  {"Error", &Head::fault},
                                     {"req_id", &Head::request},  {"symbol", &Head::symbol}};
constexpr Slot<Head> result_slots[] = {{"symbol", &Head::symbol}};

// One for each pair. "Currency pair not supported BTC/INVALID", "Already subscribed", "Exceeded msg rate"
void read_ack(const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(head.request).value_or(0);
  ack.ok = head.success.is_true();
  if (head.symbol.is_string()) ack.topics.emplace_back(head.symbol.text);
  if (ack.ok) return;
  const std::string_view why = text(head.fault.present() ? head.fault : head.error);
  ack.error = why;
  ack.ok = why.starts_with("Already subscribed");
  ack.temporary = why.find("msg rate") != why.npos;
  const std::string_view last = why.substr(why.rfind(' ') + 1);
  if (ack.topics.empty() && last.find('/') != last.npos) ack.topics.emplace_back(last);
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key == "data") return rows(v, 1);
    if (key == "result") return json::read_fields<result_slots>(v, 1, head);
    return json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    if (!head.rows.present() || !head.channel.is_string("trade")) return nullptr;
    return &channels_there[head.type.is_string("snapshot") ? 1 : 0];
  }
  // Each row names its own.
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view) { return {}; }
  static Refusal other(std::string_view, const Head& head, const SymbolTable&, Parsed& out) {
    const std::string_view method = text(head.method);
    if (method == "subscribe" || method == "unsubscribe" || head.error.present() || head.fault.present()) {
      read_ack(head, out);
    } else if (method == "pong") {
      out.pong = true;
    } else {
      out.ignored = head.channel.is_string();  // heartbeat, status, ticker, book, …
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// [channel, rows, "trade", "XBT/USD"]
void parse_v1(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  json::Reader reader;
  std::vector<PastRow> found;
  Scalar kind, pair, list;
  unsigned place = 0;
  const auto take = [&](json::Value whole, unsigned depth) {
    return json::each_item(whole, depth, [&](json::Value item) {
      if (++place != 2) return json::read(item, depth + 1, place == 3 ? kind : place == 4 ? pair : list);
      return rest::into<past_columns>(found)(item, depth + 1);
    });
  };
  if (!rest::read(reader, message, {}, {}, take).empty()) return out.refuse(Refusal::not_json, nullptr);
  if (!kind.is_string() || !pair.is_string()) return out.refuse(Refusal::not_understood, nullptr);
  out.ignored = kind.text != "trade";
  Rows to{symbols, [](const void*) { return std::string_view(); }, nullptr, out};
  for (PastRow& row : found) {
    row.symbol = pair;
    if (!out.ignored) channels::take_row(row, read_v1_trade, to);
  }
}

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  if (!json::trimmed(message).starts_with('[')) return channels::parse<Message>(message, symbols, out);
  out.clear();
  parse_v1(message, symbols, out);
}

// ---- Requests ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  const bool on = verb == Verb::subscribe;
  return R"({"method":")" + std::string(on ? "subscribe" : "unsubscribe") + R"(","params":{"channel":)" +
         fields::in_quotes(channel.name) + R"(,"symbol":[)" + fields::quoted_topics(channel, instruments) +
         (on ? R"(],"snapshot":true},"req_id":)" : R"(]},"req_id":)") + std::to_string(id) + "}";
}
std::string probe(std::uint64_t id) { return R"({"method":"ping","req_id":)" + std::to_string(id) + "}"; }

std::string ws_target(Stream) { return "/v2"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{"result.*", {}, {}, "error.[]"};

std::vector<std::string> instruments_targets(std::span<const std::string>) { return {"/0/public/AssetPairs"}; }

// The coin as the feed spells it, and as REST does.
std::string_view coin_of_feed(std::string_view coin) { return coin == "XBT" ? "BTC" : coin == "XDG" ? "DOGE" : coin; }
std::string_view coin_of_rest(std::string_view coin) { return coin == "BTC" ? "XBT" : coin == "DOGE" ? "XDG" : coin; }
// "BTC/USD" → "XBTUSD"
std::string pair_of(std::string_view symbol) {
  const auto slash = symbol.find('/');
  std::string out(coin_of_rest(symbol.substr(0, slash)));
  return slash == symbol.npos ? out : out.append(coin_of_rest(symbol.substr(slash + 1)));
}

struct Listed {
  Scalar name, status, venue;
};
constexpr Slot<Listed> listed_slots[] = {
    {"wsname", &Listed::name}, {"status", &Listed::status}, {"execution_venue", &Listed::venue}};

std::optional<Instrument> make_instrument(const Listed& row) {
  const std::string_view name = text(row.name);
  const auto slash = name.find('/');
  if (slash == name.npos || !fields::usable_symbol(row.name)) return std::nullopt;
  if (row.venue.is_string() && row.venue.text != "international") return std::nullopt;  // books of their own
  Instrument out;
  out.exchange = "kraken";
  out.market = Market::spot;
  out.base = coin_of_feed(name.substr(0, slash));
  out.quote = coin_of_feed(name.substr(slash + 1));
  out.symbol = out.base + "/" + out.quote;
  const std::string_view status = text(row.status);
  out.trading = status == "online" || status == "limit_only" || status == "reduce_only";
  return out;
}

std::string symbol_of(std::string_view message) {
  if (!message.starts_with('[')) return json::first_string_if(message, {"\"trade\""}, {"symbol"});
  const auto end = message.rfind('"');
  const auto begin = end == message.npos || end == 0 ? end : message.rfind('"', end - 1);
  if (begin == message.npos || message.find("\"trade\",\"") == message.npos) return {};
  return std::string(message.substr(begin + 1, end - begin - 1));
}
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  return fields::assume_pair("kraken", symbol, '/', out);
}

// ---- History, by time, oldest first; `since` is in nanoseconds and exclusive ----

constexpr std::uint32_t history_page = 1000;

std::string since(const Instrument& instrument, Timestamp from, std::uint32_t limit) {
  return rest::Query("/0/public/Trades")
      .add("pair", pair_of(instrument.symbol))
      .add("since", std::max<std::int64_t>(from.us * 1'000 - 1, 0))
      .add("count", std::min(limit, history_page));
}
std::string newest(const Instrument& instrument, Stream) {
  return rest::Query("/0/public/Trades").add("pair", pair_of(instrument.symbol)).add("count", 1);
}
constexpr History history{
    .page = history_page,
    .feed_leaves_out = true,
    .since = since,
    .newest = newest,
    .read = rest::history<envelope, past_columns, read_past_trade, rest::Order::oldest_first, rest::Rows::unnamed>};

// ---- Candles: [time, open, high, low, close, vwap, volume, count], oldest first, of the last 720 bars ----

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1"},     {seconds(300), "5"},      {seconds(900), "15"},     {seconds(1'800), "30"},
    {seconds(3'600), "60"}, {seconds(14'400), "240"}, {seconds(86'400), "1440"}};
constexpr candles::Columns columns{.volume = 6, .time_unit_us = 1'000'000, .fills = 7};

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp, const CandleInterval& interval,
                           Timestamp) {
  return rest::Query("/0/public/OHLC")
      .add("pair", pair_of(instrument.symbol))
      .add("interval", interval.name)
      .add("since", std::max<std::int64_t>(from.us / 1'000'000 - 1, 0));
}
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = 720,
                                .facts = {.quote_exact = false},
                                .fills = true,
                                .target = candles_target,
                                .read = rest::candles_of<envelope, columns>};

// ---- The market ----

constexpr std::string_view ws[] = {"wss://ws.kraken.com"};
constexpr std::string_view rest_hosts[] = {"https://api.kraken.com"};
constexpr std::string_view time_field = "result.unixtime";  // whole seconds

constexpr Exchange spot{.name = "kraken",
                        .market = Market::spot,
                        .ws_hosts = ws,
                        .rest_hosts = rest_hosts,
                        // 150 connection attempts in ten minutes; closed after a minute without a word.
                        .limits = {.instruments_per_connection = 200,
                                   .instruments_per_request = 50,
                                   .messages_per_second = 5,
                                   .connection_attempts = 100,
                                   .connection_attempts_window = seconds(600),
                                   .silence = seconds(240),
                                   .probe_every = seconds(30)},
                        .region_note = "no other host serves this market",
                        .ws_target = ws_target,
                        .channels = channels_there,
                        .request = request,
                        .probe = probe,
                        .parse = parse,
                        .instruments_targets = instruments_targets,
                        .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument>,
                        .time_target = "/0/public/Time",
                        .parse_time = rest::time<envelope, time_field, fields::seconds_since_1970>,
                        .history_per_minute = 30,  // about one a second is allowed
                        .weight_pool = "public",
                        .history = &history,
                        .candles = &candles_there,
                        .symbol_of = symbol_of,
                        .assume_instrument = assume_instrument};
constexpr const Exchange* markets[] = {&spot};

}  // namespace

std::span<const Exchange* const> kraken_markets() { return markets; }

}  // namespace cvdd
