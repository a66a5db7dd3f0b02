// The simulated Kraken Futures: a ping frame a minute or the end, old trades first, errors that name nobody, and a
// history of a hundred trades before any moment.
#include <set>

#include "cvdd/base/time_text.hpp"
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::linear, "PF_{}USD", "USD", "USD"},
                                        {Market::inverse, "PI_{}USD", "USD", "{}"}};  // whole dollars
constexpr Duration idle = seconds(60);                                                // without a ping
constexpr std::size_t page_size = 100, candles_max = 2'000;

Found instrument_of(const Tape* tape, std::string_view symbol) {
  return find(tape, simulated_kraken_futures(), symbol);
}
std::string topic_name(std::string_view symbol) { return fmt::format("kraken_futures:{}", symbol); }

// "2022-06-16T12:32:23.002Z"
std::string iso(Timestamp t) {
  std::string out = format_time(t);
  return out.replace(out.size() - 1, 1, fmt::format(".{:03}Z", ms(t) % 1'000));
}
std::string_view type_of(const TapeTrade& t) { return t.block ? "block" : t.id % 50 == 7 ? "liquidation" : "fill"; }

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(
      R"({{"feed":"trade","product_id":"{}","uid":"{}","side":"{}","type":"{}","seq":{},"time":{},"qty":{},"price":{}}})",
      what.instrument.symbol, id_text(what, t), taker(t, "buy", "sell"), type_of(t), t.id, ms(t.time),
      size_text(what, t.size_steps), price_text(what, t));
}

// All that stands beside an instrument's trades, in one; a side where nobody is is left out.
std::string ticker_name(std::string_view symbol) { return topic_name(symbol) + ":ticker"; }
std::string ticker(const TapeInstrument& what, Timestamp second) {
  const TapeContext now = tape_context(what, second);
  const auto price = [&](std::int64_t ticks) { return fixed(ticks, what.price_decimals, what.price_decimals); };
  const auto side = [&](std::string_view name, std::int64_t ticks, std::int64_t steps) {
    return ticks == 0 ? std::string()
                      : fmt::format(R"("{}":{},"{}_size":{},)", name, price(ticks), name, size_text(what, steps));
  };
  return fmt::format(R"({{"time":{},"product_id":"{}","funding_rate":0.03,"relative_funding_rate":{},)"
                     R"("next_funding_rate_time":{},{}{}"index":{},"openInterest":{},"markPrice":{},"feed":"ticker"}})",
                     ms(second), what.instrument.symbol, fixed(now.funding_hundred_millionths, 8, 8),
                     ms(now.funding_applies), side("bid", now.bid_ticks, now.bid_steps),
                     side("ask", now.ask_ticks, now.ask_steps), price(now.index_ticks), size_text(what, now.open_steps),
                     price(now.mark_ticks));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void opened(Said& said) override { said.answers.push_back(R"({"event":"info","version":1})"); }
  void pinged(Timestamp now) override { last_ = now; }

  void hear(std::string_view text, Timestamp, Said& said) override {
    const auto heard = object_in(parser_, text);
    const std::string_view event = heard ? string_field(*heard, "event") : "";
    const bool on = event == "subscribe";
    if (!on && event != "unsubscribe") return said.answers.push_back(R"({"event":"alert","message":"Bad request"})");
    const std::string_view feed = string_field(*heard, "feed");
    if (feed == "heartbeat") {
      beats_ = on;
      return said.answers.push_back(fmt::format(R"({{"event":"{}d","feed":"heartbeat"}})", event));
    }
    const auto products = strings_in((*heard)["product_ids"]);
    if ((feed != "trade" && feed != "ticker") || !products)
      return said.answers.push_back(R"({"event":"error","message":"Invalid feed"})");
    for (const std::string& product : *products) {
      const Found what = instrument_of(tape_, product);
      if (!what) {
        said.answers.push_back(R"({"event":"error","message":"Invalid product id"})");
        continue;
      }
      (on ? said.listen : said.leave).push_back(feed == "ticker" ? ticker_name(product) : topic_name(product));
      said.answers.push_back(
          fmt::format(R"({{"event":"{}d","feed":"{}","product_ids":["{}"]}})", event, feed, product));
      if (!on || feed == "ticker") continue;
      const auto old = what.trades().last(std::min(what.trades().size(), page_size));
      said.answers.push_back(fmt::format(R"({{"feed":"trade_snapshot","product_id":"{}","trades":[{}]}})", product,
                                         rows_backward(old, [&](const TapeTrade& t) { return row(*what, t); })));
    }
  }

  void tick(Timestamp now, Said& said) override {
    if (last_.us == 0) last_ = now;
    if (beats_) said.answers.push_back(fmt::format(R"({{"feed":"heartbeat","time":{}}})", ms(now)));
    if (now - last_ > idle) said.farewell = "no ping";
  }

 private:
  const Tape* tape_;
  simdjson::dom::parser parser_;
  Timestamp last_;
  bool beats_ = false;
};

Answer answer(Timestamp now, std::string_view what) {
  return {200, fmt::format(R"({{"result":"success",{},"serverTime":"{}"}})", what, iso(now)), 1};
}
Answer refused(Timestamp now, std::string_view why) {
  return {200, fmt::format(R"({{"result":"error","error":"{}","serverTime":"{}"}})", why, iso(now)), 1};
}

Answer instruments(const Tape* tape, Timestamp now) {
  const std::string rows = listing(tape, "kraken_futures", [](const TapeInstrument& what) {
    const Instrument& i = what.instrument;
    return fmt::format(
        R"({{"symbol":"{}","pair":"{}:{}","base":"{}","quote":"{}","type":"{}","tickSize":{},"contractSize":1,)"
        R"("tradeable":true,"postOnly":false,"openingDate":"2022-01-01T00:00:00.000Z","tradfi":false}})",
        i.symbol, i.base, i.quote, i.base, i.quote,
        i.market == Market::inverse ? "futures_inverse" : "flexible_futures", tick_text(what));
  });
  return answer(now, fmt::format(R"("instruments":[{}])", rows));
}

// The newest that are not younger than `lastTime`, newest first.
Answer history(const Address& address, const Tape* tape, Timestamp now) {
  const Found what = instrument_of(tape, address.parameter("symbol").value_or(""));
  if (!what) return refused(now, "invalidArgument: symbol");
  auto some = what.trades();
  if (const auto last = address.parameter("lastTime")) {
    // "…:23.002Z"
    const auto time = parse_time(std::string(last->substr(0, 19)) + "Z");
    if (!time || last->size() != 24) return refused(now, "invalidArgument: lastTime");
    some = with_times(what.history(), {}, *time + milliseconds(std::stoi(std::string(last->substr(20, 3))) + 1));
  } else if (!what.history().empty()) {
    some = what.history();
  }
  some = some.last(std::min(some.size(), page_size));
  if (what.history().empty()) some = some.last(std::min<std::size_t>(some.size(), 1));
  const std::string rows = rows_backward(some, [&](const TapeTrade& t) {
    return fmt::format(R"({{"time":"{}","trade_id":{},"price":{},"size":{},"side":"{}","type":"{}","uid":"{}"}})",
                       iso(t.time), t.id, price_text(*what, t), size_text(*what, t.size_steps), taker(t, "buy", "sell"),
                       type_of(t), id_text(*what, t));
  });
  return answer(now, fmt::format(R"("history":[{}])", rows));
}

Answer candles(const Address& address, std::string_view path, const Tape* tape, Timestamp now) {
  const auto symbol = path.substr(0, path.find('/'));
  const Found what = instrument_of(tape, symbol);
  if (!what || path.substr(symbol.size()) != "/1m") return {400, R"({"error":"invalid market"})", 1};
  const auto seconds_of = [&](std::string_view name) {
    return Timestamp{static_cast<std::int64_t>(address.number(name, 0)) * 1'000'000};
  };
  const auto bars = what.candles(seconds_of("from"), seconds_of("to"), now, candles_max);
  const std::string list = rows(bars, [](const TapeCandle& bar) {
    return fmt::format(R"({{"time":{},"open":"{}","high":"{}","low":"{}","close":"{}","volume":{}}})", ms(bar.time),
                       bar.open, bar.high, bar.low, bar.close, bar.volume);
  });
  return {200, fmt::format(R"({{"candles":[{}],"more_candles":false}})", list), 1};
}

class KrakenFutures final : public Simulated {
 public:
  KrakenFutures() : Simulated("kraken_futures", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "futures.kraken.com") || address.path.starts_with("/derivatives/api/v3/") ||
           address.path.starts_with("/api/charts/v1/") || address.path == "/ws/v1";
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/ws/v1" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    std::string_view path = address.path;
    if (eat(path, "/api/charts/v1/trade") && !path.empty()) return candles(address, path.substr(1), tape, now);
    if (!eat(path, "/derivatives/api/v3")) return {404, R"({"error":"not found"})", 1};
    if (path == "/instruments") return given.empty() ? instruments(tape, now) : Answer{200, std::string(given), 1};
    return path == "/history" ? history(address, tape, now) : Answer{404, R"({"error":"not found"})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    for (const TapeTrade& t : trades) out.push_back(row(what, t));
  }
  [[nodiscard]] std::vector<std::string> context_topics(const TapeInstrument& what) const override {
    return {ticker_name(what.instrument.symbol)};
  }
  [[nodiscard]] std::string context_frame(const TapeInstrument& what, std::size_t, Timestamp second) const override {
    return ticker(what, second);
  }
  [[nodiscard]] Allowed attempts() const override { return {100, seconds(60)}; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"feed":"trade","product_id":"PF_NOSUCHUSD","uid":"05af78ac-a774-478c-a50c-8b9c234e071e","side":"sell",)"
           R"("type":"fill","seq":1,"time":1612266317519,"qty":1,"price":1.0})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.blocks = true;
    made.instrument.ids = Ids::opaque;
  }
};
}  // namespace

const Protocol& simulated_kraken_futures() {
  static const KrakenFutures protocol;
  return protocol;
}

}  // namespace cvdd::sim
