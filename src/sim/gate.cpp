// The simulated Gate: one socket for spot, one for each currency that futures settle in.
#include <set>

#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}_USDT", "USDT", ""},
                                        {Market::linear, "{}_USDT", "USDT", "USDT"},
                                        {Market::inverse, "{}_USD", "USD", "BTC"}};
constexpr Duration idle = seconds(30), apart_max = seconds(60);

std::string_view family(Market market) { return market == Market::spot ? "spot" : "futures"; }
std::string topic_name(Market market, std::string_view symbol) {
  return fmt::format("gate:{}:{}", name_of(market), symbol);
}
std::string seconds_text(Timestamp t) { return fmt::format("{}.{:03}", t.us / 1'000'000, t.us / 1'000 % 1'000); }

// What follows the fields that REST and WebSocket have alike.
std::string spot_row(const TapeInstrument& what, const TapeTrade& t, std::string_view ids, std::int64_t steps) {
  return fmt::format(
      R"({{{},"create_time_ms":"{}.000000","side":"{}","currency_pair":"{}","amount":"{}","price":"{}"}})", ids,
      ms(t.time), taker(t, "buy", "sell"), what.instrument.symbol, size_text(what, steps), price_text(what, t));
}
std::string futures_row(const TapeInstrument& what, const TapeTrade& t, std::string_view time) {
  return fmt::format(R"({{"size":"{}{}","id":{},"create_time":{},"create_time_ms":{},"price":"{}","contract":"{}"{}}})",
                     taker(t, "", "-"), size_text(what, t.size_steps), t.id, t.time.us / 1'000'000, time,
                     price_text(what, t), what.instrument.symbol, t.block ? R"(,"is_internal":true)" : "");
}

class Talk final : public Conversation {
 public:
  Talk(Market market, const Tape* tape) : market_(market), tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    last_ = now;
    const auto message = object_in(parser_, text);
    std::int64_t time = 0, id = 0;
    if (!message || (*message)["time"].get(time) != simdjson::SUCCESS)
      return refuse(now, 0, "", "", 1, "invalid request", said);
    if ((*message)["id"].get(id) != simdjson::SUCCESS) id = 0;
    const std::string_view channel = string_field(*message, "channel"), event = string_field(*message, "event");
    if (channel == fmt::format("{}.ping", family(market_))) {
      return said.answers.push_back(head(now, 0, fmt::format("{}.pong", family(market_)), "") + R"("result":null})");
    }
    const Duration apart = now - Timestamp{time * 1'000'000};
    if (apart > apart_max || apart < Duration{-apart_max.us}) {
      return refuse(now, id, channel, event, 4, "request time is too far away", said);
    }
    const auto names = strings_in((*message)["payload"]);
    const bool on = event == "subscribe";
    if (!names || (!on && event != "unsubscribe")) return refuse(now, id, channel, event, 2, "unknown event", said);
    if (market_ != Market::spot && channel == "futures.contract_info")
      return accept(now, id, channel, event, *names, said);
    if (channel != fmt::format("{}.trades", family(market_)))
      return refuse(now, id, channel, event, 2, "unknown channel", said);
    for (const std::string& name : *names) {
      if (!find(tape_, "gate", market_, name)) {
        return refuse(now, id, channel, event, 2,
                      fmt::format("unknown {}: {}", market_ == Market::spot ? "currency pair" : "contract", name),
                      said);
      }
      if (on && names_.contains(name)) return refuse(now, id, channel, event, 2, "Alert sub " + name, said);
    }
    for (const std::string& name : *names) {
      if (on) names_.insert(name);
      if (!on) names_.erase(name);
      (on ? said.listen : said.leave).push_back(topic_name(market_, name));
    }
    accept(now, id, channel, event, *names, said);
  }

  void tick(Timestamp now, Said& said) override {
    if (last_.us == 0) last_ = now;
    if (names_.empty() && now - last_ > idle) said.farewell = "no word for 30 s";
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 50; }

 private:
  static std::string head(Timestamp now, std::int64_t id, std::string_view channel, std::string_view event) {
    return fmt::format(R"({{"time":{},"time_ms":{},{}"conn_id":"b2c2b0629e0c34a3","channel":"{}","event":"{}",)",
                       now.us / 1'000'000, ms(now), id != 0 ? fmt::format(R"("id":{},)", id) : "", channel, event);
  }
  static void accept(Timestamp now, std::int64_t id, std::string_view channel, std::string_view event,
                     const std::vector<std::string>& names, Said& said) {
    said.answers.push_back(head(now, id, channel, event) +
                           fmt::format(R"("payload":[{}],"result":{{"status":"success"}}}})", rows(names, in_quotes)));
  }
  static void refuse(Timestamp now, std::int64_t id, std::string_view channel, std::string_view event, int code,
                     std::string_view why, Said& said) {
    said.answers.push_back(
        head(now, id, channel, event) +
        fmt::format(R"("error":{{"code":{},"message":"{}"}},"result":{{"status":"fail"}}}})", code, why));
  }

  Market market_;
  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> names_;
  Timestamp last_;
};

Answer refused(std::string_view label, std::string_view why) {
  return {400, fmt::format(R"({{"label":"{}","message":"{}"}})", label, why), 1};
}

Answer instruments(Market market, const Tape* tape) {
  return {
      200,
      "[" +
          listing(tape, "gate",
                  [&](const TapeInstrument& what) -> std::string {
                    const Instrument& i = what.instrument;
                    if (i.market != market) return {};
                    if (market == Market::spot) {
                      return fmt::format(R"({{"id":"{}","base":"{}","quote":"{}","amount_precision":{},"precision":{},)"
                                         R"("trade_status":"tradable","sell_start":1514764800}})",
                                         i.symbol, i.base, i.quote, what.size_decimals, what.price_decimals);
                    }
                    const bool inverse = market == Market::inverse;
                    return fmt::format(R"({{"name":"{}","type":"{}","quanto_multiplier":"{}","order_price_round":"{}",)"
                                       R"("in_delisting":false,"enable_decimal":true,"create_time":1669688556}})",
                                       i.symbol, inverse ? "inverse" : "direct",
                                       inverse ? "0" : to_string(i.contract_size), tick_text(what));
                  }) +
          "]",
      1};
}

// Newest first, fill by fill, those of whole seconds; without any the newest of all, however far the history reaches.
Answer history(const Address& address, const Found& what) {
  if (!what) return refused("INVALID_CURRENCY_PAIR", "Invalid currency pair");
  const std::uint64_t to = address.number("to", 0), from = address.number("from", 0);
  const auto all = to == 0 && from == 0 ? what.trades() : what.history();
  const bool spot = what->instrument.market == Market::spot;
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), spot ? 1'000 : 100);
  Rows out;
  std::uint64_t count = 0;
  for (auto t = all.rbegin(); t != all.rend() && count < limit; ++t) {
    const auto second = static_cast<std::uint64_t>(t->time.us / 1'000'000);
    if (to != 0 && second > to) continue;
    if (second < from) break;
    for (std::uint64_t id = t->last_fill; id >= t->first_fill && count < limit; --id, ++count) {
      out.add(spot ? spot_row(*what, *t,
                              fmt::format(R"("id":"{}","sequence_id":"{}","create_time":"{}")", id + 7'000, id, second),
                              fill_size(*t, id))
                   : futures_row(*what, *t, seconds_text(t->time)));
    }
  }
  return {200, "[" + out.text() + "]", 1};
}

Answer candles(const Address& address, const Found& what, Timestamp now) {
  if (!what || address.parameter("interval") != "1m" || address.parameter("limit"))
    return refused("INVALID_PARAM_VALUE", "bad request");
  const auto second = [&](std::string_view name) {
    return Timestamp{static_cast<std::int64_t>(address.number(name, 0)) * 1'000'000};
  };
  const auto bars = what.candles(second("from"), second("to"), now, 1'000);
  const bool spot = what->instrument.market == Market::spot;
  return {200,
          "[" +
              rows(bars,
                   [&](const TapeCandle& bar) {
                     const std::int64_t begin = bar.time.us / 1'000'000;
                     return spot ? fmt::format(R"(["{}","0","{}","{}","{}","{}","{}","{}"])", begin, bar.close,
                                               bar.high, bar.low, bar.open, bar.volume, bar.time + seconds(60) <= now)
                                 : fmt::format(R"({{"t":{},"v":"{}","c":"{}","h":"{}","l":"{}","o":"{}","sum":"0"}})",
                                               begin, bar.volume, bar.close, bar.high, bar.low, bar.open);
                   }) +
              "]",
          1};
}

class Gate final : public Simulated {
 public:
  Gate() : Simulated("gate", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "gateio.ws") || address.path.starts_with("/api/v4/") ||
           address.path.starts_with("/ws/v4/") || address.path.starts_with("/v4/ws/");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    if (address.path == "/ws/v4/") return std::make_unique<Talk>(Market::spot, tape);
    if (address.path == "/v4/ws/usdt") return std::make_unique<Talk>(Market::linear, tape);
    if (address.path == "/v4/ws/btc") return std::make_unique<Talk>(Market::inverse, tape);
    return nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    std::string_view path = address.path;
    if (path == "/api/v4/spot/time") return {200, fmt::format(R"({{"server_time":{}}})", ms(now)), 1};
    const Market market = path.starts_with("/api/v4/futures/usdt/")  ? Market::linear
                          : path.starts_with("/api/v4/futures/btc/") ? Market::inverse
                                                                     : Market::spot;
    const std::string_view what = path.substr(path.rfind('/') + 1);
    const Found found = find(tape, "gate", market,
                             address.parameter(market == Market::spot ? "currency_pair" : "contract").value_or(""));
    if (what == (market == Market::spot ? "currency_pairs" : "contracts")) {
      return given.empty() ? instruments(market, tape) : Answer{200, std::string(given), 1};
    }
    if (what == "trades") return history(address, found);
    if (what == "candlesticks" && tape != nullptr) return candles(address, found, now);
    return {404, R"({"label":"NOT_FOUND","message":"no such path"})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.market, what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp now,
              std::vector<std::string>& out) const override {
    const bool spot = what.instrument.market == Market::spot;
    const std::string head = fmt::format(R"({{"time":{},"time_ms":{},"channel":"{}.trades","event":"update","result":)",
                                         now.us / 1'000'000, ms(now), family(what.instrument.market));
    if (!spot) {
      out.push_back(head + "[" +
                    rows(trades, [&](const TapeTrade& t) { return futures_row(what, t, std::to_string(ms(t.time))); }) +
                    "]}");
      return;
    }
    for (const TapeTrade& t : trades) {
      const std::string ids =
          fmt::format(R"("id":{},"id_market":{},"range":"{}-{}","create_time":{})", t.last_fill + 7'000, t.last_fill,
                      t.first_fill, t.last_fill, t.time.us / 1'000'000);
      out.push_back(head + spot_row(what, t, ids, t.size_steps) + "}");
    }
  }
  [[nodiscard]] Allowed attempts() const override { return {300, seconds(60)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 1'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"channel":"futures.trades","event":"update","time":1,"result":[{"size":"1","id":1,"create_time":1,)"
           R"("create_time_ms":1000,"price":"1","contract":"NO_SUCH"}]})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    made.numbering = what.market == Market::spot ? Numbering::merged : Numbering::singles;
    made.blocks = what.market != Market::spot;
    if (what.market != Market::linear) return;
    what.contract_size = what.base == "BTC" ? Decimal{1, 4} : Decimal{1, 1};
    made.size_decimals = 1;
    made.typical_size_steps = 350;
  }
};
}  // namespace

const Protocol& simulated_gate() {
  static const Gate protocol;
  return protocol;
}

}  // namespace cvdd::sim
