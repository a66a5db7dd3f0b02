// The simulated Bybit: one path per market, and one bad topic that takes its whole request with it.
#include <set>

#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}USDT", "USDT", ""},
                                        {Market::linear, "{}USDT", "USDT", "USDT"},
                                        {Market::inverse, "{}USD", "USD", "{}"},  // whole dollars
                                        {Market::option, "{}-25DEC26-90000-C-USDT", "USDT", "USDT"}};
constexpr Duration idle = seconds(60);  // without a word from the client

std::string topic_of(const Instrument& instrument) {
  const std::string& name = instrument.symbol;
  return "publicTrade." + (instrument.market == Market::option ? name.substr(0, name.find('-')) : name);
}
std::string topic_name(Market market, std::string_view topic) {
  return fmt::format("bybit:{}:{}", name_of(market), topic);
}

// What stands beside an instrument's trades, by the topics that tell it.
constexpr std::string_view beside[] = {"orderbook.1", "tickers", "allLiquidation"};
std::vector<std::string> topics_beside(const Instrument& instrument) {
  std::vector<std::string> out;
  const std::size_t count = instrument.market == Market::spot ? 1 : instrument.market == Market::option ? 0 : 3;
  for (std::size_t i = 0; i < count; ++i) out.push_back(fmt::format("{}.{}", beside[i], instrument.symbol));
  return out;
}

std::string frame_beside(const TapeInstrument& what, std::size_t topic, Timestamp second) {
  const TapeContext now = tape_context(what, second);
  const auto price = [&](std::int64_t ticks) { return fixed(ticks, what.price_decimals, what.price_decimals); };
  const std::string& symbol = what.instrument.symbol;
  const auto frame = [&](std::string_view type, const std::string& data) {
    return fmt::format(R"({{"topic":"{}.{}","type":"{}","data":{},"cs":7,"ts":{}}})", beside[topic], symbol, type, data,
                       ms(second));
  };
  if (topic == 0) {
    const auto side = [&](std::int64_t ticks, std::int64_t steps) {
      return ticks == 0 ? std::string("[]") : fmt::format(R"([["{}","{}"]])", price(ticks), size_text(what, steps));
    };
    return frame("snapshot", fmt::format(R"({{"s":"{}","b":{},"a":{},"u":1,"seq":2}})", symbol,
                                         side(now.bid_ticks, now.bid_steps), side(now.ask_ticks, now.ask_steps)));
  }
  if (topic == 1) {
    return frame("delta", fmt::format(R"({{"symbol":"{}","markPrice":"{}","indexPrice":"{}","fundingRate":"{}",)"
                                      R"("nextFundingTime":"{}","openInterest":"1","singleOpenInterest":"{}"}})",
                                      symbol, price(now.mark_ticks), price(now.index_ticks),
                                      fixed(now.funding_hundred_millionths, 8, 8), ms(now.funding_applies),
                                      size_text(what, now.open_steps)));
  }
  if (!now.order) return {};
  return frame("snapshot", fmt::format(R"([{{"T":{},"s":"{}","S":"{}","v":"{}","p":"{}"}}])", ms(second), symbol,
                                       now.order->buys ? "Sell" : "Buy", size_text(what, now.order->steps),
                                       price(now.order->ticks)));
}

class Talk final : public Conversation {
 public:
  Talk(Market market, const Tape* tape) : market_(market), tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    last_ = now;
    const auto message = object_in(parser_, text);
    std::string_view operation;
    if (!message || (*message)["op"].get(operation) != simdjson::SUCCESS) {
      return answer(false, "", "error:request is not JSON", "", said);
    }
    const std::string_view id = string_field(*message, "req_id");
    if (operation == "ping") {
      if (market_ == Market::option) {
        return said.answers.push_back(fmt::format(R"({{"args":["{}"],"op":"pong"}})", ms(now)));
      }
      return answer(true, id, "pong", "ping", said);
    }
    const auto topics = strings_in((*message)["args"]);
    const bool on = operation == "subscribe";
    if (!topics || (!on && operation != "unsubscribe")) {
      return answer(false, id, "error:unknown operation", operation, said);
    }
    if (market_ == Market::spot && topics->size() > 10) return answer(false, id, "args size >10", operation, said);
    for (const std::string& topic : *topics) {
      const bool twice = on && topics_.contains(topic);
      if (exists(topic) && !twice) continue;
      const std::string_view why = twice ? "already subscribed" : "handler not found";
      return answer(false, id, fmt::format("error:{},topic:{}", why, topic), operation, said);
    }
    for (const std::string& topic : *topics) {
      if (on) topics_.insert(topic);
      if (!on) topics_.erase(topic);
      (on ? said.listen : said.leave).push_back(topic_name(market_, topic));
    }
    if (market_ != Market::option) {
      return answer(true, id, on && market_ == Market::spot ? "subscribe" : "", operation, said);
    }
    said.answers.push_back(fmt::format(
        R"({{"success":true,"conn_id":"aa01","data":{{"failTopics":[],"successTopics":[{}]}},"type":"COMMAND_RESP"}})",
        rows(*topics, in_quotes)));
  }

  void tick(Timestamp now, Said& said) override {
    if (last_.us == 0) last_ = now;
    if (now - last_ > idle) said.farewell = "no ping";
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 20; }

 private:
  [[nodiscard]] bool exists(const std::string& topic) const {
    if (tape_ == nullptr) return false;
    return std::ranges::any_of(tape_->instruments(), [&](const TapeInstrument& what) {
      if (what.instrument.exchange != "bybit" || what.instrument.market != market_) return false;
      return topic_of(what.instrument) == topic || std::ranges::count(topics_beside(what.instrument), topic) > 0;
    });
  }
  static void answer(bool good, std::string_view id, std::string_view message, std::string_view operation, Said& said) {
    said.answers.push_back(
        fmt::format(R"({{"success":{},"ret_msg":"{}","conn_id":"d9avrj8i70nu0j2a80n0-9cfc4","req_id":"{}","op":"{}"}})",
                    good, message, id, operation));
  }

  Market market_;
  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> topics_;
  Timestamp last_;
};

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(
      R"({{"T":{},"s":"{}","S":"{}","v":"{}","p":"{}","L":"PlusTick","i":"{}","BT":{},"seq":{},"RPI":false}})",
      ms(t.time), what.instrument.symbol, taker(t, "Buy", "Sell"), size_text(what, t.size_steps), price_text(what, t),
      id_text(what, t), t.block, t.id);
}

Answer result(std::string_view what) {
  return {200, fmt::format(R"({{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{{}},"time":1}})", what), 1};
}
Answer refused(int code, std::string_view why) {
  return {200, fmt::format(R"({{"retCode":{},"retMsg":"{}","result":{{}},"retExtInfo":{{}},"time":1}})", code, why), 1};
}

// In pages of `limit`, of which the next is found by a cursor.
Answer instruments(const Address& address, const Tape* tape) {
  const auto category = address.parameter("category").value_or("");
  const auto coin = address.parameter("baseCoin").value_or(category == "option" ? "BTC" : "");
  const std::uint64_t begin = address.number("cursor", 0);
  const std::uint64_t limit =
      category == "spot" ? ~std::uint64_t{0} : std::min<std::uint64_t>(address.number("limit", 500), 1'000);
  const auto known = [&](const TapeInstrument& what) { return what.instrument.base == coin; };
  if (tape != nullptr && category == "option" && coin != "All" && std::ranges::none_of(tape->instruments(), known)) {
    return refused(10001, "baseCoin is illegal!");
  }
  std::uint64_t n = 0;
  const std::string rows = listing(tape, "bybit", [&](const TapeInstrument& what) -> std::string {
    const Instrument& i = what.instrument;
    if (name_of(i.market) != category || (!coin.empty() && coin != "All" && i.base != coin)) return {};
    if (n++ < begin || n - begin > limit) return {};
    return fmt::format(R"({{"symbol":"{}","status":"Trading","baseCoin":"{}","quoteCoin":"{}","settleCoin":"{}",)"
                       R"("priceFilter":{{"tickSize":"{}"}},"lotSizeFilter":{{"qtyStep":"{}"}}}})",
                       i.symbol, i.base, i.quote, i.settle, tick_text(what), step_text(what));
  });
  const std::string next = n - std::min(n, begin) > limit ? std::to_string(begin + limit) : "";
  return result(fmt::format(R"({{"category":"{}","nextPageCursor":"{}","list":[{}]}})", category, next, rows));
}

Found instrument_in(const Address& address, const Tape* tape) {
  return find(tape, "bybit", market_from(address.parameter("category").value_or("")),
              address.parameter("symbol").value_or(""));
}
Answer list(const Found& what, std::string_view rows) {
  return result(fmt::format(R"({{"category":"{}","list":[{}]}})", name_of(what->instrument.market), rows));
}

// The newest trades, and no way to older ones.
Answer recent(const Address& address, const Tape* tape) {
  const Found what = instrument_in(address, tape);
  if (!what) return refused(10001, "params error: Symbol Is Invalid");
  auto all = what.history();
  if (all.empty()) all = what.trades().last(std::min<std::size_t>(what.trades().size(), 1));
  const bool spot = what->instrument.market == Market::spot;
  const auto limit = std::min<std::uint64_t>(address.number("limit", 60), spot ? 60 : 1'000);
  return list(
      what, rows_backward(all.last(std::min<std::size_t>(limit, all.size())), [&](const TapeTrade& t) {
        return fmt::format(
            R"({{"execId":"{}","symbol":"{}","price":"{}","size":"{}","side":"{}","time":"{}","isBlockTrade":{},)"
            R"("isRPITrade":false,"seq":"{}"}})",
            id_text(*what, t), what->instrument.symbol, price_text(*what, t), size_text(*what, t.size_steps),
            taker(t, "Buy", "Sell"), ms(t.time), t.block, t.id);
      }));
}

Answer candles(const Address& address, const Tape& tape, Timestamp now) {
  const Found what = instrument_in(address, &tape);
  if (!what || what->instrument.market == Market::option || address.parameter("interval") != "1") {
    return refused(10001, "params error");
  }
  const auto bars = what.candles(moment(address, "start"), moment(address, "end"), now, 1'000);
  return list(what, rows_backward(bars, [](const TapeCandle& bar) {
                return fmt::format(R"(["{}","{}","{}","{}","{}","{}","0"])", ms(bar.time), bar.open, bar.high, bar.low,
                                   bar.close, bar.volume);
              }));
}

class Bybit final : public Simulated {
 public:
  Bybit() : Simulated("bybit", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "bybit") || address.path.starts_with("/v5/");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    std::string_view path = address.path;
    if (!eat(path, "/v5/public") || path.empty()) return nullptr;
    const auto market = market_from(path.substr(1));
    return market ? std::make_unique<Talk>(*market, tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    if (address.path == "/v5/market/time") {
      return result(fmt::format(R"({{"timeSecond":"{}","timeNano":"{}000"}})", now.us / 1'000'000, now.us));
    }
    if (address.path == "/v5/market/instruments-info") {
      return given.empty() ? instruments(address, tape) : Answer{200, std::string(given), 1};
    }
    if (address.path == "/v5/market/recent-trade") return recent(address, tape);
    if (address.path == "/v5/market/kline" && tape != nullptr) return candles(address, *tape, now);
    return {404, R"({"retCode":404,"retMsg":"Not Found"})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.market, topic_of(what.instrument))};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp now,
              std::vector<std::string>& out) const override {
    out.push_back(fmt::format(R"({{"topic":"{}","type":"snapshot","ts":{},"data":[{}]}})", topic_of(what.instrument),
                              ms(now), rows(trades, [&](const TapeTrade& t) { return row(what, t); })));
  }
  [[nodiscard]] std::vector<std::string> context_topics(const TapeInstrument& what) const override {
    std::vector<std::string> out;
    for (const std::string& topic : topics_beside(what.instrument)) {
      out.push_back(topic_name(what.instrument.market, topic));
    }
    return out;
  }
  [[nodiscard]] std::string context_frame(const TapeInstrument& what, std::size_t topic,
                                          Timestamp second) const override {
    return frame_beside(what, topic, second);
  }
  [[nodiscard]] Allowed attempts() const override { return {500, seconds(300)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 7'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"topic":"publicTrade.NOSUCH","type":"snapshot","ts":1,"data":[{"T":1,"s":"NOSUCH","S":"Buy","v":"1",)"
           R"("p":"1","i":"1","BT":false}]})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.blocks = made.instrument.market != Market::spot;
    made.instrument.ids = Ids::opaque;
  }
};
}  // namespace

const Protocol& simulated_bybit() {
  static const Bybit protocol;
  return protocol;
}

}  // namespace cvdd::sim
