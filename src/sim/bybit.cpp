// The simulated Bybit: one path per market, and one bad topic that takes its whole request with it.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>

#include "cvdd/sim/protocol.hpp"
#include "text.hpp"

namespace cvdd::sim {

namespace {
constexpr Market markets_there[] = {Market::spot, Market::linear, Market::inverse, Market::option};
constexpr Duration idle = seconds(60);  // without a word from the client

std::string topic_of(const Instrument& instrument) {
  const std::string& name = instrument.symbol;
  return "publicTrade." + (instrument.market == Market::option ? name.substr(0, name.find('-')) : name);
}
std::string topic_name(Market market, std::string_view topic) {
  return fmt::format("bybit:{}:{}", name_of(market), topic);
}

class Talk final : public Conversation {
 public:
  Talk(Market market, const Tape* tape) : market_(market), tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    last_ = now;
    simdjson::dom::element message;
    simdjson::dom::array arguments;
    std::string_view operation, id;
    if (parser_.parse(text.data(), text.size()).get(message) != simdjson::SUCCESS || !message.is_object() ||
        message["op"].get(operation) != simdjson::SUCCESS) {
      return answer(false, "", "error:request is not JSON", "", said);
    }
    id = string_field(message, "req_id");
    if (operation == "ping") {
      if (market_ == Market::option) {
        return said.answers.push_back(fmt::format(R"({{"args":["{}"],"op":"pong"}})", ms(now)));
      }
      return answer(true, id, "pong", "ping", said);
    }
    if ((operation != "subscribe" && operation != "unsubscribe") ||
        message["args"].get(arguments) != simdjson::SUCCESS) {
      return answer(false, id, "error:unknown operation", operation, said);
    }
    std::vector<std::string> topics;
    for (const simdjson::dom::element argument : arguments) {
      std::string_view topic;
      if (argument.get(topic) == simdjson::SUCCESS) topics.emplace_back(topic);
    }
    if (market_ == Market::spot && topics.size() > 10) return answer(false, id, "args size >10", operation, said);
    const bool on = operation == "subscribe";
    for (const std::string& topic : topics) {
      if (!exists(topic)) return refuse("handler not found", topic, id, operation, said);
      if (on && topics_.contains(topic)) return refuse("already subscribed", topic, id, operation, said);
    }
    for (const std::string& topic : topics) {
      if (on) topics_.insert(topic);
      if (!on) topics_.erase(topic);
      (on ? said.listen : said.leave).push_back(topic_name(market_, topic));
    }
    if (market_ != Market::option)
      return answer(true, id, on && market_ == Market::spot ? "subscribe" : "", operation, said);
    std::string good;
    for (const std::string& topic : topics)
      fmt::format_to(std::back_inserter(good), "{}\"{}\"", good.empty() ? "" : ",", topic);
    said.answers.push_back(fmt::format(
        R"({{"success":true,"conn_id":"aa01","data":{{"failTopics":[],"successTopics":[{}]}},"type":"COMMAND_RESP"}})",
        good));
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
      return what.instrument.exchange == "bybit" && what.instrument.market == market_ &&
             topic_of(what.instrument) == topic;
    });
  }
  void refuse(std::string_view why, std::string_view topic, std::string_view id, std::string_view operation,
              Said& said) const {
    answer(false, id, fmt::format("error:{},topic:{}", why, topic), operation, said);
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
      ms(t.time), what.instrument.symbol, t.buyer_is_maker ? "Sell" : "Buy", size_text(what, t.size_steps),
      price_text(what, t), id_text(what, t), t.block, t.id);
}

std::string listed(const TapeInstrument& what) {
  const Instrument& i = what.instrument;
  return fmt::format(R"({{"symbol":"{}","status":"Trading","baseCoin":"{}","quoteCoin":"{}","settleCoin":"{}",)"
                     R"("priceFilter":{{"tickSize":"{}"}},"lotSizeFilter":{{"qtyStep":"{}"}}}})",
                     i.symbol, i.base, i.quote, i.settle, fixed(1, what.price_decimals, what.price_decimals),
                     fixed(1, what.size_decimals, what.size_decimals));
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
  std::string rows;
  std::uint64_t n = 0;
  for (const TapeInstrument& what : tape != nullptr ? tape->instruments() : std::span<const TapeInstrument>()) {
    const Instrument& i = what.instrument;
    if (i.exchange != "bybit" || name_of(i.market) != category || (!coin.empty() && coin != "All" && i.base != coin))
      continue;
    if (n++ < begin || n - begin > limit) continue;
    if (!rows.empty()) rows += ',';
    rows += listed(what);
  }
  const std::string next = n - std::min(n, begin) > limit ? std::to_string(begin + limit) : "";
  return result(fmt::format(R"({{"category":"{}","nextPageCursor":"{}","list":[{}]}})", category, next, rows));
}

// The newest trades, and no way to older ones.
Answer recent(const Address& address, const Tape* tape) {
  const auto market = market_from(address.parameter("category").value_or(""));
  const std::size_t index =
      tape != nullptr && market ? tape->find("bybit", *market, address.parameter("symbol").value_or("")) : Tape::npos;
  if (index == Tape::npos) return refused(10001, "params error: Symbol Is Invalid");
  const TapeInstrument& what = tape->instruments()[index];
  auto all = tape->history(index);
  if (all.empty()) all = tape->trades(index).last(std::min<std::size_t>(tape->trades(index).size(), 1));
  const auto limit = std::min<std::uint64_t>(address.number("limit", 60), *market == Market::spot ? 60 : 1'000);
  std::string rows;
  for (std::size_t k = 0; k < std::min<std::size_t>(limit, all.size()); ++k) {
    const TapeTrade& t = all[all.size() - 1 - k];
    fmt::format_to(
        std::back_inserter(rows),
        R"({}{{"execId":"{}","symbol":"{}","price":"{}","size":"{}","side":"{}","time":"{}","isBlockTrade":{},)"
        R"("isRPITrade":false,"seq":"{}"}})",
        rows.empty() ? "" : ",", id_text(what, t), what.instrument.symbol, price_text(what, t),
        size_text(what, t.size_steps), t.buyer_is_maker ? "Sell" : "Buy", ms(t.time), t.block, t.id);
  }
  return result(fmt::format(R"({{"category":"{}","list":[{}]}})", name_of(*market), rows));
}

Answer candles(const Address& address, const Tape& tape, Timestamp now) {
  const auto market = market_from(address.parameter("category").value_or(""));
  const std::size_t index = market ? tape.find("bybit", *market, address.parameter("symbol").value_or("")) : Tape::npos;
  if (index == Tape::npos || *market == Market::option || address.parameter("interval") != "1") {
    return refused(10001, "params error");
  }
  const auto bars =
      tape_candles(tape, index, {static_cast<std::int64_t>(address.number("start", 0)) * 1'000},
                   {static_cast<std::int64_t>(address.number("end", 0)) * 1'000}, now, seconds(60), 1'000);
  std::string rows;
  for (auto bar = bars.rbegin(); bar != bars.rend(); ++bar) {
    fmt::format_to(std::back_inserter(rows), R"({}["{}","{}","{}","{}","{}","{}","0"])", rows.empty() ? "" : ",",
                   ms(bar->time), bar->open, bar->high, bar->low, bar->close, bar->volume);
  }
  return result(fmt::format(R"({{"category":"{}","list":[{}]}})", name_of(*market), rows));
}

class Bybit final : public Protocol {
 public:
  [[nodiscard]] std::string_view name() const override { return "bybit"; }
  [[nodiscard]] std::span<const Market> markets() const override { return markets_there; }
  [[nodiscard]] bool owns(Address& address) const override {
    return address.host.find("bybit") != std::string::npos || address.path.starts_with("/v5/");
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
    std::string rows;
    for (const TapeTrade& t : trades) {
      if (!rows.empty()) rows += ',';
      rows += row(what, t);
    }
    out.push_back(fmt::format(R"({{"topic":"{}","type":"snapshot","ts":{},"data":[{}]}})", topic_of(what.instrument),
                              ms(now), rows));
  }
  [[nodiscard]] Allowed attempts() const override { return {500, seconds(300)}; }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 7'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"topic":"publicTrade.NOSUCH","type":"snapshot","ts":1,"data":[{"T":1,"s":"NOSUCH","S":"Buy","v":"1",)"
           R"("p":"1","i":"1","BT":false}]})";
  }
  void describe(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    made.numbering = Numbering::singles;
    made.blocks = what.market != Market::spot;
    what.ids = Ids::opaque;
    what.quote = "USDT";
    what.symbol = what.base + "USDT";
    if (what.market == Market::linear) what.settle = "USDT";
    if (what.market == Market::inverse) {  // whole dollars
      what.quote = "USD";
      what.settle = what.base;
      what.symbol = what.base + "USD";
    }
    if (what.market == Market::option) {
      what.settle = "USDT";
      what.symbol = what.base + "-25DEC26-90000-C-USDT";
    }
  }
};
}  // namespace

const Protocol& simulated_bybit();
const Protocol& simulated_bybit() {
  static const Bybit protocol;
  return protocol;
}

}  // namespace cvdd::sim
