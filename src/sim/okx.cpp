// The simulated OKX: all markets on one WebSocket host, two paths.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>

#include "cvdd/sim/protocol.hpp"
#include "text.hpp"

namespace cvdd::sim {

namespace {
constexpr Market markets_there[] = {Market::spot, Market::linear, Market::inverse, Market::option};
constexpr std::string_view channels[] = {"trades", "trades-all"};
constexpr Duration idle = seconds(30);  // without a push or a subscription

const TapeInstrument* instrument_of(const Tape* tape, std::string_view symbol) {
  if (tape == nullptr) return nullptr;
  for (const Market market : markets_there) {
    const std::size_t index = tape->find("okx", market, symbol);
    if (index != Tape::npos) return &tape->instruments()[index];
  }
  return nullptr;
}

std::string topic_name(std::string_view channel, std::string_view symbol) {
  return fmt::format("okx:{}:{}", channel, symbol);
}

class Talk final : public Conversation {
 public:
  Talk(const Tape* tape, std::string_view channel) : tape_(tape), channel_(channel) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    if (text == "ping") return said.answers.push_back("pong");
    simdjson::dom::element message;
    simdjson::dom::array arguments;
    std::string_view operation, id;
    if (parser_.parse(text.data(), text.size()).get(message) != simdjson::SUCCESS ||
        message["op"].get(operation) != simdjson::SUCCESS || message["args"].get(arguments) != simdjson::SUCCESS ||
        (operation != "subscribe" && operation != "unsubscribe")) {
      return refuse("60012", "Invalid request", id, said);
    }
    id = string_field(message, "id");
    if (++operations_ > 480) return refuse("60014", "Requests too frequent", id, said);
    for (const simdjson::dom::element argument : arguments) {
      const std::string_view channel = string_field(argument, "channel"), symbol = string_field(argument, "instId");
      if (channel != channel_ || instrument_of(tape_, symbol) == nullptr) {
        refuse("60018",
               fmt::format("Wrong URL or channel:{},instId:{} doesn't exist. Please use the correct URL, channel and "
                           "parameters referring to API document.",
                           channel, symbol),
               id, said);
        continue;
      }
      last_ = now;
      (operation == "subscribe" ? said.listen : said.leave).push_back(topic_name(channel, symbol));
      said.answers.push_back(
          fmt::format(R"({{"id":"{}","event":"{}","arg":{{"channel":"{}","instId":"{}"}},"connId":"a4d3ae55"}})", id,
                      operation, channel, symbol));
      subscribed_ = subscribed_ || operation == "subscribe";
      if (operation == "subscribe") push_newest(channel, *instrument_of(tape_, symbol), said);
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
  void push_newest(std::string_view channel, const TapeInstrument& what, Said& said) const;

  const Tape* tape_;
  std::string_view channel_;
  simdjson::dom::parser parser_;
  Timestamp last_;
  unsigned operations_ = 0;
  bool subscribed_ = false;
};

std::string row(const TapeInstrument& what, const TapeTrade& t, std::uint64_t id, std::int64_t steps,
                std::uint64_t count) {
  std::string out = fmt::format(R"({{"instId":"{}","tradeId":"{}","px":"{}","sz":"{}","side":"{}","ts":"{}",)",
                                what.instrument.symbol, id, price_text(what, t), size_text(what, steps),
                                t.buyer_is_maker ? "sell" : "buy", ms(t.time));
  if (count > 0) fmt::format_to(std::back_inserter(out), R"("count":"{}",)", count);
  return out + R"("source":"0"})";
}

std::string push(std::string_view channel, const TapeInstrument& what, const std::string& one) {
  return fmt::format(R"({{"arg":{{"channel":"{}","instId":"{}"}},"data":[{}]}})", channel, what.instrument.symbol, one);
}

void Talk::push_newest(std::string_view channel, const TapeInstrument& what, Said& said) const {
  const auto trades = tape_->trades(static_cast<std::size_t>(&what - tape_->instruments().data()));
  if (trades.empty()) return;
  const TapeTrade& t = trades.back();
  const bool merged = channel == channels[0];
  said.answers.push_back(push(channel, what,
                              row(what, t, t.last_fill, merged ? t.size_steps : fill_size(t, t.last_fill),
                                  merged ? t.last_fill - t.first_fill + 1 : 0)));
}

std::string listed(const TapeInstrument& what) {
  const Instrument& i = what.instrument;
  const std::string_view type = i.market == Market::spot ? "SPOT" : i.market == Market::option ? "OPTION" : "SWAP";
  const bool contract = i.market != Market::spot;
  const std::string family = i.symbol.substr(0, i.symbol.find('-', i.symbol.find('-') + 1));
  return fmt::format(
      R"({{"instType":"{}","instId":"{}","instFamily":"{}","uly":"{}","baseCcy":"{}","quoteCcy":"{}","settleCcy":"{}",)"
      R"("ctVal":"{}","ctMult":"{}","ctValCcy":"{}","ctType":"{}","tickSz":"{}","lotSz":"{}","state":"live"}})",
      type, i.symbol, contract ? family : "", contract ? family : "", contract ? "" : i.base, contract ? "" : i.quote,
      i.settle, contract ? to_string(i.contract_size) : "", contract ? "1" : "",
      !contract                     ? ""
      : i.market == Market::inverse ? "USD"
                                    : i.base,
      i.market == Market::linear || i.market == Market::inverse ? name_of(i.market) : "",
      fixed(1, what.price_decimals, what.price_decimals), fixed(1, what.size_decimals, what.size_decimals));
}

Answer answer(std::string_view rows) { return {200, fmt::format(R"({{"code":"0","msg":"","data":[{}]}})", rows), 1}; }
Answer refused(std::string_view code, std::string_view why) {
  return {200, fmt::format(R"({{"code":"{}","msg":"{}","data":[]}})", code, why), 1};
}

Answer instruments(const Address& address, const Tape* tape) {
  const std::string type(address.parameter("instType").value_or(""));
  const std::string family(address.parameter("instFamily").value_or(""));
  if (type == "OPTION" && family.empty()) return refused("50015", "Either parameter uly or instFamily is required");
  std::string rows;
  for (const TapeInstrument& what : tape != nullptr ? tape->instruments() : std::span<const TapeInstrument>()) {
    if (what.instrument.exchange != "okx") continue;
    const std::string one = listed(what);
    if (one.find("\"instType\":\"" + type + "\"") == one.npos) continue;
    if (!family.empty() && one.find("\"instFamily\":\"" + family + "\"") == one.npos) continue;
    if (!rows.empty()) rows += ',';
    rows += one;
  }
  return answer(rows);
}

// Single fills, newest first, older than `after`; or the newest of all, however far the history reaches.
Answer history(const Address& address, const Tape* tape, bool newest) {
  const TapeInstrument* what = instrument_of(tape, address.parameter("instId").value_or(""));
  if (what == nullptr) return refused("51001", "Instrument ID doesn't exist");
  const auto index = static_cast<std::size_t>(what - tape->instruments().data());
  const auto all = newest ? tape->trades(index) : tape->history(index);
  const std::uint64_t after = address.number("after", ~std::uint64_t{0});
  const std::uint64_t limit = std::min<std::uint64_t>(address.number("limit", 100), 100);
  std::string rows;
  std::uint64_t count = 0;
  auto t = std::ranges::upper_bound(all, after, {}, &TapeTrade::first_fill);
  while (t != all.begin() && count < limit) {
    --t;
    for (std::uint64_t id = t->last_fill; id >= t->first_fill && count < limit; --id) {
      if (id >= after) continue;
      if (!rows.empty()) rows += ',';
      rows += row(*what, *t, id, fill_size(*t, id), 0);
      ++count;
    }
  }
  return answer(rows);
}

// [ts, open, high, low, close, contracts, base of derivatives, …, confirmed], newest first: those of the last 1,440
// minutes, or older ones.
Answer candles(const Address& address, const Tape& tape, Timestamp now, bool old) {
  const TapeInstrument* what = instrument_of(&tape, address.parameter("instId").value_or(""));
  if (what == nullptr || address.parameter("bar") != "1m") return refused("51001", "Instrument ID doesn't exist");
  Timestamp from{static_cast<std::int64_t>(address.number("before", 0) + 1) * 1'000};
  if (!old) from = std::max(from, bar_start(now, seconds(60)) - seconds(1'439 * 60));
  const Timestamp to{static_cast<std::int64_t>(address.number("after", 0)) * 1'000 - 1};
  const auto bars = tape_candles(tape, static_cast<std::size_t>(what - tape.instruments().data()), from, to, now,
                                 seconds(60), std::min<std::uint64_t>(address.number("limit", 100), old ? 100 : 300));
  std::string rows;
  for (auto bar = bars.rbegin(); bar != bars.rend(); ++bar) {
    const bool running = bar->time + seconds(60) > now;
    if (old && running) continue;
    const Instrument& i = what->instrument;
    const bool in_base = i.market == Market::linear || i.market == Market::option;
    const auto base = multiply(parse_decimal(bar->volume).value_or(Decimal{}), in_base ? i.contract_size : Decimal{});
    fmt::format_to(std::back_inserter(rows), R"({}["{}","{}","{}","{}","{}","{}","{}","0","{}"])",
                   rows.empty() ? "" : ",", ms(bar->time), bar->open, bar->high, bar->low, bar->close, bar->volume,
                   to_string(base.value_or(Decimal{})), running ? 0 : 1);
  }
  return answer(rows);
}

class Okx final : public Protocol {
 public:
  [[nodiscard]] std::string_view name() const override { return "okx"; }
  [[nodiscard]] std::span<const Market> markets() const override { return markets_there; }
  [[nodiscard]] bool owns(Address& address) const override {
    return address.host.find("okx.com") != std::string::npos || address.path.starts_with("/api/v5/") ||
           address.path.starts_with("/ws/v5/");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    if (address.path == "/ws/v5/public") return std::make_unique<Talk>(tape, channels[0]);
    if (address.path == "/ws/v5/business") return std::make_unique<Talk>(tape, channels[1]);
    return nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    if (address.path == "/api/v5/public/time") return answer(fmt::format(R"({{"ts":"{}"}})", ms(now)));
    if (address.path == "/api/v5/public/instruments") {
      return given.empty() ? instruments(address, tape) : Answer{200, std::string(given), 1};
    }
    if (address.path == "/api/v5/market/history-trades") return history(address, tape, false);
    if (address.path == "/api/v5/market/trades") return history(address, tape, true);
    if (tape != nullptr && address.path == "/api/v5/market/candles") return candles(address, *tape, now, false);
    if (tape != nullptr && address.path == "/api/v5/market/history-candles") return candles(address, *tape, now, true);
    return {404, R"({"code":"404","msg":"Not Found","data":[]})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(channels[0], what.instrument.symbol), topic_name(channels[1], what.instrument.symbol)};
  }
  void frames(const TapeInstrument& what, std::size_t topic, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    for (const TapeTrade& t : trades) {
      if (topic == 0) {
        out.push_back(push(channels[0], what, row(what, t, t.last_fill, t.size_steps, t.last_fill - t.first_fill + 1)));
      }
      for (std::uint64_t id = t.first_fill; topic == 1 && id <= t.last_fill; ++id) {
        out.push_back(push(channels[1], what, row(what, t, id, fill_size(t, id), 0)));
      }
    }
  }
  [[nodiscard]] Allowed attempts() const override { return {3, seconds(1)}; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"arg":{"channel":"trades","instId":"NO-SUCH"},"data":[{"instId":"NO-SUCH","tradeId":"1","px":"1",)"
           R"("sz":"1","side":"buy","ts":"1","count":"1"}]})";
  }
  void describe(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    made.numbering = Numbering::merged;
    switch (what.market) {
      case Market::spot:
        what.quote = "USDT";
        what.symbol = what.base + "-USDT";
        break;
      case Market::linear:
        what.quote = what.settle = "USDT";
        what.symbol = what.base + "-USDT-SWAP";
        what.contract_size = what.base == "BTC" ? Decimal{1, 2} : Decimal{1, 1};
        made.size_decimals = 2;
        made.typical_size_steps = 350;
        break;
      case Market::inverse:
        what.quote = "USD";
        what.settle = what.base;
        what.symbol = what.base + "-USD-SWAP";
        what.contract_size = what.base == "BTC" ? Decimal{100, 0} : Decimal{10, 0};
        break;
      case Market::option:
        what.quote = what.settle = what.base;
        what.symbol = what.base + "-USD-261225-90000-C";
        what.contract_size = {1, 2};
        made.size_decimals = 0;
        break;
    }
  }
};
}  // namespace

const Protocol& simulated_okx();
const Protocol& simulated_okx() {
  static const Okx protocol;
  return protocol;
}

}  // namespace cvdd::sim
