// Kraken Futures: linear (PF_, FF_) and inverse (PI_, FI_) perpetuals and futures.
//
// Docs: https://docs.kraken.com/api/docs/futures-api/websocket/trade (checked 2026-11-27), "Heartbeat" and
// "Subscriptions" beside it; of REST "Get instruments", "Get trade history", "Market Candles". Sample:
// {"feed":"trade","product_id":"PI_XBTUSD","uid":"05af78ac-a774-478c-a50c-8b9c234e071e","side":"sell",
//          "type":"fill","seq":653355,"time":1612266317519,"qty":15000,"price":34969.5}
// Side: "side" is the taker's.
// Ids: "uid" is a UUID, and nobody promises that "seq" has no holes: a trade counts once, but what the feed lacks is
// not seen by ids. REST numbers the trades of a contract without a hole (trade_id), so a page of it proves itself.
// Size: USD for inverse contracts, base units for linear ones.
// The socket wants a ping frame every minute. An error names no product: products are asked for one by one.
#include <algorithm>

#include "channels.hpp"
#include "cvdd/base/time_text.hpp"
#include "kraken_futures_context.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades ----

struct Row {
  Scalar symbol, id, sequence, side, type, time, size, price;
  [[nodiscard]] auto when() const {
    return time.is_string() ? fields::iso_time(time) : fields::milliseconds_since_1970(time);
  }
  [[nodiscard]] static std::optional<std::uint64_t> id_in_order() { return std::nullopt; }
};
constexpr Slot<Row> row_slots[] = {{"product_id", &Row::symbol}, {"uid", &Row::id},     {"seq", &Row::sequence},
                                   {"side", &Row::side},         {"type", &Row::type},  {"time", &Row::time},
                                   {"qty", &Row::size},          {"price", &Row::price}};
constexpr Slot<Row> past_slots[] = {{"uid", &Row::id},     {"trade_id", &Row::sequence}, {"side", &Row::side},
                                    {"type", &Row::type},  {"time", &Row::time},         {"size", &Row::size},
                                    {"price", &Row::price}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "buy", "sell");
  if (!time || !side || !row.type.is_string()) return Refusal::bad_field;
  // Years ago there was no uid.
  const auto sequence = row.id.present() ? std::optional<std::uint64_t>(0) : fields::number(row.sequence);
  if (!sequence) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *sequence, *side);
  if (row.id.present() && !fields::read_uuid(text(row.id), trade)) return Refusal::bad_field;
  // Others were agreed elsewhere, or are the exchange's own: block, assignment, termination.
  trade.in_cvd = row.type.text == "fill" || row.type.text == "liquidation";
  return fields::read_volume(row.price, row.size, trade);
}
Refusal read_old_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  trade.snapshot = true;
  return read_trade(row, instrument, trade);
}

// ---- Channels: a trade is a message; those that a subscription begins with are rows of one ----

constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "trade"},
    {.kinds = {DataKind::trade}, .name = "trade_snapshot", .rows = &rows<row_slots, read_old_trade>},
    {.kinds = {DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest}, .name = "ticker"}};

// ---- Messages ----

struct Head : Row {
  Scalar feed, event, message, rows;
};
constexpr Slot<Head> head_slots[] = {{"feed", &Head::feed},        {"event", &Head::event}, {"message", &Head::message},
                                     {"product_id", &Row::symbol}, {"uid", &Row::id},       {"seq", &Row::sequence},
                                     {"side", &Row::side},         {"type", &Row::type},    {"time", &Row::time},
                                     {"qty", &Row::size},          {"price", &Row::price}};

void read_ack(std::string_view message, const Head& head, Parsed& out) {
  const std::string_view event = text(head.event);
  if (head.feed.is_string("heartbeat")) {
    out.pong = true;
    return;
  }
  static constexpr std::string_view products[] = {"product_ids"};
  Ack& ack = out.acks.emplace_back();
  ack.topics = json::strings_at(message, products);
  ack.ok = event == "subscribed" || event == "unsubscribed";
  if (ack.ok) return;
  ack.error = head.message.is_string() ? head.message.text : event;
  ack.ok = ack.error.find("lready subscribed") != std::string::npos;
  ack.temporary = ack.error.find("imit") != std::string::npos;
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    return key == "trades" ? rows(v, 1) : json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    return head.rows.present() && head.feed.is_string("trade_snapshot") ? &channels_there[1] : nullptr;
  }
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view topic) { return topic; }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable& symbols, Parsed& out) {
    const std::string_view event = text(head.event);
    if (event == "info" || event.starts_with("challenge")) {
      out.ignored = true;
    } else if (!event.empty()) {
      read_ack(message, head, out);
    } else if (head.feed.is_string("trade")) {
      Rows rows{symbols, [](const void*) { return std::string_view(); }, nullptr, out};
      channels::take_row(static_cast<const Row&>(head), read_trade, rows);
    } else if (head.feed.is_string("ticker")) {
      kraken_futures::read_ticker(message, symbols, out);
    } else {
      out.ignored = head.feed.is_string();  // heartbeat, book, …
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// ---- Requests ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t) {
  return R"({"event":")" + std::string(verb == Verb::subscribe ? "subscribe" : "unsubscribe") + R"(","feed":)" +
         fields::in_quotes(channel.name) + R"(,"product_ids":[)" + fields::quoted_topics(channel, instruments) + "]}";
}
// From then on it says that it is there.
std::string hello(std::uint64_t) { return R"({"event":"subscribe","feed":"heartbeat"})"; }

std::string ws_target(Stream) { return "/ws/v1"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{"instruments", {}, {}, "error"};

std::vector<std::string> instruments_targets(std::span<const std::string>) {
  return {"/derivatives/api/v3/instruments"};
}

struct Listed {
  Scalar symbol, type, base, quote, contract_size, tradeable, post_only, opened;
};
constexpr Slot<Listed> listed_slots[] = {{"symbol", &Listed::symbol},       {"type", &Listed::type},
                                         {"base", &Listed::base},           {"quote", &Listed::quote},
                                         {"tradeable", &Listed::tradeable}, {"contractSize", &Listed::contract_size},
                                         {"postOnly", &Listed::post_only},  {"openingDate", &Listed::opened}};

// Of linear contracts a size was seen to be base units: one of another contract size may be anything, and is left out;
// so are futures_vanilla, of which nobody says what their sizes are.
template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  constexpr bool inverse = market == Market::inverse;
  if (!row.type.is_string(inverse ? "futures_inverse" : "flexible_futures") || !fields::usable_symbol(row.symbol)) {
    return std::nullopt;
  }
  const auto size = fields::decimal(row.contract_size);
  if (!size || !size->is_positive() || (!inverse && normalized(*size) != Decimal{1, 0})) return std::nullopt;
  Instrument out;
  out.exchange = "kraken_futures";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  out.settle = inverse ? out.base : out.quote;
  out.contract_size = normalized(*size);
  out.trading = row.tradeable.is_true() && !row.post_only.is_true();
  out.ids = Ids::opaque;
  out.listed = fields::iso_time(row.opened).value_or(Timestamp{});
  return out;
}

std::string symbol_of(std::string_view message) {
  return json::first_string_if(message, {"\"trade\"", "\"trade_snapshot\""}, {"product_id"});
}

// "PI_XBTUSD", "FI_XBTUSD_220624" are inverse, of one USD; "PF_…", "FF_…" linear.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  constexpr std::string_view second = market == Market::inverse ? "I_" : "F_";
  const bool ours = symbol.size() > 3 && (symbol[0] == 'P' || symbol[0] == 'F') && symbol.substr(1, 2) == second;
  if (!ours) return false;
  out = Instrument{};
  out.exchange = "kraken_futures";
  out.market = market;
  out.symbol = symbol;
  out.ids = Ids::opaque;
  return true;
}

// ---- History: a hundred trades before a moment, newest first ----

constexpr rest::Envelope past_envelope{"history", {}, {}, "error"};

std::string recent(const Instrument& instrument) {
  return rest::Query("/derivatives/api/v3/history").add("symbol", instrument.symbol);
}
std::string newest(const Instrument& instrument, Stream) { return recent(instrument); }
// A millisecond later, so that what was made at that moment comes along.
std::string before(const Instrument& instrument, Timestamp until) {
  const Timestamp end = until + milliseconds(1);
  std::string time = format_time(end), fraction = std::to_string(1'000 + end.us / 1'000 % 1'000);
  fraction[0] = '.';
  return rest::Query(recent(instrument)).add("lastTime", time.replace(time.size() - 1, 1, fraction + "Z"));
}

// Their numbers must go on from one to the next.
Outcome<HistoryPage> read_history(std::string_view body, const Instrument& instrument) {
  json::Reader reader;
  const auto rows = rest::rows_of<past_envelope, past_slots>(reader, body);
  if (!rows) return Failure{rows.error()};
  std::vector<std::uint64_t> numbers;
  for (const Row& row : *rows) numbers.push_back(fields::number(row.sequence).value_or(0));
  std::ranges::sort(numbers);
  const auto apart = [](std::uint64_t a, std::uint64_t b) { return b != a + 1; };
  if (const auto hole = std::ranges::adjacent_find(numbers, apart); hole != numbers.end()) {
    return Failure{"the history has a hole behind trade " + std::to_string(*hole)};
  }
  return rest::history<past_envelope, past_slots, read_trade, rest::Order::newest_first, rest::Rows::unnamed>(
      body, instrument);
}
constexpr History history{
    .page = 100, .numbered = true, .recent = recent, .before = before, .newest = newest, .read = read_history};

// ---- Candles, oldest first; volume is in the size unit ----

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1m"},    {seconds(300), "5m"},    {seconds(900), "15m"},    {seconds(1'800), "30m"},
    {seconds(3'600), "1h"}, {seconds(14'400), "4h"}, {seconds(43'200), "12h"}, {seconds(86'400), "1d"}};
constexpr rest::Envelope candles_envelope{"candles", {}, {}, "error"};
using rest::CandleRow;
constexpr Slot<CandleRow> candle_slots[] = {{"time", &CandleRow::time},   {"open", &CandleRow::open},
                                            {"high", &CandleRow::high},   {"low", &CandleRow::low},
                                            {"close", &CandleRow::close}, {"volume", &CandleRow::volume}};
constexpr candles::Columns columns;

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return rest::Query("/api/charts/v1/trade/" + rest::Query::encoded(instrument.symbol) + "/" +
                     std::string(interval.name))
      .add("from", from.us / 1'000'000)
      .add("to", to.us / 1'000'000 - 1);
}

template <Market market>
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = 500,
                                .facts = candles::facts(market),
                                .target = candles_target,
                                .read = rest::candles_in<candles_envelope, candle_slots, columns>};

// ---- The two markets ----

constexpr std::string_view ws[] = {"wss://futures.kraken.com"};
constexpr std::string_view rest_hosts[] = {"https://futures.kraken.com"};
// Every answer has it.
constexpr std::string_view time_field = "serverTime";
constexpr rest::Envelope anything;

template <Market market>
constexpr Exchange exchange{.name = "kraken_futures",
                            .market = market,
                            .ws_hosts = ws,
                            .rest_hosts = rest_hosts,
                            // A hundred requests a second and a hundred connections are allowed.
                            .limits = {.instruments_per_connection = 200,
                                       .instruments_per_request = 1,
                                       .messages_per_second = 20,
                                       .connection_attempts = 20,
                                       .connection_attempts_window = seconds(60),
                                       .silence = seconds(400),
                                       .ping_every = seconds(30)},
                            .region_note = "no other host serves this market",
                            .ws_target = ws_target,
                            .channels = channels_there,
                            .hello = hello,
                            .request = request,
                            .parse = channels::parse<Message>,
                            .instruments_targets = instruments_targets,
                            .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument<market>>,
                            .time_target = "/derivatives/api/v3/history?symbol=PF_XBTUSD",
                            .parse_time = rest::time<anything, time_field, fields::iso_time>,
                            .history_per_minute = 60,
                            .weight_pool = "public",
                            .history = &history,
                            .candles = &candles_there<market>,
                            .symbol_of = symbol_of,
                            .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::linear>, &exchange<Market::inverse>};

}  // namespace

std::span<const Exchange* const> kraken_futures_markets() { return markets; }

}  // namespace cvdd
