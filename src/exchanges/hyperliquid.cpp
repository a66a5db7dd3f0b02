// Hyperliquid: perpetuals (linear) of its own list, and spot. Markets of other builders (HIP-3) are not collected.
//
// Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions (checked
// 2026-11-27), "Timeouts and heartbeats", "Info endpoint", "Rate limits and user limits". Sample:
// {"channel":"trades","data":[{"coin":"BTC","side":"A","px":"84143.0","sz":"0.00036","time":1790232216193,
//          "hash":"0x7ab6…","tid":1045359869404765,"users":["0x9aa5…","0x8269…"]}]}
// Side: "side" is the taker's: B bought, A sold.
// Ids: "tid" is a hash of two orders, and names a trade together with its time. A hole is not seen; candles tell volume
// and how many trades there were.
// Size: base units; a kPEPE is a thousand PEPE.
// Everything by REST is a POST to one address. A coin that it does not know makes it close the connection without a
// word, so coins are asked for one by one, and only by names from its list.
#include <algorithm>

#include "channels.hpp"
#include "registry.hpp"
#include "rest.hpp"

namespace cvdd {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// ---- Trades ----

struct Row {
  Scalar symbol, id, price, size, side, time;
  [[nodiscard]] auto when() const { return fields::milliseconds_since_1970(time); }
  [[nodiscard]] static std::optional<std::uint64_t> id_in_order() { return std::nullopt; }
};
constexpr Slot<Row> row_slots[] = {{"coin", &Row::symbol}, {"side", &Row::side}, {"px", &Row::price},
                                   {"sz", &Row::size},     {"time", &Row::time}, {"tid", &Row::id}};

Refusal read_trade(const Row& row, const Instrument& instrument, Trade& trade) {
  const auto id = fields::number(row.id);
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "B", "A");
  if (!id || !time || !side) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *id, *side);
  trade.id_high = static_cast<std::uint64_t>(time->us);
  return fields::read_volume(row.price, row.size, trade);
}

// ---- Channels ----

constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "trades", .rows = &rows<row_slots, read_trade>}};

// ---- Messages ----

struct Head {
  Scalar channel, symbol, rows;
};
constexpr Slot<Head> head_slots[] = {{"channel", &Head::channel}};

// "Already subscribed: {\"type\":\"trades\",\"coin\":\"BTC\"}"
std::string coin_in(std::string_view text) {
  const std::string_view key = R"("coin":")";
  const auto at = text.find(key);
  if (at == text.npos) return {};
  const auto rest = text.substr(at + key.size());
  return std::string(rest.substr(0, rest.find('"')));
}

void read_ack(std::string_view message, bool ok, Parsed& out) {
  Ack& ack = out.acks.emplace_back();
  ack.ok = ok;
  if (!ok) ack.error = json::first_string(message, {"data"});
  const std::string coin = ok ? json::first_string(message, {"coin"}) : coin_in(ack.error);
  if (!coin.empty()) ack.topics.push_back(coin);
  ack.ok = ok || ack.error.starts_with("Already ");
  ack.temporary = ack.error.find("Too many") != std::string::npos;
}

struct Message {
  using Head = cvdd::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& rows) {
    return key == "data" ? rows(v, 1) : json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    return head.rows.present() ? channels::named(channels_there, text(head.channel)) : nullptr;
  }
  // Each row names its own.
  static const Scalar& topic(const Head& head) { return head.symbol; }
  static std::string_view symbol_in(std::string_view) { return {}; }
  static Refusal other(std::string_view message, const Head& head, const SymbolTable&, Parsed& out) {
    const std::string_view channel = text(head.channel);
    if (channel == "subscriptionResponse" || channel == "error") {
      read_ack(message, channel != "error", out);
    } else if (channel == "pong") {
      out.pong = true;
    } else {
      out.ignored = !channel.empty();
      return out.ignored ? Refusal::none : Refusal::not_understood;
    }
    return Refusal::none;
  }
};

// ---- Requests ----

std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t) {
  return R"({"method":")" + std::string(verb == Verb::subscribe ? "subscribe" : "unsubscribe") +
         R"(","subscription":{"type":)" + fields::in_quotes(channel.name) + R"(,"coin":)" +
         fields::in_quotes(instruments.front()->symbol) + "}}";
}
std::string probe(std::uint64_t) { return R"({"method":"ping"})"; }

std::string ws_target(Stream) { return "/ws"; }

// ---- Instruments ----

std::string info(std::string_view type, std::string_view more = {}) {
  return std::string("/info\n{\"type\":\"").append(type).append("\"").append(more).append("}");
}
std::string of_coin(const Instrument& instrument) { return ",\"coin\":" + fields::in_quotes(instrument.symbol); }

template <Market market>
std::vector<std::string> instruments_targets(std::span<const std::string>) {
  return {info(market == Market::spot ? "spotMeta" : "meta")};
}

constexpr rest::Envelope envelope{"universe", {}, {}, {}};

struct Listed {
  Scalar symbol, delisted;
};
constexpr Slot<Listed> listed_slots[] = {{"name", &Listed::symbol}, {"isDelisted", &Listed::delisted}};

std::optional<Instrument> make_perpetual(const Listed& row) {
  if (!fields::usable_symbol(row.symbol)) return std::nullopt;
  Instrument out;
  out.exchange = "hyperliquid";
  out.market = Market::linear;
  out.symbol = out.base = row.symbol.text;
  out.quote = "USD";
  out.settle = "USDC";
  out.trading = !row.delisted.is_true();
  out.ids = Ids::opaque;
  return out;
}

// {"universe":[{"name":"@107","tokens":[150,0],…},…],"tokens":[{"name":"USDC","index":0,…},…]}
struct Token {
  Scalar name, index;
};
constexpr Slot<Token> token_slots[] = {{"name", &Token::name}, {"index", &Token::index}};
struct Pair {
  Scalar name;
  std::vector<Scalar> tokens;
};

Outcome<InstrumentPage> parse_pairs(std::string_view body) {
  json::Reader reader;
  std::vector<Pair> pairs;
  std::vector<Token> tokens;
  const auto take_pair = [&](json::Value item) {
    Pair& pair = pairs.emplace_back();
    return json::each_field(item, 2, [&](std::string_view key, json::Value v) {
      if (key == "tokens") return candles::read_row(v, 3, pair.tokens);
      return key == "name" ? json::read(v, 3, pair.name) : json::skip(v, 3);
    });
  };
  const Refusal refusal = json::read_message(reader, body, [&](std::string_view key, json::Value v) {
    if (key == "universe") return json::each_item(v, 1, take_pair);
    return key == "tokens" ? rest::into<token_slots>(tokens)(v, 1) : json::skip(v, 1);
  });
  if (refusal != Refusal::none || tokens.empty()) return Failure{"no pairs in the answer"};
  const auto coin = [&](const Scalar& index) {
    const auto found =
        std::ranges::find(tokens, fields::number(index), [](const Token& t) { return fields::number(t.index); });
    return found == tokens.end() ? std::string_view() : text(found->name);
  };
  InstrumentPage page;
  for (const Pair& pair : pairs) {
    if (pair.tokens.size() != 2 || !fields::usable_symbol(pair.name)) continue;
    Instrument& out = page.instruments.emplace_back();
    out.exchange = "hyperliquid";
    out.market = Market::spot;
    out.symbol = pair.name.text;
    out.base = coin(pair.tokens[0]);
    out.quote = coin(pair.tokens[1]);
    out.ids = Ids::opaque;
    if (out.base.empty() || out.quote.empty()) page.instruments.pop_back();  // of nobody knows what
  }
  return page;
}

std::string symbol_of(std::string_view message) { return json::first_string_if(message, {"\"trades\""}, {"coin"}); }

// "@107" and "PURR/USDC" are spot, "xyz:SP500" another builder's, "#…" an outcome, all else perpetuals.
template <Market market>
bool assume_instrument(std::string_view symbol, std::span<const Instrument>, Instrument& out) {
  const bool spot = symbol.starts_with('@') || symbol.find('/') != symbol.npos;
  if (symbol.empty() || symbol.starts_with('#') || symbol.find(':') != symbol.npos ||
      spot != (market == Market::spot)) {
    return false;
  }
  out = Instrument{};
  out.exchange = "hyperliquid";
  out.market = market;
  out.symbol = symbol;
  out.ids = Ids::opaque;
  return true;
}

// ---- History: the last ten trades ----

constexpr rest::Envelope bare;

std::string recent(const Instrument& instrument) { return info("recentTrades", of_coin(instrument)); }
std::string newest(const Instrument& instrument, Stream) { return recent(instrument); }
constexpr History history{
    .page = 10,
    .recent = recent,
    .newest = newest,
    .read = rest::history<bare, row_slots, read_trade, rest::Order::newest_first, rest::Rows::named>};

// ---- Candles, oldest first; v is base units, n the number of trades; the newest 5,000 are to be had ----

constexpr CandleInterval candle_intervals[] = {
    {seconds(60), "1m"},     {seconds(180), "3m"},     {seconds(300), "5m"},   {seconds(900), "15m"},
    {seconds(1'800), "30m"}, {seconds(3'600), "1h"},   {seconds(7'200), "2h"}, {seconds(14'400), "4h"},
    {seconds(28'800), "8h"}, {seconds(43'200), "12h"}, {seconds(86'400), "1d"}};
using rest::CandleRow;
constexpr Slot<CandleRow> candle_slots[] = {
    {"t", &CandleRow::time},  {"o", &CandleRow::open},   {"h", &CandleRow::high}, {"l", &CandleRow::low},
    {"c", &CandleRow::close}, {"v", &CandleRow::volume}, {"n", &CandleRow::fills}};
constexpr candles::Columns columns{.fills = 6};

std::string candles_target(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                           Timestamp) {
  return info("candleSnapshot", ",\"req\":{" + of_coin(instrument).substr(1) +
                                    ",\"interval\":" + fields::in_quotes(interval.name) +
                                    ",\"startTime\":" + std::to_string(rest::ms(from)) +
                                    ",\"endTime\":" + std::to_string(rest::ms(to) - 1) + "}");
}
constexpr Candles candles_there{.intervals = candle_intervals,
                                .page = 500,
                                .facts = {.quote_exact = false},
                                .fills = true,
                                .target = candles_target,
                                .read = rest::candles_in<bare, candle_slots, columns>};

// ---- The two markets ----

constexpr std::string_view ws[] = {"wss://api.hyperliquid.xyz"};
constexpr std::string_view rest_hosts[] = {"https://api.hyperliquid.xyz"};
constexpr std::string_view time_field = "time";

template <Market market>
constexpr Exchange exchange{.name = "hyperliquid",
                            .market = market,
                            .ws_hosts = ws,
                            .rest_hosts = rest_hosts,
                            // 10 connections (older pages say 100), 30 new ones a minute, 1,000 subscriptions and 2,000
                            // messages a minute from one address; closed after a minute in which it sent nothing.
                            .limits = {.instruments_per_connection = 250,
                                       .instruments_per_request = 1,
                                       .messages_per_second = 10,
                                       .connection_attempts = 15,
                                       .connection_attempts_window = seconds(60),
                                       .silence = market == Market::spot ? seconds(400) : seconds(120),
                                       .probe_every = seconds(20)},
                            .region_note = "no other host serves this market",
                            .ws_target = ws_target,
                            .channels = channels_there,
                            .request = request,
                            .begins_with_old = true,
                            .probe = probe,
                            .parse = channels::parse<Message>,
                            .instruments_targets = instruments_targets<market>,
                            .parse_instruments = market == Market::spot
                                                     ? parse_pairs
                                                     : rest::instruments<envelope, listed_slots, make_perpetual>,
                            .time_target = "/info\n{\"type\":\"exchangeStatus\"}",
                            .parse_time = rest::time<bare, time_field, fields::milliseconds_since_1970>,
                            .history_per_minute = 30,  // weight 1,200 a minute, of which each takes 20
                            .weight_pool = "info",
                            .history = &history,
                            .candles = &candles_there,
                            .symbol_of = symbol_of,
                            .assume_instrument = assume_instrument<market>};
constexpr const Exchange* markets[] = {&exchange<Market::linear>, &exchange<Market::spot>};

}  // namespace

std::span<const Exchange* const> hyperliquid_markets() { return markets; }

}  // namespace cvdd
