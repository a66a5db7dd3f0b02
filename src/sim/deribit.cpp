// The simulated Deribit: JSON-RPC on one address, heartbeats that must be answered, unknown channels left out silently.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>

#include "cvdd/sim/protocol.hpp"
#include "text.hpp"

namespace cvdd::sim {

namespace {
constexpr Market markets_there[] = {Market::spot, Market::linear, Market::inverse, Market::option};
constexpr std::string_view ours = "deribit:";
constexpr std::size_t channels_max = 500;  // in one request

const TapeInstrument* instrument_of(const Tape* tape, std::string_view symbol) {
  if (tape == nullptr) return nullptr;
  for (const Market market : markets_there) {
    const std::size_t index = tape->find("deribit", market, symbol);
    if (index != Tape::npos) return &tape->instruments()[index];
  }
  return nullptr;
}

std::string channel_of(const Instrument& instrument) { return "trades." + instrument.symbol + ".100ms"; }

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    simdjson::dom::element message, id;
    std::string_view method;
    if (parser_.parse(text.data(), text.size()).get(message) != simdjson::SUCCESS || !message.is_object() ||
        message["method"].get(method) != simdjson::SUCCESS) {
      return said.answers.push_back(R"({"jsonrpc":"2.0","error":{"code":11050,"message":"bad_request"}})");
    }
    const std::string number = message["id"].get(id) == simdjson::SUCCESS ? simdjson::minify(id) : "null";
    if (method == "public/subscribe" || method == "public/unsubscribe") {
      return subscribe(message, method == "public/subscribe", number, said);
    }
    if (method == "public/test") {
      asked_ = {};
      return result(number, R"({"version":"1.2.26"})", said);
    }
    if (method == "public/set_heartbeat") {
      std::int64_t interval = 0;
      if (message["params"]["interval"].get(interval) != simdjson::SUCCESS || interval < 10) {
        return error(number, -32602, "Invalid params", said);
      }
      heartbeat_ = seconds(interval);
      next_beat_ = now + heartbeat_;
      return result(number, "\"ok\"", said);
    }
    error(number, -32601, "Method not found", said);
  }

  // A heartbeat, then the question whether anybody is there; who does not answer it within ten seconds is not.
  void tick(Timestamp now, Said& said) override {
    if (asked_.us != 0 && now - asked_ > seconds(10)) said.farewell = "heartbeat close";
    if (heartbeat_.us == 0 || now < next_beat_) return;
    next_beat_ = now + heartbeat_;
    const bool ask = ++beats_ % 2 == 0;
    if (ask && asked_.us == 0) asked_ = now;
    said.answers.push_back(fmt::format(R"({{"params":{{"type":"{}"}},"method":"heartbeat","jsonrpc":"2.0"}})",
                                       ask ? "test_request" : "heartbeat"));
  }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return 20; }

 private:
  void subscribe(simdjson::dom::element message, bool on, const std::string& id, Said& said) {
    simdjson::dom::array channels;
    if (message["params"]["channels"].get(channels) != simdjson::SUCCESS || channels.size() > channels_max) {
      return error(id, -32602, "Invalid params", said);
    }
    std::string accepted;
    std::vector<std::string>& topics = on ? said.listen : said.leave;
    for (const simdjson::dom::element entry : channels) {
      std::string_view channel;
      if (entry.get(channel) != simdjson::SUCCESS || !channel.starts_with("trades.") || !channel.ends_with(".100ms")) {
        continue;
      }
      if (instrument_of(tape_, channel.substr(7, channel.size() - 13)) == nullptr) continue;
      topics.push_back(std::string(ours) + std::string(channel));
      fmt::format_to(std::back_inserter(accepted), "{}\"{}\"", accepted.empty() ? "" : ",", channel);
    }
    result(id, "[" + accepted + "]", said);
  }
  static void result(std::string_view id, std::string_view what, Said& said) {
    said.answers.push_back(fmt::format(
        R"({{"jsonrpc":"2.0","id":{},"result":{},"usIn":1,"usOut":2,"usDiff":1,"testnet":false}})", id, what));
  }
  static void error(std::string_view id, int code, std::string_view why, Said& said) {
    said.answers.push_back(
        fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{{"code":{},"message":"{}"}}}})", id, code, why));
  }

  const Tape* tape_;
  simdjson::dom::parser parser_;
  Duration heartbeat_;
  Timestamp next_beat_, asked_;
  unsigned beats_ = 0;
};

std::string row(const TapeInstrument& what, const TapeTrade& t) {
  return fmt::format(R"({{"trade_seq":{},"trade_id":"{}","timestamp":{},"tick_direction":0,"price":{},"mark_price":{},)"
                     R"("instrument_name":"{}","index_price":{},"direction":"{}","amount":{}{}}})",
                     t.id, fmt::format("{}-{}", what.instrument.base, t.id + 1'000'000), ms(t.time),
                     price_text(what, t), price_text(what, t), what.instrument.symbol, price_text(what, t),
                     t.buyer_is_maker ? "sell" : "buy", size_text(what, t.size_steps),
                     t.block ? R"(,"block_trade_id":"BLOCK-1","block_trade_leg_count":1)" : "");
}

std::string listed(const TapeInstrument& what) {
  const Instrument& i = what.instrument;
  const std::string_view kind = i.market == Market::spot ? "spot" : i.market == Market::option ? "option" : "future";
  return fmt::format(
      R"({{"instrument_name":"{}","kind":"{}","is_active":true,"state":"open","base_currency":"{}",)"
      R"("quote_currency":"{}","counter_currency":"{}","settlement_currency":"{}","instrument_type":"{}",)"
      R"("contract_size":{},"tick_size":{},"min_trade_amount":{},"expiration_timestamp":32503708800000}})",
      i.symbol, kind, i.base, i.quote, i.quote, i.settle,
      i.market == Market::linear || i.market == Market::spot ? "linear" : "reversed",
      i.market == Market::inverse ? 10 : 1, fixed(1, what.price_decimals, what.price_decimals),
      fixed(1, what.size_decimals, what.size_decimals));
}

Answer result(const std::string& what) {
  return {200, fmt::format(R"({{"jsonrpc":"2.0","result":{},"usIn":1,"usOut":2,"usDiff":1,"testnet":false}})", what),
          1};
}
Answer refused(int code, std::string_view why) {
  return {400, fmt::format(R"({{"jsonrpc":"2.0","error":{{"code":{},"message":"{}"}},"testnet":false}})", code, why),
          1};
}

Answer instruments(const Address& address, const Tape* tape) {
  const auto kind = address.parameter("kind").value_or("");
  const auto currency = address.parameter("currency").value_or("");
  if (currency.empty() || (kind == "spot" && currency == "any")) return refused(-32602, "Invalid params");
  std::string rows;
  for (const TapeInstrument& what : tape != nullptr ? tape->instruments() : std::span<const TapeInstrument>()) {
    if (what.instrument.exchange != "deribit") continue;
    if (currency != "any" && currency != what.instrument.base) continue;
    const std::string one = listed(what);
    if (!kind.empty() && one.find(fmt::format("\"kind\":\"{}\"", kind)) == one.npos) continue;
    if (!rows.empty()) rows += ',';
    rows += one;
  }
  return result("[" + rows + "]");
}

Answer history(const Address& address, const Tape* tape) {
  const TapeInstrument* what = instrument_of(tape, address.parameter("instrument_name").value_or(""));
  if (what == nullptr) return refused(-32602, "Invalid params");
  const auto index = static_cast<std::size_t>(what - tape->instruments().data());
  const bool newest = address.parameter("sorting") != "asc";  // … are always told, however far the history reaches
  const auto all = newest ? tape->trades(index) : tape->history(index);
  const auto limit = std::min<std::uint64_t>(address.number("count", 10), 1'000);
  auto some = with_ids(all, address.number("start_seq", 0), address.number("end_seq", ~std::uint64_t{0}));
  const bool more = some.size() > limit;
  if (more) some = newest ? some.last(limit) : some.first(limit);
  std::string rows;
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (!rows.empty()) rows += ',';
    rows += row(*what, some[newest ? some.size() - 1 - i : i]);
  }
  return result(fmt::format(R"({{"has_more":{},"trades":[{}]}})", more, rows));
}

// "volume" in base units, "cost" in quote units, as far as the size is one of them.
Answer candles(const Address& address, const Tape* tape, Timestamp now) {
  const TapeInstrument* what = instrument_of(tape, address.parameter("instrument_name").value_or(""));
  if (what == nullptr || address.parameter("resolution") != "1") return refused(-32602, "Invalid params");
  const auto bars =
      tape_candles(*tape, static_cast<std::size_t>(what - tape->instruments().data()),
                   {static_cast<std::int64_t>(address.number("start_timestamp", 0)) * 1'000},
                   {static_cast<std::int64_t>(address.number("end_timestamp", 0)) * 1'000}, now, seconds(60), 5'000);
  std::string ticks, open, high, low, close, volume;
  for (const TapeCandle& bar : bars) {
    const char* comma = ticks.empty() ? "" : ",";
    ticks += comma + std::to_string(ms(bar.time));
    open += comma + bar.open;
    high += comma + bar.high;
    low += comma + bar.low;
    close += comma + bar.close;
    volume += comma + size_text(*what, static_cast<std::int64_t>(bar.steps));
  }
  const bool inverse = what->instrument.market == Market::inverse;
  return result(
      fmt::format(R"({{"status":"{}","ticks":[{}],"open":[{}],"high":[{}],"low":[{}],"close":[{}],"{}":[{}]}})",
                  bars.empty() ? "no_data" : "ok", ticks, open, high, low, close, inverse ? "cost" : "volume", volume));
}

class Deribit final : public Protocol {
 public:
  [[nodiscard]] std::string_view name() const override { return "deribit"; }
  [[nodiscard]] std::span<const Market> markets() const override { return markets_there; }
  [[nodiscard]] bool owns(Address& address) const override {
    return address.host.find("deribit.com") != std::string::npos || address.path.starts_with("/api/v2/public/") ||
           address.path.starts_with("/ws/api/v2");
  }
  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                   ConversationLimits) const override {
    return address.path == "/ws/api/v2" ? std::make_unique<Talk>(tape) : nullptr;
  }
  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    if (address.path == "/api/v2/public/get_time") return result(std::to_string(ms(now)));
    if (address.path == "/api/v2/public/get_instruments") {
      return given.empty() ? instruments(address, tape) : Answer{200, std::string(given), 1};
    }
    if (address.path == "/api/v2/public/get_last_trades_by_instrument") return history(address, tape);
    if (address.path == "/api/v2/public/get_tradingview_chart_data") return candles(address, tape, now);
    return {404, R"({"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}})", 1};
  }
  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {std::string(ours) + channel_of(what.instrument)};
  }
  void frames(const TapeInstrument& what, std::size_t, std::span<const TapeTrade> trades, Timestamp,
              std::vector<std::string>& out) const override {
    std::string rows;
    for (const TapeTrade& t : trades) {
      if (!rows.empty()) rows += ',';
      rows += row(what, t);
    }
    out.push_back(fmt::format(R"({{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{}","data":[{}]}}}})",
                              channel_of(what.instrument), rows));
  }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 1'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.NO-SUCH.100ms","data":[)"
           R"({"trade_seq":1,"trade_id":"1","timestamp":1,"price":1.0,"instrument_name":"NO-SUCH",)"
           R"("direction":"buy","amount":1.0}]}})";
  }
  void describe(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    made.numbering = Numbering::singles;
    made.blocks = true;
    switch (what.market) {
      case Market::spot:
        what.quote = "USDC";
        what.symbol = what.base + "_USDC";
        break;
      case Market::linear:
        what.quote = what.settle = "USDC";
        what.symbol = what.base + "_USDC-PERPETUAL";
        break;
      case Market::inverse:  // whole dollars, ten at a time
        what.quote = "USD";
        what.settle = what.base;
        what.symbol = what.base + "-PERPETUAL";
        made.typical_size_steps *= 10;
        break;
      case Market::option:
        what.quote = what.settle = what.base;
        what.symbol = what.base + "-25DEC26-90000-C";
        break;
    }
  }
};
}  // namespace

const Protocol& simulated_deribit();
const Protocol& simulated_deribit() {
  static const Deribit protocol;
  return protocol;
}

}  // namespace cvdd::sim
