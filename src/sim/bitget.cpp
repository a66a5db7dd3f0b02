// The simulated Bitget: all markets on one address, told apart by the type that each argument names.
#include <set>

#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}USDT", "USDT", ""},
                                        {Market::linear, "{}USDT", "USDT", "USDT"}};
constexpr Duration without_ping = seconds(120);
constexpr std::size_t request_max = 4'096, arguments_max = 1'000, hourly_max = 240;

// Coin futures are priced in USD.
std::string_view type_of(const Instrument& instrument) {
  if (instrument.market == Market::spot) return "SPOT";
  return instrument.quote == "USD" ? "COIN-FUTURES" : "USDT-FUTURES";
}
std::string topic_name(Market market, std::string_view symbol) {
  return fmt::format("bitget:{}:{}", name_of(market), symbol);
}
std::string id_of(const TapeTrade& t) { return std::to_string(1'478'949'000'000'000'000 + t.id * 4'096); }

std::string frame(std::string_view action, const TapeInstrument& what, Timestamp now, std::string_view rows) {
  return fmt::format(
      R"({{"action":"{}","arg":{{"instType":"{}","channel":"trade","instId":"{}"}},"data":[{}],"ts":{}}})", action,
      type_of(what.instrument), what.instrument.symbol, rows, ms(now));
}
std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(R"({{"ts":"{}","price":"{}","size":"{}","side":"{}","tradeId":"{}"}})", ms(t.time),
                     price_text(what, t), size_text(what, t.size_steps), taker(t, "buy", "sell"), id_of(t));
}

// All that stands beside an instrument's trades, in one.
std::string ticker_name(Market market, std::string_view symbol) { return topic_name(market, symbol) + ":ticker"; }
std::string ticker(const TapeInstrument& what, Timestamp second) {
  const TapeContext now = tape_context(what, second);
  const auto price = [&](std::int64_t ticks) {
    return ticks == 0 ? std::string() : fixed(ticks, what.price_decimals, what.price_decimals);
  };
  std::string contract;
  if (what.instrument.market != Market::spot) {
    contract = fmt::format(
        R"("markPrice":"{}","indexPrice":"{}","fundingRate":"{}","nextFundingTime":"{}","holdingAmount":"{}",)",
        price(now.mark_ticks), price(now.index_ticks), fixed(now.funding_hundred_millionths, 8, 8),
        ms(now.funding_applies), size_text(what, now.open_steps));
  }
  return fmt::format(R"({{"action":"snapshot","arg":{{"instType":"{}","channel":"ticker","instId":"{}"}},"data":[{{)"
                     R"("instId":"{}","bidPr":"{}","bidSz":"{}","askPr":"{}","askSz":"{}",{}"ts":"{}"}}],"ts":{}}})",
                     type_of(what.instrument), what.instrument.symbol, what.instrument.symbol, price(now.bid_ticks),
                     size_text(what, now.bid_steps), price(now.ask_ticks), size_text(what, now.ask_steps), contract,
                     ms(second), ms(second));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    if (text == "ping") {
      pinged_ = now;
      return said.answers.push_back("pong");
    }
    const auto message = object_in(parser_, text);
    simdjson::dom::array arguments;
    const std::string_view operation = message ? string_field(*message, "op") : "";
    const bool on = operation == "subscribe";
    if ((!on && operation != "unsubscribe") || (*message)["args"].get(arguments) != simdjson::SUCCESS) {
      return said.answers.push_back(fmt::format(R"({{"event":"error","code":30002,"msg":"Unrecognized request"}})"));
    }
    if (text.size() > request_max) {
      said.farewell = "a request of more than 4,096 bytes";
      said.violation = true;
      return;
    }
    if (++requests_ > hourly_max) {
      return said.answers.push_back(R"({"event":"error","code":"30006","msg":"request too many"})");
    }
    for (const simdjson::dom::element argument : arguments) answer(argument, on, now, said);
  }

  void tick(Timestamp now, Said& said) override {
    if (pinged_.us == 0) pinged_ = now;
    if (now - pinged_ > without_ping) said.farewell = "no ping for two minutes";
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 10; }

 private:
  // Whatever stands under the wrong type is acknowledged, and never heard of again.
  void answer(simdjson::dom::element argument, bool on, Timestamp now, Said& said) {
    const std::string_view type = string_field(argument, "instType"), symbol = string_field(argument, "instId"),
                           channel = string_field(argument, "channel");
    const std::string arg = fmt::format(R"({{"instType":"{}","channel":"{}","instId":"{}"}})", type, channel, symbol);
    const Found spot = find(tape_, "bitget", Market::spot, symbol),
                future = find(tape_, "bitget", Market::linear, symbol);
    if ((!spot && !future) || (channel != "trade" && channel != "ticker") || names_.size() >= arguments_max) {
      return said.answers.push_back(fmt::format(
          R"({{"event":"error","arg":{},"code":30001,"msg":"instType:{},channel:{},instId:{} doesn't exist","op":"subscribe"}})",
          arg, type, channel, symbol));
    }
    said.answers.push_back(fmt::format(R"({{"event":"{}","arg":{}}})", on ? "subscribe" : "unsubscribe", arg));
    const Found what = type == "SPOT" ? spot : future;
    if (!what || type_of(what->instrument) != type) return;
    const std::string topic = channel == "ticker" ? ticker_name(what->instrument.market, symbol)
                                                  : topic_name(what->instrument.market, symbol);
    if (on ? !names_.insert(topic).second : names_.erase(topic) == 0) return;
    (on ? said.listen : said.leave).push_back(topic);
    if (!on || channel == "ticker" || what.trades().empty()) return;
    const auto old = what.trades().last(std::min<std::size_t>(what.trades().size(), 50));
    said.answers.push_back(
        frame("snapshot", *what, now, rows_backward(old, [&](const TapeTrade& t) { return row(*what, t); })));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> names_;
  Timestamp pinged_;
  std::size_t requests_ = 0;
};

Answer answer(std::string_view data) {
  return {200, fmt::format(R"({{"code":"00000","msg":"success","requestTime":1695793701269,"data":{}}})", data), 1};
}
Answer refused(std::string_view code, std::string_view why) {
  return {400, fmt::format(R"({{"code":"{}","msg":"{}","requestTime":1695793701269,"data":null}})", code, why), 1};
}

Answer instruments(bool spot, std::string_view product, const Tape* tape) {
  return answer("[" +
                listing(tape, "bitget",
                        [&](const TapeInstrument& what) -> std::string {
                          const Instrument& i = what.instrument;
                          const std::string_view own = i.quote == "USD" ? "coin-futures" : "usdt-futures";
                          if ((i.market == Market::spot) != spot || (!spot && product != own)) return {};
                          return fmt::format(
                              R"({{"symbol":"{}","baseCoin":"{}","quoteCoin":"{}","{}","minTradeNum":"{}",)"
                              R"("sizeMultiplier":"{}","offTime":"-1"}})",
                              i.symbol, i.base, i.quote, spot ? R"(status":"online)" : R"(symbolStatus":"normal)",
                              step_text(what), step_text(what));
                        }) +
                "]");
}

// Newest first, of at most seven days; one alone is the newest of all, however far the history reaches.
Answer history(const Address& address, const Found& what) {
  if (!what) return refused("40034", "Parameter does not exist");
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 500), 1'000);
  const Timestamp from = moment(address, "startTime"), to = moment(address, "endTime");
  if (from.us > 0 && to - from > seconds(7 * 86'400)) return refused("40020", "the time range is more than 7 days");
  const auto all = limit == 1 ? what.trades() : what.history();
  const bool spot = what->instrument.market == Market::spot;
  Rows out;
  std::uint64_t count = 0;
  for (auto t = all.rbegin(); t != all.rend() && count < limit; ++t) {
    if (to.us > 0 && t->time > to) continue;
    if (t->time < from) break;
    out.add(fmt::format(R"({{"symbol":"{}","tradeId":"{}","side":"{}","price":"{}","size":"{}","ts":"{}"}})",
                        what->instrument.symbol, id_of(*t), spot ? taker(*t, "buy", "sell") : taker(*t, "Buy", "Sell"),
                        price_text(*what, *t), size_text(*what, t->size_steps), ms(t->time)));
    ++count;
  }
  return answer("[" + out.text() + "]");
}

Answer candles(const Address& address, const Found& what, Timestamp now, bool old) {
  const bool spot = what && what->instrument.market == Market::spot;
  if (!what || address.parameter("granularity") != (spot ? "1min" : "1m"))
    return refused("40034", "Parameter does not exist");
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), old ? 200 : 1'000);
  const auto bars = what.candles(moment(address, "startTime"), moment(address, "endTime"), now, limit);
  return answer("[" +
                rows(bars,
                     [](const TapeCandle& bar) {
                       return fmt::format(R"(["{}","{}","{}","{}","{}","{}","0"])", ms(bar.time), bar.open, bar.high,
                                          bar.low, bar.close, bar.volume);
                     }) +
                "]");
}

class Bitget final : public Simulated {
 public:
  Bitget() : Simulated("bitget", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "bitget") || address.path.starts_with("/api/v2/spot/") ||
           address.path.starts_with("/api/v2/mix/") || address.path.starts_with("/api/v2/public/time") ||
           address.path == "/v2/ws/public";
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/v2/ws/public" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    std::string_view path = address.path;
    if (path == "/api/v2/public/time") return answer(fmt::format(R"({{"serverTime":"{}"}})", ms(now)));
    const auto product = address.parameter("productType").value_or("");
    const bool spot = path.starts_with("/api/v2/spot/");
    if (!spot && product.empty()) return refused("400172", "Parameter verification failed");
    const Market market = spot ? Market::spot : Market::linear;
    const Found found = find(tape, "bitget", market, address.parameter("symbol").value_or(""));
    const std::string_view what = path.substr(path.rfind('/') + 1);
    if (what == (spot ? "symbols" : "contracts")) {
      return given.empty() ? instruments(spot, product, tape) : Answer{200, std::string(given), 1};
    }
    if (what == "fills-history") return history(address, found);
    if (tape != nullptr && (what == "candles" || what == "history-candles"))
      return candles(address, found, now, what != "candles");
    return {404, R"({"code":"40404","msg":"Request URL NOT FOUND","data":null})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.market, what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp now,
              std::vector<std::string>& out) const override {
    out.push_back(frame("update", what, now, rows(trades, [&](const TapeTrade& t) { return row(what, t); })));
  }
  [[nodiscard]] std::vector<std::string> context_topics(const TapeInstrument& what) const override {
    return {ticker_name(what.instrument.market, what.instrument.symbol)};
  }
  [[nodiscard]] std::string context_frame(const TapeInstrument& what, std::size_t, Timestamp second) const override {
    return ticker(what, second);
  }
  [[nodiscard]] Allowed attempts() const override { return {300, seconds(300)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 1'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"NOSUCH"},"data":[{"ts":"1",)"
           R"("price":"1","size":"1","side":"buy","tradeId":"1"}],"ts":1})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.instrument.ids = Ids::opaque;
    made.id_text = id_of;
    Instrument& what = made.instrument;
    if (what.market == Market::spot || what.base == "BTC") return;
    what.symbol = what.base + "USD";
    what.quote = "USD";
    what.settle = what.base;
  }
};
}  // namespace

const Protocol& simulated_bitget() {
  static const Bitget protocol;
  return protocol;
}

}  // namespace cvdd::sim
