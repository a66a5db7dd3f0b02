#include <map>

#include "catch.hpp"
#include "cvdd/sim/tape.hpp"

using namespace cvdd;
using namespace cvdd::sim;

namespace {
constexpr Timestamp start{1'700'000'000'123'456};

bool same(const TapeTrade& a, const TapeTrade& b) {
  return a.time == b.time && a.id == b.id && a.first_fill == b.first_fill && a.last_fill == b.last_fill &&
         a.price_ticks == b.price_ticks && a.size_steps == b.size_steps && a.buyer_is_maker == b.buyer_is_maker;
}

void require_same(const Tape& a, std::size_t i, const Tape& b, std::size_t j) {
  auto x = a.trades(i), y = b.trades(j);
  REQUIRE(x.size() == y.size());
  REQUIRE(std::equal(x.begin(), x.end(), y.begin(), same));
}
}  // namespace

TEST_CASE("a tape does not depend on how time is sliced nor on its neighbours", "[tape]") {
  auto instruments = make_instruments(9, 600);
  Tape once(42, start, instruments), sliced(42, start, instruments), alone(42, start, {instruments[4]});
  const Timestamp end = start + seconds(600);
  once.advance(end);
  alone.advance(end);
  for (Timestamp t = start; t < end; t = t + Duration{777'777}) sliced.advance(t);
  sliced.advance(end);
  for (std::size_t i = 0; i < instruments.size(); ++i) require_same(once, i, sliced, i);
  require_same(once, 4, alone, 0);
  Tape other(43, start, instruments);
  other.advance(end);
  REQUIRE_FALSE(same(once.trades(0)[5], other.trades(0)[5]));
}

TEST_CASE("ids are contiguous, times do not go back, sizes split exactly", "[tape]") {
  Tape tape(7, start, make_instruments(40, 1'200));
  tape.advance(start + seconds(300));
  for (std::size_t i = 0; i < tape.instruments().size(); ++i) {
    auto trades = tape.trades(i);
    REQUIRE(trades.size() > 3'000);
    for (std::size_t k = 0; k < trades.size(); ++k) {
      const TapeTrade& t = trades[k];
      REQUIRE((t.time >= start && t.time < start + seconds(300) && t.time.us % 1'000 == 0 && t.price_ticks > 0));
      REQUIRE((t.last_fill >= t.first_fill && t.last_fill - t.first_fill < 4));
      std::int64_t sum = 0;
      for (auto fill = t.first_fill; fill <= t.last_fill; ++fill) {
        REQUIRE(fill_size(t, fill) >= 1);
        sum += fill_size(t, fill);
      }
      REQUIRE(sum == t.size_steps);
      if (k == 0) continue;
      const TapeTrade& before = trades[k - 1];
      REQUIRE((t.id == before.id + 1 && t.first_fill == before.last_fill + 1 && t.time >= before.time));
    }
  }
}

TEST_CASE("a bar of the tape equals a naive sum", "[tape]") {
  Tape tape(1, start, make_instruments(3, 3'000));
  tape.advance(start + seconds(200));
  const Timestamp begin = bar_start(start + seconds(60), seconds(60));
  Int128 buy_size = 0, sell_size = 0, buy_value = 0, sell_value = 0;
  std::size_t count = 0;
  for (const TapeTrade& t : tape.trades(1)) {
    if (bar_start(t.time, seconds(60)) != begin) continue;
    ++count;
    (t.buyer_is_maker ? sell_size : buy_size) += t.size_steps;
    (t.buyer_is_maker ? sell_value : buy_value) += static_cast<Int128>(t.size_steps) * t.price_ticks;
  }
  const TapeBar bar = tape.bar(1, begin, seconds(60));
  REQUIRE(count > 1'000);
  REQUIRE(bar.trades.size() == count);
  REQUIRE(bar.last_id - bar.first_id + 1 == count);
  REQUIRE((bar.buy_size == buy_size && bar.sell_size == sell_size));
  REQUIRE((bar.buy_value == buy_value && bar.sell_value == sell_value));
  REQUIRE((bar.low <= bar.open && bar.low <= bar.close && bar.high >= bar.open && bar.high >= bar.close));
}

TEST_CASE("instruments are unique and spread over the markets", "[tape]") {
  Tape tape(1, start, make_instruments(1'000, 60));
  std::map<Market, int> counts;
  for (std::size_t i = 0; i < 1'000; ++i) {
    const Instrument& what = tape.instruments()[i].instrument;
    ++counts[what.market];
    REQUIRE(tape.find(what.exchange, what.market, what.symbol) == i);
  }
  REQUIRE(counts[Market::spot] == 334);
  REQUIRE(counts[Market::inverse] == 333);
  REQUIRE(tape.find("binance", Market::inverse, "BTCUSDT") == Tape::npos);
}
