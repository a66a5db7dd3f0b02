// BitMEX: perpetuals and futures settled in dollars (linear) or coins (inverse), spot.
//
// Docs: https://www.bitmex.com/app/wsAPI (checked 2026-11-27), and of https://www.bitmex.com/api/explorer "Instrument",
// "Trade", "Trade bucketed"; limits: https://www.bitmex.com/app/restAPI.
// Sample: {"table":"trade","action":"insert","data":[{"timestamp":"2025-02-07T10:43:59.245Z","symbol":"XBTUSDT",
//          "side":"Sell","size":4800,"price":97343.4,"tickDirection":"MinusTick","trdMatchID":
//          "00000000-006d-1000-0000-0012a5c8049e","grossValue":467248320,"homeNotional":0.0048,
//          "foreignNotional":467.24832,"trdType":"Regular"}]}
// Side: "side" is the taker's. Settlement has none.
// Ids: UUIDs without an order: a trade counts once, and a hole can't be seen.
// Size: contracts, of 1 USD where inverse; else of 1 / underlyingToPositionMultiplier coins. What they are in coins
// each row says (homeNotional), rounded as BitMEX settles it, and that is what counts. The first frame of an instrument
// ("partial") has its last trade, an old one.
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
  Scalar symbol, id, time, side, size, price, home, type;
  [[nodiscard]] auto when() const { return fields::iso_time(time); }
  [[nodiscard]] static std::optional<std::uint64_t> id_in_order() { return std::nullopt; }
};
constexpr Slot<Row> row_slots[] = {{"timestamp", &Row::time}, {"symbol", &Row::symbol},    {"side", &Row::side},
                                   {"size", &Row::size},      {"price", &Row::price},      {"trdMatchID", &Row::id},
                                   {"trdType", &Row::type},   {"homeNotional", &Row::home}};

// A binary floating point number that was a decimal one of at most 8 places.
std::optional<Decimal> coins(const Scalar& field) {
  const auto number = fields::is_decimal_kind(field) ? fields::decimal(field) : std::nullopt;
  const auto rounded = number ? divide_half_even(*number, {1, 0}, 12) : std::nullopt;
  return rounded && rounded->is_positive() ? std::optional(normalized(*rounded)) : std::nullopt;
}

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto time = row.when();
  auto side = fields::aggressor(row.side, "Buy", "Sell");
  if (!side && (!row.side.present() || row.side.is(fields::Kind::null) || row.side.is_string("")))
    side = Aggressor::unknown;
  if (!time || !side || !row.id.is_string()) return Refusal::bad_field;
  if (row.type.present() && !row.type.is_string()) return Refusal::bad_field;
  fields::set(trade, instrument, *time, 0, *side);
  if (!fields::read_uuid(row.id.text, trade)) return Refusal::bad_field;
  // Settlement, and whatever else is no trade of two who met.
  trade.in_cvd = *side != Aggressor::unknown && (!row.type.present() || row.type.text == "Regular");
  const Refusal refusal = fields::read_volume(row.price, row.size, trade);
  if (refusal != Refusal::none || !row.home.present()) return refusal;
  const auto home = coins(row.home);
  if (!home) return Refusal::bad_number;
  trade.base = *home;
  return Refusal::none;
}
Refusal read_partial(const Row& row, const Instrument& instrument, Trade& trade) {
  trade.snapshot = true;
  return read_trade(row, instrument, trade);
}

// ---- Channels ----

std::string topic(const DataChannel& channel, const Instrument& instrument) {
  return std::string(channel.name).append(":").append(instrument.symbol);
}
constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_trade>, .topic = topic}};
constexpr DataChannel partial{.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_partial>};

// ---- Messages ----

struct Head {
  Scalar table, action, success, subscribe, unsubscribe, status, error, info, rows;
};
constexpr Slot<Head> head_slots[] = {{"table", &Head::table},
                                     {"action", &Head::action},
                                     {"success", &Head::success},
                                     {"subscribe", &Head::subscribe},
                                     {"unsubscribe", &Head::unsubscribe},
                                     {"status", &Head::status},
                                     {"error", &Head::error},
                                     {"info", &Head::info}};

// {"success":true,"subscribe":"trade:XBTUSD",…,"request":{…}} for each argument, or {"status":400,"error":"Unknown or
// expired symbol.","meta":{},"request":{"op":"subscribe","args":[…]}}, which names whom it means if it was the only
// one.
void read_ack(std::string_view message, const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.ok = !head.error.present();
  const Scalar& named = head.subscribe.present() ? head.subscribe : head.unsubscribe;
  if (named.is_string()) ack.topics.emplace_back(named.text);
  if (ack.ok) return;
  const std::string_view why = text(head.error), status = head.status.text;
  ack.error.append(why).append(" (status ").append(status).append(")");
  ack.temporary = status == "429" || status == "503";
  static constexpr std::string_view arguments[] = {"request", "args"};
  ack.topics = json::strings_at(message, arguments);
  if (ack.topics.size() != 1) ack.topics.clear();
  // "You are already subscribed to this topic: trade:XBTUSD"
  if (why.find("already subscribed") == why.npos) return;
  ack.topics = {std::string(why.substr(why.find_last_of(' ') + 1))};
  ack.ok = true;
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    return key == "data" ? rows(v, 1) : json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    if (!head.rows.present() || !head.table.is_string("trade")) return nullptr;
    if (head.action.is_string("partial")) return &partial;
    return head.action.is_string("insert") ? &channels_there[0] : nullptr;
  }
  // Rows name their instruments.
  static const Scalar& topic(const Head& head) { return head.table; }
  static std::string_view symbol_in(std::string_view) { return {}; }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable&, Parsed& out) {
    if (head.success.present() || head.error.present()) {
      read_ack(message, head, out);
    } else {
      out.ignored = head.table.is_string() || head.info.is_string();
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  if (message != "pong") return channels::parse<Message>(message, symbols, out);
  out.clear();
  out.pong = true;
}

// ---- Requests ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t) {
  return R"({"op":")" + std::string(verb == Verb::subscribe ? "subscribe" : "unsubscribe") + R"(","args":[)" +
         fields::quoted_topics(channel, instruments) + "]}";
}
std::string probe(std::uint64_t) { return "ping"; }  // answered "pong", both without JSON
std::string ws_target(Stream) { return "/realtime"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{{}, "error.name", {}, "error.message"};

std::vector<std::string> instruments_targets(std::span<const std::string>) { return {"/api/v1/instrument/active"}; }

struct Listed {
  Scalar symbol, state, kind, base, quote, settle, inverse, quanto, multiplier, settle_units, position, quote_units,
      listed;
};
constexpr Slot<Listed> listed_slots[] = {{"symbol", &Listed::symbol},
                                         {"state", &Listed::state},
                                         {"typ", &Listed::kind},
                                         {"underlying", &Listed::base},
                                         {"quoteCurrency", &Listed::quote},
                                         {"settlCurrency", &Listed::settle},
                                         {"isInverse", &Listed::inverse},
                                         {"isQuanto", &Listed::quanto},
                                         {"multiplier", &Listed::multiplier},
                                         {"underlyingToSettleMultiplier", &Listed::settle_units},
                                         {"underlyingToPositionMultiplier", &Listed::position},
                                         {"quoteToSettleMultiplier", &Listed::quote_units},
                                         {"listing", &Listed::listed}};

std::optional<Decimal> ratio(const Scalar& over, const Scalar& under) {
  const auto a = fields::decimal(over), b = fields::decimal(under);
  const auto out = a && b && !b->is_zero() ? divide_half_even(*a, *b, 18) : std::nullopt;
  return out && out->is_positive() ? std::optional(normalized(*out)) : std::nullopt;
}

// Dollars of an inverse contract, coins of another, by each of the two ways that there are to know it; if these do not
// agree, or there is none, its unit is not certain.
std::optional<Decimal> contract_size(const Listed& row, Market market) {
  if (market == Market::inverse) return ratio(row.multiplier, row.settle_units);
  constexpr Scalar one{Scalar::Kind::number, false, "1"};
  const auto by_position = ratio(one, row.position), by_value = ratio(row.multiplier, row.quote_units);
  if (by_position && by_value && market == Market::linear && *by_position != *by_value) return std::nullopt;
  return by_position || market == Market::spot ? by_position : by_value;
}

// Perpetuals, futures, spot; indices and what is settled in a third currency are left out.
template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  const std::string_view kind = text(row.kind);
  const bool future = kind == "FFWCSX" || kind == "FFCCSX";
  const bool ours =
      market == Market::spot ? kind == "IFXXXP" : future && row.inverse.is_true() == (market == Market::inverse);
  const auto size = ours && !row.quanto.is_true() ? contract_size(row, market) : std::nullopt;
  if (!size || !fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "bitmex";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  if (market != Market::spot) out.settle = text(row.settle);
  out.contract_size = *size;
  out.ids = Ids::opaque;
  out.trading = row.state.is_string("Open");
  out.listed = fields::iso_time(row.listed).value_or(Timestamp{});
  return out;
}

std::string symbol_of(std::string_view message) { return json::first_string_if(message, {"\"trade\""}, {"symbol"}); }
// "XBTUSD", and "XBTM21" of a month, are of 1 USD; nothing but the list tells of others.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  const bool dated = symbol.size() == 6 && symbol[4] >= '0' && symbol[4] <= '9' && symbol[5] >= '0' && symbol[5] <= '9';
  if (market != Market::inverse || !symbol.starts_with("XBT") || (symbol != "XBTUSD" && !dated)) return false;
  out = Instrument{};
  out.exchange = "bitmex";
  out.market = market;
  out.symbol = symbol;
  out.base = "XBT";
  out.quote = "USD";
  out.ids = Ids::opaque;
  return true;
}

// ---- History: all of it, by time ----

constexpr std::uint32_t history_page = 1000;

rest::Query query(std::string_view what, const Instrument& instrument) {
  return rest::Query("/api/v1/" + std::string(what)).add("symbol", instrument.symbol);
}
std::string newest_of(const Instrument& instrument, std::uint32_t rows) {
  return query("trade", instrument).add("count", rows).add("reverse", "true");
}
std::string recent(const Instrument& instrument) { return newest_of(instrument, history_page); }
std::string newest(const Instrument& instrument, Stream) { return newest_of(instrument, 1); }
std::string between(const Instrument& instrument, Timestamp from, Timestamp to) {
  return query("trade", instrument)
      .add("startTime", format_time(from))
      .add("endTime", format_time(to + seconds(1)))
      .add("count", history_page);
}
constexpr History history{
    .page = history_page,
    .recent = recent,
    .newest = newest,
    .between = between,
    .read = rest::history<envelope, row_slots, read_trade, rest::Order::oldest_first, rest::Rows::named>};

// ---- Candles: of a minute, dated by their end; of longer ones nothing would tell where they begin ----

constexpr CandleInterval candle_intervals[] = {{seconds(60), "1m"}};
constexpr Slot<rest::CandleFields> candle_slots[] = {
    {"timestamp", &rest::CandleFields::time}, {"open", &rest::CandleFields::open},
    {"high", &rest::CandleFields::high},      {"low", &rest::CandleFields::low},
    {"close", &rest::CandleFields::close},    {"volume", &rest::CandleFields::volume},
    {"trades", &rest::CandleFields::fills}};
std::optional<Timestamp> begin_of(const rest::CandleFields& row) {
  const auto end = fields::iso_time(row.time);
  return end ? std::optional(*end - seconds(60)) : std::nullopt;
}
std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return query("trade/bucketed", instrument)
      .add("binSize", interval.name)
      .add("partial", "false")
      .add("startTime", format_time(from + interval.length))
      .add("endTime", format_time(to))
      .add("count", 1'000);
}
// Coins of inverse contracts are rounded, and so are dollars of the others.
template <Market market>
constexpr Candles candles_there{
    .intervals = candle_intervals,
    .page = 1'000,
    .facts = {.base_exact = market != Market::inverse, .quote_exact = market == Market::inverse},
    .fills = true,
    .target = candles_target,
    .read = rest::candle_objects<envelope, candle_slots, begin_of>};

// ---- The three markets ----

constexpr std::string_view ws[] = {"wss://ws.bitmex.com"};
constexpr std::string_view rest_hosts[] = {"https://www.bitmex.com"};
constexpr std::string_view time_field = "timestamp";
constexpr rest::Envelope bare;

template <Market market>
constexpr Exchange exchange{
    .name = "bitmex",
    .market = market,
    .ws_hosts = ws,
    .rest_hosts = rest_hosts,
    // 20 connections per address, and 40 new ones before it says no.
    .limits = {.instruments_per_connection = 100,
               .instruments_per_request = 20,
               .messages_per_second = 5,
               .connection_attempts = 20,
               .connection_attempts_window = seconds(60),
               .silence = seconds(240),
               .requests_per_hour = 700},
    .region_note = "no other host serves this market",
    .ws_target = ws_target,
    .channels = channels_there,
    .request = request,
    .probe = probe,
    .parse = parse,
    .instruments_targets = instruments_targets,
    .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument<market>>,
    .time_target = "/api/v1",
    .parse_time = rest::time<bare, time_field, fields::milliseconds_since_1970>,
    .history_per_minute = 8,  // 30 are allowed, of which lists and the clock of three markets take a part
    .weight_pool = "public",
    .history = &history,
    .candles = &candles_there<market>,
    .symbol_of = symbol_of,
    .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>, &exchange<Market::inverse>};

}  // namespace

std::span<const Exchange* const> bitmex_markets() { return markets; }

}  // namespace cvdd
