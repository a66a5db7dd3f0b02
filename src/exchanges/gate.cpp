// Gate v4: spot, USDT perpetuals (linear), BTC-settled perpetuals of 1 USD (inverse).
//
// Docs: https://www.gate.com/docs/developers/apiv4/ws/en/#public-trades-channel (checked 2026-11-27), "Futures
// WebSocket v4" (trades, contract_info), and of REST "Market Trades", "Futures Trading History", "K-line chart".
// Samples:
// {"time":1788336082,"time_ms":1788336082402,"channel":"spot.trades","event":"update","result":{"id":217831625,
//           "id_market":217831625,"create_time":1788336082,"create_time_ms":"1788336082402.208000","side":"sell",
//           "currency_pair":"BTC_USDT","amount":"0.000021","price":"77474","range":"217831625-217831625"}}
//          {"channel":"futures.trades","event":"update","time":1541503698,"result":[{"size":"-108","id":27753479,
//           "create_time":1545136464,"create_time_ms":1545136464123,"price":"96.4","contract":"BTC_USDT"}]}
// Side: spot's "side" is the taker's; of futures the sign of "size" is: negative, the taker sold.
// Ids: spot's id_market is consecutive per pair, and "range" says which of them a push merges. Ids of futures are
// taken for consecutive per contract, which no page promises: if they are not, their bars say gap, and never live.
// Size: base units for spot; contracts of quanto_multiplier base units, or of 1 USD where that is 0. Contracts may be
// split: the header asks for all of their decimals.
// Rows with is_internal (insurance fund, ADL) are in no candle of theirs, and in no CVD of ours.
// Frames of the older spot feed ("method":"trades.update") are understood as well: recordings have them.
#include <algorithm>

#include "channels.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::Kind;
using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades ----

// Seconds or milliseconds, whole or not, as a string or not: each list has its own.
std::optional<Timestamp> moment(const Scalar& field) {
  const auto number = fields::is_decimal_kind(field) ? parse_decimal(field.text, 30) : std::nullopt;
  if (!number || !number->is_positive() || *number > Decimal{8'835'984'000'000, 0}) return std::nullopt;
  Int128 us = number->mantissa * (*number < Decimal{100'000'000'000, 0} ? 1'000'000 : 1'000);
  for (unsigned i = 0; i < number->scale; ++i) us /= 10;
  return Timestamp{static_cast<std::int64_t>(us)};
}

struct Row {
  Scalar symbol, id, market_id, time, time_ms, side, size, price, range, internal;
  [[nodiscard]] auto when() const { return moment(time_ms.present() ? time_ms : time); }
  [[nodiscard]] auto id_in_order() const { return fields::integer(market_id.present() ? market_id : id); }
};
constexpr Slot<Row> spot_slots[] = {{"currency_pair", &Row::symbol},
                                    {"id", &Row::id},
                                    {"id_market", &Row::market_id},
                                    {"sequence_id", &Row::market_id},
                                    {"create_time", &Row::time},
                                    {"time", &Row::time},
                                    {"create_time_ms", &Row::time_ms},
                                    {"side", &Row::side},
                                    {"type", &Row::side},
                                    {"amount", &Row::size},
                                    {"price", &Row::price},
                                    {"range", &Row::range}};
constexpr Slot<Row> futures_slots[] = {{"contract", &Row::symbol},     {"id", &Row::id},
                                       {"create_time", &Row::time},    {"create_time_ms", &Row::time_ms},
                                       {"size", &Row::size},           {"price", &Row::price},
                                       {"is_internal", &Row::internal}};

// "2390902-2390904", with the row's id in it: so many fills, the last of that id. Where the two are numbers of
// different kinds (a page shows such a row) the id alone counts.
bool read_range(const Scalar& range, Trade& trade) {
  if (!range.present()) return true;
  const std::string_view both = text(range);
  const auto dash = std::min(both.find('-'), both.size());
  const auto first = parse_digits(both.substr(0, dash)),
             last = parse_digits(both.substr(std::min(dash + 1, both.size())));
  if (!first || !last || *first > *last || *last - *first >= 1'000'000'000) return false;
  if (trade.id < *first || trade.id > *last) return true;
  trade.id = *last;
  trade.fills = static_cast<std::uint32_t>(*last - *first + 1);
  trade.merged = trade.fills > 1;
  return true;
}

Refusal read_spot(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = row.id_in_order();
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "buy", "sell");
  if (!id || !time || !side) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *id, *side);
  if (!read_range(row.range, trade)) return Refusal::bad_field;
  return fields::read_volume(row.price, row.size, trade);
}

Refusal read_futures(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = row.id_in_order();
  const auto time = row.when();
  if (!id || !time || !fields::is_decimal_kind(row.size)) return Refusal::bad_field;
  if (row.internal.present() && !row.internal.is(Kind::boolean)) return Refusal::bad_field;
  Scalar size = row.size;
  const bool sold = size.text.starts_with('-');
  if (sold) size.text.remove_prefix(1);
  fields::set(trade, instrument, *time, *id, sold ? Aggressor::seller : Aggressor::buyer);
  trade.in_cvd = !row.internal.is_true();
  return fields::read_volume(row.price, size, trade);
}

// ---- Channels ----

constexpr DataChannel spot_channels[] = {
    {.kinds = {DataKind::trade}, .name = "spot.trades", .rows = &one_row<spot_slots, read_spot>}};
constexpr DataChannel futures_channels[] = {
    {.kinds = {DataKind::trade}, .name = "futures.trades", .rows = &rows<futures_slots, read_futures>}};
constexpr std::string_view contract_info = "futures.contract_info";

template <Market market>
constexpr const auto& channels_there = market == Market::spot ? spot_channels : futures_channels;

// ---- Messages ----

struct Head {
  Scalar channel, event, id, error, code, why, method, rows;
};
constexpr Slot<Head> head_slots[] = {
    {"channel", &Head::channel}, {"event", &Head::event}, {"id", &Head::id}, {"method", &Head::method}};
constexpr Slot<Head> error_slots[] = {{"code", &Head::code}, {"message", &Head::why}};

// {"event":"subscribe","payload":["BTC_USDT"],"result":{"status":"success"}}, or with "error":{"code":2,"message":
// "unknown currency pair: NOPE_USDT"}. The payload may be missing. One bad name refuses all of its request.
void read_ack(std::string_view message, const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(head.id).value_or(0);
  ack.ok = !head.code.present() && json::first_string(message, {"status"}) != "fail";
  static constexpr std::string_view payload[] = {"payload"};
  if (ack.ok) {
    ack.topics = json::strings_at(message, payload);
    return;
  }
  const std::string_view why = text(head.why), last = why.substr(why.find_last_of(" :") + 1);
  ack.error.append(why).append(" (code ").append(head.code.text).append(")");
  ack.rest = Ack::Rest::again;
  if (last.find('_') != last.npos) ack.topics.emplace_back(last);
  ack.ok = !ack.topics.empty() && why.find("lert sub") != why.npos;  // it is subscribed already
}

// {"method":"trades.update","params":["BTC_USDT",[{"id":…,"time":1616327474.62,"price":"…","amount":"…","type":"sell"}]]}
void read_older(std::string_view message, Rows& to) {
  json::Reader reader;
  std::vector<Row> rows;
  Scalar symbol;
  const auto part = [&](json::Value v) {
    return json::is_array(v) ? rest::into<spot_slots>(rows)(v, 2) : json::read(v, 2, symbol);
  };
  (void)json::read_message(reader, message, [&](std::string_view key, json::Value v) {
    return key == "params" ? json::each_item(v, 1, part) : json::skip(v, 1);
  });
  for (Row& row : rows) {
    row.symbol = symbol;
    channels::take_row(row, read_spot, to);
  }
  if (rows.empty()) to.out.refuse(Refusal::bad_field, nullptr);
}

template <Market market>
struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key == "result") return rows(v, 1);
    if (key == "error") return json::read_fields<error_slots>(v, 1, head);
    return json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    return head.rows.present() && head.event.is_string("update")
               ? channels::named(channels_there<market>, text(head.channel))
               : nullptr;
  }
  // Rows alone name instruments.
  static const Scalar& topic(const Head& head) { return head.channel; }
  static std::string_view symbol_in(std::string_view) { return {}; }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable& symbols, Parsed& out) {
    const std::string_view channel = text(head.channel), event = text(head.event);
    if (market == Market::spot && head.method.is_string("trades.update")) {
      Rows rows{symbols, [](const void*) { return std::string_view(); }, nullptr, out};
      read_older(message, rows);
    } else if (channel.ends_with(".pong")) {
      out.pong = true;
    } else if (channel == contract_info) {
      // A size may be another from now on. An answer, whatever it says, is one sign of life.
      out.list_changed = event == "update";
      out.pong = event == "subscribe";
      out.ignored = true;
    } else if (event == "subscribe" || event == "unsubscribe") {
      read_ack(message, head, out);
    } else {
      out.closing_soon = channel.ends_with(".system") && message.find("\"upgrade\"") != message.npos;
      out.ignored = !channel.empty();
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// ---- Requests ----

std::string said(std::string_view channel, std::string_view event, std::string_view payload, std::uint64_t id) {
  std::string out = R"({"id":)" + std::to_string(id) + R"(,"channel":)" + fields::in_quotes(channel);
  return out.append(R"(,"event":")").append(event).append(R"(","payload":[)").append(payload).append("]}");
}
std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  return said(channel.name, verb == Verb::subscribe ? "subscribe" : "unsubscribe",
              fields::quoted_topics(channel, instruments), id);
}
// Contracts whose size changes are told of.
std::string hello(std::uint64_t id) { return said(contract_info, "subscribe", R"("!all")", id); }
template <Market market>
std::string probe(std::uint64_t id) {
  return R"({"id":)" + std::to_string(id) + R"(,"channel":")" + (market == Market::spot ? "spot" : "futures") +
         R"(.ping"})";
}
// No more than 60 s from the server's clock.
std::string dated(std::string message, Timestamp now) {
  return message.insert(1, R"("time":)" + std::to_string(now.us / 1'000'000) + ",");
}

template <Market market>
std::string ws_target(Stream) {
  return market == Market::spot ? "/ws/v4/" : market == Market::linear ? "/v4/ws/usdt" : "/v4/ws/btc";
}

// ---- Instruments ----

constexpr rest::Envelope envelope{{}, "label", {}, "message"};

template <Market market>
std::string path(std::string_view what) {
  return (market == Market::spot     ? "/api/v4/spot/"
          : market == Market::linear ? "/api/v4/futures/usdt/"
                                     : "/api/v4/futures/btc/") +
         std::string(what);
}
template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string>) {
  return {path<market>(market == Market::spot ? "currency_pairs" : "contracts")};
}

struct Listed {
  Scalar symbol, base, quote, status, type, multiplier, delisting, listed;
};
constexpr Slot<Listed> listed_slots[] = {{"id", &Listed::symbol},
                                         {"name", &Listed::symbol},
                                         {"base", &Listed::base},
                                         {"quote", &Listed::quote},
                                         {"trade_status", &Listed::status},
                                         {"type", &Listed::type},
                                         {"quanto_multiplier", &Listed::multiplier},
                                         {"in_delisting", &Listed::delisting},
                                         {"create_time", &Listed::listed},
                                         {"sell_start", &Listed::listed}};

// Contracts that are priced in one coin and settled in another (a multiplier where dollars are settled in coins) are
// left out: no column has their unit.
bool read_contract(const Listed& row, Instrument& out) {
  const auto size = fields::decimal(row.multiplier);
  const auto line = out.symbol.find('_');
  if (!size || line == out.symbol.npos) return false;
  const bool inverse = out.market == Market::inverse;
  if (inverse ? !size->is_zero() || !row.type.is_string("inverse")
              : !size->is_positive() || !row.type.is_string("direct")) {
    return false;
  }
  out.contract_size = inverse ? Decimal{1, 0} : *size;
  out.base = out.symbol.substr(0, line);
  out.quote = out.symbol.substr(line + 1);
  out.settle = inverse ? "BTC" : "USDT";
  return out.quote == (inverse ? "USD" : "USDT");
}

template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  if (!fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "gate";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  out.listed = moment(row.listed).value_or(Timestamp{});
  if (market == Market::spot) {
    out.trading = row.status.is_string() && row.status.text != "untradable";
    return out;
  }
  if (!read_contract(row, out)) return std::nullopt;
  out.trading = !row.delisting.is_true() && (!row.status.present() || row.status.is_string("trading"));
  return out;
}

template <Market market>
std::string symbol_of(std::string_view message) {
  if (market != Market::spot) return json::first_string_if(message, {"\"futures.trades\""}, {"contract"});
  static constexpr std::string_view params[] = {"params"};
  if (message.find("\"trades.update\"") == message.npos) {
    return json::first_string_if(message, {"\"spot.trades"}, {"currency_pair"});
  }
  const std::vector<std::string> names = json::strings_at(message, params);
  return names.empty() ? std::string() : names.front();
}
// "BTC_USD" and "BTC_USD_20220603" are of 1 USD; nothing but the list tells what a linear contract is.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  if (market == Market::spot) return fields::assume_pair("gate", symbol, '_', out);
  const auto end = symbol.find("_USD") + 4;
  if (market != Market::inverse || end < 4 ||
      !(end == symbol.size() || symbol.substr(std::min(end, symbol.size())).starts_with("_2")))
    return false;
  if (!fields::assume_pair("gate", symbol.substr(0, end), '_', out)) return false;
  out.market = market;
  out.symbol = symbol;
  return true;
}

// ---- History, by whole seconds, and which of what fits no page is left out no page says ----

constexpr std::uint32_t history_page = 1000;

template <Market market>
rest::Query query(std::string_view what, const Instrument& instrument) {
  return rest::Query(path<market>(what)).add(market == Market::spot ? "currency_pair" : "contract", instrument.symbol);
}
template <Market market>
std::string between(const Instrument& instrument, Timestamp from, Timestamp to) {
  return query<market>("trades", instrument)
      .add("from", from.us / 1'000'000)
      .add("to", to.us / 1'000'000 + 1)
      .add("limit", history_page);
}
template <Market market>
std::string newest(const Instrument& instrument, Stream) {
  return query<market>("trades", instrument).add("limit", 1);
}
template <Market market>
constexpr History history{
    .page = history_page,
    .newest = newest<market>,
    .between = between<market>,
    .read = market == Market::spot
                ? rest::history<envelope, spot_slots, read_spot, rest::Order::newest_first, rest::Rows::unnamed>
                : rest::history<envelope, futures_slots, read_futures, rest::Order::newest_first, rest::Rows::named>};

// ---- Candles: [time, quote volume, close, high, low, open, base volume, closed], oldest first; objects of futures
// ----

constexpr CandleInterval candle_intervals[] = {{seconds(60), "1m"},     {seconds(300), "5m"},   {seconds(900), "15m"},
                                               {seconds(1'800), "30m"}, {seconds(3'600), "1h"}, {seconds(14'400), "4h"},
                                               {seconds(28'800), "8h"}, {seconds(86'400), "1d"}};
constexpr candles::Columns columns{
    .time = 0, .open = 5, .high = 3, .low = 4, .close = 2, .volume = 6, .time_unit_us = 1'000'000, .closed = 7};
constexpr Slot<rest::CandleFields> candle_slots[] = {
    {"t", &rest::CandleFields::time}, {"o", &rest::CandleFields::open},  {"h", &rest::CandleFields::high},
    {"l", &rest::CandleFields::low},  {"c", &rest::CandleFields::close}, {"v", &rest::CandleFields::volume}};
std::optional<Timestamp> begin_of(const rest::CandleFields& row) { return moment(row.time); }

template <Market market>
std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return query<market>("candlesticks", instrument)
      .add("interval", interval.name)
      .add("from", from.us / 1'000'000)
      .add("to", (to - interval.length).us / 1'000'000);
}
template <Market market>
constexpr Candles candles_of{.intervals = candle_intervals,
                             .page = 900,  // 1,000 are given, 2,000 of futures
                             .facts = candles::facts(market),
                             .target = candles_target<market>,
                             .read = market == Market::spot ? rest::candles_of<envelope, columns>
                                                            : rest::candle_objects<envelope, candle_slots, begin_of>};

// ---- The three markets ----

constexpr std::string_view spot_ws[] = {"wss://api.gateio.ws"}, futures_ws[] = {"wss://fx-ws.gateio.ws"};
constexpr std::string_view rest_hosts[] = {"https://api.gateio.ws"};
constexpr std::string_view time_field = "server_time";

template <Market market>
constexpr Exchange exchange{
    .name = "gate",
    .market = market,
    .ws_hosts = market == Market::spot ? std::span<const std::string_view>(spot_ws) : futures_ws,
    .rest_hosts = rest_hosts,
    .header = market == Market::spot ? "" : "X-Gate-Size-Decimal: 1",
    // 300 connections per address. Who neither asks nor subscribes is closed after 30 s.
    .limits = {.instruments_per_connection = 200,
               .instruments_per_request = 50,
               .messages_per_second = 10,
               .connection_attempts = 20,
               .connection_attempts_window = seconds(10),
               .silence = seconds(120),
               .probe_every = seconds(15)},
    .region_note = "no other host serves this market",
    .ws_target = ws_target<market>,
    .channels = channels_there<market>,
    .hello = market == Market::spot ? nullptr : hello,
    .request = request,
    .dated = dated,
    .probe = probe<market>,
    .parse = channels::parse<Message<market>>,
    .instruments_targets = instruments_targets<market>,
    .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument<market>>,
    .time_target = "/api/v4/spot/time",
    .parse_time = rest::time<envelope, time_field, fields::milliseconds_since_1970>,
    .history_per_minute = 300,  // 200 in 10 s are allowed, for each kind of question
    .weight_pool = "public",
    .history = &history<market>,
    .candles = &candles_of<market>,
    .symbol_of = symbol_of<market>,
    .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>, &exchange<Market::inverse>};

}  // namespace

std::span<const Exchange* const> gate_markets() { return markets; }

}  // namespace cvdd
