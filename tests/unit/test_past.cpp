// Rows that wait for candles of the time before, and go on from them.
#include "catch.hpp"
#include "cvdd/ledger/past.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp at(std::int64_t minutes) { return {minutes * 60'000'000}; }

// Bought and sold as given, at a price of 10.
Candle candle(std::int64_t minutes, std::int64_t bought, std::int64_t sold) {
  const Decimal ten{10, 0};
  return {at(minutes),     ten, ten, ten, ten, 7, {bought + sold, 0}, {(bought + sold) * 10, 0}, {bought, 0},
          {bought * 10, 0}};
}
// An instrument whose bars begin with 103.
struct Begun {
  Begun() { bars.begin(at(103)); }
  bool take_effect() { return past.take_effect(instrument, bars, gaps, true, out); }
  // "minute rev status cvd" of the rows before the bars.
  std::string told() {
    std::string text;
    for (const Row& r : std::exchange(out.ready, {})) {
      text += std::to_string(r.time.us / 60'000'000) + " " + std::to_string(r.rev) + " " +
              std::string(name_of(r.status)) + " " + to_string(r.cvd_base) + "; ";
    }
    return text;
  }
  Instrument instrument;
  BarSeries bars{seconds(60)};
  GapTracker gaps{Ids::sequence, {seconds(60), false, true, true}};
  Past past;
  LedgerOutput out;
};
Row cut_row(std::int64_t minutes, BarStatus status) {
  Row row;
  row.time = at(minutes);
  row.status = status;
  row.rev = 1;
  row.buys = 1;
  row.buy_base = row.delta_base = {4, 0};
  row.cvd_base = {50, 0};
  return row;
}
}  // namespace

TEST_CASE("past: while rows wait, candles of before the bars are rows, and the CVD begins with them") {
  Begun b;
  b.past.hold(b.bars);
  CHECK(b.past.held());
  b.past.give({candle(100, 5, 2), candle(101, 0, 0), candle(102, 1, 4)});
  CHECK(b.take_effect());
  CHECK(b.told() == "100 0 history 3; 101 0 history 3; 102 0 history 0; ");
  CHECK((b.bars.before().base == Decimal{0, 0} && b.bars.before().price == Decimal{10, 0}));
  CHECK((b.out.counters.rows == 3 && b.out.counters.revisions == 0));
  CHECK((b.take_effect() && b.told().empty()));  // given once, they are told once
}

TEST_CASE("past: a row without a trade has the last price") {
  Begun b;
  b.past.hold(b.bars);
  b.past.give({candle(100, 0, 0), candle(101, 1, 0), candle(102, 0, 0)});
  CHECK(b.take_effect());
  REQUIRE(b.out.ready.size() == 3);
  CHECK((!b.out.ready[0].open && b.out.ready[2].open == Decimal{10, 0} && b.out.ready[2].missing == 0U));
}

TEST_CASE("past: where no row waits, candles tell nothing of bars before those in memory") {
  Begun b;
  b.past.give({candle(100, 5, 2)});
  CHECK((b.take_effect() && b.told().empty() && b.bars.before().base.is_zero()));
}

TEST_CASE("past: the newest bar of the files is told again if it lacked something") {
  for (const BarStatus status : {BarStatus::partial, BarStatus::gap, BarStatus::live}) {
    Begun b;
    b.bars.restore(std::vector{cut_row(100, status)}, Ids::sequence);
    b.past.hold(b.bars);
    CHECK_FALSE(b.bars.resume(at(1'000), 10));  // long after: it is no longer in memory
    b.past.give({candle(100, 6, 1), candle(101, 2, 0)});
    CHECK(b.take_effect());
    // Its own 4 are replaced by the candle's 5. What was whole would count twice: nobody asks for its candle.
    if (status != BarStatus::live) CHECK(b.told() == "100 2 history 51; 101 0 history 53; ");
  }
}

TEST_CASE("past: bars in memory that lack something are made of candles, and whole ones are not") {
  Begun b;
  (void)b.bars.extend(at(106));
  b.gaps.watched(at(105));
  b.bars.at(at(103))->buys = 2;  // whole
  b.bars.at(at(104))->absent = true;
  b.bars.at(at(105))->revs = 1;  // nobody watched it
  b.bars.at(at(105))->written_status = BarStatus::gap;
  b.past.give({candle(103, 1, 0), candle(104, 2, 0), candle(105, 3, 0), candle(107, 4, 0)});
  CHECK(b.take_effect());
  CHECK((b.bars.at(at(103))->buys == 2 && !b.bars.at(at(103))->history));
  CHECK((b.bars.at(at(104))->history && b.bars.at(at(104))->absent));  // told when its hole is closed
  CHECK((b.bars.at(at(105))->buy_base == Decimal{3, 0} && b.bars.at(at(105))->revs == 1));
  CHECK((b.bars.at(at(105))->written_status == BarStatus::gap && b.bars.at(at(105))->changed));
}

TEST_CASE("past: a bar that a stop cut is made of its candle while rows wait") {
  for (const bool held : {true, false}) {
    Begun b;
    b.gaps.watched(at(110));
    b.bars.back().partial_end = true;
    if (held) b.past.hold(b.bars);
    b.past.give({candle(103, 1, 0)});
    CHECK((b.take_effect() && b.bars.back().history == held));
  }
}

TEST_CASE("past: a sum that does not fit is told, and its row left out") {
  Begun b;
  b.past.hold(b.bars);
  Candle huge = candle(100, 1, 0);
  huge.base = huge.buy_base = {Int128{1} << 126, 0};
  Candle more = huge;
  more.time = at(101);
  b.past.give({huge, more, candle(102, 1, 0)});
  CHECK_FALSE(b.take_effect());
  CHECK((b.out.ready.size() == 2 && b.out.ready.back().time == at(102)));
}
