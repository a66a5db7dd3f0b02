// An instrument's bars in memory, and what is before them.
#include "catch.hpp"
#include "cvdd/ledger/bar_series.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t minute = 60'000'000;
constexpr Timestamp at(std::int64_t minutes) { return {minutes * minute}; }

BarSeries begun_at(std::int64_t minutes) {
  BarSeries bars(seconds(60));
  bars.begin(at(minutes));
  return bars;
}
void bought(Bar& bar, std::int64_t base, std::int64_t price) {
  bar.buy_base = {base, 0};
  bar.buy_quote = {base * price, 0};
  bar.open = bar.high = bar.low = bar.close = Decimal{price, 0};
}
Row row(std::int64_t minutes, std::int64_t delta, std::int64_t cvd) {
  Row r;
  r.time = at(minutes);
  r.buys = delta > 0 ? 1 : 0;
  r.buy_base = r.buy_quote = r.delta_base = r.delta_quote = {delta, 0};
  r.cvd_base = r.cvd_quote = {cvd, 0};
  r.open = Decimal{10, 0};
  r.high = r.low = r.close = Decimal{20, 0};
  return r;
}
std::string starts(BarSeries& bars, std::int64_t from, std::int64_t to) {
  std::string out;
  bars.each(at(from), at(to), [&](Timestamp start, Bar&) { out += std::to_string(start.us / minute) + " "; });
  return out;
}
}  // namespace

TEST_CASE("bar series: empty it has no bar, and none can be made by a trade") {
  BarSeries bars(seconds(60));
  CHECK(bars.empty());
  CHECK(bars.at(at(100)) == nullptr);
  CHECK_FALSE(bars.extend(at(100)));
  CHECK(starts(bars, 0, 1'000).empty());
}

TEST_CASE("bar series: a bar is found by its time, and none outside of what is in memory") {
  BarSeries bars = begun_at(100);
  REQUIRE(bars.extend(at(103)));
  CHECK((bars.size() == 4 && bars.first() == at(100) && bars.oldest() == at(100) && bars.newest() == at(103)));
  CHECK(bars.at(at(100)) == &bars.front());
  CHECK(bars.at(at(103)) == &bars.back());
  CHECK(bars.at(at(99)) == nullptr);
  CHECK(bars.at(at(104)) == nullptr);
  CHECK(bars.start_of({102 * minute + 59'999'999}) == at(102));
  REQUIRE(bars.extend(at(101)));  // it is there already
  CHECK(bars.size() == 4);
}

TEST_CASE("bar series: it grows by a bounded number of bars at once") {
  BarSeries bars = begun_at(100);
  const auto most = static_cast<std::int64_t>(BarSeries::ahead_max);
  CHECK_FALSE(bars.extend(at(100 + most + 1)));
  CHECK(bars.size() == 1);
  CHECK(bars.extend(at(100 + most)));
  CHECK(bars.size() == BarSeries::ahead_max + 1);
}

TEST_CASE("bar series: each bar of a span that is in memory is visited, oldest first") {
  BarSeries bars = begun_at(100);
  REQUIRE(bars.extend(at(104)));
  CHECK(starts(bars, 101, 103) == "101 102 ");
  CHECK(starts(bars, 90, 102) == "100 101 ");
  CHECK(starts(bars, 103, 200) == "103 104 ");
  CHECK(starts(bars, 103, 103).empty());
  CHECK(starts(bars, 80, 90).empty());
}

TEST_CASE("bar series: what leaves at its front is summed up before it") {
  BarSeries bars = begun_at(100);
  REQUIRE(bars.extend(at(102)));
  bought(*bars.at(at(100)), 3, 7);
  bought(*bars.at(at(101)), 2, 9);
  bars.at(at(101))->absent = true;  // what has no row counts for nothing
  bars.drop_front();
  CHECK((bars.oldest() == at(101) && bars.first() == at(100) && bars.size() == 2));
  CHECK((bars.before().base == Decimal{3, 0} && bars.before().quote == Decimal{21, 0}));
  CHECK(bars.before().price == Decimal{7, 0});
  bars.drop_front();
  CHECK((bars.before().base == Decimal{3, 0} && bars.before().price == Decimal{7, 0}));
}

TEST_CASE("bar series: totals go on from bar to bar, and a sum that does not fit stays what it was") {
  Totals totals;
  Bar bar;
  CHECK((totals.count(bar) && !totals.price));  // quiet
  bought(bar, 5, 2);
  bar.sell_base = {1, 0};
  CHECK(totals.count(bar));
  CHECK((totals.base == Decimal{4, 0} && totals.quote == Decimal{10, 0} && totals.price == Decimal{2, 0}));
  Bar huge;
  bought(huge, 1, 3);
  huge.buy_quote = {(Int128{1} << 126) - 1 + (Int128{1} << 126), 0};
  CHECK_FALSE(totals.count(huge));
  CHECK((totals.base == Decimal{5, 0} && totals.quote == Decimal{10, 0}));
}

TEST_CASE("bar series: rows of an earlier run become its bars; bars between them, which nobody wrote, are absent") {
  BarSeries bars(seconds(60));
  bars.restore(std::vector{row(100, 5, 50), row(103, 2, 52)}, Ids::sequence);
  CHECK((bars.oldest() == at(100) && bars.first() == at(100) && bars.newest() == at(103) && bars.size() == 4));
  CHECK((bars.at(at(100))->written() && bars.at(at(100))->restored && !bars.at(at(100))->absent));
  CHECK((bars.at(at(101))->absent && bars.at(at(102))->absent && !bars.at(at(101))->written()));
  // Before the oldest: its CVD without its own delta, and the price that it began with.
  CHECK((bars.before().base == Decimal{45, 0} && bars.before().price == Decimal{10, 0}));
  BarSeries quiet(seconds(60));
  quiet.restore(std::vector{row(100, 0, 50)}, Ids::sequence);
  CHECK(quiet.before().price == Decimal{20, 0});  // it has no trade of its own
}

TEST_CASE("bar series: a run that goes on keeps what is between as absent bars, unless that is too much") {
  BarSeries bars(seconds(60));
  bars.restore(std::vector{row(100, 5, 50), row(101, 2, 52)}, Ids::sequence);
  BarSeries later = bars;
  CHECK(bars.resume(at(104), 3));
  CHECK((bars.oldest() == at(100) && bars.newest() == at(104)));
  CHECK((bars.at(at(102))->absent && bars.at(at(103))->absent && !bars.back().absent));
  CHECK_FALSE(later.resume(at(105), 3));
  CHECK((later.oldest() == at(105) && later.first() == at(105) && later.size() == 1));
  CHECK((later.before().base == Decimal{52, 0} && later.before().price == Decimal{20, 0}));
}
