// The simulated Hyperliquid: everything by POST, one coin a message, a close without a word for a coin that it does not
// know, and some old trades first that nothing marks as old.
#include <set>

#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::linear, "{}", "USD", "USDC"}, {Market::spot, "{}/USDC", "USDC", ""}};
constexpr Duration idle = seconds(60), replay = seconds(20);
constexpr std::size_t recent_max = 10, replay_max = 30, topics_max = 1'000, candles_max = 5'000;

Found instrument_of(const Tape* tape, std::string_view coin) { return find(tape, simulated_hyperliquid(), coin); }
std::string topic_name(std::string_view coin) { return fmt::format("hyperliquid:{}", coin); }

// A hash of two orders, of fifty bits.
std::string tid(const TapeTrade& t) { return std::to_string(t.id * 0x9E3779B97F4A7C15ULL >> 14U); }

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(R"({{"coin":"{}","side":"{}","px":"{}","sz":"{}","time":{},)"
                     R"("hash":"0x{:064x}","tid":{},"users":["0x9aa589355bf745db9784c8ef3c646360f11b58af",)"
                     R"("0x8269c0a4f5f1a14582e0aa46856a234893c41970"]}})",
                     what.instrument.symbol, taker(t, "B", "A"), price_text(what, t), size_text(what, t.size_steps),
                     ms(t.time), t.id % 9 == 0 ? 0 : t.id, tid(t));
}
std::string message(const TapeInstrument& what, std::span<const TapeTrade> trades) {
  return fmt::format(R"({{"channel":"trades","data":[{}]}})",
                     rows(trades, [&](const TapeTrade& t) { return row(what, t); }));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    const auto heard = object_in(parser_, text);
    const std::string_view method = heard ? string_field(*heard, "method") : "";
    if (method == "ping") return tell(R"({"channel":"pong"})", now, said);
    simdjson::dom::element subscription;
    const bool on = method == "subscribe";
    if ((!on && method != "unsubscribe") || (*heard)["subscription"].get(subscription) != simdjson::SUCCESS ||
        string_field(subscription, "type") != "trades") {
      return tell(R"({"channel":"error","data":"Error parsing JSON into valid websocket request"})", now, said);
    }
    const std::string coin(string_field(subscription, "coin"));
    const Found what = instrument_of(tape_, coin);
    if (!what) {
      said.farewell = "none";
      return;
    }
    if (on == topics_.contains(coin)) {
      return tell(fmt::format(R"({{"channel":"error","data":"Already {}subscribed: {{\"type\":\"trades\",)"
                              R"(\"coin\":\"{}\"}}"}})",
                              on ? "" : "un", coin),
                  now, said);
    }
    if (on) topics_.insert(coin);
    if (!on) topics_.erase(coin);
    said.violation = topics_.size() > topics_max;
    (on ? said.listen : said.leave).push_back(topic_name(coin));
    tell(fmt::format(R"({{"channel":"subscriptionResponse","data":{{"method":"{}","subscription":{{"type":"trades",)"
                     R"("coin":"{}"}}}}}})",
                     method, coin),
         now, said);
    const auto old = with_times(what.trades(), now - replay, {INT64_MAX});
    if (on && !old.empty()) tell(message(*what, old.last(std::min(old.size(), replay_max))), now, said);
  }

  // It closes what it said nothing on for a minute; trades are not counted here: of a quiet coin there are none.
  void tick(Timestamp now, Said& said) override {
    if (said_.us == 0) said_ = now;
    if (now - said_ > idle) said.farewell = "idle";
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 33; }

 private:
  void tell(std::string what, Timestamp now, Said& said) {
    said_ = now;
    said.answers.push_back(std::move(what));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> topics_;
  Timestamp said_;
};

Answer meta(const Tape* tape) {
  return {200,
          fmt::format(R"({{"universe":[{}],"marginTables":[]}})",
                      listing(tape, "hyperliquid",
                              [](const TapeInstrument& what) {
                                const Instrument& i = what.instrument;
                                if (i.market != Market::linear) return std::string();
                                return fmt::format(R"({{"szDecimals":{},"name":"{}","maxLeverage":50}})",
                                                   what.size_decimals, i.symbol);
                              })),
          20};
}

Answer spot_meta(const Tape* tape) {
  std::size_t n = 0, m = 0;
  const auto spot = [&](auto to_row) {
    return listing(tape, "hyperliquid", [&](const TapeInstrument& what) {
      return what.instrument.market == Market::spot ? to_row(what) : std::string();
    });
  };
  const std::string pairs = spot([&](const TapeInstrument& what) {
    const std::size_t index = n++;
    return fmt::format(R"({{"tokens":[{},0],"name":"{}","index":{},"isCanonical":true}})", index + 1,
                       what.instrument.symbol, index);
  });
  const std::string tokens = spot([&](const TapeInstrument& what) {
    return fmt::format(R"({{"name":"{}","szDecimals":{},"weiDecimals":8,"index":{}}})", what.instrument.base,
                       what.size_decimals, ++m);
  });
  return {
      200,
      fmt::format(R"({{"universe":[{}],"tokens":[{{"name":"USDC","szDecimals":8,"weiDecimals":8,"index":0}}{}{}]}})",
                  pairs, tokens.empty() ? "" : ",", tokens),
      20};
}

// The last ten, newest first; there is no way to others.
Answer recent(const Found& what) {
  auto some = what.history();
  if (some.empty()) some = what.trades().last(std::min<std::size_t>(what.trades().size(), 1));
  some = some.last(std::min(some.size(), recent_max));
  return {200, "[" + rows_backward(some, [&](const TapeTrade& t) { return row(*what, t); }) + "]", 20};
}

Answer candles(const Found& what, simdjson::dom::element request, Timestamp now) {
  std::int64_t from = 0, to = 0;
  if (request["startTime"].get(from) != simdjson::SUCCESS || request["endTime"].get(to) != simdjson::SUCCESS ||
      string_field(request, "interval") != "1m") {
    return {422, "Failed to deserialize the JSON body into the target type", 20};
  }
  const auto bars = what.candles({from * 1'000}, {to * 1'000}, now, candles_max);
  const std::string list = rows(bars, [&](const TapeCandle& bar) {
    return fmt::format(R"({{"t":{},"T":{},"s":"{}","i":"1m","o":"{}","c":"{}","h":"{}","l":"{}","v":"{}","n":{}}})",
                       ms(bar.time), ms(bar.time) + 59'999, what->instrument.symbol, bar.open, bar.close, bar.high,
                       bar.low, bar.volume, bar.fills);
  });
  return {200, "[" + list + "]", 20 + static_cast<unsigned>(bars.size() / 60)};
}

class Hyperliquid final : public Simulated {
 public:
  Hyperliquid() : Simulated("hyperliquid", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "hyperliquid") || (address.path == "/info" && !address.body.empty());
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/ws" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    simdjson::dom::parser parser;
    const auto asked = object_in(parser, address.body);
    if (address.path != "/info" || !asked) return {422, "Failed to deserialize the JSON body into the target type", 20};
    const std::string_view type = string_field(*asked, "type");
    if (type == "exchangeStatus") {
      return {200, fmt::format(R"({{"time":{},"specialStatuses":null}})", ms(now)), 20};
    }
    if (type == "meta" || type == "spotMeta") {
      if (!given.empty()) return {200, std::string(given), 20};
      return type == "meta" ? meta(tape) : spot_meta(tape);
    }
    simdjson::dom::element request = *asked;
    if (type == "candleSnapshot" && (*asked)["req"].get(request) != simdjson::SUCCESS) return {422, "no req", 20};
    const Found what = instrument_of(tape, string_field(request, "coin"));
    if (!what) return {500, "null", 20};
    if (type == "recentTrades") return recent(what);
    if (type == "candleSnapshot") return candles(what, request, now);
    return {422, "Failed to deserialize the JSON body into the target type", 20};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    out.push_back(message(what, trades));
  }
  [[nodiscard]] Allowed attempts() const override { return {30, seconds(60)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 1'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"channel":"trades","data":[{"coin":"NOSUCH","side":"A","px":"1.0","sz":"1.0","time":1730160059558,)"
           R"("hash":"0x00","tid":809065877559592,"users":["0x00","0x01"]}]})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.instrument.ids = Ids::opaque;
    made.id_text = tid;
  }
};
}  // namespace

const Protocol& simulated_hyperliquid() {
  static const Hyperliquid protocol;
  return protocol;
}

}  // namespace cvdd::sim
