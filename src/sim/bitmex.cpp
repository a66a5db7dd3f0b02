// The simulated BitMEX: one address, everything by the name of the instrument; one answer per argument.
#include <set>

#include "cvdd/base/time_text.hpp"
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}_USDT", "USDT", ""},
                                        {Market::linear, "{}USDT", "USDT", "USDt"},
                                        {Market::inverse, "{}USD", "USD", "XBt"}};
constexpr std::size_t names_max = 200, hourly_max = 720;

Found instrument_of(const Tape* tape, std::string_view symbol);
std::string topic_name(std::string_view symbol) { return fmt::format("bitmex:{}", symbol); }

// "2025-02-07T10:43:59.245Z"
std::string iso(Timestamp t) {
  std::string out = format_time(t);
  return out.replace(out.size() - 1, 1, fmt::format(".{:03}Z", t.us / 1'000 % 1'000));
}

// Coins and dollars of a row as numbers. The exchange rounds coins of inverse contracts to what it settles in; here
// they have twelve decimals, as the rows they are compared with.
std::pair<std::string, std::string> notionals(const TapeInstrument& what, const TapeTrade& t) {
  const Decimal price{t.price_ticks, what.price_decimals}, size{t.size_steps, what.size_decimals};
  const Decimal units = multiply(size, what.instrument.contract_size).value_or(Decimal{});
  const auto other =
      what.instrument.market == Market::inverse ? divide_half_even(units, price, 12) : multiply(units, price);
  const std::string ours = to_string(units), theirs = to_string(other.value_or(Decimal{}));
  return what.instrument.market == Market::inverse ? std::pair(theirs, ours) : std::pair(ours, theirs);
}

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  const auto [home, foreign] = notionals(what, t);
  const std::string side = t.block ? "" : fmt::format(R"("side":"{}",)", taker(t, "Buy", "Sell"));
  return fmt::format(R"({{"timestamp":"{}","symbol":"{}",{}"size":{},"price":{},"tickDirection":"MinusTick",)"
                     R"("trdMatchID":"{}","grossValue":1,"homeNotional":{},"foreignNotional":{},"trdType":"{}"}})",
                     iso(t.time), what.instrument.symbol, side, size_text(what, t.size_steps), price_text(what, t),
                     id_text(what, t), home, foreign, t.block ? "Settlement" : "Regular");
}
std::string frame(std::string_view action, std::string_view rows) {
  return fmt::format(R"({{"table":"trade","action":"{}","data":[{}]}})", action, rows);
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void opened(Said& said) override {
    said.answers.push_back(R"({"info":"Welcome to the BitMEX Realtime API.","version":"2.0.0",)"
                           R"("docs":"https://www.bitmex.com/app/wsAPI","heartbeatEnabled":false})");
  }
  void hear(std::string_view text, Timestamp, Said& said) override {
    if (text == "ping") return said.answers.push_back("pong");
    const auto message = object_in(parser_, text);
    const auto arguments = message ? strings_in((*message)["args"]) : std::nullopt;
    const std::string_view operation = message ? string_field(*message, "op") : "";
    const bool on = operation == "subscribe";
    if (!arguments || (!on && operation != "unsubscribe")) return refuse(400, "Unrecognized request", "{}", said);
    const std::string request = fmt::format(R"({{"op":"{}","args":[{}]}})", operation, rows(*arguments, in_quotes));
    if (++requests_ > hourly_max) return refuse(429, "Rate limit exceeded, retry in 1 seconds.", request, said);
    for (const std::string& argument : *arguments) answer(argument, operation, request, said);
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 50; }

 private:
  void answer(const std::string& argument, std::string_view operation, const std::string& request, Said& said) {
    const bool on = operation == "subscribe";
    const auto colon = argument.find(':');
    const Found what = argument.substr(0, colon) == "trade" && colon != std::string::npos
                           ? instrument_of(tape_, argument.substr(colon + 1))
                           : Found{};
    if (!what) return refuse(400, "Unknown or expired symbol.", request, said);
    if (on && names_.size() >= names_max) return refuse(400, "Too many subscriptions.", request, said);
    if (on ? !names_.insert(argument).second : names_.erase(argument) == 0) {
      return refuse(400, fmt::format("You are {} subscribed to this topic: {}", on ? "already" : "not", argument),
                    request, said);
    }
    said.answers.push_back(
        fmt::format(R"({{"success":true,"{}":"{}","pool":"Aggregated","request":{}}})", operation, argument, request));
    (on ? said.listen : said.leave).push_back(topic_name(what->instrument.symbol));
    if (!on) return;
    const std::size_t old = std::min<std::size_t>(what.trades().size(), 1);
    said.answers.push_back(
        frame("partial", rows(what.trades().last(old), [&](const TapeTrade& t) { return row(*what, t); })));
  }
  static void refuse(int status, std::string_view why, std::string_view request, Said& said) {
    said.answers.push_back(
        fmt::format(R"({{"status":{},"error":"{}","meta":{{}},"request":{}}})", status, why, request));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  std::set<std::string> names_;
  std::size_t requests_ = 0;
};

Answer refused(unsigned status, std::string_view name, std::string_view why) {
  return {status, fmt::format(R"({{"error":{{"message":"{}","name":"{}"}}}})", why, name), 1};
}

Answer instruments(const Tape* tape) {
  return {
      200,
      "[" +
          listing(
              tape, "bitmex",
              [&](const TapeInstrument& what) -> std::string {
                const Instrument& i = what.instrument;
                const bool inverse = i.market == Market::inverse, spot = i.market == Market::spot;
                const std::string units = inverse ? "null" : fixed(1, 0, 0) + std::string(i.contract_size.scale, '0');
                return fmt::format(
                    R"({{"symbol":"{}","state":"Open","typ":"{}","underlying":"{}","quoteCurrency":"{}","settlCurrency":"{}",)"
                    R"("isQuanto":false,"isInverse":{},"multiplier":{},"underlyingToPositionMultiplier":{},)"
                    R"("underlyingToSettleMultiplier":{},"quoteToSettleMultiplier":{},"tickSize":{},"lotSize":1}})",
                    i.symbol, spot ? "IFXXXP" : "FFWCSX", i.base, i.quote, spot ? "" : i.settle, inverse,
                    inverse ? "-100000000" : "1", units, inverse ? "-100000000" : "null", inverse ? "null" : units,
                    tick_text(what));
              }) +
          "]",
      1};
}

// In order of time, or backwards; one alone that is asked for backwards is the newest of all.
Answer history(const Address& address, const Found& what) {
  if (!what) return refused(400, "HTTPError", "Unknown or expired symbol.");
  const bool reverse = address.parameter("reverse") == "true";
  const std::uint64_t count = std::min<std::uint64_t>(address.number("count", 100), 1'000);
  const auto from = parse_time(address.parameter("startTime").value_or("")),
             to = parse_time(address.parameter("endTime").value_or(""));
  std::vector<TapeTrade> found;
  for (const TapeTrade& t : reverse&& count == 1 ? what.trades() : what.history()) {
    if ((!from || t.time >= *from) && (!to || t.time <= *to)) found.push_back(t);
  }
  const auto one = [&](const TapeTrade& t) { return row(*what, t); };
  const std::size_t most = std::min<std::size_t>(found.size(), count);
  const std::span all(found);
  return {200, "[" + (reverse ? rows_backward(all.last(most), one) : rows(all.first(most), one)) + "]", 1};
}

// Of whole minutes, dated by their ends.
Answer candles(const Address& address, const Found& what, Timestamp now) {
  const auto from = parse_time(address.parameter("startTime").value_or("")),
             to = parse_time(address.parameter("endTime").value_or(""));
  if (!what || !from || !to || address.parameter("binSize") != "1m") return refused(400, "HTTPError", "bad request");
  const auto bars = what.candles(*from - seconds(60), *to - seconds(60), now - seconds(60), 1'000);
  return {
      200,
      "[" +
          rows(
              bars,
              [&](const TapeCandle& bar) {
                const TapeBar all = what.tape->bar(what.index, bar.time, seconds(60));
                return fmt::format(
                    R"({{"timestamp":"{}","symbol":"{}","open":{},"high":{},"low":{},"close":{},"trades":{},"volume":{}}})",
                    iso(bar.time + seconds(60)), what->instrument.symbol, bar.open, bar.high, bar.low, bar.close,
                    all.buys + all.sells, bar.volume);
              }) +
          "]",
      1};
}

class Bitmex final : public Simulated {
 public:
  Bitmex() : Simulated("bitmex", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "bitmex.com") || address.path == "/realtime" || address.path.starts_with("/api/v1");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/realtime" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    const std::string_view path = address.path;
    if (path == "/api/v1")
      return {200, fmt::format(R"({{"name":"BitMEX API","version":"2.0.0","timestamp":{}}})", ms(now)), 1};
    if (path == "/api/v1/instrument/active")
      return given.empty() ? instruments(tape) : Answer{200, std::string(given), 1};
    const Found found = instrument_of(tape, address.parameter("symbol").value_or(""));
    if (path == "/api/v1/trade") return history(address, found);
    if (path == "/api/v1/trade/bucketed" && tape != nullptr) return candles(address, found, now);
    return refused(404, "HTTPError", "Not Found");
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    out.push_back(frame("insert", rows(trades, [&](const TapeTrade& t) { return row(what, t); })));
  }
  [[nodiscard]] Allowed attempts() const override { return {40, seconds(60)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 30; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"table":"trade","action":"insert","data":[{"timestamp":"2025-02-07T10:43:59.245Z","symbol":"NOSUCH",)"
           R"("side":"Sell","size":1,"price":1,"trdMatchID":"00000000-006d-1000-0000-0012a5c8049e"}]})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    made.numbering = Numbering::singles;
    made.blocks = what.market != Market::spot;
    what.ids = Ids::opaque;
    made.id_text = [](const TapeTrade& t) { return fmt::format("00000000-006d-1000-0000-{:012x}", t.id); };
    if (what.market == Market::inverse) return;
    // Whole contracts, of the smallest step of sizes.
    what.contract_size = Decimal{1, made.size_decimals};
    made.size_decimals = 0;
  }
};

Found instrument_of(const Tape* tape, std::string_view symbol) { return find(tape, simulated_bitmex(), symbol); }
}  // namespace

const Protocol& simulated_bitmex() {
  static const Bitmex protocol;
  return protocol;
}

}  // namespace cvdd::sim
