#include "catch.hpp"
#include "cvdd/feed/trade_rate.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp start{1'700'000'000'000'000};
TradeRate every(Duration gap, int times) {
  TradeRate pace;
  for (int i = 0; i < times; ++i) pace.heard(start + Duration{gap.us * i});
  return pace;
}
}  // namespace

TEST_CASE("pace: thirty usual gaps of silence, between 30 s and 10 min, are reason to ask") {
  CHECK(every(seconds(2), 100).patience().us / 1'000'000 == 60);
  CHECK(every(milliseconds(10), 100).patience() == TradeRate::quiet_min);
  CHECK(every(seconds(300), 100).patience() == TradeRate::quiet_max);
  const TradeRate pace = every(seconds(2), 100);
  const Timestamp last = start + seconds(198);
  CHECK(pace.last() == last);
  CHECK(pace.overdue(last + seconds(30)) < 0.6);
  CHECK(pace.overdue(last + seconds(61)) > 1);
}

TEST_CASE("pace: of what has hardly traded nothing is expected") {
  CHECK(every(seconds(1), 19).overdue(start + seconds(100'000)) == 0);
  CHECK(TradeRate{}.overdue(start) == 0);
}

TEST_CASE("pace: asked in vain, it waits twice as long, until something is heard") {
  TradeRate pace = every(seconds(2), 100);
  pace.asked();
  CHECK(pace.patience().us / 1'000'000 == 120);
  for (int i = 0; i < 20; ++i) pace.asked();
  CHECK(pace.patience().us / 1'000'000 == 60 * 32);
  pace.heard(start + seconds(200));
  CHECK(pace.patience().us / 1'000'000 <= 61);
}
