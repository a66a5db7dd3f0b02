// OKX: spot, linear and inverse swaps and futures, options.
//
// Docs: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-trades-channel (checked 2026-11-20), "All
// trades channel", "WebSocket / Error Code" and "Get instruments" beside it.
// Sample: {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474",
//          "px":"42219.9","sz":"0.12060306","side":"buy","ts":"1629386781174","count":"3","source":"0"}]}
// Side: "side" is the taker's.
// Ids: one push of `trades` merges `count` fills of one taker order at one price, with the ids tradeId - count + 1 …
// tradeId; `trades-all` has one fill per push, from the same numbers. Consecutive per instrument.
// Size: base units for spot, else contracts of ctVal × ctMult: in the base coin (linear, option) or in USD (inverse).
#include <algorithm>

#include "channels.hpp"
#include "okx_context.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades ----

struct Row {
  Scalar symbol, id, price, size, side, time, count;
  [[nodiscard]] auto when() const { return fields::milliseconds_since_1970(time); }
  [[nodiscard]] auto id_in_order() const { return fields::integer(id); }
};
constexpr Slot<Row> row_slots[] = {{"instId", &Row::symbol}, {"tradeId", &Row::id}, {"px", &Row::price},
                                   {"sz", &Row::size},       {"side", &Row::side},  {"ts", &Row::time},
                                   {"count", &Row::count}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = row.id_in_order();
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "buy", "sell");
  if (!id || !time || !side) return Refusal::bad_field;
  if (row.count.present()) {
    const auto count = fields::integer(row.count);
    if (!count || *count == 0 || *count > *id || *count > 1'000'000'000) return Refusal::bad_field;
    trade.fills = static_cast<std::uint32_t>(*count);
    trade.merged = *count > 1;
  }
  fields::set(trade, instrument, *time, *id, *side);
  return fields::read_volume(row.price, row.size, trade);
}

// ---- Channels ----

std::string topic_of(std::string_view channel, std::string_view symbol) {
  return std::string(channel).append(":").append(symbol);
}
std::string topic(const DataChannel& channel, const Instrument& instrument) {
  return topic_of(channel.name, instrument.symbol);
}
std::string type_topic(const DataChannel& channel, const Instrument& instrument) {
  return topic_of(channel.name, okx::type_of(instrument));
}
constexpr std::string_view door = "/ws/v5/public";
constexpr const RowReader* trades = &rows<row_slots, read_trade>;
constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "trades", .rows = trades, .stream = Stream::aggregate, .topic = topic},
    {.kinds = {DataKind::trade}, .name = "trades-all", .rows = trades, .stream = Stream::single, .topic = topic},
    {.kinds = {DataKind::book}, .name = "tickers", .rows = &okx::ticker_reader, .ws_target = door, .topic = topic},
    {.kinds = {DataKind::mark}, .name = "mark-price", .rows = &okx::mark_reader, .ws_target = door, .topic = topic},
    {.kinds = {DataKind::open_interest},
     .name = "open-interest",
     .rows = &okx::open_reader,
     .ws_target = door,
     .topic = topic},
    {.kinds = {DataKind::funding},
     .name = "funding-rate",
     .rows = &okx::funding_reader,
     .ws_target = door,
     .topic = topic},
    {.kinds = {DataKind::liquidation},
     .name = okx::forced_orders,
     .rows = &okx::forced_reader,
     .ws_target = door,
     .topic = type_topic}};
// Spot has a book alone, options neither funding nor forced orders.
constexpr std::span<const DataChannel> channels_of(Market market) {
  const std::span<const DataChannel> all(channels_there);
  return all.first(market == Market::spot ? 3 : market == Market::option ? 5 : all.size());
}

// ---- Messages ----

struct Head {
  Scalar event, code, message, id, channel, symbol, type, rows;
};
constexpr Slot<Head> head_slots[] = {
    {"event", &Head::event}, {"code", &Head::code}, {"msg", &Head::message}, {"id", &Head::id}};
constexpr Slot<Head> arg_slots[] = {{"channel", &Head::channel}, {"instId", &Head::symbol}, {"instType", &Head::type}};

// "… channel:trades,instId:BTC-USDT doesn't exist. …"
std::string_view named_in(std::string_view message, std::string_view key) {
  const auto at = message.find(key);
  if (at == message.npos) return {};
  const auto rest = message.substr(at + key.size());
  return rest.substr(0, rest.find_first_of(" ,;\""));
}

// Too frequent, internal errors, a service that is not there for the moment.
bool is_temporary(std::string_view code) {
  static constexpr std::string_view codes[] = {"50001", "50004", "50011", "50013", "50026", "60014",
                                               "60019", "60020", "60025", "60026", "63999", "64007"};
  return std::ranges::find(codes, code) != std::end(codes);
}

void read_ack(const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(head.id).value_or(0);
  ack.ok = !head.event.is_string("error");
  if (ack.ok) {
    const Scalar& named = head.symbol.is_string() ? head.symbol : head.type;
    if (named.is_string()) ack.topics.push_back(topic_of(text(head.channel), named.text));
    return;
  }
  const std::string_view code = text(head.code), why = text(head.message), symbol = named_in(why, "instId:");
  ack.error.append(why).append(" (code ").append(code).append(")");
  ack.temporary = is_temporary(code);
  if (!symbol.empty()) ack.topics.push_back(topic_of(named_in(why, "channel:"), symbol));
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    if (key == "data") return rows(v, 1);
    if (key == "arg") return json::read_fields<arg_slots>(v, 1, head);
    return json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    return head.rows.present() ? channels::named(channels_there, text(head.channel)) : nullptr;
  }
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view topic) { return topic; }
  static Refusal other(std::string_view, const Head& head, const SymbolTable&, Parsed& out) {
    const std::string_view event = text(head.event);
    if (head.rows.present() && head.channel.is_string()) {
      out.ignored = true;
    } else if (event == "subscribe" || event == "unsubscribe" || event == "error") {
      read_ack(head, out);
      return Refusal::none;
    } else {
      out.closing_soon = event == "notice" && head.code.is_string("64008");
      out.ignored = event == "notice" || event.starts_with("channel-conn-count") || event == "login";
    }
    return out.ignored ? Refusal::none : Refusal::not_understood;
  }
};

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  if (message != "pong") return channels::parse<Message>(message, symbols, out);
  out.clear();
  out.pong = true;
}

// ---- Requests ----

// Of forced orders all instruments of a type come together: while one of them is wanted the others are passed over.
std::string request_of_types(const DataChannel& channel, std::span<const Instrument* const> instruments,
                             std::uint64_t id) {
  std::string args;
  for (const std::string_view type : {"SWAP", "FUTURES"}) {
    if (std::ranges::none_of(instruments, [&](const Instrument* i) { return okx::type_of(*i) == type; })) continue;
    args += (args.empty() ? R"({"channel":)" : R"(,{"channel":)") + fields::in_quotes(channel.name) +
            R"(,"instType":)" + fields::in_quotes(type) + "}";
  }
  return R"({"id":")" + std::to_string(id) + R"(","op":"subscribe","args":[)" + args + "]}";
}

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  if (channel.name == okx::forced_orders) {
    return verb == Verb::subscribe ? request_of_types(channel, instruments, id) : std::string();
  }
  std::string out = R"({"id":")" + std::to_string(id) + R"(","op":")";
  out.append(verb == Verb::subscribe ? "subscribe" : "unsubscribe").append(R"(","args":[)");
  for (const Instrument* instrument : instruments) {
    if (out.back() != '[') out += ',';
    out.append(R"({"channel":)").append(fields::in_quotes(channel.name));
    out.append(R"(,"instId":)").append(fields::in_quotes(instrument->symbol)).append("}");
  }
  return out + "]}";
}
std::string probe(std::uint64_t) { return "ping"; }  // answered "pong", both without JSON

// Asked for on the wrong one of these a channel is answered with error 60018.
std::string ws_target(Stream stream) { return stream == Stream::aggregate ? "/ws/v5/public" : "/ws/v5/business"; }

// ---- Instruments ----

constexpr rest::Envelope envelope{"data", "code", "0", "msg"};

// "BTC-USD-261225-50000-C" → "BTC-USD"; empty if a wildcard leaves it open.
std::string family_of(std::string_view name) {
  const auto first = name.find('-');
  const auto second = first == name.npos ? first : name.find('-', first + 1);
  const auto family = name.substr(0, second);
  return first == name.npos || family.find_first_of("*?") != family.npos ? std::string() : std::string(family);
}

std::string list_target(std::string_view type) {
  return rest::Query("/api/v5/public/instruments").add("instType", type);
}

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string> wanted) {
  if (market == Market::spot) return {list_target("SPOT")};
  if (market != Market::option) return {list_target("SWAP"), list_target("FUTURES")};
  std::vector<std::string> families;
  for (const std::string& name : wanted) {
    const std::string family = family_of(name);
    if (family.empty()) families.insert(families.end(), {"BTC-USD", "ETH-USD"});
    if (!family.empty()) families.push_back(family);
  }
  return rest::each_once(std::move(families), [](const std::string& family) -> std::string {
    return rest::Query(list_target("OPTION")).add("instFamily", family);
  });
}

struct Listed {
  Scalar symbol, type, base, quote, settle, contract_value, multiplier, value_currency, contract_type, family, state;
  Scalar underlying, listed;
};
constexpr Slot<Listed> listed_slots[] = {
    {"instId", &Listed::symbol},     {"instType", &Listed::type},           {"baseCcy", &Listed::base},
    {"quoteCcy", &Listed::quote},    {"settleCcy", &Listed::settle},        {"ctVal", &Listed::contract_value},
    {"ctMult", &Listed::multiplier}, {"ctValCcy", &Listed::value_currency}, {"ctType", &Listed::contract_type},
    {"instFamily", &Listed::family}, {"uly", &Listed::underlying},          {"state", &Listed::state},
    {"listTime", &Listed::listed}};

// Contracts whose value is in a currency that we don't expect are left out: their sizes would mean something else.
bool read_contract(const Listed& row, Instrument& out) {
  std::string_view family = text(row.family);
  if (family.empty()) family = text(row.underlying);
  if (family.empty()) family = out.symbol;
  const auto dash = family.find('-');
  if (dash == family.npos) return false;
  out.base = family.substr(0, dash);
  out.quote = family.substr(dash + 1, family.find('-', dash + 1) - dash - 1);
  out.settle = text(row.settle);
  const auto face = fields::decimal(row.contract_value);
  const auto times = text(row.multiplier).empty() ? Decimal{1, 0} : fields::decimal(row.multiplier);
  const auto size = face && times ? multiply(*face, *times) : std::nullopt;
  if (!size || !size->is_positive()) return false;
  out.contract_size = normalized(*size);
  if (out.market == Market::option) out.quote = out.settle;  // the premium's currency
  return text(row.value_currency) == (out.market == Market::inverse ? std::string_view("USD") : out.base);
}

template <Market market>
std::optional<Instrument> make_instrument(const Listed& row) {
  const std::string_view type = text(row.type);
  const bool contract = type == "SWAP" || type == "FUTURES";
  const bool ours = market == Market::spot     ? type == "SPOT"
                    : market == Market::option ? type == "OPTION"
                                               : contract && row.contract_type.is_string(name_of(market));
  if (!ours || !fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "okx";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  if (market != Market::spot && !read_contract(row, out)) return std::nullopt;
  out.trading = row.state.is_string("live");
  out.listed = fields::milliseconds_since_1970(row.listed).value_or(Timestamp{});
  return out;
}

// "Parameter instFamily error", "Instrument ID … doesn't exist", "… does not match instrument type"
bool is_unknown(unsigned, std::string_view body) { return rest::has_code(body, envelope, {"51000", "51001", "51015"}); }

// A pair of spot says all; nothing but the list tells a contract's size.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  return market == Market::spot && fields::assume_pair("okx", symbol, '-', out);
}
std::string symbol_of(std::string_view message) { return json::first_string_if(message, {"\"trades"}, {"instId"}); }

// ---- History, newest first ----

constexpr std::uint32_t history_page = 100;

// `after` is exclusive, and the newest of those before it come first.
std::string by_id(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  const std::uint32_t rows = std::min(limit, history_page);
  return rest::Query("/api/v5/market/history-trades")
      .add("instId", instrument.symbol)
      .add("type", 1)
      .add("after", from_id + rows)
      .add("limit", rows);
}
std::string newest(const Instrument& instrument, Stream) {
  return rest::Query("/api/v5/market/trades").add("instId", instrument.symbol).add("limit", 1);
}
constexpr History history{
    .page = history_page,
    .by_id = by_id,
    .newest = newest,
    .read = rest::history<envelope, row_slots, read_trade, rest::Order::newest_first, rest::Rows::named>};

// ---- Candles: [ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm], newest first ----
// vol is in the size unit; volCcy is base units of derivatives, volCcyQuote quote units; confirm is 0 while the bar
// runs.

constexpr CandleInterval candle_intervals[] = {{seconds(60), "1m"},    {seconds(180), "3m"},    {seconds(300), "5m"},
                                               {seconds(900), "15m"},  {seconds(1'800), "30m"}, {seconds(3'600), "1H"},
                                               {seconds(7'200), "2H"}, {seconds(14'400), "4H"}};
constexpr std::uint32_t candles_page = 100;     // what both endpoints give
constexpr std::int64_t recent_candles = 1'400;  // `candles` reaches back 1,440 bars
constexpr candles::Columns columns{.closed = 8}, columns_of_contracts{.units = 6, .closed = 8};

// Both ends are exclusive.
std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp now) {
  const bool recent = now - from < Duration{interval.length.us * recent_candles};
  return rest::Query(recent ? "/api/v5/market/candles" : "/api/v5/market/history-candles")
      .add("instId", instrument.symbol)
      .add("bar", interval.name)
      .add("before", rest::ms(from) - 1)
      .add("after", rest::ms(to))
      .add("limit", candles_page);
}

template <Market market>
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = candles_page,
                                .facts = candles::facts(market),
                                .target = candles_target,
                                .read = market == Market::linear || market == Market::option
                                            ? rest::candles_of<envelope, columns_of_contracts>
                                            : rest::candles_of<envelope, columns>};

// ---- The four markets ----

// Port 443: 8443 takes no connection since 2026-10-31.
constexpr std::string_view ws[] = {"wss://ws.okx.com", "wss://wsaws.okx.com"};
constexpr std::string_view rest_hosts[] = {"https://www.okx.com", "https://openapi.okx.com"};
constexpr std::string_view time_field = "data.ts";

template <Market market>
constexpr Exchange exchange{
    .name = "okx",
    .market = market,
    .ws_hosts = ws,
    .rest_hosts = rest_hosts,
    // 64 KB of arguments and 480 requests an hour per connection, 3 handshakes a second.
    .limits = {.instruments_per_connection = 500,
               .instruments_per_request = 100,
               .messages_per_second = 3,
               .connection_attempts = 3,
               .connection_attempts_window = seconds(1),
               .silence = market == Market::option ? seconds(240) : seconds(120),
               .requests_per_hour = 480},
    .region_note =
        "set ws and rest to wss://wseea.okx.com and https://eea.okx.com (EEA) or wss://wsus.okx.com and "
        "https://us.okx.com (US, AU); they list fewer instruments",
    .ws_target = ws_target,
    .channels = channels_of(market),
    .liquidations =
        market == Market::linear || market == Market::inverse ? LiquidationsTold::sampled : LiquidationsTold::none,
    .request = request,
    .probe = probe,
    .parse = parse,
    .instruments_targets = instruments_targets<market>,
    .is_unknown = is_unknown,
    .parse_instruments = rest::instruments<envelope, listed_slots, make_instrument<market>>,
    .time_target = "/api/v5/public/time",
    .parse_time = rest::time<envelope, time_field, fields::milliseconds_since_1970>,
    .history_per_minute = 300,  // 20 in 2 s are allowed
    .weight_pool = "trades",
    .history = &history,
    .candles = &candles_there<market>,
    .symbol_of = symbol_of,
    .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>, &exchange<Market::inverse>,
                                       &exchange<Market::option>};

}  // namespace

std::span<const Exchange* const> okx_markets() { return markets; }

}  // namespace cvdd
