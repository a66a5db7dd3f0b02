// The simulated Kraken: one answer for each pair, the last fifty trades first, a heartbeat a second, and other names at
// REST than on the feed.
#include <set>

#include "cvdd/base/time_text.hpp"
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}/USD", "USD", ""}};
constexpr Duration idle = seconds(60);  // with nothing subscribed, and without a word
constexpr std::size_t snapshot_size = 50, page_size = 1'000, candles_max = 720;

Found instrument_of(const Tape* tape, std::string_view symbol) { return find(tape, "kraken", Market::spot, symbol); }
std::string topic_name(std::string_view symbol) { return fmt::format("kraken:{}", symbol); }

std::string rest_coin(std::string_view coin) {
  return coin == "BTC" ? "XBT" : coin == "DOGE" ? "XDG" : std::string(coin);
}
std::string rest_name(const Instrument& i) { return rest_coin(i.base) + i.quote; }
// Answers name some pairs as they were named long ago.
std::string key_of(const Instrument& i) { return i.base == "BTC" ? "XXBTZUSD" : rest_name(i); }

// "2023-10-06T17:35:55.440295Z"
std::string iso(Timestamp t) {
  std::string out = format_time(t);
  return out.replace(out.size() - 1, 1, fmt::format(".{:06}Z", t.us % 1'000'000));
}

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(
      R"({{"symbol":"{}","side":"{}","price":{},"qty":{},"ord_type":"limit","trade_id":{},"timestamp":"{}"}})",
      what.instrument.symbol, taker(t, "buy", "sell"), price_text(what, t), size_text(what, t.size_steps), t.id,
      iso(t.time));
}
std::string message(std::string_view type, const TapeInstrument& what, std::span<const TapeTrade> trades) {
  return fmt::format(R"({{"channel":"trade","type":"{}","data":[{}]}})", type,
                     rows(trades, [&](const TapeTrade& t) { return row(what, t); }));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void opened(Said& said) override {
    said.answers.push_back(R"({"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online",)"
                           R"("api_version":"v2","connection_id":16513720190543543840}]})");
  }

  void hear(std::string_view text, Timestamp now, Said& said) override {
    last_ = now;
    const auto heard = object_in(parser_, text);
    const std::string_view method = heard ? string_field(*heard, "method") : "";
    simdjson::dom::element number;
    const bool numbered = heard && (*heard)["req_id"].get(number) == simdjson::SUCCESS;
    const std::string id = numbered ? fmt::format(R"(,"req_id":{})", simdjson::minify(number)) : "";
    const std::string times = fmt::format(R"("time_in":"{}","time_out":"{}")", iso(now), iso(now));
    if (method == "ping") {
      return said.answers.push_back(fmt::format(R"({{"method":"pong",{}{}}})", times, id));
    }
    const bool on = method == "subscribe";
    if (!on && method != "unsubscribe") {
      return said.answers.push_back(fmt::format(R"({{"error":"Unknown method","success":false,{}}})", times));
    }
    const auto params = (*heard)["params"];
    const auto symbols = strings_in(params["symbol"]);
    std::string_view channel;
    if (!symbols || params["channel"].get(channel) != simdjson::SUCCESS || channel != "trade") {
      return refuse("Malformed request", method, times + id, said);
    }
    bool snapshot = false;
    if (params["snapshot"].get(snapshot) != simdjson::SUCCESS) snapshot = false;
    for (const std::string& symbol : *symbols) {
      const Found what = instrument_of(tape_, symbol);
      if (!what) {
        refuse("Currency pair not supported " + symbol, method, times + id, said);
        continue;
      }
      if (on == topics_.contains(symbol)) {
        refuse(on ? "Already subscribed" : "Subscription Not Found", method,
               fmt::format(R"("symbol":"{}",{}{})", symbol, times, id), said);
        continue;
      }
      if (on) topics_.insert(symbol);
      if (!on) topics_.erase(symbol);
      (on ? said.listen : said.leave).push_back(topic_name(symbol));
      said.answers.push_back(
          fmt::format(R"({{"method":"{}","result":{{"channel":"trade",{}"symbol":"{}"}},"success":true,{}{}}})", method,
                      on ? fmt::format(R"("snapshot":{},)", snapshot) : "", symbol, times, id));
      const auto old = what.trades().last(std::min(what.trades().size(), snapshot_size));
      if (on && snapshot && !old.empty()) said.answers.push_back(message("snapshot", *what, old));
    }
  }

  void tick(Timestamp now, Said& said) override {
    if (last_.us == 0) last_ = now;
    if (!topics_.empty()) said.answers.push_back(R"({"channel":"heartbeat"})");
    if (topics_.empty() && now - last_ > idle) said.farewell = "idle";
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 20; }

 private:
  static void refuse(std::string_view why, std::string_view method, std::string_view rest, Said& said) {
    said.answers.push_back(fmt::format(R"({{"error":"{}","method":"{}","success":false,{}}})", why, method, rest));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> topics_;
  Timestamp last_;
};

Answer answer(std::string_view result) { return {200, fmt::format(R"({{"error":[],"result":{{{}}}}})", result), 1}; }
Answer refused(std::string_view why) { return {200, fmt::format(R"({{"error":["{}"]}})", why), 1}; }

Answer pairs(const Tape* tape) {
  return answer(listing(tape, "kraken", [](const TapeInstrument& what) {
    const Instrument& i = what.instrument;
    return fmt::format(R"("{}":{{"altname":"{}","wsname":"{}/{}","aclass_base":"currency","base":"X{}","quote":"Z{}",)"
                       R"("pair_decimals":{},"lot_decimals":{},"tick_size":"{}","status":"online",)"
                       R"("execution_venue":"international"}})",
                       key_of(i), rest_name(i), rest_coin(i.base), i.quote, rest_coin(i.base), i.quote,
                       what.price_decimals, what.size_decimals, tick_text(what));
  }));
}

Found instrument_in(const Address& address, const Tape* tape) {
  const auto pair = address.parameter("pair").value_or("");
  if (tape == nullptr) return {};
  for (const TapeInstrument& what : tape->instruments()) {
    const Instrument& i = what.instrument;
    if (i.exchange == "kraken" && (pair == rest_name(i) || pair == key_of(i))) return instrument_of(tape, i.symbol);
  }
  return {};
}

// Oldest first, after `since`; without it the newest of all, however far the history reaches.
Answer trades(const Address& address, const Tape* tape) {
  const Found what = instrument_in(address, tape);
  if (!what) return refused("EQuery:Unknown asset pair");
  const auto count = std::min<std::uint64_t>(address.number("count", page_size), page_size);
  auto some = what.trades().last(std::min<std::size_t>(what.trades().size(), count));
  if (const auto since = address.parameter("since")) {
    // In nanoseconds, of which the tape has microseconds.
    const auto after = static_cast<std::int64_t>(std::stoull(std::string(*since)) / 1'000 + 1);
    some = with_times(what.history(), {after}, {INT64_MAX});
    some = some.first(std::min<std::size_t>(some.size(), count));
  }
  const std::string list = rows(some, [&](const TapeTrade& t) {
    return fmt::format(R"(["{}","{}",{}.{:06}1,"{}","l","",{}])", price_text(*what, t), size_text(*what, t.size_steps),
                       t.time.us / 1'000'000, t.time.us % 1'000'000, taker(t, "b", "s"), t.id);
  });
  const std::int64_t last = some.empty() ? 0 : some.back().time.us;
  return answer(fmt::format(R"("{}":[{}],"last":"{}000")", key_of(what->instrument), list, last));
}

// [time, open, high, low, close, vwap, volume, count], oldest first, the one that runs the last.
Answer candles(const Address& address, const Tape* tape, Timestamp now) {
  const Found what = instrument_in(address, tape);
  if (!what) return refused("EQuery:Unknown asset pair");
  if (address.parameter("interval").value_or("1") != "1") return refused("EGeneral:Invalid arguments");
  const Timestamp earliest = bar_start(now, seconds(60)) - seconds(60 * (candles_max - 1));
  const Timestamp since{static_cast<std::int64_t>(address.number("since", 0)) * 1'000'000 + 1};
  const auto bars = what.candles(std::max(since, earliest), now, now, candles_max);
  return answer(fmt::format(R"("{}":[{}],"last":{})", key_of(what->instrument),
                            rows(bars,
                                 [](const TapeCandle& bar) {
                                   return fmt::format(R"([{},"{}","{}","{}","{}","0.0","{}",{}])",
                                                      bar.time.us / 1'000'000, bar.open, bar.high, bar.low, bar.close,
                                                      bar.volume, bar.fills);
                                 }),
                            now.us / 1'000'000));
}

class Kraken final : public Simulated {
 public:
  Kraken() : Simulated("kraken", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    const bool ours = contains(address.host, "ws.kraken.com") || contains(address.host, "api.kraken.com") ||
                      address.path.starts_with("/0/public/") || address.path == "/v2";
    if (ours) address.market = Market::spot;
    return ours;
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/v2" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    std::string_view path = address.path;
    if (!eat(path, "/0/public")) return {404, R"({"error":["EGeneral:Unknown method"]})", 1};
    if (path == "/Time") return answer(fmt::format(R"("unixtime":{},"rfc1123":"")", now.us / 1'000'000));
    if (path == "/AssetPairs") return given.empty() ? pairs(tape) : Answer{200, std::string(given), 1};
    if (path == "/Trades") return trades(address, tape);
    if (path == "/OHLC") return candles(address, tape, now);
    return {404, R"({"error":["EGeneral:Unknown method"]})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    out.push_back(message("update", what, trades));
  }
  [[nodiscard]] Allowed attempts() const override { return {150, seconds(600)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 60; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"channel":"trade","type":"update","data":[{"symbol":"NO/SUCH","side":"buy","price":1.0,"qty":1.0,)"
           R"("ord_type":"limit","trade_id":1,"timestamp":"2023-10-06T17:35:55.440295Z"}]})";
  }

 protected:
  void complete(TapeInstrument& made) const override { made.numbering = Numbering::singles; }
};
}  // namespace

const Protocol& simulated_kraken() {
  static const Kraken protocol;
  return protocol;
}

}  // namespace cvdd::sim
