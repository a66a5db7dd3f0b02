// Bitget v2: spot, and USDT, USDC and coin futures (linear: sizes of all of them are coins).
//
// Docs: https://www.bitget.com/api-doc/contract/websocket/public/New-Trades-Channel (checked 2026-11-27), its spot
// page, "Get Recent Trades", "Get History Transaction Data", "Get Candlestick Data", "Websocket" (limits, ping).
// Sample: {"action":"update","arg":{"instType":"USDT-FUTURES","channel":"trade","instId":"BTCUSDT"},"data":[{
//          "ts":"1730332859905","price":"72000.5","size":"0.02","side":"sell","tradeId":"1235671063632220170"}],
//          "ts":1730332859917}
// Side: "side" is the taker's; REST writes it with a capital on futures.
// Ids: numbers that grow, with jumps: a trade counts once, and a hole can't be seen.
// Size: base units, of coin futures too, which no page says in so many words: see docs/exchanges.md.
// The first frame of an instrument ("snapshot") has some 50 trades of before. Frames of the older feed (rows of values,
// "instType":"mc" or "sp", without ids) are understood as well: recordings have them.
#include <algorithm>

#include "bitget_context.hpp"
#include "channels.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades: the frame names the instrument, REST's rows name it themselves ----

struct Row {
  Scalar id, time, price, size, side;
  [[nodiscard]] auto when() const { return fields::milliseconds_since_1970(time); }
  [[nodiscard]] static std::optional<std::uint64_t> id_in_order() { return std::nullopt; }
};
struct PastRow : Row {
  Scalar symbol;
};
constexpr Slot<Row> row_slots[] = {
    {"ts", &Row::time}, {"price", &Row::price}, {"size", &Row::size}, {"side", &Row::side}, {"tradeId", &Row::id}};
constexpr Slot<PastRow> past_slots[] = {{"symbol", &PastRow::symbol}, {"tradeId", &PastRow::id},
                                        {"price", &PastRow::price},   {"size", &PastRow::size},
                                        {"side", &PastRow::side},     {"ts", &PastRow::time}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = fields::integer(row.id);
  const auto time = row.when();
  auto side = fields::aggressor(row.side, "buy", "sell");
  if (!side) side = fields::aggressor(row.side, "Buy", "Sell");
  if (!id || !time || !side) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *id, *side);
  return fields::read_volume(row.price, row.size, trade);
}
Refusal read_snapshot(const Row& row, const Instrument& instrument, Trade& trade) {
  trade.snapshot = true;
  return read_trade(row, instrument, trade);
}

// ["1653873778747","29443.24","0.4134","buy"]: an id is made of what it says, and of its place among those like it.
bool read_older(json::Value rows, unsigned depth, Rows& to) {
  return json::each_item(rows, depth, [&](json::Value item) {
    std::vector<Scalar> cells;
    if (!candles::read_row(item, depth + 1, cells)) return false;
    Row row;
    std::string id;
    if (cells.size() == 4) {
      row = {{}, cells[0], cells[1], cells[2], cells[3]};
      std::uint64_t hash = 0xCBF29CE484222325 + to.count;
      for (const Scalar& cell : cells) {
        for (const char c : cell.text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
      }
      id = std::to_string(hash >> 1U);
      row.id.kind = Scalar::Kind::string;
      row.id.text = id;
    }
    channels::take_row(row, read_trade, to);
    return true;
  });
}
constexpr RowReader older_rows{read_older, nullptr};

// ---- Channels ----

std::string_view type_of(const Instrument& instrument) {
  if (instrument.market == Market::spot) return "SPOT";
  if (instrument.quote == "USD") return "COIN-FUTURES";
  return instrument.quote == "USDC" ? "USDC-FUTURES" : "USDT-FUTURES";
}
// By instType, of this feed and of the older one.
template <Market market>
bool is_ours(std::string_view type) {
  if (market == Market::spot) return type == "SPOT" || type == "sp";
  return type == "USDT-FUTURES" || type == "USDC-FUTURES" || type == "COIN-FUTURES" || type == "mc";
}
std::string topic_of(std::string_view type, std::string_view symbol) {
  return std::string(type).append(":").append(symbol);
}
std::string topic(const DataChannel&, const Instrument& instrument) {
  return topic_of(type_of(instrument), instrument.symbol);
}
// Spot's ticker has a book alone.
template <Market market>
constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_trade>, .topic = topic},
    {.kinds = market == Market::spot
                  ? DataKinds{DataKind::book}
                  : DataKinds{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest},
     .name = "ticker",
     .rows = &bitget::ticker_reader,
     .topic = topic}};
constexpr DataChannel snapshot{.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_snapshot>};
constexpr DataChannel older{.kinds = {DataKind::trade}, .name = "trade", .rows = &older_rows};

// ---- Messages ----

struct Head {
  Scalar event, action, code, why, type, channel, symbol, rows;
};
constexpr Slot<Head> head_slots[] = {
    {"event", &Head::event}, {"action", &Head::action}, {"code", &Head::code}, {"msg", &Head::why}};
constexpr Slot<Head> arg_slots[] = {{"instType", &Head::type}, {"channel", &Head::channel}, {"instId", &Head::symbol}};

// One answer for each of the arguments. The code is a number or a string.
void read_ack(const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.ok = !head.event.is_string("error");
  if (head.symbol.is_string()) ack.topics.push_back(topic_of(text(head.type), head.symbol.text));
  if (ack.ok) return;
  ack.error.append(text(head.why)).append(" (code ").append(head.code.text).append(")");
  ack.temporary = head.code.text == "30006" || head.code.text == "30007";  // requests, or connections, too many
}

template <Market market>
struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key == "data") return rows(v, 1);
    if (key == "arg") return json::read_fields<arg_slots>(v, 1, head);
    return json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    const std::string_view type = text(head.type);
    if (!head.rows.present() || !is_ours<market>(type)) return nullptr;
    const bool of_older = type == "mc" || type == "sp";
    if (head.channel.is_string("ticker") && !of_older) return &channels_there<market>[1];
    if (!head.channel.is_string("trade")) return nullptr;
    if (of_older) return &older;
    return head.action.is_string("snapshot") ? &snapshot : &channels_there<market>[0];
  }
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view topic) { return topic; }
  static Refusal other(std::string_view, const Head& head, const SymbolTable&, Parsed& out) {
    const std::string_view event = text(head.event);
    if (event == "error" && head.code.text == "30033") {
      out.closing_soon = out.ignored = true;  // the service is being renewed
    } else if (event == "subscribe" || event == "unsubscribe" || event == "error") {
      read_ack(head, out);
    } else {
      out.ignored = head.channel.is_string();
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

template <Market market>
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  if (message != "pong") return channels::parse<Message<market>>(message, symbols, out);
  out.clear();
  out.pong = true;
}

// ---- Requests ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t) {
  std::string out = R"({"op":")" + std::string(verb == Verb::subscribe ? "subscribe" : "unsubscribe") + R"(","args":[)";
  for (const Instrument* instrument : instruments) {
    if (out.back() != '[') out += ',';
    out.append(R"({"instType":)").append(fields::in_quotes(type_of(*instrument)));
    out.append(R"(,"channel":)").append(fields::in_quotes(channel.name));
    out.append(R"(,"instId":)").append(fields::in_quotes(instrument->symbol)).append("}");
  }
  return out + "]}";
}
std::string probe(std::uint64_t) { return "ping"; }  // answered "pong", both without JSON
std::string ws_target(Stream) { return "/v2/ws/public"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{"data", "code", "00000", "msg"};

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string>) {
  if (market == Market::spot) return {"/api/v2/spot/public/symbols"};
  const std::string contracts = "/api/v2/mix/market/contracts?productType=";
  return {contracts + "usdt-futures", contracts + "usdc-futures", contracts + "coin-futures"};
}

struct Listed {
  Scalar symbol, base, quote, status, launched;
};
constexpr Slot<Listed> listed_slots[] = {{"symbol", &Listed::symbol},       {"baseCoin", &Listed::base},
                                         {"quoteCoin", &Listed::quote},     {"status", &Listed::status},
                                         {"symbolStatus", &Listed::status}, {"launchTime", &Listed::launched}};

template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  if (!fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "bitget";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  out.ids = Ids::opaque;
  if (market != Market::spot) {
    if (out.quote != "USDT" && out.quote != "USDC" && out.quote != "USD") return std::nullopt;
    out.settle = out.quote == "USD" ? out.base : out.quote;
  }
  out.trading = row.status.is_string(market == Market::spot ? "online" : "normal");
  out.listed = fields::milliseconds_since_1970(row.launched).value_or(Timestamp{});
  return out;
}

// Spot's names and those of futures are alike, so a frame's type tells whose it is.
template <Market market>
std::string symbol_of(std::string_view message) {
  const std::string symbol = json::first_string_if(message, {"\"trade\""}, {"instId"});
  return is_ours<market>(json::first_string(message, {"instType"})) ? symbol : std::string();
}
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  if (symbol.empty()) return false;
  out = Instrument{};
  out.exchange = "bitget";
  out.market = market;
  out.symbol = symbol;
  out.ids = Ids::opaque;
  return true;
}

// ---- History: 90 days, of which one question reaches over seven, newest first ----

constexpr std::uint32_t history_page = 1000;

rest::Query query(const Instrument& instrument, std::string_view what) {
  const bool spot = instrument.market == Market::spot;
  rest::Query out(std::string(spot ? "/api/v2/spot/market/" : "/api/v2/mix/market/") + std::string(what));
  out.add("symbol", instrument.symbol);
  if (!spot) out.add("productType", type_of(instrument));
  return out;
}
std::string recent(const Instrument& instrument) {
  return query(instrument, "fills-history").add("limit", history_page);
}
std::string newest(const Instrument& instrument, Stream) { return query(instrument, "fills-history").add("limit", 1); }
std::string between(const Instrument& instrument, Timestamp from, Timestamp to) {
  return query(instrument, "fills-history")
      .add("startTime", rest::ms(from))
      .add("endTime", rest::ms(to) + 1)
      .add("limit", history_page);
}
constexpr History history{
    .page = history_page,
    .recent = recent,
    .newest = newest,
    .between = between,
    .read = rest::history<envelope, past_slots, read_trade, rest::Order::newest_first, rest::Rows::named>};

// ---- Candles: [ts, open, high, low, close, base volume, quote volume, …], oldest first ----

constexpr CandleInterval spot_intervals[] = {{seconds(60), "1min"},   {seconds(180), "3min"},    {seconds(300), "5min"},
                                             {seconds(900), "15min"}, {seconds(1'800), "30min"}, {seconds(3'600), "1h"},
                                             {seconds(14'400), "4h"}, {seconds(86'400), "1day"}};
constexpr CandleInterval futures_intervals[] = {{seconds(60), "1m"},    {seconds(180), "3m"},    {seconds(300), "5m"},
                                                {seconds(900), "15m"},  {seconds(1'800), "30m"}, {seconds(3'600), "1H"},
                                                {seconds(14'400), "4H"}};
constexpr candles::Columns columns;

// The running one is there as well. Older ones are had in pages of 200.
std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp now) {
  const bool old = now - from > Duration{interval.length.us * 900};
  return query(instrument, old ? "history-candles" : "candles")
      .add("granularity", interval.name)
      .add("startTime", rest::ms(from) - 1)
      .add("endTime", rest::ms(to))
      .add("limit", old ? 200 : 1'000);
}
template <Market market>
constexpr Candles candles_there{
    .intervals = market == Market::spot ? std::span<const CandleInterval>(spot_intervals) : futures_intervals,
    .page = 199,
    .facts = {.base_exact = true, .quote_exact = false},
    .target = candles_target,
    .read = rest::candles_of<envelope, columns>};

// ---- The two markets ----

constexpr std::string_view ws[] = {"wss://ws.bitget.com"};
constexpr std::string_view rest_hosts[] = {"https://api.bitget.com"};
constexpr std::string_view time_field = "data.serverTime";

template <Market market>
constexpr Exchange exchange{
    .name = "bitget",
    .market = market,
    .ws_hosts = ws,
    .rest_hosts = rest_hosts,
    // 50 channels are advised (1,000 are the most), 4,096 bytes a request, 240 requests an hour; 300 connections in
    // five minutes, 100 at a time. Who does not ping for two minutes is closed, however busy the connection.
    .limits = {.instruments_per_connection = 200,
               .instruments_per_request = 20,
               .messages_per_second = 5,
               .connection_attempts = 100,
               .connection_attempts_window = seconds(300),
               .lifetime = seconds(86'400),
               .silence = seconds(120),
               .requests_per_hour = 230,
               .probe_every = seconds(25)},
    .region_note = "no other host serves this market",
    .ws_target = ws_target,
    .channels = channels_there<market>,
    .request = request,
    .probe = probe,
    .parse = parse<market>,
    .instruments_targets = instruments_targets<market>,
    .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument<market>>,
    .time_target = "/api/v2/public/time",
    .parse_time = rest::time<envelope, time_field, fields::milliseconds_since_1970>,
    .history_per_minute = 300,  // 10 a second are allowed, for each kind of question
    .weight_pool = "public",
    .history = &history,
    .candles = &candles_there<market>,
    .symbol_of = symbol_of<market>,
    .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>};

}  // namespace

std::span<const Exchange* const> bitget_markets() { return markets; }

}  // namespace cvdd
