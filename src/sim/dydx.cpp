// The simulated dYdX: one subscription a message, blocks that many trades share, and old trades as the answer.
#include <set>

#include "cvdd/base/time_text.hpp"
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::linear, "{}-USD", "USD", "USDC"}};
constexpr std::size_t names_max = 32;  // of a channel, on one connection

Found instrument_of(const Tape* tape, std::string_view ticker) { return find(tape, "dydx", Market::linear, ticker); }
std::string topic_name(std::string_view ticker) { return fmt::format("dydx:{}", ticker); }
std::string iso(Timestamp t) {
  std::string out = format_time(t);
  return out.replace(out.size() - 1, 1, fmt::format(".{:03}Z", t.us / 1'000 % 1'000));
}
// Height of the block, about one a second, and the event within it.
std::string id_of(const TapeTrade& t) {
  return fmt::format("{:08x}00000002{:08x}", t.time.us / 1'000'000 - 1'700'000'000, t.id & 0xFFFFFFFFU);
}

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(R"({{"id":"{}","size":"{}","price":"{}","side":"{}","createdAt":"{}","type":"{}"}})", id_of(t),
                     size_text(what, t.size_steps), price_text(what, t), taker(t, "BUY", "SELL"), iso(t.time),
                     t.block ? "DELEVERAGED" : "LIMIT");
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void opened(Said& said) override { said.answers.push_back(head("connected") + "}"); }
  void hear(std::string_view text, Timestamp, Said& said) override {
    const auto message = object_in(parser_, text);
    const std::string_view type = message ? string_field(*message, "type") : "";
    if (type == "ping") return;
    const bool on = type == "subscribe";
    if (!on && type != "unsubscribe") return refuse("Invalid message: could not parse", said);
    const std::string_view channel = string_field(*message, "channel"), id = string_field(*message, "id");
    if (channel == "v4_markets" && !on) {
      return said.answers.push_back(head("unsubscribed") + R"(,"channel":"v4_markets"})");
    }
    if (channel != "v4_trades") return refuse(fmt::format("Invalid channel: {}", channel), said);
    const Found what = instrument_of(tape_, id);
    if (!what) return refuse(fmt::format("Invalid subscription id for channel: (v4_trades-{})", id), said);
    const std::string about = fmt::format(R"(,"channel":"v4_trades","id":"{}")", id);
    if (!on) {
      if (names_.erase(std::string(id)) > 0) said.leave.push_back(topic_name(id));
      return said.answers.push_back(head("unsubscribed") + about + "}");
    }
    if (names_.size() >= names_max)
      return refuse("Per-connection subscription limit reached for v4_trades (limit=32).", said);
    if (!names_.insert(std::string(id)).second)
      return refuse("Invalid subscribe message: already subscribed (v4_trades-" + std::string(id) + ")", said);
    const auto old = what.trades().last(std::min<std::size_t>(what.trades().size(), 20));
    said.answers.push_back(head("subscribed") + about +
                           fmt::format(R"(,"contents":{{"trades":[{}]}}}})",
                                       rows_backward(old, [&](const TapeTrade& t) { return row(*what, t); })));
    said.listen.push_back(topic_name(id));
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 4; }

 private:
  std::string head(std::string_view type) {
    return fmt::format(R"({{"type":"{}","connection_id":"3a2e4c0c-7579-4bf6-a570-e0979418bbe9","message_id":{})", type,
                       messages_++);
  }
  void refuse(std::string_view why, Said& said) {
    said.answers.push_back(head("error") + fmt::format(R"(,"message":"{}"}})", why));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> names_;
  unsigned messages_ = 0;
};

Answer refused(unsigned status, std::string_view why) {
  return {status, fmt::format(R"({{"errors":[{{"msg":"{}"}}]}})", why), 1};
}

Answer instruments(const Tape* tape) {
  return {
      200,
      R"({"markets":{)" +
          listing(tape, "dydx",
                  [&](const TapeInstrument& what) {
                    return fmt::format(
                        R"("{}":{{"clobPairId":"0","ticker":"{}","status":"ACTIVE","tickSize":"{}","stepSize":"{}"}})",
                        what.instrument.symbol, what.instrument.symbol, tick_text(what), step_text(what));
                  }) +
          "}}",
      1};
}

// Newest first, of a moment and before; one alone is the newest of all.
Answer history(const Address& address, const Found& what) {
  if (!what) return refused(400, "ticker must be a valid ticker");
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), 1'000);
  const auto to = parse_time(address.parameter("createdBeforeOrAt").value_or(""));
  auto all = limit == 1 ? what.trades() : what.history();
  if (to)
    all = all.first(static_cast<std::size_t>(std::ranges::upper_bound(all, *to, {}, &TapeTrade::time) - all.begin()));
  all = all.last(std::min<std::size_t>(all.size(), limit));
  return {200,
          fmt::format(R"({{"trades":[{}]}})", rows_backward(all, [&](const TapeTrade& t) { return row(*what, t); })),
          1};
}

Answer candles(const Address& address, const Found& what, Timestamp now) {
  const auto from = parse_time(address.parameter("fromISO").value_or("")),
             to = parse_time(address.parameter("toISO").value_or(""));
  if (!what || !from || !to || address.parameter("resolution") != "1MIN") return refused(400, "bad request");
  const auto bars = what.candles(*from, *to, now, 1'000);
  return {
      200,
      fmt::format(
          R"({{"candles":[{}]}})",
          rows_backward(
              bars,
              [&](const TapeCandle& bar) {
                const TapeBar all = what.tape->bar(what.index, bar.time, seconds(60));
                return fmt::format(
                    R"({{"startedAt":"{}","ticker":"{}","resolution":"1MIN","low":"{}","high":"{}","open":"{}","close":"{}",)"
                    R"("baseTokenVolume":"{}","usdVolume":"0","trades":{}}})",
                    iso(bar.time), what->instrument.symbol, bar.low, bar.high, bar.open, bar.close, bar.volume,
                    all.buys + all.sells);
              })),
      1};
}

class Dydx final : public Simulated {
 public:
  Dydx() : Simulated("dydx", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "dydx") || address.path == "/v4/ws" || address.path == "/v4/time" ||
           address.path == "/v4/perpetualMarkets" || address.path.starts_with("/v4/trades/") ||
           address.path.starts_with("/v4/candles/");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/v4/ws" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    std::string_view path = address.path;
    if (path == "/v4/time")
      return {200,
              fmt::format(R"({{"iso":"{}","epoch":{}.{:03}}})", iso(now), now.us / 1'000'000, now.us / 1'000 % 1'000),
              1};
    if (path == "/v4/perpetualMarkets") return given.empty() ? instruments(tape) : Answer{200, std::string(given), 1};
    const Found found = instrument_of(tape, path.substr(path.rfind('/') + 1));
    if (eat(path, "/v4/trades/perpetualMarket")) return history(address, found);
    if (eat(path, "/v4/candles/perpetualMarkets") && tape != nullptr) return candles(address, found, now);
    return refused(404, "not found");
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    out.push_back(fmt::format(
        R"({{"type":"channel_data","connection_id":"3a2e4c0c-7579-4bf6-a570-e0979418bbe9","message_id":3,"id":"{}",)"
        R"("channel":"v4_trades","version":"2.1.0","contents":{{"trades":[{}]}}}})",
        what.instrument.symbol, rows(trades, [&](const TapeTrade& t) { return row(what, t); })));
  }
  [[nodiscard]] Allowed attempts() const override { return {60, seconds(60)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 600; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"type":"channel_data","message_id":3,"id":"NO-SUCH","channel":"v4_trades","version":"2.1.0","contents":)"
           R"({"trades":[{"id":"0165e5e40000000200000002","size":"1","price":"1","side":"BUY","createdAt":)"
           R"("2024-08-22T23:59:59.851Z","type":"LIMIT"}]}})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.blocks = true;
    made.instrument.ids = Ids::opaque;
    made.id_text = id_of;
  }
};
}  // namespace

const Protocol& simulated_dydx() {
  static const Dydx protocol;
  return protocol;
}

}  // namespace cvdd::sim
