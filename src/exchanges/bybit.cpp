// Bybit v5: spot, linear and inverse perpetuals and futures, options.
//
// Docs: https://bybit-exchange.github.io/docs/v5/websocket/public/trade (checked 2026-11-20), "Connect", "Get
// Instruments Info" and "Get Bybit Server Time" beside it.
// Sample: {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"BTCUSDT",
//          "S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false}]}
// Side: "S" is the taker's.
// Ids: UUIDs, on spot numbers; neither has an order, so a trade counts once but a hole has no size.
// Size: "v" is USD for inverse contracts, base units for all else. "type" is always "snapshot", and never one.
// Rows of the older derivatives feed ("topic":"trade.BTCUSD", "trade_id", "trade_time_ms") are understood as well:
// recordings have them. Those of the older spot feeds, one object without a symbol, are not.
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
  Scalar symbol, id, time, price, size, side, block;
};
constexpr Slot<Row> row_slots[] = {{"s", &Row::symbol},    {"i", &Row::id},
                                   {"T", &Row::time},      {"p", &Row::price},
                                   {"v", &Row::size},      {"S", &Row::side},
                                   {"BT", &Row::block},    {"symbol", &Row::symbol},
                                   {"trade_id", &Row::id}, {"trade_time_ms", &Row::time},
                                   {"price", &Row::price}, {"size", &Row::size},
                                   {"side", &Row::side}};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "20f43950-d8dd-5b31-9112-a178eb6023af" as 128 bits.
bool read_uuid(std::string_view text, Trade& trade) {
  if (text.size() != 36) return false;
  std::uint64_t halves[2] = {0, 0};
  unsigned digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const int digit = hex_digit(text[i]);
    if (dash ? text[i] != '-' : digit < 0) return false;
    if (dash) continue;
    std::uint64_t& half = halves[digits++ / 16];
    half = half * 16 + static_cast<std::uint64_t>(digit);
  }
  trade.id_high = halves[0];
  trade.id = halves[1];
  trade.name = *IdText::from(text);
  return true;
}

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto time = fields::milliseconds_since_1970(row.time);
  const auto side = fields::aggressor(row.side, "Buy", "Sell");
  if (!time || !side || !row.id.is_string()) return Refusal::bad_field;
  if (row.block.present() && !row.block.is(Kind::boolean)) return Refusal::bad_field;
  if (const auto number = fields::integer(row.id)) {
    trade.id = *number;
  } else if (!read_uuid(row.id.text, trade)) {
    return Refusal::bad_field;
  }
  trade.instrument = &instrument;
  trade.time = *time;
  trade.series = Series::single;
  trade.aggressor = *side;
  trade.in_cvd = !row.block.is_true();  // a block trade was agreed elsewhere
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

// ---- Answers ----

struct Message {
  Scalar topic, operation, success, text, request, type, code;
  Scalar data;
  std::vector<std::string_view> good, failed;  // topics, as the option market's answer lists them
};
constexpr Slot<Message> top_slots[] = {{"topic", &Message::topic},     {"op", &Message::operation},
                                       {"success", &Message::success}, {"ret_msg", &Message::text},
                                       {"req_id", &Message::request},  {"type", &Message::type}};

bool read_topics(value v, std::vector<std::string_view>& topics) {
  return json::each_item(v, 2, [&](value item) {
    Scalar topic;
    if (!json::read(item, 3, topic)) return false;
    if (topic.is_string()) topics.push_back(topic.text);
    return true;
  });
}

bool read_data(value v, Message& m, std::vector<Row>& rows) {
  json::ondemand::json_type type{};
  if (v.type().get(type) != simdjson::SUCCESS) return false;
  if (type != json::ondemand::json_type::object) return json::read_rows(v, 1, row_slots, rows, &m.data);
  m.data.kind = Kind::object;
  return json::each_field(v, 1, [&](std::string_view key, value field) {
    if (key == "successTopics") return read_topics(field, m.good);
    if (key == "failTopics") return read_topics(field, m.failed);
    return json::skip(field, 2);
  });
}

// "error:handler not found,topic:publicTrade.X", "error:already subscribed,topic:publicTrade.X",
// "Invalid symbol :[publicTrade.X,publicTrade.Y]"
std::vector<std::string> topics_in(std::string_view message) {
  std::vector<std::string> topics;
  constexpr std::string_view key = "topic:";
  if (const auto at = message.find(key); at != message.npos) {
    const auto rest = message.substr(at + key.size());
    topics.emplace_back(rest.substr(0, rest.find_first_of(", ")));
  } else if (const auto open = message.find('['); open != message.npos) {
    auto rest = message.substr(open + 1);
    rest = rest.substr(0, rest.find(']'));
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      const auto topic = json::trimmed(rest.substr(0, end));
      if (!topic.empty()) topics.emplace_back(topic);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return topics;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view w) { return text.find(w) != text.npos; });
}

// One bad topic takes the whole request with it, and so does one that is subscribed already.
void read_ack(const Message& m, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(m.request).value_or(0);
  if (m.type.is_string("COMMAND_RESP")) {
    for (const std::string_view topic : m.good) ack.topics.emplace_back(topic);
    ack.rest = Ack::Rest::refused;
    if (m.good.empty() && !m.failed.empty()) {
      ack.ok = false;
      for (const std::string_view topic : m.failed) ack.topics.emplace_back(topic);
      ack.error = "in failTopics";
      ack.rest = Ack::Rest::again;
    }
    return;
  }
  if (m.success.is_true()) return;
  const std::string_view why = text(m.text);
  ack.topics = topics_in(why);
  ack.rest = Ack::Rest::again;
  ack.ok = contains_any(why, {"already subscribed"});
  ack.error = why;
  ack.temporary = ack.topics.empty() && contains_any(why, {"too many", "Too many", "frequen", "busy", "internal"});
}

Refusal read_message(const Message& m, const std::vector<Row>& rows, const SymbolTable& symbols, Parsed& out) {
  if (m.topic.is_string()) {
    if (!m.topic.text.starts_with("publicTrade.") && !m.topic.text.starts_with("trade.")) {
      out.ignored = true;
      return Refusal::none;
    }
    // An option's topic is its coin's: it names no instrument.
    const auto topic = [&] { return fields::wanted(symbols, m.topic.text.substr(m.topic.text.find('.') + 1)); };
    read_rows(rows, symbols, out, topic);
    if (rows.empty()) fields::take_none(m.data, topic(), out);
    return Refusal::none;
  }
  const std::string_view operation = text(m.operation);
  if (operation == "pong" || (operation == "ping" && m.success.present())) {
    out.pong = true;
    return Refusal::none;
  }
  if (m.type.is_string("COMMAND_RESP") ||
      (m.success.is(Kind::boolean) && (operation == "subscribe" || operation == "unsubscribe"))) {
    read_ack(m, out);
    return Refusal::none;
  }
  return Refusal::not_understood;
}

void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  thread_local std::vector<Row> rows;
  out.clear();
  rows.clear();
  Message m;
  Refusal refusal = json::read_message(reader, message, [&](std::string_view key, value v) {
    return key == "data" ? read_data(v, m, rows) : json::read_field(key, v, 1, top_slots, m);
  });
  if (refusal == Refusal::none) refusal = read_message(m, rows, symbols, out);
  if (refusal != Refusal::none) out.refuse(refusal, nullptr);
}

// ---- Requests ----

// Options are subscribed by their base coin, all strikes at once.
std::string topic_of(const Instrument& instrument) {
  const std::string& name = instrument.symbol;
  return "publicTrade." + (instrument.market == Market::option ? name.substr(0, name.find('-')) : name);
}

std::string request(std::string_view operation, std::span<const Instrument* const> instruments, std::uint64_t id) {
  std::vector<std::string> topics;
  for (const Instrument* instrument : instruments) {
    std::string topic = topic_of(*instrument);
    if (instrument->market != Market::option || std::ranges::find(topics, topic) == topics.end()) {
      topics.push_back(std::move(topic));
    }
  }
  std::string out = R"({"req_id":")" + std::to_string(id) + R"(","op":")";
  out.append(operation).append("\",\"args\":[");
  for (const std::string& topic : topics) {
    if (out.back() != '[') out += ',';
    out += '"';
    fields::append_escaped(out, topic);
    out += '"';
  }
  return out + "]}";
}
std::string subscribe(std::span<const Instrument* const> instruments, Stream, std::uint64_t id) {
  return request("subscribe", instruments, id);
}
// The other strikes of its coin may still be wanted, so an option is merely no longer listened to.
template <Market market>
std::string unsubscribe(std::span<const Instrument* const> instruments, Stream, std::uint64_t id) {
  return market == Market::option ? std::string() : request("unsubscribe", instruments, id);
}
std::string probe(std::uint64_t id) { return R"({"req_id":")" + std::to_string(id) + R"(","op":"ping"})"; }

template <Market market>
std::string ws_target(Stream) {
  return "/v5/public/" + std::string(name_of(market));
}
Series series_of(Stream) { return Series::single; }

// ---- REST ----

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string> wanted) {
  const std::string path = "/v5/market/instruments-info?category=" + std::string(name_of(market));
  if (market == Market::spot) return {path};
  if (market != Market::option) return {path + "&limit=1000"};
  std::vector<std::string> targets;
  for (const std::string& name : wanted) {
    const std::string coin = name.substr(0, name.find('-'));
    if (coin.find_first_of("*?") != coin.npos) return {path + "&limit=1000&baseCoin=All"};
    targets.push_back(coin);
  }
  std::ranges::sort(targets);
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  for (std::string& coin : targets) {
    std::string target = path + "&limit=1000&baseCoin=";
    fields::append_encoded(target, coin);
    coin = std::move(target);
  }
  return targets;
}

struct Listed {
  Scalar symbol, status, base, quote, settle, launched;
};
constexpr Slot<Listed> listed_slots[] = {{"symbol", &Listed::symbol},     {"status", &Listed::status},
                                         {"baseCoin", &Listed::base},     {"quoteCoin", &Listed::quote},
                                         {"settleCoin", &Listed::settle}, {"launchTime", &Listed::launched}};
struct Answer {
  Scalar code, message, category, cursor, seconds, nanoseconds;
  bool has_list = false;
};
constexpr Slot<Answer> answer_slots[] = {{"retCode", &Answer::code}, {"retMsg", &Answer::message}};
constexpr Slot<Answer> result_slots[] = {{"category", &Answer::category},
                                         {"nextPageCursor", &Answer::cursor},
                                         {"timeSecond", &Answer::seconds},
                                         {"timeNano", &Answer::nanoseconds}};

// {"retCode":0,"retMsg":"OK","result":{…}}; the reason if it is none.
std::string read_answer(std::string_view body, json::Reader& reader, Answer& answer, std::vector<Listed>& rows) {
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    if (key != "result") return json::read_field(key, v, 1, answer_slots, answer);
    return json::each_field(v, 1, [&](std::string_view inner, value field) {
      if (inner != "list") return json::read_field(inner, field, 2, result_slots, answer);
      answer.has_list = true;
      return json::read_rows(field, 2, listed_slots, rows);
    });
  });
  if (refusal != Refusal::none) return "not a whole JSON object";
  if (answer.code.text == "0") return "";
  return std::string(text(answer.message)) + " (code " + std::string(answer.code.text) + ")";
}

std::optional<Instrument> make_instrument(const Listed& row, Market market) {
  if (!fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "bybit";
  out.market = market;
  out.symbol = row.symbol.text;
  out.base = text(row.base);
  out.quote = text(row.quote);
  if (market != Market::spot) out.settle = text(row.settle);
  if (market == Market::option) out.quote = out.settle;  // the premium's currency
  out.trading = row.status.is_string("Trading");
  out.ids = Ids::opaque;
  out.listed = fields::milliseconds_since_1970(row.launched).value_or(Timestamp{});
  return out;
}

template <Market market>
bool parse_instruments(std::string_view body, InstrumentPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Listed> rows;
  Answer answer;
  error = read_answer(body, reader, answer, rows);
  if (error.empty() && !answer.has_list) error = "no \"list\" in the answer";
  if (!error.empty()) return false;
  if (!answer.category.is_string(name_of(market))) return true;  // another market's list
  for (const Listed& row : rows) {
    if (auto instrument = make_instrument(row, market)) out.instruments.push_back(std::move(*instrument));
  }
  out.next.clear();
  if (const auto cursor = text(answer.cursor); !cursor.empty()) {
    out.next = "&cursor=";
    // It comes encoded already, or not at all in need of it.
    if (cursor.find('%') == cursor.npos) {
      fields::append_encoded(out.next, cursor);
    } else {
      out.next += cursor;
    }
  }
  return true;
}

// Parameter error: a coin that it does not know.
bool is_unknown(unsigned, std::string_view body) {
  json::Reader reader;
  std::vector<Listed> rows;
  Answer answer;
  return !read_answer(body, reader, answer, rows).empty() && answer.code.text == "10001";
}

bool parse_time(std::string_view body, Timestamp& out) {
  json::Reader reader;
  std::vector<Listed> rows;
  Answer answer;
  if (!read_answer(body, reader, answer, rows).empty()) return false;
  const auto ns = fields::integer(answer.nanoseconds);
  if (!ns || *ns == 0) return false;
  out = {static_cast<std::int64_t>(*ns / 1'000)};
  return true;
}

// The newest trades, newest first; there is no way to older ones.
constexpr std::uint32_t history_rows_max = 1000;
std::string recent_target(const Instrument& instrument) {
  std::string out = "/v5/market/recent-trade?category=" + std::string(name_of(instrument.market)) + "&symbol=";
  fields::append_encoded(out, instrument.symbol);
  return out.append("&limit=").append(instrument.market == Market::spot ? "60" : std::to_string(history_rows_max));
}

std::string newest_target(const Instrument& instrument, Stream) {
  std::string out = "/v5/market/recent-trade?category=" + std::string(name_of(instrument.market)) + "&symbol=";
  fields::append_encoded(out, instrument.symbol);
  return out.append("&limit=1");
}

struct Past {
  Scalar symbol, id, price, size, side, time, block;
};
constexpr Slot<Past> past_slots[] = {{"symbol", &Past::symbol},     {"execId", &Past::id}, {"price", &Past::price},
                                     {"size", &Past::size},         {"side", &Past::side}, {"time", &Past::time},
                                     {"isBlockTrade", &Past::block}};

// {"retCode":0,"retMsg":"OK","result":{"list":[…]}}; the reason if it is none.
std::string read_past(std::string_view body, json::Reader& reader, std::vector<Past>& rows) {
  Answer answer;
  Scalar list;
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    if (key != "result") return json::read_field(key, v, 1, answer_slots, answer);
    return json::each_field(v, 1, [&](std::string_view inner, value field) {
      return inner == "list" ? json::read_rows(field, 2, past_slots, rows, &list) : json::skip(field, 2);
    });
  });
  if (refusal != Refusal::none) return "not a whole JSON object";
  if (answer.code.text != "0") {
    return std::string(text(answer.message)) + " (code " + std::string(answer.code.text) + ")";
  }
  return list.is(Kind::array) ? "" : "no \"list\" in the answer";
}

bool parse_history(std::string_view body, const Instrument& instrument, HistoryPage& out, std::string& error) {
  json::Reader reader;
  std::vector<Past> rows;
  out.clear();
  error = read_past(body, reader, rows);
  if (!error.empty()) return false;
  for (const Past& p : rows) {
    if (p.symbol.is_string() && p.symbol.text != instrument.symbol) {
      error = "trades of another instrument";
      out.clear();
      return false;
    }
    Trade trade;
    const Row row{p.symbol, p.id, p.time, p.price, p.size, p.side, p.block};
    const Refusal why = p.symbol.is_string() ? read_trade(row, instrument, trade) : Refusal::bad_field;
    fields::take_past(out, trade, why, std::nullopt, fields::milliseconds_since_1970(p.time));
  }
  fields::put_in_order(out, true);
  return true;
}

// ---- Candles: [start, open, high, low, close, volume, turnover], newest first; volume is the size unit ----

constexpr Duration candle_intervals[] = {seconds(60),     seconds(180),    seconds(300),   seconds(900),
                                         seconds(1'800),  seconds(3'600),  seconds(7'200), seconds(14'400),
                                         seconds(21'600), seconds(43'200), seconds(86'400)};
constexpr std::string_view candle_names[] = {"1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D"};
constexpr std::uint32_t candles_max = 1000;

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, Duration interval, Timestamp) {
  std::string out = "/v5/market/kline?category=" + std::string(name_of(instrument.market)) + "&symbol=";
  fields::append_encoded(out, instrument.symbol);
  out.append("&interval=").append(candles::name_of(candle_intervals, candle_names, interval));
  out.append("&start=").append(std::to_string(from.us / 1'000));
  out.append("&end=").append(std::to_string(to.us / 1'000 - 1));
  return out.append("&limit=").append(std::to_string(candles_max));
}

bool parse_candles(std::string_view body, const Instrument& instrument, std::vector<Candle>& out, std::string& error) {
  json::Reader reader;
  Answer answer;
  candles::Cells cells;
  out.clear();
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, value v) {
    if (key != "result") return json::read_field(key, v, 1, answer_slots, answer);
    return json::each_field(v, 1, [&](std::string_view inner, value field) {
      if (inner != "list") return json::skip(field, 2);
      answer.has_list = true;
      return candles::read_cells(field, 2, cells);
    });
  });
  error = refusal != Refusal::none ? "not a whole JSON object" : "";
  if (error.empty() && answer.code.text != "0") {
    error = std::string(text(answer.message)) + " (code " + std::string(answer.code.text) + ")";
  }
  if (error.empty() && !answer.has_list) error = "no \"list\" in the answer";
  if (error.empty()) error = candles::read(cells, {}, instrument, out);
  return error.empty();
}

// ---- Instruments that a list does not have ----

std::string symbol_of(std::string_view message) {
  if (message.find("\"publicTrade.") == message.npos && message.find("\"trade.") == message.npos) return {};
  return json::first_string(message, {"s", "symbol"});
}

// "BTCUSDT" is both spot and linear: spot's trade ids are numbers, the others' UUIDs.
template <Market market>
bool looks_like_ours(std::string_view message) {
  std::string id = json::first_string(message, {"i", "trade_id"});
  const bool number = std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
  return number == (market == Market::spot);
}

// "BTCUSD" and "BTCUSDM21" are inverse, "BTC-27MAR26-70000-P" an option; "BTCUSDT" may be spot or linear.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  if (symbol.empty()) return false;
  const auto dashes = std::ranges::count(symbol, '-');
  const auto usd = symbol.find("USD");
  const auto after = usd == symbol.npos ? std::string_view("-") : symbol.substr(usd + 3);
  const bool dated = after.size() == 3 && after[1] >= '0' && after[1] <= '9' && after[2] >= '0' && after[2] <= '9';
  const bool inverse = dashes == 0 && usd != symbol.npos && usd > 0 && (after.empty() || dated);
  const Market told = dashes >= 3 ? Market::option : inverse ? Market::inverse : Market::linear;
  if (market != told && !(market == Market::spot && told == Market::linear)) return false;
  out = Instrument{};
  out.exchange = "bybit";
  out.market = market;
  out.symbol = symbol;
  out.ids = Ids::opaque;
  return true;
}

// ---- The four markets ----

constexpr std::string_view ws[] = {"wss://stream.bybit.com"};
constexpr std::string_view rest[] = {"https://api.bybit.com", "https://api.bytick.com"};

// 21,000 characters of topics per connection, ten topics per request on spot; 500 connections in five minutes. What is
// not pinged is closed.
constexpr Limits limits(Market market) {
  const bool option = market == Market::option;
  return {option ? 2'000U : 400U,
          market == Market::spot ? 10U : 100U,
          5,
          400,
          seconds(300),
          {},
          option ? seconds(240) : seconds(120),
          0,
          seconds(20)};
}

template <Market market>
consteval Exchange family() {
  Exchange out{};
  out.name = "bybit";
  out.market = market;
  out.ws_hosts = ws;
  out.rest_hosts = rest;
  out.limits = limits(market);
  out.region_note = "some regions have a host of their own (stream.bybit.eu, stream.bybit.tr, …): set ws and rest";
  out.ws_target = ws_target<market>;
  out.series_of = series_of;
  out.subscribe = subscribe;
  out.unsubscribe = unsubscribe<market>;
  out.topic_of = topic_of;
  out.delivers_unrequested = market == Market::option;
  out.probe = probe;
  out.parse = parse;
  out.instruments_targets = instruments_targets<market>;
  out.parse_instruments = parse_instruments<market>;
  out.is_unknown = is_unknown;
  out.time_target = "/v5/market/time";
  out.parse_time = parse_time;
  out.history_per_minute = 300;  // 600 in five seconds are allowed
  out.weight_pool = "public";
  out.history_page = history_rows_max;
  out.recent_target = recent_target;
  out.newest_target = newest_target;
  out.parse_history = parse_history;
  if (market != Market::option) {  // there are none
    out.candle_intervals = candle_intervals;
    out.candles_page = candles_max;
    out.candle_facts = candles::facts(market);
    out.candles_target = candles_target;
    out.parse_candles = parse_candles;
  }
  out.symbol_of = symbol_of;
  out.looks_like_ours = looks_like_ours<market>;
  out.assume_instrument = assume_instrument<market>;
  return out;
}

constexpr Exchange spot = family<Market::spot>();
constexpr Exchange linear = family<Market::linear>();
constexpr Exchange inverse = family<Market::inverse>();
constexpr Exchange option = family<Market::option>();
constexpr const Exchange* markets[] = {&spot, &linear, &inverse, &option};

}  // namespace

std::span<const Exchange* const> bybit_markets() { return markets; }

}  // namespace cvdd
