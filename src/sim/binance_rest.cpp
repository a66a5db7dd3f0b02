// REST answers of the simulated Binance.
#include <charconv>

#include "binance_protocol.hpp"
#include "simulated.hpp"

namespace cvdd::sim::binance {
namespace {

Answer refused(int code, std::string_view why) {
  return {400, fmt::format(R"({{"code":{},"msg":"{}"}})", code, why), 1};
}

// A whole non-negative number; `broken` is set if the parameter is there and is none.
std::optional<std::int64_t> number(const Address& address, std::string_view name, bool& broken) {
  auto text = address.parameter(name);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  // The bound keeps milliseconds × 1000 within 64 bits.
  if (error != std::errc{} || end != text->data() + text->size() || value < 0 || value > 9'000'000'000'000'000) {
    broken = true;
    return std::nullopt;
  }
  return value;
}

std::optional<Duration> interval_of(std::string_view text) {
  std::int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end + 1 != text.data() + text.size() || count < 1 || count > 30) return std::nullopt;
  switch (*end) {
    case 's':
      return seconds(count);
    case 'm':
      return seconds(60 * count);
    case 'h':
      return seconds(3'600 * count);
    case 'd':
      return seconds(86'400 * count);
    default:
      return std::nullopt;
  }
}

struct Window {
  std::optional<std::int64_t> from_id, start, end;
  std::size_t limit = 500;
  bool broken = false;
};
Window window_of(const Address& address) {
  Window w;
  w.from_id = number(address, "fromId", w.broken);
  w.start = number(address, "startTime", w.broken);
  w.end = number(address, "endTime", w.broken);
  auto limit = number(address, "limit", w.broken);
  if (limit) w.limit = static_cast<std::size_t>(std::clamp<std::int64_t>(*limit, 1, 1'000));
  return w;
}

std::string kline(const TapeInstrument& what, std::span<const TapeTrade> trades, Timestamp begin, Duration interval,
                  std::int64_t& last_close) {
  const bool inverse = what.instrument.market == Market::inverse;
  std::int64_t open = last_close, high = last_close, low = last_close;
  Int128 size = 0, value = 0, buy_size = 0, buy_value = 0;
  std::uint64_t fills = 0;
  Int128 unit = 1;  // of the base volume of inverse contracts, eight decimals
  for (unsigned i = 0; i < what.price_decimals + 8U; ++i) unit *= 10;
  if (!trades.empty()) open = high = low = trades.front().price_ticks;
  for (const TapeTrade& t : trades) {
    high = std::max(high, t.price_ticks);
    low = std::min(low, t.price_ticks);
    last_close = t.price_ticks;
    Int128 v = inverse ? t.size_steps * what.instrument.contract_size.mantissa * unit / t.price_ticks
                       : static_cast<Int128>(t.size_steps) * t.price_ticks;
    size += t.size_steps;
    value += v;
    if (!t.buyer_is_maker) buy_size += t.size_steps, buy_value += v;
    fills += t.last_fill - t.first_fill + 1;
  }
  const unsigned value_scale = inverse ? 8U : what.price_decimals + unsigned{what.size_decimals};
  const unsigned value_digits = what.instrument.market == Market::linear ? value_scale : 8U;
  return fmt::format(R"([{},"{}","{}","{}","{}","{}",{},"{}",{},"{}","{}","0"])", ms(begin), price_of(what, open),
                     price_of(what, high), price_of(what, low), price_of(what, last_close), size_of(what, size),
                     ms(begin + interval) - 1, fixed(value, value_scale, value_digits), fills, size_of(what, buy_size),
                     fixed(buy_value, value_scale, value_digits));
}

}  // namespace

Answer aggregates(const Address& address, const Tape& tape, Timestamp now) {
  const Market market = *address.market;
  const unsigned weight = market == Market::spot ? 4 : 20;
  auto symbol = address.parameter("symbol");
  if (!symbol) return refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  const std::size_t index = tape.find("binance", market, *symbol);
  if (index == Tape::npos) return refused(-1121, "Invalid symbol.");
  const Window w = window_of(address);
  if (w.broken) return refused(-1100, "Illegal characters found in a parameter.");
  if (market != Market::spot && w.start && *w.start < ms(now - seconds(2 * 86'400)))
    return refused(-4166, "Search window is restricted to recent 2 days only.");

  // However far its history reaches, the newest ones are always told.
  auto all = w.from_id || w.start || w.end ? tape.history(index) : tape.trades(index);
  auto first = all.begin();
  auto last = all.end();
  if (w.from_id) {
    first = std::ranges::lower_bound(all, static_cast<std::uint64_t>(*w.from_id), {}, &TapeTrade::id);
  } else {
    if (w.start) first = std::ranges::lower_bound(all, Timestamp{*w.start * 1'000}, {}, &TapeTrade::time);
    if (w.end) last = std::ranges::upper_bound(all, Timestamp{*w.end * 1'000 + 999}, {}, &TapeTrade::time);
    if (last < first) last = first;
  }
  if (static_cast<std::size_t>(last - first) > w.limit) {  // the newest, unless a beginning was asked for
    const auto count = static_cast<std::ptrdiff_t>(w.limit);
    if (w.from_id || w.start)
      last = first + count;
    else
      first = last - count;
  }
  const TapeInstrument& what = tape.instruments()[index];
  const std::string body = rows(std::span(first, last), [&](const TapeTrade& t) {
    const std::string q = size_of(what, t.size_steps);
    return fmt::format(R"({{"a":{},"p":"{}","q":"{}",{}"f":{},"l":{},"T":{},"m":{}{}}})", t.id,
                       price_of(what, t.price_ticks), q,
                       market == Market::linear ? fmt::format(R"("nq":"{}",)", q) : "", t.first_fill, t.last_fill,
                       ms(t.time), t.buyer_is_maker, market == Market::spot ? R"(,"M":true)" : "");
  });
  return {200, "[" + body + "]", weight};
}

// The newest single trades, oldest of them first.
Answer singles(const Address& address, const Tape& tape) {
  const Market market = *address.market;
  auto symbol = address.parameter("symbol");
  const std::size_t index = symbol ? tape.find("binance", market, *symbol) : Tape::npos;
  if (index == Tape::npos) return refused(-1121, "Invalid symbol.");
  const Window w = window_of(address);
  if (w.broken) return refused(-1100, "Illegal characters found in a parameter.");
  const TapeInstrument& what = tape.instruments()[index];
  const auto all = tape.trades(index);
  std::vector<std::string> newest;
  for (auto t = all.rbegin(); t != all.rend() && newest.size() < w.limit; ++t) {
    for (std::uint64_t fill = t->last_fill; fill >= t->first_fill && newest.size() < w.limit; --fill) {
      newest.push_back(fmt::format(R"({{"id":{},"price":"{}","qty":"{}","time":{},"isBuyerMaker":{}}})", fill,
                                   price_text(what, *t), size_text(what, fill_size(*t, fill)), ms(t->time),
                                   t->buyer_is_maker));
    }
  }
  return {200, "[" + rows_backward(newest, [](const std::string& row) { return row; }) + "]",
          market == Market::spot ? 25U : 5U};
}

Answer klines(const Address& address, const Tape& tape, Timestamp now) {
  auto symbol = address.parameter("symbol");
  const std::size_t index = symbol ? tape.find("binance", *address.market, *symbol) : Tape::npos;
  if (index == Tape::npos) return refused(-1121, "Invalid symbol.");
  auto interval = interval_of(address.parameter("interval").value_or(""));
  if (!interval) return refused(-1120, "Invalid interval.");
  const Window w = window_of(address);
  if (w.broken) return refused(-1100, "Illegal characters found in a parameter.");

  auto all = tape.trades(index);
  Rows body;
  if (!all.empty()) {
    Timestamp begin = bar_start(all.front().time, *interval);
    Timestamp end = bar_start(now, *interval);  // the open one and empty ones included
    if (w.end) end = std::min(end, bar_start(Timestamp{*w.end * 1'000}, *interval));
    if (w.start) begin = std::max(begin, bar_start(Timestamp{*w.start * 1'000 + interval->us - 1}, *interval));
    const auto span = static_cast<std::int64_t>(w.limit - 1) * interval->us;
    if (w.start)
      end = std::min(end, begin + Duration{span});
    else
      begin = std::max(begin, end - Duration{span});
    auto from = std::ranges::lower_bound(all, begin, {}, &TapeTrade::time);
    std::int64_t last_close = from == all.begin() ? all.front().price_ticks : std::prev(from)->price_ticks;
    for (Timestamp t = begin; t <= end; t = t + *interval) {
      auto to = from;
      while (to != all.end() && to->time < t + *interval) ++to;
      body.add(kline(tape.instruments()[index], std::span(from, to), t, *interval, last_close));
      from = to;
    }
  }
  return {200, "[" + body.text() + "]", *address.market == Market::spot ? 2U : 5U};
}

Answer rest(const Address& address, const Tape* tape, std::string_view given, Timestamp now) {
  if (!address.market) return {404, "{}", 0};
  std::string_view path = address.path;
  std::string_view root = "/api/v3/";
  if (*address.market == Market::linear) root = "/fapi/v1/";
  if (*address.market == Market::inverse) root = "/dapi/v1/";
  if (!path.starts_with(root)) return {404, R"({"code":-5000,"msg":"Path not found."})", 0};
  path.remove_prefix(root.size());
  if (path == "ping") return {200, "{}", 1};
  if (path == "time") return {200, fmt::format(R"({{"serverTime":{}}})", ms(now)), 1};
  if (path == "exchangeInfo") {
    const unsigned weight = *address.market == Market::spot ? 20 : 1;
    if (!given.empty()) return {200, std::string(given), weight};
    if (tape == nullptr) return {200, exchange_info(*address.market, {}, now), weight};
    auto symbol = address.parameter("symbol");
    if (!symbol) return {200, exchange_info(*address.market, tape->instruments(), now), weight};
    const std::size_t index = tape->find("binance", *address.market, *symbol);
    if (index == Tape::npos) return refused(-1121, "Invalid symbol.");
    return {200, exchange_info(*address.market, tape->instruments().subspan(index, 1), now), weight};
  }
  if (path == "aggTrades" && tape != nullptr) return aggregates(address, *tape, now);
  if (path == "trades" && tape != nullptr) return singles(address, *tape);
  if (path == "klines" && tape != nullptr) return klines(address, *tape, now);
  if (path == "openInterest" && tape != nullptr) return open_interest(address, *tape, now);
  if (path == "aggTrades" || path == "trades" || path == "klines")
    return {200, "[]", 20};  // a recording has no history
  return {404, R"({"code":-5000,"msg":"Path not found."})", 0};
}

}  // namespace cvdd::sim::binance
