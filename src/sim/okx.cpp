// The simulated OKX: all markets on one WebSocket host, two paths.
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}-USDT", "USDT", ""},
                                        {Market::linear, "{}-USDT-SWAP", "USDT", "USDT"},
                                        {Market::inverse, "{}-USD-SWAP", "USD", "{}"},
                                        {Market::option, "{}-USD-261225-90000-C", "{}", "{}"}};
constexpr std::string_view merged = "trades", single = "trades-all";
constexpr Duration idle = seconds(30);  // without a push or a subscription

Found instrument_of(const Tape* tape, std::string_view symbol) { return find(tape, simulated_okx(), symbol); }

std::string topic_name(std::string_view channel, std::string_view symbol) {
  return fmt::format("okx:{}:{}", channel, symbol);
}

// `count` 0: it is no merged one.
std::string row(const TapeInstrument& what, const TapeTrade& t, std::uint64_t id, std::int64_t steps,
                std::uint64_t count) {
  return fmt::format(R"({{"instId":"{}","tradeId":"{}","px":"{}","sz":"{}","side":"{}","ts":"{}",{}"source":"0"}})",
                     what.instrument.symbol, id, price_text(what, t), size_text(what, steps), taker(t, "buy", "sell"),
                     ms(t.time), count > 0 ? fmt::format(R"("count":"{}",)", count) : "");
}
std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return row(what, t, t.last_fill, t.size_steps, t.last_fill - t.first_fill + 1);
}
std::string row(const TapeInstrument& what, const TapeTrade& t, std::uint64_t fill) {
  return row(what, t, fill, fill_size(t, fill), 0);
}
std::string push(std::string_view channel, const TapeInstrument& what, std::string_view one) {
  return fmt::format(R"({{"arg":{{"channel":"{}","instId":"{}"}},"data":[{}]}})", channel, what.instrument.symbol, one);
}

// What stands beside an instrument's trades, by the channels that tell it: spot has the first alone, options three.
constexpr std::string_view beside[] = {"tickers", "mark-price", "open-interest", "funding-rate", "liquidation-orders"};
std::size_t beside_count(Market market) { return market == Market::spot ? 1 : market == Market::option ? 3 : 5; }
constexpr std::string_view forced = "liquidation-orders", all_swaps = "SWAP";

std::string data_beside(const TapeInstrument& what, std::string_view channel, const TapeContext& now,
                        Timestamp second) {
  const auto price = [&](std::int64_t ticks) {
    return ticks == 0 ? std::string() : fixed(ticks, what.price_decimals, what.price_decimals);
  };
  const auto size = [&](std::int64_t steps) { return steps == 0 ? std::string() : size_text(what, steps); };
  if (channel == "tickers") {
    return fmt::format(R"("bidPx":"{}","bidSz":"{}","askPx":"{}","askSz":"{}","last":"1")", price(now.bid_ticks),
                       size(now.bid_steps), price(now.ask_ticks), size(now.ask_steps));
  }
  if (channel == "mark-price") return fmt::format(R"("markPx":"{}")", price(now.mark_ticks));
  if (channel == "open-interest") return fmt::format(R"("oi":"{}","oiCcy":"1")", size_text(what, now.open_steps));
  if (channel == "funding-rate") {
    return fmt::format(R"("fundingRate":"{}","fundingTime":"{}","nextFundingRate":"")",
                       fixed(now.funding_hundred_millionths, 8, 8), ms(now.funding_applies));
  }
  return fmt::format(R"("instType":"SWAP","details":[{{"bkLoss":"0","bkPx":"{}","posSide":"{}","side":"{}","sz":"{}",)"
                     R"("ts":"{}"}}])",
                     price(now.order->ticks), now.order->buys ? "short" : "long", now.order->buys ? "buy" : "sell",
                     size(now.order->steps), ms(second));
}

std::string frame_beside(const TapeInstrument& what, std::size_t topic, Timestamp second) {
  const TapeContext now = tape_context(what, second);
  const std::string_view channel = beside[topic];
  if (channel == forced && !now.order) return {};
  const std::string of =
      channel == forced ? R"("instType":"SWAP")" : fmt::format(R"("instId":"{}")", what.instrument.symbol);
  return fmt::format(R"({{"arg":{{"channel":"{}",{}}},"data":[{{{},"instId":"{}","ts":"{}"}}]}})", channel, of,
                     data_beside(what, channel, now, second), what.instrument.symbol, ms(second));
}

class Talk final : public Conversation {
 public:
  Talk(const Tape* tape, std::string_view channel) : tape_(tape), channel_(channel) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    if (text == "ping") return said.answers.push_back("pong");
    const auto message = object_in(parser_, text);
    simdjson::dom::array arguments;
    const std::string_view operation = message ? string_field(*message, "op") : "";
    if ((operation != "subscribe" && operation != "unsubscribe") ||
        (*message)["args"].get(arguments) != simdjson::SUCCESS) {
      return refuse("60012", "Invalid request", "", said);
    }
    const std::string_view id = string_field(*message, "id");
    if (++operations_ > 480) return refuse("60014", "Requests too frequent", id, said);
    for (const simdjson::dom::element argument : arguments) {
      const std::string_view channel = string_field(argument, "channel"), symbol = string_field(argument, "instId");
      const bool on = operation == "subscribe";
      if (channel == forced && channel_ == merged && string_field(argument, "instType") == all_swaps) {
        last_ = now;
        subscribed_ = true;
        (on ? said.listen : said.leave).push_back(topic_name(forced, all_swaps));
        said.answers.push_back(
            fmt::format(R"({{"id":"{}","event":"{}","arg":{{"channel":"{}","instType":"SWAP"}},"connId":"a4d3ae55"}})",
                        id, operation, forced));
        continue;
      }
      const bool is_beside = channel_ == merged && channel != forced && std::ranges::count(beside, channel) > 0;
      const Found found = channel == channel_ || is_beside ? instrument_of(tape_, symbol) : Found{};
      if (!found) {
        refuse("60018",
               fmt::format("Wrong URL or channel:{},instId:{} doesn't exist. Please use the correct URL, channel and "
                           "parameters referring to API document.",
                           channel, symbol),
               id, said);
        continue;
      }
      last_ = now;
      (on ? said.listen : said.leave).push_back(topic_name(channel, symbol));
      said.answers.push_back(
          fmt::format(R"({{"id":"{}","event":"{}","arg":{{"channel":"{}","instId":"{}"}},"connId":"a4d3ae55"}})", id,
                      operation, channel, symbol));
      subscribed_ = subscribed_ || on;
      if (on && !is_beside) push_newest(found, said);
    }
  }

  void tick(Timestamp now, Said& said) override {
    if (last_.us == 0) last_ = now;
    if (!subscribed_ && now - last_ > idle) said.farewell = "No data received in 30s.";
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 20; }

 private:
  static void refuse(std::string_view code, std::string_view why, std::string_view id, Said& said) {
    said.answers.push_back(
        fmt::format(R"({{"id":"{}","event":"error","code":"{}","msg":"{}","connId":"a4d3ae55"}})", id, code, why));
  }
  // The last trade there was, as if it were news.
  void push_newest(const Found& what, Said& said) const {
    if (what.trades().empty()) return;
    const TapeTrade& t = what.trades().back();
    said.answers.push_back(push(channel_, *what, channel_ == merged ? row(*what, t) : row(*what, t, t.last_fill)));
  }

  const Tape* tape_;
  std::string_view channel_;
  simdjson::dom::parser parser_;
  Timestamp last_;
  unsigned operations_ = 0;
  bool subscribed_ = false;
};

Answer answer(std::string_view rows) { return {200, fmt::format(R"({{"code":"0","msg":"","data":[{}]}})", rows), 1}; }
Answer refused(std::string_view code, std::string_view why) {
  return {200, fmt::format(R"({{"code":"{}","msg":"{}","data":[]}})", code, why), 1};
}

Answer instruments(const Address& address, const Tape* tape) {
  const auto type = address.parameter("instType").value_or(""), wanted = address.parameter("instFamily").value_or("");
  if (type == "OPTION" && wanted.empty()) return refused("50015", "Either parameter uly or instFamily is required");
  return answer(listing(tape, "okx", [&](const TapeInstrument& what) -> std::string {
    const Instrument& i = what.instrument;
    const bool contract = i.market != Market::spot, inverse = i.market == Market::inverse;
    const std::string_view own = !contract ? "SPOT" : i.market == Market::option ? "OPTION" : "SWAP";
    const std::string family = contract ? i.symbol.substr(0, i.symbol.find('-', i.symbol.find('-') + 1)) : "";
    if (type != own || (!wanted.empty() && wanted != family)) return {};
    return fmt::format(
        R"({{"instType":"{}","instId":"{}","instFamily":"{}","uly":"{}","baseCcy":"{}","quoteCcy":"{}",)"
        R"("settleCcy":"{}","ctVal":"{}","ctMult":"{}","ctValCcy":"{}","ctType":"{}","tickSz":"{}","lotSz":"{}",)"
        R"("state":"live"}})",
        own, i.symbol, family, family, contract ? "" : i.base, contract ? "" : i.quote, i.settle,
        contract ? to_string(i.contract_size) : "", contract ? "1" : "", contract ? (inverse ? "USD" : i.base) : "",
        own == "SWAP" ? name_of(i.market) : "", tick_text(what), step_text(what));
  }));
}

// Single fills, newest first, older than `after`; or the newest of all, however far the history reaches.
Answer history(const Address& address, const Tape* tape, bool newest) {
  const Found what = instrument_of(tape, address.parameter("instId").value_or(""));
  if (!what) return refused("51001", "Instrument ID doesn't exist");
  const auto all = newest ? what.trades() : what.history();
  const std::uint64_t after = address.number("after", ~std::uint64_t{0});
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), 100);
  Rows rows;
  std::uint64_t count = 0;
  auto t = std::ranges::upper_bound(all, after, {}, &TapeTrade::first_fill);
  while (t != all.begin() && count < limit) {
    --t;
    for (std::uint64_t id = t->last_fill; id >= t->first_fill && count < limit; --id) {
      if (id >= after) continue;
      rows.add(row(*what, *t, id));
      ++count;
    }
  }
  return answer(rows.text());
}

// [ts, open, high, low, close, contracts, base of derivatives, …, confirmed], newest first: those of the last 1,440
// minutes, or older ones.
Answer candles(const Address& address, const Tape* tape, Timestamp now, bool old) {
  const Found what = instrument_of(tape, address.parameter("instId").value_or(""));
  if (!what || address.parameter("bar") != "1m") return refused("51001", "Instrument ID doesn't exist");
  Timestamp from{static_cast<std::int64_t>(address.number("before", 0) + 1) * 1'000};
  if (!old) from = std::max(from, bar_start(now, seconds(60)) - seconds(1'439 * 60));
  const Timestamp to{moment(address, "after").us - 1};
  const Market market = what->instrument.market;
  const Decimal unit =
      market == Market::linear || market == Market::option ? what->instrument.contract_size : Decimal{};
  const auto bars = what.candles(from, to, now, std::min<std::uint64_t>(address.number("limit", 100), old ? 100 : 300));
  return answer(rows_backward(bars, [&](const TapeCandle& bar) -> std::string {
    const bool running = bar.time + seconds(60) > now;
    if (old && running) return {};
    const auto base = multiply(parse_decimal(bar.volume).value_or(Decimal{}), unit);
    return fmt::format(R"(["{}","{}","{}","{}","{}","{}","{}","0","{}"])", ms(bar.time), bar.open, bar.high, bar.low,
                       bar.close, bar.volume, to_string(base.value_or(Decimal{})), running ? 0 : 1);
  }));
}

class Okx final : public Simulated {
 public:
  Okx() : Simulated("okx", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "okx.com") || address.path.starts_with("/api/v5/") ||
           address.path.starts_with("/ws/v5/");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    if (address.path == "/ws/v5/public") return std::make_unique<Talk>(tape, merged);
    if (address.path == "/ws/v5/business") return std::make_unique<Talk>(tape, single);
    return nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    const std::string_view path = address.path;
    if (path == "/api/v5/public/time") return answer(fmt::format(R"({{"ts":"{}"}})", ms(now)));
    if (path == "/api/v5/public/instruments") {
      return given.empty() ? instruments(address, tape) : Answer{200, std::string(given), 1};
    }
    if (path == "/api/v5/market/history-trades") return history(address, tape, false);
    if (path == "/api/v5/market/trades") return history(address, tape, true);
    if (tape != nullptr && path == "/api/v5/market/candles") return candles(address, tape, now, false);
    if (tape != nullptr && path == "/api/v5/market/history-candles") return candles(address, tape, now, true);
    return {404, R"({"code":"404","msg":"Not Found","data":[]})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(merged, what.instrument.symbol), topic_name(single, what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t topic, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    for (const TapeTrade& t : trades) {
      if (topic == 0) out.push_back(push(merged, what, row(what, t)));
      for (std::uint64_t id = t.first_fill; topic == 1 && id <= t.last_fill; ++id) {
        out.push_back(push(single, what, row(what, t, id)));
      }
    }
  }
  [[nodiscard]] std::vector<std::string> context_topics(const TapeInstrument& what) const override {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < beside_count(what.instrument.market); ++i) {
      out.push_back(topic_name(beside[i], beside[i] == forced ? std::string(all_swaps) : what.instrument.symbol));
    }
    return out;
  }
  [[nodiscard]] std::string context_frame(const TapeInstrument& what, std::size_t topic,
                                          Timestamp second) const override {
    return frame_beside(what, topic, second);
  }
  [[nodiscard]] Allowed attempts() const override { return {3, seconds(1)}; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"arg":{"channel":"trades","instId":"NO-SUCH"},"data":[{"instId":"NO-SUCH","tradeId":"1","px":"1",)"
           R"("sz":"1","side":"buy","ts":"1","count":"1"}]})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    const bool btc = what.base == "BTC";
    made.numbering = Numbering::merged;
    if (what.market == Market::linear) {
      what.contract_size = btc ? Decimal{1, 2} : Decimal{1, 1};
      made.size_decimals = 2;
      made.typical_size_steps = 350;
    } else if (what.market == Market::inverse) {
      what.contract_size = btc ? Decimal{100, 0} : Decimal{10, 0};
    } else if (what.market == Market::option) {
      what.contract_size = {1, 2};
      made.size_decimals = 0;
    }
  }
};
}  // namespace

const Protocol& simulated_okx() {
  static const Okx protocol;
  return protocol;
}

}  // namespace cvdd::sim
