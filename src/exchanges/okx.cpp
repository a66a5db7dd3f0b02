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

#include "candles.hpp"
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
  Scalar symbol, id, price, size, side, time, count;
};
constexpr Slot<Row> row_slots[] = {{"instId", &Row::symbol}, {"tradeId", &Row::id}, {"px", &Row::price},
                                   {"sz", &Row::size},       {"side", &Row::side},  {"ts", &Row::time},
                                   {"count", &Row::count}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = fields::integer(row.id);
  const auto time = fields::milliseconds_since_1970(row.time);
  const auto side = fields::aggressor(row.side, "buy", "sell");
  if (!id || !time || !side) return Refusal::bad_field;
  if (row.count.present()) {
    const auto count = fields::integer(row.count);
    if (!count || *count == 0 || *count > *id || *count > 1'000'000'000) return Refusal::bad_field;
    trade.fills = static_cast<std::uint32_t>(*count);
    trade.merged = *count > 1;
  }
  trade.instrument = &instrument;
  trade.time = *time;
  trade.id = *id;
  trade.series = Series::single;
  trade.aggressor = *side;
  return fields::read_volume(row.price, row.size, trade);
}

template <class Topic>
void read_rows(const std::vector<Row>& rows, const SymbolTable& symbols, Parsed& out, Topic&& topic) {
  for (const Row& row : rows) {
    fields::take_row(
        row.symbol, symbols, out,
        [&](const Instrument& instrument, Trade& trade) { return read_trade(row, instrument, trade); },
        [&] { return fields::milliseconds_since_1970(row.time); }, topic);
  }
}

// ---- Answers and notices ----

struct Top {
  Scalar event, code, message, id, data;
};
constexpr Slot<Top> top_slots[] = {
    {"event", &Top::event}, {"code", &Top::code}, {"msg", &Top::message}, {"id", &Top::id}};
struct Arg {
  Scalar channel, symbol;
};
constexpr Slot<Arg> arg_slots[] = {{"channel", &Arg::channel}, {"instId", &Arg::symbol}};

// "… channel:trades,instId:BTC-USDT doesn't exist. …"
std::string_view symbol_in(std::string_view message) {
  constexpr std::string_view key = "instId:";
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

Refusal read_event(const Top& top, const Arg& arg, Parsed& out) {
  const std::string_view event = text(top.event);
  if (event == "subscribe" || event == "unsubscribe") {
    Ack& ack = out.acks.emplace_back();
    ack.id = fields::integer(top.id).value_or(0);
    if (arg.symbol.is_string()) ack.topics.emplace_back(arg.symbol.text);
    return Refusal::none;
  }
  if (event == "error") {
    Ack& ack = out.acks.emplace_back();
    ack.id = fields::integer(top.id).value_or(0);
    ack.ok = false;
    ack.error = std::string(text(top.message)) + " (code " + std::string(text(top.code)) + ")";
    ack.temporary = is_temporary(text(top.code));
    if (const auto symbol = symbol_in(text(top.message)); !symbol.empty()) ack.topics.emplace_back(symbol);
    return Refusal::none;
  }
  out.closing_soon = event == "notice" && top.code.is_string("64008");
  out.ignored = event == "notice" || event.starts_with("channel-conn-count") || event == "login";
  return out.ignored ? Refusal::none : Refusal::not_understood;
}

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  thread_local std::vector<Row> rows;
  out.clear();
  if (message == "pong") {
    out.pong = true;
    return;
  }
  rows.clear();
  Top top;
  Arg arg;
  Scalar data;
  const Refusal whole = json::read_message(reader, message, [&](std::string_view key, value v) {
    if (key == "arg") return json::read_fields(v, 1, arg_slots, arg);
    if (key == "data") return json::read_rows(v, 1, row_slots, rows, &data);
    return json::read_field(key, v, 1, top_slots, top);
  });
  if (whole != Refusal::none) return out.refuse(whole, nullptr);
  if (data.present() && (arg.channel.is_string("trades") || arg.channel.is_string("trades-all"))) {
    const auto topic = [&] { return fields::wanted(symbols, text(arg.symbol)); };
    read_rows(rows, symbols, out, topic);
    if (rows.empty()) fields::take_none(data, topic(), out);
  } else if (data.present() && arg.channel.is_string()) {
    out.ignored = true;
  } else if (const Refusal refusal = top.event.is_string() ? read_event(top, arg, out) : Refusal::not_understood;
             refusal != Refusal::none) {
    out.refuse(refusal, nullptr);
  }
}

// ---- Requests ----

std::string request(std::string_view operation, std::span<const Instrument* const> instruments, Stream stream,
                    std::uint64_t id) {
  std::string out = "{\"id\":\"" + std::to_string(id) + "\",\"op\":\"";
  out.append(operation).append("\",\"args\":[");
  for (const Instrument* instrument : instruments) {
    if (out.back() != '[') out += ',';
    out.append(R"({"channel":")").append(stream == Stream::aggregate ? "trades" : "trades-all");
    out.append(R"(","instId":")");
    fields::append_escaped(out, instrument->symbol);
    out += "\"}";
  }
  return out + "]}";
}
std::string subscribe(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t id) {
  return request("subscribe", instruments, stream, id);
}
std::string unsubscribe(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t id) {
  return request("unsubscribe", instruments, stream, id);
}
std::string probe(std::uint64_t) { return "ping"; }  // answered "pong", both without JSON

// Asked for on the wrong one of these a channel is answered with error 60018.
std::string ws_target(Stream stream) { return stream == Stream::aggregate ? "/ws/v5/public" : "/ws/v5/business"; }
Series series_of(Stream) { return Series::single; }

// ---- REST ----

// "BTC-USD-261225-50000-C" → "BTC-USD"; empty if a wildcard leaves it open.
std::string family_of(std::string_view name) {
  const auto first = name.find('-');
  const auto second = first == name.npos ? first : name.find('-', first + 1);
  const auto family = name.substr(0, second);
  return first == name.npos || family.find_first_of("*?") != family.npos ? std::string() : std::string(family);
}

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string> wanted) {
  const std::string path = "/api/v5/public/instruments?instType=";
  if (market == Market::spot) return {path + "SPOT"};
  if (market != Market::option) return {path + "SWAP", path + "FUTURES"};
  std::vector<std::string> families;
  for (const std::string& name : wanted) {
    const std::string family = family_of(name);
    if (family.empty()) families.insert(families.end(), {"BTC-USD", "ETH-USD"});
    if (!family.empty()) families.push_back(family);
  }
  std::ranges::sort(families);
  families.erase(std::unique(families.begin(), families.end()), families.end());
  for (std::string& family : families) {
    std::string target = path + "OPTION&instFamily=";
    fields::append_encoded(target, family);
    family = std::move(target);
  }
  return families;
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
bool read_contract(const Listed& row, Market market, Instrument& out) {
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
  if (market == Market::option) out.quote = out.settle;  // the premium's currency
  return text(row.value_currency) == (market == Market::inverse ? std::string_view("USD") : out.base);
}

std::optional<Instrument> make_instrument(const Listed& row, Market market) {
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
  if (market != Market::spot && !read_contract(row, market, out)) return std::nullopt;
  out.trading = row.state.is_string("live");
  out.listed = fields::milliseconds_since_1970(row.listed).value_or(Timestamp{});
  return out;
}

// {"code":"0","msg":"","data":[…]}; the reason if it is none.
template <class T, std::size_t N>
std::string read_answer(std::string_view body, const Slot<T> (&slots)[N], json::Reader& reader, std::vector<T>& rows) {
  Top top;
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    if (key == "data") return json::read(v, 1, top.data);
    return json::read_field(key, v, 1, top_slots, top);
  });
  if (refusal != Refusal::none) return "not a whole JSON object";
  if (!top.code.is_string("0")) return std::string(text(top.message)) + " (code " + std::string(text(top.code)) + ")";
  if (!top.data.is(Kind::array)) return "no \"data\" in the answer";
  const Refusal again = json::read_message(reader, body, [&](std::string_view key, value v) {
    return key == "data" ? json::read_rows(v, 1, slots, rows) : json::skip(v, 1);
  });
  return again == Refusal::none ? "" : "not a whole JSON object";
}

template <Market market>
bool parse_instruments(std::string_view body, InstrumentPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Listed> rows;
  error = read_answer(body, listed_slots, reader, rows);
  for (const Listed& row : rows) {
    if (auto instrument = make_instrument(row, market)) out.instruments.push_back(std::move(*instrument));
  }
  return error.empty();
}

// "Parameter instFamily error", "Instrument ID … doesn't exist", "… does not match instrument type"
bool is_unknown(unsigned, std::string_view body) {
  static constexpr std::string_view codes[] = {"51000", "51001", "51015"};
  json::Reader reader;
  Top top;
  const Refusal refusal = json::read_message(
      reader, body, [&](std::string_view key, value v) { return json::read_field(key, v, 1, top_slots, top); });
  return refusal == Refusal::none && std::ranges::find(codes, text(top.code)) != std::end(codes);
}

bool parse_time(std::string_view body, Timestamp& out) {
  json::Reader reader;
  std::vector<Row> rows;
  if (!read_answer(body, row_slots, reader, rows).empty() || rows.size() != 1) return false;
  const auto time = fields::milliseconds_since_1970(rows.front().time);
  out = time.value_or(Timestamp{});
  return time.has_value();
}

constexpr std::uint32_t history_rows_max = 100;

// `after` is exclusive, and the newest of those before it come first.
std::string history_target(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  const std::uint32_t rows = std::min(limit, history_rows_max);
  std::string out = "/api/v5/market/history-trades?instId=";
  fields::append_encoded(out, instrument.symbol);
  out.append("&type=1&after=").append(std::to_string(from_id + rows));
  return out.append("&limit=").append(std::to_string(rows));
}

std::string newest_target(const Instrument& instrument, Stream) {
  std::string out = "/api/v5/market/trades?instId=";
  fields::append_encoded(out, instrument.symbol);
  return out.append("&limit=1");
}

bool parse_history(std::string_view body, const Instrument& instrument, HistoryPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Row> rows;
  out.clear();
  error = read_answer(body, row_slots, reader, rows);
  if (!error.empty()) return false;
  for (const Row& row : rows) {
    if (row.symbol.is_string() && row.symbol.text != instrument.symbol) {
      error = "trades of another instrument";
      out.clear();
      return false;
    }
    Trade trade;
    const Refusal refusal = row.symbol.is_string() ? read_trade(row, instrument, trade) : Refusal::bad_field;
    fields::take_past(out, trade, refusal, fields::integer(row.id), fields::milliseconds_since_1970(row.time));
  }
  fields::put_in_order(out, true);
  return true;
}

// ---- Candles: [ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm], newest first ----
// vol is in the size unit; volCcy is base units of derivatives, volCcyQuote quote units; confirm is 0 while the bar
// runs.

constexpr Duration candle_intervals[] = {seconds(60),    seconds(180),   seconds(300),   seconds(900),
                                         seconds(1'800), seconds(3'600), seconds(7'200), seconds(14'400)};
constexpr std::string_view candle_names[] = {"1m", "3m", "5m", "15m", "30m", "1H", "2H", "4H"};
constexpr std::uint32_t candles_max = 100;      // what both endpoints give
constexpr std::int64_t recent_candles = 1'400;  // `candles` reaches back 1,440 bars

// Both ends are exclusive.
std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, Duration interval,
                           Timestamp now) {
  const bool recent = now - from < Duration{interval.us * recent_candles};
  std::string out = recent ? "/api/v5/market/candles?instId=" : "/api/v5/market/history-candles?instId=";
  fields::append_encoded(out, instrument.symbol);
  out.append("&bar=").append(candles::name_of(candle_intervals, candle_names, interval));
  out.append("&before=").append(std::to_string(from.us / 1'000 - 1));
  out.append("&after=").append(std::to_string(to.us / 1'000));
  return out.append("&limit=").append(std::to_string(candles_max));
}

bool parse_candles(std::string_view body, const Instrument& instrument, std::vector<Candle>& out, std::string& error) {
  json::Reader reader;
  Top top;
  candles::Cells cells;
  bool there = false;
  out.clear();
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    if (key != "data") return json::read_field(key, v, 1, top_slots, top);
    there = true;
    return candles::read_cells(v, 1, cells);
  });
  error = refusal != Refusal::none ? "not a whole JSON object" : "";
  if (error.empty() && !top.code.is_string("0")) {
    error = std::string(text(top.message)) + " (code " + std::string(text(top.code)) + ")";
  }
  if (error.empty() && !there) error = "no \"data\" in the answer";
  std::erase_if(cells, [](const auto& row) { return row.size() > 8 && row[8].is_string("0"); });  // the running bar
  candles::Columns columns;
  if (instrument.market == Market::linear || instrument.market == Market::option) columns.units = 6;
  if (error.empty()) error = candles::read(cells, columns, instrument, out);
  return error.empty();
}

// ---- Instruments that a list does not have ----

std::string symbol_of(std::string_view message) {
  if (message.find("\"trades") == message.npos) return {};
  return json::first_string(message, {"instId"});
}

// A pair of spot says all; nothing but the list tells a contract's size.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  const auto dash = symbol.find('-');
  if (market != Market::spot || dash == symbol.npos || symbol.find('-', dash + 1) != symbol.npos) return false;
  out = Instrument{};
  out.exchange = "okx";
  out.market = market;
  out.symbol = symbol;
  out.base = symbol.substr(0, dash);
  out.quote = symbol.substr(dash + 1);
  return true;
}

// ---- The four markets ----

// Port 443: 8443 takes no connection since 2026-10-31.
constexpr std::string_view ws[] = {"wss://ws.okx.com", "wss://wsaws.okx.com"};
constexpr std::string_view rest[] = {"https://www.okx.com", "https://openapi.okx.com"};

// 64 KB of arguments and 480 requests an hour per connection, 3 handshakes a second.
constexpr Limits limits(Duration silence) { return {500, 100, 3, 3, seconds(1), {}, silence, 480, {}}; }

template <Market market>
consteval Exchange family() {
  Exchange out{};
  out.name = "okx";
  out.market = market;
  out.ws_hosts = ws;
  out.rest_hosts = rest;
  out.limits = limits(market == Market::option ? seconds(240) : seconds(120));
  out.region_note =
      "set ws and rest to wss://wseea.okx.com and https://eea.okx.com (EEA) or wss://wsus.okx.com and "
      "https://us.okx.com (US, AU); they list fewer instruments";
  out.ws_target = ws_target;
  out.series_of = series_of;
  out.subscribe = subscribe;
  out.unsubscribe = unsubscribe;
  out.probe = probe;
  out.parse = parse;
  out.instruments_targets = instruments_targets<market>;
  out.parse_instruments = parse_instruments<market>;
  out.is_unknown = is_unknown;
  out.time_target = "/api/v5/public/time";
  out.parse_time = parse_time;
  out.history_per_minute = 300;  // 20 in 2 s are allowed
  out.weight_pool = "trades";
  out.history_page = history_rows_max;
  out.history_target = history_target;
  out.newest_target = newest_target;
  out.parse_history = parse_history;
  out.candle_intervals = candle_intervals;
  out.candles_page = candles_max;
  out.candle_facts = candles::facts(market);
  out.candles_target = candles_target;
  out.parse_candles = parse_candles;
  out.symbol_of = symbol_of;
  out.assume_instrument = assume_instrument<market>;
  return out;
}

constexpr Exchange spot = family<Market::spot>();
constexpr Exchange linear = family<Market::linear>();
constexpr Exchange inverse = family<Market::inverse>();
constexpr Exchange option = family<Market::option>();
constexpr const Exchange* markets[] = {&spot, &linear, &inverse, &option};

}  // namespace

std::span<const Exchange* const> okx_markets() { return markets; }

}  // namespace cvdd
