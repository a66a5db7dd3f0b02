// The simulated Deribit: JSON-RPC on one address, heartbeats that must be answered, unknown channels left out silently.
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}_USDC", "USDC", ""},
                                        {Market::linear, "{}_USDC-PERPETUAL", "USDC", "USDC"},
                                        {Market::inverse, "{}-PERPETUAL", "USD", "{}"},
                                        {Market::option, "{}-25DEC26-90000-C", "{}", "{}"}};
constexpr std::string_view ours = "deribit:";
constexpr std::size_t channels_max = 500;  // in one request

Found instrument_of(const Tape* tape, std::string_view symbol) { return find(tape, simulated_deribit(), symbol); }
Found instrument_in(const Address& address, const Tape* tape) {
  return instrument_of(tape, address.parameter("instrument_name").value_or(""));
}

std::string channel_of(const Instrument& instrument) { return "trades." + instrument.symbol + ".100ms"; }

std::string ticker_of(const Instrument& instrument) { return "ticker." + instrument.symbol + ".agg2"; }

// All that stands beside an instrument's trades, in one; null where nobody is.
std::string ticker(const TapeInstrument& what, Timestamp second) {
  const TapeContext now = tape_context(what, second);
  const Market market = what.instrument.market;
  const auto price = [&](std::int64_t ticks) {
    return ticks == 0 ? std::string("null") : fixed(ticks, what.price_decimals, what.price_decimals);
  };
  std::string contract, funding;
  if (market != Market::spot) {
    contract = fmt::format(R"("open_interest":{},"mark_price":{},"index_price":{},)", size_text(what, now.open_steps),
                           price(now.mark_ticks), price(now.index_ticks));
  }
  if (market == Market::linear || market == Market::inverse) {
    funding = fmt::format(R"("current_funding":{},"funding_8h":0.1,)", fixed(now.funding_hundred_millionths, 8, 8));
  }
  return fmt::format(
      R"({{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{}","data":{{"timestamp":{},{}{})"
      R"("instrument_name":"{}","best_bid_price":{},"best_bid_amount":{},"best_ask_price":{},"best_ask_amount":{}}}}}}})",
      ticker_of(what.instrument), ms(second), contract, funding, what.instrument.symbol, price(now.bid_ticks),
      size_text(what, now.bid_steps), price(now.ask_ticks), size_text(what, now.ask_steps));
}

class Talk final : public Conversation {
 public:
  explicit Talk(const Tape* tape) : tape_(tape) {}

  void hear(std::string_view text, Timestamp now, Said& said) override {
    const auto message = object_in(parser_, text);
    simdjson::dom::element id;
    std::string_view method;
    if (!message || (*message)["method"].get(method) != simdjson::SUCCESS) {
      return said.answers.push_back(R"({"jsonrpc":"2.0","error":{"code":11050,"message":"bad_request"}})");
    }
    const std::string number = (*message)["id"].get(id) == simdjson::SUCCESS ? simdjson::minify(id) : "null";
    if (method == "public/subscribe" || method == "public/unsubscribe") {
      return subscribe(*message, method == "public/subscribe", number, said);
    }
    if (method == "public/test") {
      asked_ = {};
      return result(number, R"({"version":"1.2.26"})", said);
    }
    if (method == "public/set_heartbeat") {
      std::int64_t interval = 0;
      if ((*message)["params"]["interval"].get(interval) != simdjson::SUCCESS || interval < 10) {
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
    const auto channels = strings_in(message["params"]["channels"]);
    if (!channels || channels->size() > channels_max) return error(id, -32602, "Invalid params", said);
    result(id,
           "[" +
               rows(*channels,
                    [&](std::string_view channel) -> std::string {
                      const bool trades = channel.starts_with("trades.") && channel.ends_with(".100ms");
                      const bool beside = channel.starts_with("ticker.") && channel.ends_with(".agg2");
                      if (!trades && !beside) return {};
                      const std::size_t ends = trades ? 13 : 12;
                      if (!instrument_of(tape_, channel.substr(7, channel.size() - ends))) return {};
                      (on ? said.listen : said.leave).push_back(std::string(ours).append(channel));
                      return in_quotes(channel);
                    }) +
               "]",
           said);
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
  const std::string price = price_text(what, t);
  return fmt::format(R"({{"trade_seq":{},"trade_id":"{}-{}","timestamp":{},"tick_direction":0,"price":{},)"
                     R"("mark_price":{},"instrument_name":"{}","index_price":{},"direction":"{}","amount":{}{}}})",
                     t.id, what.instrument.base, t.id + 1'000'000, ms(t.time), price, price, what.instrument.symbol,
                     price, taker(t, "buy", "sell"), size_text(what, t.size_steps),
                     t.block ? R"(,"block_trade_id":"BLOCK-1","block_trade_leg_count":1)" : "");
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
  const auto wanted = address.parameter("kind").value_or(""), currency = address.parameter("currency").value_or("");
  if (currency.empty() || (wanted == "spot" && currency == "any")) return refused(-32602, "Invalid params");
  return result(
      "[" +
      listing(
          tape, "deribit",
          [&](const TapeInstrument& what) -> std::string {
            const Instrument& i = what.instrument;
            const std::string_view kind = i.market == Market::spot     ? "spot"
                                          : i.market == Market::option ? "option"
                                                                       : "future";
            if ((currency != "any" && currency != i.base) || (!wanted.empty() && wanted != kind)) return {};
            return fmt::format(
                R"({{"instrument_name":"{}","kind":"{}","is_active":true,"state":"open","base_currency":"{}",)"
                R"("quote_currency":"{}","counter_currency":"{}","settlement_currency":"{}","instrument_type":"{}",)"
                R"("contract_size":{},"tick_size":{},"min_trade_amount":{},"expiration_timestamp":32503708800000}})",
                i.symbol, kind, i.base, i.quote, i.quote, i.settle,
                i.market == Market::linear || i.market == Market::spot ? "linear" : "reversed",
                i.market == Market::inverse ? 10 : 1, tick_text(what), step_text(what));
          }) +
      "]");
}

Answer history(const Address& address, const Tape* tape) {
  const Found what = instrument_in(address, tape);
  if (!what) return refused(-32602, "Invalid params");
  const bool newest = address.parameter("sorting") != "asc";  // … are always told, however far the history reaches
  const auto limit = std::min<std::uint64_t>(address.number("count", 10), 1'000);
  auto some = with_ids(newest ? what.trades() : what.history(), address.number("start_seq", 0),
                       address.number("end_seq", ~std::uint64_t{0}));
  const bool more = some.size() > limit;
  if (more) some = newest ? some.last(limit) : some.first(limit);
  const auto to_row = [&](const TapeTrade& t) { return row(*what, t); };
  return result(fmt::format(R"({{"has_more":{},"trades":[{}]}})", more,
                            newest ? rows_backward(some, to_row) : rows(some, to_row)));
}

// "volume" in base units, "cost" in quote units, as far as the size is one of them.
Answer candles(const Address& address, const Tape* tape, Timestamp now) {
  const Found what = instrument_in(address, tape);
  if (!what || address.parameter("resolution") != "1") return refused(-32602, "Invalid params");
  const auto bars = what.candles(moment(address, "start_timestamp"), moment(address, "end_timestamp"), now, 5'000);
  const auto column = [&](auto value) { return rows(bars, value); };
  return result(fmt::format(
      R"({{"status":"{}","ticks":[{}],"open":[{}],"high":[{}],"low":[{}],"close":[{}],"{}":[{}]}})",
      bars.empty() ? "no_data" : "ok", column([](const TapeCandle& bar) { return std::to_string(ms(bar.time)); }),
      column([](const TapeCandle& bar) { return bar.open; }), column([](const TapeCandle& bar) { return bar.high; }),
      column([](const TapeCandle& bar) { return bar.low; }), column([](const TapeCandle& bar) { return bar.close; }),
      what->instrument.market == Market::inverse ? "cost" : "volume",
      column([](const TapeCandle& bar) { return bar.volume; })));
}

class Deribit final : public Simulated {
 public:
  Deribit() : Simulated("deribit", descriptions) {}
  [[nodiscard]] bool owns(Address& address) const override {
    return contains(address.host, "deribit.com") || address.path.starts_with("/api/v2/public/") ||
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
    out.push_back(fmt::format(R"({{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{}","data":[{}]}}}})",
                              channel_of(what.instrument),
                              rows(trades, [&](const TapeTrade& t) { return row(what, t); })));
  }
  [[nodiscard]] std::vector<std::string> context_topics(const TapeInstrument& what) const override {
    return {std::string(ours) + ticker_of(what.instrument)};
  }
  [[nodiscard]] std::string context_frame(const TapeInstrument& what, std::size_t, Timestamp second) const override {
    return ticker(what, second);
  }
  [[nodiscard]] std::uint32_t weight_per_minute(const Address&) const override { return 1'200; }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.NO-SUCH.100ms","data":[)"
           R"({"trade_seq":1,"trade_id":"1","timestamp":1,"price":1.0,"instrument_name":"NO-SUCH",)"
           R"("direction":"buy","amount":1.0}]}})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    made.numbering = Numbering::singles;
    made.blocks = true;
    if (made.instrument.market == Market::inverse) made.typical_size_steps *= 10;  // whole dollars, ten at a time
  }
};
}  // namespace

const Protocol& simulated_deribit() {
  static const Deribit protocol;
  return protocol;
}

}  // namespace cvdd::sim
