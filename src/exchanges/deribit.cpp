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
  Scalar symbol, sequence, id, time, price, amount, direction, block, quoted;
};
constexpr Slot<Row> row_slots[] = {
    {"instrument_name", &Row::symbol}, {"trade_seq", &Row::sequence},   {"trade_id", &Row::id},
    {"timestamp", &Row::time},         {"price", &Row::price},          {"amount", &Row::amount},
    {"direction", &Row::direction},    {"block_trade_id", &Row::block}, {"block_rfq_id", &Row::quoted}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto sequence = fields::number(row.sequence);
  const auto time = fields::milliseconds_since_1970(row.time);
  const auto side = fields::aggressor(row.direction, "buy", "sell");
  const bool named = fields::is_decimal_kind(row.id) && !row.id.text.empty();
  if (!sequence || !time || !side || !named) return Refusal::bad_field;
  trade.instrument = &instrument;
  trade.time = *time;
  trade.id = *sequence;
  trade.name = IdText::from(row.id.text).value_or(IdText{});  // of interest where it fits, needed for nothing
  trade.series = Series::single;
  trade.aggressor = *side;
  // Agreed elsewhere and only reported here: no taker crossed a spread.
  const auto has = [](const Scalar& field) { return field.present() && !field.is(Kind::null); };
  trade.in_cvd = !has(row.block) && !has(row.quoted);
  return fields::read_volume(row.price, row.amount, trade);
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

// "trades.BTC-PERPETUAL.100ms" → "BTC-PERPETUAL"
std::string_view symbol_in(std::string_view channel) {
  const auto begin = channel.find('.') + 1;
  return channel.substr(begin, channel.rfind('.') - begin);
}

// ---- Answers and notices ----

struct Message {
  Scalar method, id, result;               // top
  Scalar channel, type, data;              // of "params"
  Scalar error, error_code, error_text;    // of "error"
  std::vector<std::string_view> accepted;  // of "result", if it is a list
};
constexpr Slot<Message> top_slots[] = {{"method", &Message::method}, {"id", &Message::id}};
constexpr Slot<Message> params_slots[] = {{"channel", &Message::channel}, {"type", &Message::type}};
constexpr Slot<Message> error_slots[] = {{"code", &Message::error_code}, {"message", &Message::error_text}};

// Its answer comes under an id that none of our requests has.
constexpr std::string_view test_reply = R"({"jsonrpc":"2.0","id":9007199254740991,"method":"public/test","params":{}})";

void read_ack(const Message& m, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(m.id).value_or(0);
  if (m.error.is(Kind::object)) {
    ack.ok = false;
    ack.error.append(text(m.error_text)).append(" (code ").append(m.error_code.text).append(")");
    // too_many_requests, too_many_concurrent_requests, temporarily_unavailable, retry, try_again …
    static constexpr std::string_view codes[] = {"10028", "10066", "10047", "10040", "10041", "11051", "13780"};
    ack.temporary = std::ranges::find(codes, m.error_code.text) != std::end(codes);
    return;
  }
  if (!m.result.is(Kind::array)) return;
  // Channels that it does not know are not in the list, and nothing else is said of them.
  ack.rest = Ack::Rest::refused;
  for (const std::string_view channel : m.accepted) ack.topics.emplace_back(channel);
  if (ack.topics.empty()) ack.topics.emplace_back();
}

Refusal read_message(const Message& m, const std::vector<Row>& rows, const SymbolTable& symbols, Parsed& out) {
  if (m.method.is_string("subscription")) {
    if (!m.channel.is_string()) return Refusal::bad_field;
    if (!m.channel.text.starts_with("trades.")) {
      out.ignored = true;
      return Refusal::none;
    }
    const auto topic = [&] { return fields::wanted(symbols, symbol_in(m.channel.text)); };
    read_rows(rows, symbols, out, topic);
    if (rows.empty()) fields::take_none(m.data, topic(), out);
    return Refusal::none;
  }
  if (m.method.is_string("heartbeat") || m.method.is_string("connection_too_slow")) {
    if (m.type.is_string("test_request")) out.reply = test_reply;
    out.ignored = true;
    return Refusal::none;
  }
  if (!m.id.present() || !(m.result.present() || m.error.present())) return Refusal::not_understood;
  read_ack(m, out);
  return Refusal::none;
}

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  thread_local std::vector<Row> rows;
  out.clear();
  rows.clear();
  Message m;
  Refusal refusal = json::read_message(reader, message, [&](std::string_view key, value v) {
    if (key == "params") {
      return json::each_field(v, 1, [&](std::string_view inner, value field) {
        if (inner == "data") return json::read_rows(field, 2, row_slots, rows, &m.data);
        return json::read_field(inner, field, 2, params_slots, m);
      });
    }
    if (key == "result") {
      json::ondemand::json_type type{};
      if (v.type().get(type) != simdjson::SUCCESS) return false;
      m.result.kind = type == json::ondemand::json_type::array ? Kind::array : Kind::object;
      return json::each_item(v, 1, [&](value item) {
        Scalar channel;
        if (!json::read(item, 2, channel)) return false;
        if (channel.is_string()) m.accepted.push_back(channel.text);
        return true;
      });
    }
    if (key == "error") {
      m.error.kind = Kind::object;
      return json::read_fields(v, 1, error_slots, m);
    }
    return json::read_field(key, v, 1, top_slots, m);
  });
  if (refusal == Refusal::none) refusal = read_message(m, rows, symbols, out);
  if (refusal != Refusal::none) out.refuse(refusal, nullptr);
}

// ---- Requests ----

std::string topic_of(const Instrument& instrument) { return "trades." + instrument.symbol + ".100ms"; }

std::string request(std::string_view method, std::span<const Instrument* const> instruments, std::uint64_t id) {
  std::string out = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + ",\"method\":\"";
  out.append(method).append(R"(","params":{"channels":[)");
  for (const Instrument* instrument : instruments) {
    if (out.back() != '[') out += ',';
    out += '"';
    fields::append_escaped(out, topic_of(*instrument));
    out += '"';
  }
  return out + "]}}";
}
std::string subscribe(std::span<const Instrument* const> instruments, Stream, std::uint64_t id) {
  return request("public/subscribe", instruments, id);
}
std::string unsubscribe(std::span<const Instrument* const> instruments, Stream, std::uint64_t id) {
  return request("public/unsubscribe", instruments, id);
}
// From then on it sends a heartbeat every 10 s, and every now and then asks whether we are there.
std::string hello(std::uint64_t id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"public/set_heartbeat","params":{"interval":10}})";
}
std::string probe(std::uint64_t id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"public/test","params":{}})";
}

std::string ws_target(Stream) { return "/ws/api/v2"; }
Series series_of(Stream) { return Series::single; }

// ---- REST ----

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string> wanted) {
  const std::string path = "/api/v2/public/get_instruments?expired=false&kind=";
  if (market == Market::option) return {path + "option&currency=any"};
  if (market != Market::spot) return {path + "future&currency=any"};
  // Spot takes no `any`.
  std::vector<std::string> targets{"BTC", "ETH", "USDC", "USDT"};
  for (const std::string& name : wanted) {
    const std::string base = name.substr(0, name.find('_'));
    if (base.find_first_of("*?") == base.npos) targets.push_back(base);
  }
  std::ranges::sort(targets);
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  for (std::string& currency : targets) {
    std::string target = path + "spot&currency=";
    fields::append_encoded(target, currency);
    currency = std::move(target);
  }
  return targets;
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

std::optional<Instrument> make_instrument(const Listed& row, Market market) {
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

// {"jsonrpc":"2.0","result":[…]} or {"result":{"trades":[…]}}; the reason if it is none.
template <class T, std::size_t N>
std::string read_result(std::string_view body, const Slot<T> (&slots)[N], json::Reader& reader, std::vector<T>& rows,
                        Scalar* plain = nullptr) {
  Message m;
  bool found = false;
  const auto list = [&](value v, unsigned depth) {
    json::ondemand::json_type type{};
    if (v.type().get(type) != simdjson::SUCCESS) return false;
    found = found || type == json::ondemand::json_type::array;
    return json::read_rows(v, depth, slots, rows);
  };
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    json::ondemand::json_type type{};
    if (key == "error") {
      m.error.kind = Kind::object;
      return json::read_fields(v, 1, error_slots, m);
    }
    if (key != "result") return json::skip(v, 1);
    if (v.type().get(type) != simdjson::SUCCESS) return false;
    if (type == json::ondemand::json_type::array) return list(v, 1);
    if (type != json::ondemand::json_type::object)
      return plain != nullptr ? json::read(v, 1, *plain) : json::skip(v, 1);
    return json::each_field(v, 1, [&](std::string_view inner, value field) {
      return inner == "trades" ? list(field, 2) : json::skip(field, 2);
    });
  });
  if (refusal != Refusal::none) return "not a whole JSON object";
  if (m.error.present()) return std::string(text(m.error_text)) + " (code " + std::string(m.error_code.text) + ")";
  return found || (plain != nullptr && plain->present()) ? "" : "no list in \"result\"";
}

template <Market market>
bool parse_instruments(std::string_view body, InstrumentPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Listed> rows;
  error = read_result(body, listed_slots, reader, rows);
  for (const Listed& row : rows) {
    if (auto instrument = make_instrument(row, market)) out.instruments.push_back(std::move(*instrument));
  }
  return error.empty();
}

// "Invalid params": a currency that it does not know.
bool is_unknown(unsigned, std::string_view body) {
  json::Reader reader;
  Message m;
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    return key == "error" ? json::read_fields(v, 1, error_slots, m) : json::skip(v, 1);
  });
  return refusal == Refusal::none && m.error_code.text == "-32602";
}

bool parse_time(std::string_view body, Timestamp& out) {
  json::Reader reader;
  std::vector<Row> rows;
  Scalar plain;
  if (!read_result(body, row_slots, reader, rows, &plain).empty()) return false;
  const auto time = fields::milliseconds_since_1970(plain);
  out = time.value_or(Timestamp{});
  return time.has_value();
}

constexpr std::uint32_t history_rows_max = 1000;

std::string history_target(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) {
  const std::uint32_t rows = std::min(limit, history_rows_max);
  std::string out = "/api/v2/public/get_last_trades_by_instrument?instrument_name=";
  fields::append_encoded(out, instrument.symbol);
  out.append("&start_seq=").append(std::to_string(from_id));
  out.append("&end_seq=").append(std::to_string(from_id + rows - 1));
  return out.append("&count=").append(std::to_string(rows)).append("&sorting=asc");
}

std::string newest_target(const Instrument& instrument, Stream) {
  std::string out = "/api/v2/public/get_last_trades_by_instrument?instrument_name=";
  fields::append_encoded(out, instrument.symbol);
  return out.append("&count=1&sorting=desc");
}

bool parse_history(std::string_view body, const Instrument& instrument, HistoryPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Row> rows;
  out.clear();
  error = read_result(body, row_slots, reader, rows);
  if (!error.empty()) return false;
  for (const Row& row : rows) {
    if (row.symbol.is_string() && row.symbol.text != instrument.symbol) {
      error = "trades of another instrument";
      out.clear();
      return false;
    }
    Trade trade;
    const Refusal refusal = row.symbol.is_string() ? read_trade(row, instrument, trade) : Refusal::bad_field;
    fields::take_past(out, trade, refusal, fields::number(row.sequence), fields::milliseconds_since_1970(row.time));
  }
  fields::put_in_order(out, false);
  return true;
}

// ---- Candles: arrays of equal length; "volume" in base units, "cost" in quote units ----

constexpr Duration candle_intervals[] = {seconds(60),     seconds(180),    seconds(300),    seconds(600),
                                         seconds(900),    seconds(1'800),  seconds(3'600),  seconds(7'200),
                                         seconds(10'800), seconds(21'600), seconds(43'200), seconds(86'400)};
constexpr std::string_view candle_names[] = {"1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720", "1D"};
constexpr std::uint32_t candles_max = 1000;

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, Duration interval, Timestamp) {
  std::string out = "/api/v2/public/get_tradingview_chart_data?instrument_name=";
  fields::append_encoded(out, instrument.symbol);
  out.append("&start_timestamp=").append(std::to_string(from.us / 1'000));
  out.append("&end_timestamp=").append(std::to_string(to.us / 1'000 - 1));
  return out.append("&resolution=").append(candles::name_of(candle_intervals, candle_names, interval));
}

bool parse_candles(std::string_view body, const Instrument& instrument, std::vector<Candle>& out, std::string& error) {
  json::Reader reader;
  candles::Cells columns(6);
  Scalar status;
  out.clear();
  const std::string_view names[] = {"ticks", "open",  "high",
                                    "low",   "close", instrument.market == Market::inverse ? "cost" : "volume"};
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    if (key != "result") return json::skip(v, 1);
    return json::each_field(v, 1, [&](std::string_view inner, value field) {
      if (inner == "status") return json::read(field, 2, status);
      const auto column = std::ranges::find(names, inner) - std::begin(names);
      if (column == std::ssize(names)) return json::skip(field, 2);
      return json::each_item(field, 2, [&](value item) {
        columns[static_cast<std::size_t>(column)].emplace_back();
        return json::read(item, 3, columns[static_cast<std::size_t>(column)].back());
      });
    });
  });
  if (refusal != Refusal::none || (!status.is_string("ok") && !status.is_string("no_data"))) {
    error = "no candles in the answer";
    return false;
  }
  candles::Cells rows(columns[0].size());
  for (const auto& column : columns) {
    for (std::size_t i = 0; i < std::min(rows.size(), column.size()); ++i) rows[i].push_back(column[i]);
  }
  error = candles::read(rows, {}, instrument, out);
  return error.empty();
}

// ---- Instruments that a list does not have ----

std::string symbol_of(std::string_view message) {
  if (message.find("\"trades.") == message.npos) return {};
  return json::first_string(message, {"instrument_name"});
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

// ---- The four markets ----

constexpr std::string_view ws[] = {"wss://www.deribit.com", "wss://streams.deribit.com"};
constexpr std::string_view rest[] = {"https://www.deribit.com"};

// A request of ours costs 3,000 credits of a pool that gains 10,000 a second; 32 connections per address.
constexpr Limits limits{500, 100, 3, 10, seconds(10), {}, seconds(240), 0, {}};

template <Market market>
consteval Exchange family() {
  Exchange out{};
  out.name = "deribit";
  out.market = market;
  out.ws_hosts = ws;
  out.rest_hosts = rest;
  out.limits = limits;
  out.region_note = "no other host serves this market";
  out.ws_target = ws_target;
  out.series_of = series_of;
  out.hello = hello;
  out.subscribe = subscribe;
  out.unsubscribe = unsubscribe;
  out.topic_of = topic_of;
  out.probe = probe;
  out.parse = parse;
  out.instruments_targets = instruments_targets<market>;
  out.parse_instruments = parse_instruments<market>;
  out.is_unknown = is_unknown;
  out.time_target = "/api/v2/public/get_time";
  out.parse_time = parse_time;
  out.history_per_minute = 300;  // 20 a second are allowed to those who log in, fewer to others
  out.weight_pool = "public";
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

std::span<const Exchange* const> deribit_markets() { return markets; }

}  // namespace cvdd
