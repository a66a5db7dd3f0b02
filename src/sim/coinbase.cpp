// The simulated Coinbase Exchange: the maker's side, an old trade first, and a heartbeat that tells the newest.
#include <set>

#include "cvdd/base/time_text.hpp"
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}-USD", "USD", ""}};
constexpr Duration silent_start = seconds(5);  // a subscription must come by then

Found instrument_of(const Tape* tape, std::string_view product) {
  return find(tape, "coinbase", Market::spot, product);
}

std::string topic_name(std::string_view channel, std::string_view product) {
  return fmt::format("coinbase:{}:{}", channel, product);
}

// "2014-11-07T08:19:27.028459Z"
std::string iso(Timestamp t) {
  std::string out = format_time(t);
  return out.replace(out.size() - 1, 1, fmt::format(".{:06}Z", t.us % 1'000'000));
}

std::string match(std::string_view type, const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(R"({{"type":"{}","trade_id":{},"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8",)"
                     R"("taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","side":"{}","size":"{}","price":"{}",)"
                     R"("product_id":"{}","sequence":{},"time":"{}"}})",
                     type, t.id, taker(t, "sell", "buy"), size_text(what, t.size_steps), price_text(what, t),
                     what.instrument.symbol, t.id * 3, iso(t.time));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void hear(std::string_view text, Timestamp, Said& said) override {
    const auto message = object_in(parser_, text);
    simdjson::dom::array channels;
    if (!message || (*message)["channels"].get(channels) != simdjson::SUCCESS) {
      return error("Malformed JSON", "", said);
    }
    const std::string_view type = string_field(*message, "type");
    const bool on = type == "subscribe";
    if (!on && type != "unsubscribe") return error("Failed to parse", "unknown type", said);
    std::vector<std::pair<std::string, std::string>> asked;
    for (const simdjson::dom::element channel : channels) {
      for (const std::string& product : strings_in(channel["product_ids"]).value_or(std::vector<std::string>())) {
        if (!instrument_of(tape_, product)) {
          return error("Failed to subscribe", product + " is not a valid product", said);
        }
        asked.emplace_back(string_field(channel, "name"), product);
      }
    }
    std::vector<std::string> fresh;
    for (const auto& topic : asked) {
      if (on ? !topics_.insert(topic).second : topics_.erase(topic) == 0) continue;
      (on ? said.listen : said.leave).push_back(topic_name(topic.first, topic.second));
      if (on && topic.first == "matches") fresh.push_back(topic.second);
    }
    said.answers.push_back(R"({"type":"subscriptions","channels":[)" + listed("matches") + "," + listed("heartbeat") +
                           "]}");
    // The newest trade there is, whenever it was.
    for (const std::string& product : fresh) {
      const Found what = instrument_of(tape_, product);
      if (!what.trades().empty()) said.answers.push_back(match("last_match", *what, what.trades().back()));
    }
  }

  void tick(Timestamp now, Said& said) override {
    if (opened_.us == 0) opened_ = now;
    if (topics_.empty() && now - opened_ > silent_start) said.farewell = "no subscription";
    for (const auto& [channel, product] : topics_) {
      const Found what = instrument_of(tape_, product);
      if (channel != "heartbeat" || !what || what.trades().empty()) continue;
      const std::uint64_t id = what.trades().back().id;
      said.answers.push_back(
          fmt::format(R"({{"type":"heartbeat","sequence":{},"last_trade_id":{},"product_id":"{}","time":"{}"}})",
                      id * 3, id, product, iso(now)));
    }
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 100; }

 private:
  [[nodiscard]] std::string listed(std::string_view channel) const {
    return fmt::format(R"({{"name":"{}","product_ids":[{}]}})", channel, rows(topics_, [&](const auto& topic) {
                         return topic.first == channel ? in_quotes(topic.second) : std::string();
                       }));
  }
  static void error(std::string_view message, std::string_view reason, Said& said) {
    said.answers.push_back(fmt::format(R"({{"type":"error","message":"{}","reason":"{}"}})", message, reason));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::pair<std::string, std::string>> topics_;  // channel, product
  Timestamp opened_;
};

const Answer not_found{404, R"({"message":"NotFound"})", 1};

Answer products(const Tape* tape) {
  return {200,
          "[" +
              listing(tape, "coinbase",
                      [](const TapeInstrument& what) {
                        const Instrument& i = what.instrument;
                        return fmt::format(
                            R"({{"id":"{}","base_currency":"{}","quote_currency":"{}","quote_increment":"{}",)"
                            R"("base_increment":"{}","status":"online","trading_disabled":false}})",
                            i.symbol, i.base, i.quote, tick_text(what), step_text(what));
                      }) +
              "]",
          1};
}

// Newest first, older than `after`; or the newest of all, however far the history reaches.
Answer history(const Address& address, const Found& what) {
  if (!what) return not_found;
  const std::uint64_t after = address.number("after", ~std::uint64_t{0});
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), 1'000);
  auto some = with_ids(address.parameter("after") ? what.history() : what.trades(), 0, after - 1);
  if (some.size() > limit) some = some.last(limit);
  return {200,
          "[" +
              rows_backward(some,
                            [&](const TapeTrade& t) {
                              return fmt::format(
                                  R"({{"time":"{}","trade_id":{},"price":"{}","size":"{}","side":"{}"}})", iso(t.time),
                                  t.id, price_text(*what, t), size_text(*what, t.size_steps), taker(t, "sell", "buy"));
                            }) +
              "]",
          1};
}

// [time, low, high, open, close, volume], newest first, without quiet ones; one from before `start` comes along.
Answer candles(const Address& address, const Found& what, Timestamp now) {
  const auto from = parse_time(address.parameter("start").value_or("")),
             to = parse_time(address.parameter("end").value_or(""));
  if (!what) return not_found;
  if (!from || !to || address.parameter("granularity") != "60") return {400, R"({"message":"Bad request"})", 1};
  return {200,
          "[" +
              rows_backward(what.candles(*from - seconds(60), *to, now, 301),
                            [](const TapeCandle& bar) {
                              return bar.steps == 0 ? std::string()
                                                    : fmt::format("[{},{},{},{},{},{}]", bar.time.us / 1'000'000,
                                                                  bar.low, bar.high, bar.open, bar.close, bar.volume);
                            }) +
              "]",
          1};
}

class Coinbase final : public Simulated {
 public:
  Coinbase() : Simulated("coinbase", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "coinbase.com") || address.path.starts_with("/products");
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
    if (!eat(path, "/products") || path.empty()) return not_found;
    path.remove_prefix(1);
    const auto product = path.substr(0, path.find('/')), what = path.substr(product.size());
    if (what == "/trades") return history(address, instrument_of(tape, product));
    if (what == "/candles" && tape != nullptr) return candles(address, instrument_of(tape, product), now);
    return not_found;
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

 protected:
  void complete(TapeInstrument& made) const override { made.numbering = Numbering::singles; }
};
}  // namespace

const Protocol& simulated_coinbase() {
  static const Coinbase protocol;
  return protocol;
}

}  // namespace cvdd::sim
