// The simulated Coinbase Exchange: the maker's side, an old trade first, and a heartbeat that tells the newest.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "cvdd/base/time_text.hpp"
#include "cvdd/sim/protocol.hpp"
#include "text.hpp"

namespace cvdd::sim {

namespace {
constexpr Market markets_there[] = {Market::spot};
constexpr Duration silent_start = seconds(5);  // a subscription must come by then

std::string topic_name(std::string_view channel, std::string_view product) {
  return fmt::format("coinbase:{}:{}", channel, product);
}

std::string iso(Timestamp t) {
  const std::time_t seconds_since = t.us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds_since, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, t.us % 1'000'000);
}

std::string match(std::string_view type, const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(R"({{"type":"{}","trade_id":{},"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8",)"
                     R"("taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","side":"{}","size":"{}","price":"{}",)"
                     R"("product_id":"{}","sequence":{},"time":"{}"}})",
                     type, t.id, t.buyer_is_maker ? "buy" : "sell", size_text(what, t.size_steps), price_text(what, t),
                     what.instrument.symbol, t.id * 3, iso(t.time));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void hear(std::string_view text, Timestamp, Said& said) override {
    simdjson::dom::element message;
    simdjson::dom::array channels;
    if (parser_.parse(text.data(), text.size()).get(message) != simdjson::SUCCESS || !message.is_object() ||
        message["channels"].get(channels) != simdjson::SUCCESS) {
      return error("Malformed JSON", "", said);
    }
    const std::string_view type = string_field(message, "type");
    if (type != "subscribe" && type != "unsubscribe") return error("Failed to parse", "unknown type", said);
    std::vector<std::pair<std::string, std::string>> asked;
    for (const simdjson::dom::element channel : channels) {
      simdjson::dom::array products;
      if (channel["product_ids"].get(products) != simdjson::SUCCESS) continue;
      for (const simdjson::dom::element entry : products) {
        std::string_view product;
        if (entry.get(product) != simdjson::SUCCESS) continue;
        if (index_of(product) == Tape::npos) {
          return error("Failed to subscribe", fmt::format("{} is not a valid product", product), said);
        }
        asked.emplace_back(string_field(channel, "name"), product);
      }
    }
    for (const auto& [channel, product] : asked) {
      const std::string topic = topic_name(channel, product);
      const bool on = type == "subscribe";
      if (on && !topics_.insert({channel, product}).second) continue;
      if (!on && topics_.erase({channel, product}) == 0) continue;
      (on ? said.listen : said.leave).push_back(topic);
      if (on && channel == "matches") fresh_.push_back(product);
    }
    said.answers.push_back(R"({"type":"subscriptions","channels":[)" + listed("matches") + "," + listed("heartbeat") +
                           "]}");
    // The newest trade there is, whenever it was.
    for (const std::string& product : std::exchange(fresh_, {})) {
      const std::size_t index = index_of(product);
      const auto trades = tape_->trades(index);
      if (!trades.empty()) said.answers.push_back(match("last_match", tape_->instruments()[index], trades.back()));
    }
  }

  void tick(Timestamp now, Said& said) override {
    if (opened_.us == 0) opened_ = now;
    if (topics_.empty() && now - opened_ > silent_start) said.farewell = "no subscription";
    for (const auto& [channel, product] : topics_) {
      const std::size_t index = index_of(product);
      if (channel != "heartbeat" || index == Tape::npos || tape_->trades(index).empty()) continue;
      const std::uint64_t id = tape_->trades(index).back().id;
      said.answers.push_back(
          fmt::format(R"({{"type":"heartbeat","sequence":{},"last_trade_id":{},"product_id":"{}","time":"{}"}})",
                      id * 3, id, product, iso(now)));
    }
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 100; }

 private:
  [[nodiscard]] std::size_t index_of(std::string_view product) const {
    return tape_ != nullptr ? tape_->find("coinbase", Market::spot, product) : Tape::npos;
  }
  [[nodiscard]] std::string listed(std::string_view channel) const {
    std::string products;
    for (const auto& [name, product] : topics_) {
      if (name != channel) continue;
      fmt::format_to(std::back_inserter(products), "{}\"{}\"", products.empty() ? "" : ",", product);
    }
    return fmt::format(R"({{"name":"{}","product_ids":[{}]}})", channel, products);
  }
  static void error(std::string_view message, std::string_view reason, Said& said) {
    said.answers.push_back(fmt::format(R"({{"type":"error","message":"{}","reason":"{}"}})", message, reason));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::pair<std::string, std::string>> topics_;  // channel, product
  std::vector<std::string> fresh_;
  Timestamp opened_;
};

Answer products(const Tape* tape) {
  std::string rows;
  for (const TapeInstrument& what : tape != nullptr ? tape->instruments() : std::span<const TapeInstrument>()) {
    const Instrument& i = what.instrument;
    if (i.exchange != "coinbase") continue;
    fmt::format_to(std::back_inserter(rows),
                   R"({}{{"id":"{}","base_currency":"{}","quote_currency":"{}","quote_increment":"{}",)"
                   R"("base_increment":"{}","status":"online","trading_disabled":false}})",
                   rows.empty() ? "" : ",", i.symbol, i.base, i.quote,
                   fixed(1, what.price_decimals, what.price_decimals),
                   fixed(1, what.size_decimals, what.size_decimals));
  }
  return {200, "[" + rows + "]", 1};
}

// Newest first, older than `after`; or the newest of all, however far the history reaches.
Answer history(const Address& address, const Tape* tape, std::string_view product) {
  const std::size_t index = tape != nullptr ? tape->find("coinbase", Market::spot, product) : Tape::npos;
  if (index == Tape::npos) return {404, R"({"message":"NotFound"})", 1};
  const std::uint64_t after = address.number("after", ~std::uint64_t{0});
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), 1'000);
  const auto all = address.parameter("after") ? tape->history(index) : tape->trades(index);
  auto some = with_ids(all, 0, after - 1);
  if (some.size() > limit) some = some.last(limit);
  std::string rows;
  for (auto t = some.rbegin(); t != some.rend(); ++t) {
    const TapeInstrument& what = tape->instruments()[index];
    fmt::format_to(std::back_inserter(rows), R"({}{{"time":"{}","trade_id":{},"price":"{}","size":"{}","side":"{}"}})",
                   rows.empty() ? "" : ",", iso(t->time), t->id, price_text(what, *t), size_text(what, t->size_steps),
                   t->buyer_is_maker ? "buy" : "sell");
  }
  return {200, "[" + rows + "]", 1};
}

// [time, low, high, open, close, volume], newest first, without quiet ones; one from before `start` comes along.
Answer candles(const Address& address, const Tape& tape, std::string_view product, Timestamp now) {
  const std::size_t index = tape.find("coinbase", Market::spot, product);
  const auto from = parse_time(address.parameter("start").value_or("")),
             to = parse_time(address.parameter("end").value_or(""));
  if (index == Tape::npos) return {404, R"({"message":"NotFound"})", 1};
  if (!from || !to || address.parameter("granularity") != "60") return {400, R"({"message":"Bad request"})", 1};
  const auto bars = tape_candles(tape, index, *from - seconds(60), *to, now, seconds(60), 301);
  std::string rows;
  for (auto bar = bars.rbegin(); bar != bars.rend(); ++bar) {
    if (bar->steps == 0) continue;
    fmt::format_to(std::back_inserter(rows), "{}[{},{},{},{},{},{}]", rows.empty() ? "" : ",", bar->time.us / 1'000'000,
                   bar->low, bar->high, bar->open, bar->close, bar->volume);
  }
  return {200, "[" + rows + "]", 1};
}

class Coinbase final : public Protocol {
 public:
  [[nodiscard]] std::string_view name() const override { return "coinbase"; }
  [[nodiscard]] std::span<const Market> markets() const override { return markets_there; }
  [[nodiscard]] bool owns(Address& address) const override {
    return address.host.find("coinbase.com") != std::string::npos || address.path.starts_with("/products");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path.empty() || address.path == "/" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    if (address.path == "/time") {
      return {200, fmt::format(R"({{"iso":"{}","epoch":{}.{:06}}})", iso(now), now.us / 1'000'000, now.us % 1'000'000),
              1};
    }
    if (address.path == "/products") return given.empty() ? products(tape) : Answer{200, std::string(given), 1};
    std::string_view path = address.path;
    if (eat(path, "/products") && path.ends_with("/trades")) {
      return history(address, tape, path.substr(1, path.size() - 8));
    }
    if (path.ends_with("/candles") && tape != nullptr) {
      return candles(address, *tape, path.substr(1, path.size() - 9), now);
    }
    return {404, R"({"message":"NotFound"})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name("matches", what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    for (const TapeTrade& t : trades) out.push_back(match("match", what, t));
  }
  [[nodiscard]] Allowed attempts() const override { return {8, seconds(1)}; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"type":"match","trade_id":1,"side":"sell","size":"1","price":"1","product_id":"NO-SUCH","sequence":1,)"
           R"("time":"2014-11-07T08:19:27.028459Z"})";
  }
  void describe(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.instrument.quote = "USD";
    made.instrument.symbol = made.instrument.base + "-USD";
  }
};
}  // namespace

const Protocol& simulated_coinbase();
const Protocol& simulated_coinbase() {
  static const Coinbase protocol;
  return protocol;
}

}  // namespace cvdd::sim
