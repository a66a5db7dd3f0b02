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

#include "beside.hpp"
#include "bybit_context.hpp"
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

struct Row {
  Scalar symbol, id, time, price, size, side, block;
  [[nodiscard]] auto when() const { return fields::milliseconds_since_1970(time); }
  [[nodiscard]] static std::optional<std::uint64_t> id_in_order() { return std::nullopt; }
};
// Frames, frames of the older feed, and the history.
constexpr Slot<Row> row_slots[] = {{"T", &Row::time},
                                   {"s", &Row::symbol},
                                   {"S", &Row::side},
                                   {"v", &Row::size},
                                   {"p", &Row::price},
                                   {"i", &Row::id},
                                   {"BT", &Row::block},
                                   {"symbol", &Row::symbol},
                                   {"trade_id", &Row::id},
                                   {"price", &Row::price},
                                   {"size", &Row::size},
                                   {"side", &Row::side},
                                   {"trade_time_ms", &Row::time}};
constexpr Slot<Row> past_slots[] = {{"symbol", &Row::symbol},     {"execId", &Row::id}, {"price", &Row::price},
                                    {"size", &Row::size},         {"side", &Row::side}, {"time", &Row::time},
                                    {"isBlockTrade", &Row::block}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "Buy", "Sell");
  if (!time || !side || !row.id.is_string()) return Refusal::bad_field;
  if (row.block.present() && !row.block.is(Kind::boolean)) return Refusal::bad_field;
  const auto number = fields::integer(row.id);
  fields::set(trade, instrument, *time, number.value_or(0), *side);
  if (!number && !fields::read_uuid(row.id.text, trade)) return Refusal::bad_field;
  trade.in_cvd = !row.block.is_true();  // a block trade was agreed elsewhere
  return fields::read_volume(row.price, row.size, trade);
}

// ---- Channels ----

// Options are subscribed by their base coin, all strikes at once.
std::string topic(const DataChannel& channel, const Instrument& instrument) {
  const std::string& name = instrument.symbol;
  return std::string(channel.name) + "." +
         (instrument.market == Market::option ? name.substr(0, name.find('-')) : name);
}
constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "publicTrade", .rows = &rows<row_slots, read_trade>, .topic = topic},
    {.kinds = {DataKind::trade}, .name = "trade", .rows = &rows<row_slots, read_trade>},  // the older feed's
    {.kinds = {DataKind::book}, .name = "orderbook.1", .rows = &bybit::book_reader, .topic = topic},
    {.kinds = {DataKind::mark, DataKind::funding, DataKind::open_interest},
     .name = "tickers",
     .rows = &bybit::ticker_reader,
     .topic = topic},
    {.kinds = {DataKind::liquidation}, .name = "allLiquidation", .rows = &bybit::closed_reader, .topic = topic}};
// Spot has a book alone. Options are subscribed by their coin, so that one of them can't be asked for.
constexpr std::span<const DataChannel> channels_of(Market market) {
  const std::span<const DataChannel> all(channels_there);
  return all.first(market == Market::option ? 2 : market == Market::spot ? 3 : all.size());
}

// ---- Messages ----

struct Head {
  Scalar topic, operation, success, text, request, type, rows;
};
constexpr Slot<Head> head_slots[] = {{"topic", &Head::topic},  {"op", &Head::operation},   {"success", &Head::success},
                                     {"ret_msg", &Head::text}, {"req_id", &Head::request}, {"type", &Head::type}};

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

// Of the option market: {"success":true,"data":{"failTopics":[…],"successTopics":[…]},"type":"COMMAND_RESP"}
void read_list(std::string_view message, Ack& ack) {
  static constexpr std::string_view good[] = {"data", "successTopics"}, failed[] = {"data", "failTopics"};
  ack.topics = json::strings_at(message, good);
  ack.rest = Ack::Rest::refused;
  if (!ack.topics.empty()) return;
  ack.topics = json::strings_at(message, failed);
  ack.ok = ack.topics.empty();
  if (ack.ok) return;
  ack.error = "in failTopics";
  ack.rest = Ack::Rest::again;
}

// One bad topic takes the whole request with it, and so does one that is subscribed already.
void read_ack(std::string_view message, const Head& head, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.id = fields::integer(head.request).value_or(0);
  if (head.type.is_string("COMMAND_RESP")) return read_list(message, ack);
  if (head.success.is_true()) return;
  const std::string_view why = text(head.text);
  ack.topics = topics_in(why);
  ack.rest = Ack::Rest::again;
  ack.ok = contains_any(why, {"already subscribed"});
  ack.error = why;
  ack.temporary = ack.topics.empty() && contains_any(why, {"too many", "Too many", "frequen", "busy", "internal"});
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    return key == "data" ? rows(v, 1) : json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    return channels::in_front_of(channels_there, text(head.topic));
  }
  static const Scalar& topic(const Head& head) { return head.topic; }
  // An option's topic is its coin's: it names no instrument.
  static std::string_view symbol_in(std::string_view topic) { return topic.substr(topic.find('.') + 1); }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable&, Parsed& out) {
    const std::string_view operation = text(head.operation);
    if (head.topic.is_string()) {
      out.ignored = true;
    } else if (operation == "pong" || (operation == "ping" && head.success.present())) {
      out.pong = true;
    } else if (head.type.is_string("COMMAND_RESP") ||
               (head.success.is(Kind::boolean) && (operation == "subscribe" || operation == "unsubscribe"))) {
      read_ack(message, head, out);
    } else {
      return Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// Books and tickers have their time beside the rows.
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  channels::parse<Message>(message, symbols, out);
  if (out.has_beside) fields::date_by_frame(out, message, "ts");
}

// ---- Requests ----

// The other strikes of its coin may still be wanted, so an option is merely no longer listened to.
template <Market market>
std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  const bool on = verb == Verb::subscribe;
  if (!on && market == Market::option) return {};
  return R"({"req_id":")" + std::to_string(id) + R"(","op":")" + (on ? "subscribe" : "unsubscribe") + R"(","args":[)" +
         fields::quoted_topics(channel, instruments) + "]}";
}
std::string probe(std::uint64_t id) { return R"({"req_id":")" + std::to_string(id) + R"(","op":"ping"})"; }

template <Market market>
std::string ws_target(Stream) {
  return "/v5/public/" + std::string(name_of(market));
}

// ---- Instruments ----

constexpr rest::Envelope envelope{"result.list", "retCode", "0", "retMsg"};

rest::Query query(std::string_view path, Market market) {
  return rest::Query("/v5/market/" + std::string(path)).add("category", name_of(market));
}

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string> wanted) {
  const auto of_coin = [](std::string_view coin) -> std::string {
    rest::Query target = query("instruments-info", market);
    if (market != Market::spot) target.add("limit", 1000);
    if (!coin.empty()) target.add("baseCoin", coin);
    return target;
  };
  if (market != Market::option) return {of_coin("")};
  std::vector<std::string> coins;
  for (const std::string& name : wanted) {
    coins.push_back(name.substr(0, name.find('-')));
    if (coins.back().find_first_of("*?") != std::string::npos) return {of_coin("All")};
  }
  return rest::each_once(std::move(coins), of_coin);
}

struct Listed {
  Scalar symbol, status, base, quote, settle, launched;
};
constexpr Slot<Listed> listed_slots[] = {{"symbol", &Listed::symbol},     {"status", &Listed::status},
                                         {"baseCoin", &Listed::base},     {"quoteCoin", &Listed::quote},
                                         {"settleCoin", &Listed::settle}, {"launchTime", &Listed::launched}};

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

// A page says what its market is, and by which cursor the next one is found.
template <Market market>
Outcome<InstrumentPage> parse_instruments(std::string_view body) {
  json::Reader reader;
  std::vector<Listed> rows;
  Scalar category, cursor;
  const rest::Field more[] = {{"result.category", &category}, {"result.nextPageCursor", &cursor}};
  std::string error = rest::read(reader, body, envelope, more, rest::into<listed_slots>(rows));
  if (!error.empty()) return Failure{std::move(error)};
  InstrumentPage page;
  if (!category.is_string(name_of(market))) return page;  // another market's list
  for (const Listed& row : rows) {
    if (auto instrument = make_instrument(row, market)) page.instruments.push_back(std::move(*instrument));
  }
  // It comes encoded already, or not at all in need of it.
  const std::string_view next = text(cursor);
  const bool encoded = next.find('%') != next.npos;
  if (!next.empty()) page.next = "&cursor=" + (encoded ? std::string(next) : rest::Query::encoded(next));
  return page;
}

// Parameter error: a coin that it does not know.
bool is_unknown(unsigned, std::string_view body) { return rest::has_code(body, envelope, {"10001"}); }

std::optional<Timestamp> nanoseconds(const Scalar& field) {
  const auto ns = fields::integer(field);
  return ns && *ns != 0 ? std::optional(Timestamp{static_cast<std::int64_t>(*ns / 1'000)}) : std::nullopt;
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

std::string symbol_of(std::string_view message) {
  return json::first_string_if(message, {"\"publicTrade.", "\"trade."}, {"s", "symbol"});
}

// "BTCUSDT" is both spot and linear: spot's trade ids are numbers, the others' UUIDs.
template <Market market>
bool looks_like_ours(std::string_view message) {
  std::string id = json::first_string(message, {"i", "trade_id"});
  const bool number = std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
  return number == (market == Market::spot);
}

// ---- History: the newest trades, newest first; there is no way to older ones ----

constexpr std::uint32_t history_page = 1000;

std::string recent_of(const Instrument& instrument, std::uint32_t rows) {
  return query("recent-trade", instrument.market).add("symbol", instrument.symbol).add("limit", rows);
}
std::string recent(const Instrument& instrument) {
  return recent_of(instrument, instrument.market == Market::spot ? 60 : history_page);
}
std::string newest(const Instrument& instrument, Stream) { return recent_of(instrument, 1); }

constexpr History history{
    .page = history_page,
    .recent = recent,
    .newest = newest,
    .read = rest::history<envelope, past_slots, read_trade, rest::Order::newest_first, rest::Rows::named>};

// ---- Candles: [start, open, high, low, close, volume, turnover], newest first; volume is the size unit ----

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1"},       {seconds(180), "3"},      {seconds(300), "5"},     {seconds(900), "15"},
    {seconds(1'800), "30"},   {seconds(3'600), "60"},   {seconds(7'200), "120"}, {seconds(14'400), "240"},
    {seconds(21'600), "360"}, {seconds(43'200), "720"}, {seconds(86'400), "D"}};
constexpr std::uint32_t candles_page = 1000;
constexpr candles::Columns columns;

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return query("kline", instrument.market)
      .add("symbol", instrument.symbol)
      .add("interval", interval.name)
      .add("start", rest::ms(from))
      .add("end", rest::ms(to) - 1)
      .add("limit", candles_page);
}

template <Market market>
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = candles_page,
                                .facts = candles::facts(market),
                                .target = candles_target,
                                .read = rest::candles_of<envelope, columns>};

// ---- The four markets ----

constexpr std::string_view ws[] = {"wss://stream.bybit.com"};
constexpr std::string_view rest_hosts[] = {"https://api.bybit.com", "https://api.bytick.com"};
constexpr std::string_view time_field = "result.timeNano";

template <Market market>
constexpr Exchange exchange{
    .name = "bybit",
    .market = market,
    .ws_hosts = ws,
    .rest_hosts = rest_hosts,
    // 21,000 characters of topics per connection, ten topics per request on spot; 500 connections in five minutes.
    // What is not pinged is closed.
    .limits = {.instruments_per_connection = market == Market::option ? 2'000U : 400U,
               .instruments_per_request = market == Market::spot ? 10U : 100U,
               .messages_per_second = 5,
               .connection_attempts = 400,
               .connection_attempts_window = seconds(300),
               .silence = market == Market::option ? seconds(240) : seconds(120),
               .probe_every = seconds(20)},
    .region_note = "some regions have a host of their own (stream.bybit.eu, stream.bybit.tr, …): set ws and rest",
    .ws_target = ws_target<market>,
    .channels = channels_of(market),
    .liquidations =
        market == Market::linear || market == Market::inverse ? LiquidationsTold::all : LiquidationsTold::none,
    .request = request<market>,
    .delivers_unrequested = market == Market::option,
    .probe = probe,
    .parse = parse,
    .instruments_targets = instruments_targets<market>,
    .is_unknown = is_unknown,
    .parse_instruments = parse_instruments<market>,
    .time_target = "/v5/market/time",
    .parse_time = rest::time<envelope, time_field, nanoseconds>,
    .history_per_minute = 300,  // 600 in five seconds are allowed
    .weight_pool = "public",
    .history = &history,
    .candles = market == Market::option ? nullptr : &candles_there<market>,  // there are none
    .symbol_of = symbol_of,
    .looks_like_ours = looks_like_ours<market>,
    .assume_instrument = assume_instrument<market>};

constexpr const Exchange* markets[] = {&exchange<Market::spot>, &exchange<Market::linear>, &exchange<Market::inverse>,
                                       &exchange<Market::option>};

}  // namespace

std::span<const Exchange* const> bybit_markets() { return markets; }

}  // namespace cvdd
