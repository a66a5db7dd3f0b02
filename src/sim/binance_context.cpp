// What the simulated Binance says beside trades.
#include "binance_protocol.hpp"
#include "simulated.hpp"

namespace cvdd::sim::binance {

namespace {
constexpr std::string_view spot_streams[] = {"ticker"};
constexpr std::string_view futures_streams[] = {"depth5@500ms", "markPrice", "forceOrder"};

// Spot prints zeros where nobody is, futures an empty list.
std::string ticker(const TapeInstrument& what, const TapeContext& now, Timestamp second) {
  return fmt::format(
      R"({{"e":"24hrTicker","E":{},"s":"{}","p":"-1.0","P":"-0.1","c":"{}","b":"{}","B":"{}","a":"{}","A":"{}","n":5}})",
      ms(second), what.instrument.symbol, price_of(what, now.mark_ticks), price_of(what, now.bid_ticks),
      size_of(what, now.bid_steps), price_of(what, now.ask_ticks), size_of(what, now.ask_steps));
}

std::string levels(const TapeInstrument& what, std::int64_t ticks, std::int64_t steps, std::int64_t step) {
  if (ticks == 0) return "[]";
  return fmt::format(R"([["{}","{}"],["{}","{}"]])", price_of(what, ticks), size_of(what, steps),
                     price_of(what, ticks + step), size_of(what, steps + 1));
}
std::string depth(const TapeInstrument& what, const TapeContext& now, Timestamp second) {
  return fmt::format(R"({{"e":"depthUpdate","E":{0},"T":{0},"s":"{1}","U":1,"u":2,"pu":0,"b":{2},"a":{3}}})",
                     ms(second), what.instrument.symbol, levels(what, now.bid_ticks, now.bid_steps, -1),
                     levels(what, now.ask_ticks, now.ask_steps, 1));
}
std::string mark(const TapeInstrument& what, const TapeContext& now, Timestamp second) {
  return fmt::format(R"({{"e":"markPriceUpdate","E":{},"s":"{}","p":"{}","i":"{}","P":"{}","r":"{}","T":{}}})",
                     ms(second), what.instrument.symbol, price_of(what, now.mark_ticks),
                     price_of(what, now.index_ticks), price_of(what, now.mark_ticks),
                     fixed(now.funding_hundred_millionths, 8, 8), ms(now.funding_applies));
}
std::string forced(const TapeInstrument& what, const TapeContext& now, Timestamp second) {
  if (!now.order) return {};
  const std::string size = size_of(what, now.order->steps);
  return fmt::format(
      R"({{"e":"forceOrder","E":{0},"o":{{"s":"{1}","S":"{2}","o":"LIMIT","f":"IOC","q":"{3}","p":"{4}","ap":"{5}","X":"FILLED","l":"{3}","z":"{3}","T":{0}}}}})",
      ms(second), what.instrument.symbol, now.order->buys ? "BUY" : "SELL", size, price_of(what, now.order->ticks + 1),
      price_of(what, now.order->ticks));
}
}  // namespace

std::span<const std::string_view> context_streams(Market market) {
  if (market == Market::spot) return spot_streams;
  return futures_streams;
}

std::string context_frame(const TapeInstrument& what, std::string_view stream, Timestamp second) {
  const TapeContext now = tape_context(what, second);
  if (stream == "ticker") return ticker(what, now, second);
  if (stream == "depth5@500ms") return depth(what, now, second);
  if (stream == "markPrice") return mark(what, now, second);
  return forced(what, now, second);
}

Answer open_interest(const Address& address, const Tape& tape, Timestamp now) {
  const auto symbol = address.parameter("symbol");
  const std::size_t index = symbol ? tape.find("binance", *address.market, *symbol) : Tape::npos;
  if (index == Tape::npos) return {400, R"({"code":-1121,"msg":"Invalid symbol."})", 1};
  const TapeInstrument& what = tape.instruments()[index];
  const Timestamp second = bar_start(now, seconds(1));
  return {200,
          fmt::format(R"({{"openInterest":"{}","symbol":"{}","time":{}}})",
                      size_of(what, tape_context(what, second).open_steps), *symbol, ms(second)),
          1};
}

}  // namespace cvdd::sim::binance
