// Deribit: inverse and linear perpetuals and futures, options, spot.
//
// Docs: https://docs.deribit.com/#trades-instrument_name-interval (checked 2026-11-20), "public/subscribe",
// "public/set_heartbeat", "public/get_instruments" and "public/get_last_trades_by_instrument" beside it.
// Sample: {"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{
//          "trade_seq":30289442,"trade_id":"48079269","timestamp":1590484512188,"tick_direction":2,"price":8950,
//          "mark_price":8948.9,"instrument_name":"BTC-PERPETUAL","index_price":8955.88,"direction":"sell",
//          "amount":10}]}}
// Side: "direction" is the taker's.
// Ids: trade_seq counts the trades of one instrument: rows print it. trade_id names a trade of one currency.
// Size: "amount" is USD for inverse perpetuals and futures, base units for all else; "contracts" is not needed.
// A combo's trade is published on its legs' channels too: the legs count, combos themselves are not collected.
#include <algorithm>

#include "channels.hpp"
#include "deribit_context.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::Kind;
using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades ----

struct Row {
  Scalar symbol, sequence, id, time, price, amount, direction, block, quoted;
  [[nodiscard]] auto when() const { return fields::milliseconds_since_1970(time); }
  [[nodiscard]] auto id_in_order() const { return fields::number(sequence); }
};
constexpr Slot<Row> row_slots[] = {
    {"instrument_name", &Row::symbol}, {"trade_seq", &Row::sequence},   {"trade_id", &Row::id},
    {"timestamp", &Row::time},         {"price", &Row::price},          {"amount", &Row::amount},
    {"direction", &Row::direction},    {"block_trade_id", &Row::block}, {"block_rfq_id", &Row::quoted}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto sequence = row.id_in_order();
  const auto time = row.when();
  const auto side = fields::aggressor(row.direction, "buy", "sell");
  const bool named = fields::is_decimal_kind(row.id) && !row.id.text.empty();
  if (!sequence || !time || !side || !named) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *sequence, *side);
  trade.name = IdText::from(row.id.text).value_or(IdText{});  // of interest where it fits, needed for nothing
  // Agreed elsewhere and only reported here: no taker crossed a spread.
  const auto has = [](const Scalar& field) { return field.present() && !field.is(Kind::null); };
  trade.in_cvd = !has(row.block) && !has(row.quoted);
  return fields::read_volume(row.price, row.amount, trade);
}

// ---- Channels ----

std::string topic(const DataChannel& channel, const Instrument& instrument) {
  return std::string(channel.name) + "." + instrument.symbol + ".100ms";
}
// Once a second is often enough of what is told of a bar's end.
std::string slow_topic(const DataChannel& channel, const Instrument& instrument) {
  return std::string(channel.name) + "." + instrument.symbol + ".agg2";
}
constexpr DataChannel trades_channel{
    .kinds = {DataKind::trade}, .name = "trades", .rows = &rows<row_slots, read_trade>, .topic = topic};

// Spot has a book alone; options and dated futures have no funding, and none comes.
template <Market market>
constexpr DataKinds ticker_kinds =
    market == Market::spot     ? DataKinds{DataKind::book}
    : market == Market::option ? DataKinds{DataKind::book, DataKind::mark, DataKind::open_interest}
                               : DataKinds{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest};
template <Market market>
constexpr DataChannel channels_there[] = {
    trades_channel,
    {.kinds = ticker_kinds<market>, .name = "ticker", .rows = &deribit::ticker_reader, .topic = slow_topic}};

// ---- Messages ----

struct Head {
  Scalar method, id, result;             // top
  Scalar channel, type, rows;            // of "params"
  Scalar error, error_code, error_text;  // of "error"
};
constexpr Slot<Head> head_slots[] = {{"method", &Head::method}, {"id", &Head::id}, {"result", &Head::result}};
constexpr Slot<Head> params_slots[] = {{"channel", &Head::channel}, {"type", &Head::type}};
constexpr Slot<Head> error_slots[] = {{"code", &Head::error_code}, {"message", &Head::error_text}};

// Its answer comes under an id that none of our requests has.
constexpr std::string_view test_reply = R"({"jsonrpc":"2.0","id":9007199254740991,"method":"public/test","params":{}})";

void read_ack(std::string_view message, const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(head.id).value_or(0);
  if (head.error.present()) {
    ack.ok = false;
    ack.error.append(text(head.error_text)).append(" (code ").append(head.error_code.text).append(")");
    // too_many_requests, too_many_concurrent_requests, temporarily_unavailable, retry, try_again …
    static constexpr std::string_view codes[] = {"10028", "10066", "10047", "10040", "10041", "11051", "13780"};
    ack.temporary = std::ranges::find(codes, head.error_code.text) != std::end(codes);
    return;
  }
  if (!head.result.is(Kind::array)) return;
  // Channels that it does not know are not in the list, and nothing else is said of them.
  static constexpr std::string_view accepted[] = {"result"};
  ack.rest = Ack::Rest::refused;
  ack.topics = json::strings_at(message, accepted);
  if (ack.topics.empty()) ack.topics.emplace_back();
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key == "params") {
      return json::each_field(v, 1, [&](std::string_view inner, Value field) {
        return inner == "data" ? rows(field, 2) : json::read_field<params_slots>(inner, field, 2, head);
      });
    }
    if (key != "error") return json::read_field<head_slots>(key, v, 1, head);
    head.error.kind = Kind::object;
    return json::read_fields<error_slots>(v, 1, head);
  }
  // "trades.BTC-PERPETUAL.100ms"
  static const DataChannel* channel_of(const Head& head) {
    if (!head.method.is_string("subscription")) return nullptr;
    return channels::in_front_of(channels_there<Market::linear>, text(head.channel));
  }
  static const Scalar& topic(const Head& head) { return head.channel; }
  static std::string_view symbol_in(std::string_view topic) {
    const auto begin = topic.find('.') + 1;
    return topic.substr(begin, topic.rfind('.') - begin);
  }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable&, Parsed& out) {
    if (head.method.is_string("subscription")) {
      out.ignored = head.channel.is_string();
      return out.ignored ? Refusal::none : Refusal::bad_field;
    }
    if (head.method.is_string("heartbeat") || head.method.is_string("connection_too_slow")) {
      if (head.type.is_string("test_request")) out.reply = test_reply;
      out.ignored = true;
      return Refusal::none;
    }
    if (!head.id.present() || !(head.result.present() || head.error.present())) return Refusal::not_understood;
    read_ack(message, head, out);
    return Refusal::none;
  }
};

// ---- Requests ----

std::string call(std::string_view method, std::uint64_t id, std::string_view parameters) {
  std::string out = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"public/)";
  return out.append(method).append(R"(","params":{)").append(parameters).append("}}");
}
std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  return call(verb == Verb::subscribe ? "subscribe" : "unsubscribe", id,
              "\"channels\":[" + fields::quoted_topics(channel, instruments) + "]");
}
// From then on it sends a heartbeat every 10 s, and every now and then asks whether we are there.
std::string hello(std::uint64_t id) { return call("set_heartbeat", id, R"("interval":10)"); }
std::string probe(std::uint64_t id) { return call("test", id, ""); }

std::string ws_target(Stream) { return "/ws/api/v2"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{"result", "error.code", {}, "error.message"};

rest::Query query(std::string_view method) { return rest::Query("/api/v2/public/" + std::string(method)); }

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string> wanted) {
  const auto of_currency = [](std::string_view currency) -> std::string {
    const std::string_view kind = market == Market::option ? "option" : market == Market::spot ? "spot" : "future";
    return query("get_instruments").add("expired", "false").add("kind", kind).add("currency", currency);
  };
  if (market != Market::spot) return {of_currency("any")};
  // Spot takes no `any`.
  std::vector<std::string> currencies{"BTC", "ETH", "USDC", "USDT"};
  for (const std::string& name : wanted) {
    const std::string base = name.substr(0, name.find('_'));
    if (base.find_first_of("*?") == base.npos) currencies.push_back(base);
  }
  return rest::each_once(std::move(currencies), of_currency);
}

struct Listed {
  Scalar symbol, kind, type, base, quote, settle, active, state, routed, routed_too, created;
};
constexpr Slot<Listed> listed_slots[] = {
    {"instrument_name", &Listed::symbol},    {"kind", &Listed::kind},
    {"instrument_type", &Listed::type},      {"base_currency", &Listed::base},
    {"quote_currency", &Listed::quote},      {"settlement_currency", &Listed::settle},
    {"is_active", &Listed::active},          {"state", &Listed::state},
    {"is_cbe_routed", &Listed::routed},      {"is_csr", &Listed::routed_too},
    {"creation_timestamp", &Listed::created}};

template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  const std::string_view kind = text(row.kind);
  // Older answers have no type: then a name with a quote currency in it ("BTC_USDC-PERPETUAL") is linear.
  const bool linear =
      row.type.is_string() ? row.type.text == "linear" : text(row.symbol).find('_') != std::string_view::npos;
  const bool ours = market == Market::spot     ? kind == "spot"
                    : market == Market::option ? kind == "option"
                                               : kind == "future" && linear == (market == Market::linear);
  if (!ours || !fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "deribit";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  if (market != Market::spot) out.settle = text(row.settle);
  // The premium of a reversed option is in its coin.
  if (market == Market::option && !linear) out.quote = out.base;
  const bool elsewhere = row.routed.is_true() || row.routed_too.is_true();  // traded on another exchange
  out.trading = row.active.is_true() && !elsewhere && (!row.state.is_string() || row.state.text == "open");
  out.listed = fields::milliseconds_since_1970(row.created).value_or(Timestamp{});
  return out;
}

// "Invalid params": a currency that it does not know.
bool is_unknown(unsigned, std::string_view body) { return rest::has_code(body, envelope, {"-32602"}); }

std::string symbol_of(std::string_view message) {
  return json::first_string_if(message, {"\"trades."}, {"instrument_name"});
}

// "BTC-PERPETUAL", "BTC_USDC-27DEC24", "BTC-27DEC24-100000-C", "BTC_USDC": the name says what the amount means.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  const auto parts = static_cast<std::size_t>(std::ranges::count(symbol, '-'));
  const auto pair = symbol.substr(0, symbol.find('-'));
  const auto under = pair.find('_');
  const bool linear = under != pair.npos;
  const bool combo =
      symbol.find("-FS-") != symbol.npos || (parts == 3 && !symbol.ends_with("-C") && !symbol.ends_with("-P"));
  const Market told = parts == 0   ? Market::spot
                      : parts == 3 ? Market::option
                                   : (linear ? Market::linear : Market::inverse);
  if (symbol.empty() || combo || told != market || (parts == 0 && !linear)) return false;
  out = Instrument{};
  out.exchange = "deribit";
  out.market = market;
  out.symbol = symbol;
  out.base = pair.substr(0, under);
  out.quote = linear ? pair.substr(under + 1) : market == Market::option ? pair : std::string_view("USD");
  out.settle = market == Market::spot ? std::string_view() : linear ? std::string_view(out.quote) : pair;
  return true;
}

// ---- History ----

constexpr std::uint32_t history_page = 1000;
constexpr rest::Envelope past_envelope{"result.trades", "error.code", {}, "error.message"};

rest::Query past_query(const Instrument& instrument) {
  return query("get_last_trades_by_instrument").add("instrument_name", instrument.symbol);
}
std::string by_id(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  const std::uint32_t rows = std::min(limit, history_page);
  return past_query(instrument)
      .add("start_seq", from_id)
      .add("end_seq", from_id + rows - 1)
      .add("count", rows)
      .add("sorting", "asc");
}
std::string newest(const Instrument& instrument, Stream) {
  return past_query(instrument).add("count", 1).add("sorting", "desc");
}
constexpr History history{
    .page = history_page,
    .by_id = by_id,
    .newest = newest,
    .read = rest::history<past_envelope, row_slots, read_trade, rest::Order::oldest_first, rest::Rows::named>};

// ---- Candles: arrays of equal length; "volume" in base units, "cost" in quote units ----

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1"},       {seconds(180), "3"},      {seconds(300), "5"},      {seconds(600), "10"},
    {seconds(900), "15"},     {seconds(1'800), "30"},   {seconds(3'600), "60"},   {seconds(7'200), "120"},
    {seconds(10'800), "180"}, {seconds(21'600), "360"}, {seconds(43'200), "720"}, {seconds(86'400), "1D"}};

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return query("get_tradingview_chart_data")
      .add("instrument_name", instrument.symbol)
      .add("start_timestamp", rest::ms(from))
      .add("end_timestamp", rest::ms(to) - 1)
      .add("resolution", interval.name);
}

Outcome<std::vector<Candle>> read_candles(std::string_view body, const Instrument& instrument) {
  json::Reader reader;
  candles::Cells columns(6);
  Scalar status;
  const std::string_view names[] = {"ticks", "open",  "high",
                                    "low",   "close", instrument.market == Market::inverse ? "cost" : "volume"};
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, json::Value v) {
    if (key != "result") return json::skip(v, 1);
    return json::each_field(v, 1, [&](std::string_view inner, json::Value field) {
      if (inner == "status") return json::read(field, 2, status);
      const auto column = std::ranges::find(names, inner) - std::begin(names);
      if (column == std::ssize(names)) return json::skip(field, 2);
      return candles::read_row(field, 2, columns[static_cast<std::size_t>(column)]);
    });
  });
  if (refusal != Refusal::none || (!status.is_string("ok") && !status.is_string("no_data"))) {
    return Failure{"no candles in the answer"};
  }
  candles::Cells cells(columns[0].size());
  for (const auto& column : columns) {
    for (std::size_t i = 0; i < std::min(cells.size(), column.size()); ++i) cells[i].push_back(column[i]);
  }
  return candles::read(cells, {}, instrument);
}

template <Market market>
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = 1000,
                                .facts = candles::facts(market),
                                .target = candles_target,
                                .read = read_candles};

// ---- The four markets ----

constexpr std::string_view ws[] = {"wss://www.deribit.com", "wss://streams.deribit.com"};
constexpr std::string_view rest_hosts[] = {"https://www.deribit.com"};
constexpr std::string_view time_field = "result";

template <Market market>
constexpr Exchange exchange{
    .name = "deribit",
    .market = market,
    .ws_hosts = ws,
    .rest_hosts = rest_hosts,
    // A request of ours costs 3,000 credits of a pool that gains 10,000 a second; 32 connections per address.
    .limits = {.instruments_per_connection = 500,
               .instruments_per_request = 100,
               .messages_per_second = 3,
               .connection_attempts = 10,
               .connection_attempts_window = seconds(10),
               .silence = seconds(240)},
    .region_note = "no other host serves this market",
    .ws_target = ws_target,
    .channels = channels_there<market>,
    .hello = hello,
    .request = request,
    .probe = probe,
    .parse = channels::parse<Message>,
    .instruments_targets = instruments_targets<market>,
    .is_unknown = is_unknown,
    .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument<market>>,
    .time_target = "/api/v2/public/get_time",
    .parse_time = rest::time<envelope, time_field, fields::milliseconds_since_1970>,
    .history_per_minute = 300,  // 20 a second are allowed to those who log in, fewer to others
    .weight_pool = "public",
    .history = &history,
    .candles = &candles_there<market>,
    .symbol_of = symbol_of,
    .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>, &exchange<Market::inverse>,
                                       &exchange<Market::option>};

}  // namespace

std::span<const Exchange* const> deribit_markets() { return markets; }

}  // namespace cvdd
