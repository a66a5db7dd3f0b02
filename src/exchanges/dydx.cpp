// dYdX v4, by its indexer: perpetuals in USD.
//
// Docs: https://docs.dydx.xyz/indexer-client/websockets (checked 2026-11-27), "HTTP" (perpetual markets, trades,
// candles, time), and the indexer's own source for errors and limits. Sample:
// {"type":"channel_data","connection_id":"3a2e4c0c-7579-4bf6-a570-e0979418bbe9","message_id":424,"id":"BTC-USD",
//          "channel":"v4_trades","version":"2.1.0","contents":{"trades":[{"id":"0165e5e40000000200000002",
//          "size":"0.002","price":"60397","side":"BUY","createdAt":"2024-08-22T23:59:59.851Z","type":"LIMIT"}]}}
// Side: "side" is the taker's. createdAt is the block's time, which many trades share.
// Ids: block height, and event within it, as 24 hexadecimal digits; others lie between them. A trade counts once, and a
// hole can't be seen.
// Size: base units. What was deleveraged had no taker: beside the CVD. Liquidations are in it.
// A subscription is acknowledged by old trades ("subscribed"). Frames of v3 are understood: recordings have them.
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

// ---- Trades ----

struct Row {
  Scalar id, time, side, size, price, type;
  [[nodiscard]] auto when() const { return fields::iso_time(time); }
  [[nodiscard]] static std::optional<std::uint64_t> id_in_order() { return std::nullopt; }
};
constexpr Slot<Row> row_slots[] = {{"id", &Row::id},     {"size", &Row::size},      {"price", &Row::price},
                                   {"side", &Row::side}, {"createdAt", &Row::time}, {"type", &Row::type}};

// At most 32 hexadecimal digits.
bool read_id(std::string_view hex, Trade& trade) {
  if (hex.empty() || hex.size() > 32) return false;
  std::uint64_t high = 0, low = 0;
  for (const char c : hex) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return false;
    high = high << 4U | low >> 60U;
    low = low << 4U | static_cast<std::uint64_t>(digit);
  }
  trade.id_high = high;
  trade.id = low;
  trade.name = *IdText::from(hex);
  return true;
}

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "BUY", "SELL");
  if (!time || !side || (row.type.present() && !row.type.is_string())) return Refusal::bad_field;
  fields::set(trade, instrument, *time, 0, *side);
  if (!read_id(text(row.id), trade)) return Refusal::bad_field;
  trade.in_cvd = !row.type.is_string("DELEVERAGED");
  return fields::read_volume(row.price, row.size, trade);
}

// v3 gave no ids: one is made of what a row says, and of its place in the frame.
bool read_older(json::Value rows, unsigned depth, Rows& to) {
  return json::each_item(rows, depth, [&](json::Value item) {
    Row row;
    if (!json::read_fields<row_slots>(item, depth + 1, row)) return false;
    std::uint64_t hash = 0xCBF29CE484222325 + to.count;
    for (const Scalar& part : {row.time, row.price, row.size, row.side}) {
      for (const char c : part.text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    }
    const std::string id = std::to_string(hash);
    row.id.kind = Scalar::Kind::string;
    row.id.text = id;
    channels::take_row(row, read_trade, to);
    return true;
  });
}
constexpr RowReader older_rows{read_older, nullptr};

// ---- Channels ----

constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "v4_trades", .rows = &rows<row_slots, read_trade>}};
constexpr DataChannel older{.kinds = {DataKind::trade}, .name = "v3_trades", .rows = &older_rows};
constexpr std::string_view probed = "v4_markets";

// ---- Messages ----

struct Head {
  Scalar type, channel, symbol, why, rows;
};
constexpr Slot<Head> head_slots[] = {
    {"type", &Head::type}, {"channel", &Head::channel}, {"id", &Head::symbol}, {"message", &Head::why}};

// "Invalid subscription id for channel: (v4_trades-BTC-USD)", "Too many subscribe attempts for channel
// v4_trades-BTC-USD. Please reconnect and try again."; what does not speak of a subscription is a sign of life, and no
// more.
void read_error(const Head& head, Parsed& out) {
  const std::string_view why = text(head.why);
  if (why.find("ubscri") == why.npos) {
    out.pong = out.ignored = true;
    return;
  }
  Ack& ack = out.acks.emplace_back();
  ack.ok = false;
  ack.error = why;
  ack.temporary = why.starts_with("Too many");
  const std::string key = std::string(channels_there[0].name) + "-";
  const auto at = why.find(key);
  if (at == why.npos) return;
  const std::string_view name = why.substr(at + key.size());
  ack.topics.emplace_back(name.substr(0, std::min({name.find(')'), name.find(". "), name.size()})));
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key != "contents") return json::read_field<head_slots>(key, v, 1, head);
    return json::each_field(v, 1, [&](std::string_view inner, Value field) {
      return inner == "trades" ? rows(field, 2) : json::skip(field, 2);
    });
  }
  static const DataChannel* channel_of(const Head& head) {
    if (!head.rows.present() || !head.type.is_string("channel_data")) return nullptr;
    return head.channel.is_string(older.name) ? &older : channels::named(channels_there, text(head.channel));
  }
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view topic) { return topic; }
  static Refusal other(std::string_view, const Head& head, const SymbolTable&, Parsed& out) {
    const std::string_view type = text(head.type);
    const bool trades = head.channel.is_string(channels_there[0].name);
    if (trades && (type == "subscribed" || type == "unsubscribed") && head.symbol.is_string()) {
      out.acks.emplace_back().topics.emplace_back(head.symbol.text);
    } else if (type == "error") {
      read_error(head, out);
    } else if (trades && type != "connected") {
      return Refusal::not_understood;  // trades in another form
    } else {
      out.pong = type == "unsubscribed";
      out.ignored = type == "connected" || head.channel.is_string();
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// ---- Requests: one name each ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t) {
  const bool on = verb == Verb::subscribe;
  return R"({"type":")" + std::string(on ? "subscribe" : "unsubscribe") + R"(","channel":)" +
         fields::in_quotes(channel.name) + R"(,"id":)" + fields::in_quotes(instruments.front()->symbol) +
         (on ? R"(,"batched":false})" : "}");
}
// A ping has no answer. Who takes away what was never subscribed is told so.
std::string probe(std::uint64_t) { return R"({"type":"unsubscribe","channel":")" + std::string(probed) + R"("})"; }
std::string ws_target(Stream) { return "/v4/ws"; }

// ---- Instruments: {"markets":{"BTC-USD":{…},…}} ----

std::vector<std::string> instruments_targets(std::span<const std::string>) { return {"/v4/perpetualMarkets"}; }

struct Listed {
  Scalar symbol, status;
};
constexpr Slot<Listed> listed_slots[] = {{"ticker", &Listed::symbol}, {"status", &Listed::status}};

std::optional<Instrument> make_instrument(const Listed& row) {
  // Markets of pools have names with commas, which no file can hold.
  const auto dash = text(row.symbol).rfind('-');
  if (!fields::usable_symbol(row.symbol) || dash == row.symbol.text.npos) return std::nullopt;
  Instrument out;
  out.exchange = "dydx";
  out.market = Market::linear;
  out.symbol = row.symbol.text;
  out.base = row.symbol.text.substr(0, dash);
  out.quote = row.symbol.text.substr(dash + 1);
  out.settle = "USDC";
  out.ids = Ids::opaque;
  out.trading = row.status.is_string("ACTIVE");
  return out;
}

Outcome<InstrumentPage> parse_instruments(std::string_view body) {
  json::Reader reader;
  InstrumentPage page;
  bool there = false;
  const auto market = [&](std::string_view, json::Value v) {
    Listed row;
    if (!json::read_fields<listed_slots>(v, 2, row)) return false;
    if (auto instrument = make_instrument(row)) page.instruments.push_back(std::move(*instrument));
    return true;
  };
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, json::Value v) {
    if (key != "markets") return json::skip(v, 1);
    there = true;
    return json::each_field(v, 1, market);
  });
  if (refusal != Refusal::none) return Failure{"not a whole JSON object"};
  if (!there) return Failure{"no \"markets\" in the answer"};
  return page;
}

std::string symbol_of(std::string_view message) {
  return json::first_string_if(message, {"\"v4_trades\"", "\"v3_trades\""}, {"id"});
}
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  if (!fields::assume_pair("dydx", symbol, '-', out)) return false;
  out.market = Market::linear;
  out.ids = Ids::opaque;
  return true;
}

// ---- History: the newest that are not younger than a moment, newest first ----

constexpr std::uint32_t history_page = 1000;
constexpr rest::Envelope history_envelope{"trades", {}, {}, "errors.msg"};
constexpr rest::Envelope candles_envelope{"candles", {}, {}, "errors.msg"};

rest::Query trades_of(const Instrument& instrument, std::uint32_t rows) {
  return rest::Query("/v4/trades/perpetualMarket/" + rest::Query::encoded(instrument.symbol)).add("limit", rows);
}
std::string recent(const Instrument& instrument) { return trades_of(instrument, history_page); }
std::string newest(const Instrument& instrument, Stream) { return trades_of(instrument, 1); }
std::string between(const Instrument& instrument, Timestamp, Timestamp to) {
  return trades_of(instrument, history_page).add("createdBeforeOrAt", format_time(to + seconds(1)));
}
constexpr History history{
    .page = history_page,
    .recent = recent,
    .newest = newest,
    .between = between,
    .read = rest::history<history_envelope, row_slots, read_trade, rest::Order::newest_first, rest::Rows::unnamed>};

// ---- Candles, newest first ----

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1MIN"},     {seconds(300), "5MINS"},     {seconds(900), "15MINS"}, {seconds(1'800), "30MINS"},
    {seconds(3'600), "1HOUR"}, {seconds(14'400), "4HOURS"}, {seconds(86'400), "1DAY"}};
constexpr Slot<rest::CandleFields> candle_slots[] = {
    {"startedAt", &rest::CandleFields::time}, {"open", &rest::CandleFields::open},
    {"high", &rest::CandleFields::high},      {"low", &rest::CandleFields::low},
    {"close", &rest::CandleFields::close},    {"baseTokenVolume", &rest::CandleFields::volume},
    {"trades", &rest::CandleFields::fills}};
std::optional<Timestamp> begin_of(const rest::CandleFields& row) { return fields::iso_time(row.time); }

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return rest::Query("/v4/candles/perpetualMarkets/" + rest::Query::encoded(instrument.symbol))
      .add("resolution", interval.name)
      .add("fromISO", format_time(from))
      .add("toISO", format_time(to))
      .add("limit", 1'000);
}
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = 999,
                                .facts = {.base_exact = true, .quote_exact = false},
                                .fills = true,
                                .target = candles_target,
                                .read = rest::candle_objects<candles_envelope, candle_slots, begin_of>};

// ---- The market ----

constexpr std::string_view ws[] = {"wss://indexer.dydx.trade"};
constexpr std::string_view rest_hosts[] = {"https://indexer.dydx.trade"};
constexpr std::string_view time_field = "iso";
constexpr rest::Envelope bare;

constexpr Exchange linear{.name = "dydx",
                          .market = Market::linear,
                          .ws_hosts = ws,
                          .rest_hosts = rest_hosts,
                          // 32 names of a channel on a connection, two requests a second.
                          .limits = {.instruments_per_connection = 32,
                                     .instruments_per_request = 1,
                                     .messages_per_second = 2,
                                     .connection_attempts = 10,
                                     .connection_attempts_window = seconds(10),
                                     .silence = seconds(240)},
                          .region_note = "no other host serves this market",
                          .ws_target = ws_target,
                          .channels = channels_there,
                          .request = request,
                          .probe = probe,
                          .parse = channels::parse<Message>,
                          .instruments_targets = instruments_targets,
                          .parse_instruments = parse_instruments,
                          .time_target = "/v4/time",
                          .parse_time = rest::time<bare, time_field, fields::iso_time>,
                          .history_per_minute = 300,  // 100 in 10 s are allowed
                          .weight_pool = "public",
                          .history = &history,
                          .candles = &candles_there,
                          .symbol_of = symbol_of,
                          .assume_instrument = assume_instrument};
constexpr const Exchange* markets[] = {&linear};

}  // namespace

std::span<const Exchange* const> dydx_markets() { return markets; }

}  // namespace cvdd
