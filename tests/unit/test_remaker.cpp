// Bars made again of the exchange's history alone.
#include "catch.hpp"
#include "cvdd/ledger/remaker.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t minute = 60'000'000;
constexpr Timestamp at(std::int64_t minutes, std::int64_t us = 0) { return {minutes * minute + us}; }

Record trade(std::uint64_t id, Timestamp time, bool beside = false) {
  const Instrument instrument;
  Trade t;
  t.instrument = &instrument;
  t.time = time;
  t.id = id;
  t.aggressor = Aggressor::buyer;
  t.price = t.base = t.quote = {1, 0};
  t.in_cvd = !beside;
  return Record::from(t).value();
}
// The bars 100 to 103, with a trade in each.
struct Bars {
  Bars() {
    series.begin(at(100));
    (void)series.extend(at(103));
    for (std::int64_t m = 100; m <= 103; ++m) {
      (void)add_record(bar(m), trade(static_cast<std::uint64_t>(m), at(m, 1)));
      bar(m).changed = bar(m).delta_changed = false;
    }
  }
  Bar& bar(std::int64_t minutes) { return *series.at(at(minutes)); }
  void announce(std::int64_t from, std::int64_t to, std::uint64_t trades) {
    remaker.announce(series, at(from), at(to), trades);
  }
  bool take(std::uint64_t id, Timestamp time) { return remaker.take(series, trade(id, time).as_again(), {}); }
  BarSeries series{seconds(60)};
  Remaker remaker;
};
}  // namespace

TEST_CASE("remaker: the bars are what was announced, when all of it has come") {
  Bars b;
  b.announce(101, 103, 3);
  CHECK(b.take(1, at(101, 5)));
  CHECK(b.take(2, at(101, 6)));
  CHECK(b.bar(101).buys == 1);
  CHECK(b.take(3, at(102, 7)));
  CHECK((b.bar(101).buys == 2 && b.bar(101).first_id == 1 && b.bar(101).changed && b.bar(101).delta_changed));
  CHECK((b.bar(101).recovered && b.bar(101).settled));
  CHECK((b.bar(100).buys == 1 && b.bar(103).buys == 1 && !b.bar(103).settled));
  CHECK((b.take(4, at(101, 8)) && b.bar(101).buys == 2));  // nothing was announced any more
}

TEST_CASE("remaker: volume beside the CVD comes again as such") {
  Bars b;
  b.announce(101, 102, 1);
  CHECK(b.remaker.take(b.series, trade(7, at(101, 1), true).as_again(), {}));
  CHECK((b.bar(101).buys == 0 && b.bar(101).other_base == Decimal{1, 0}));
}

TEST_CASE("remaker: a bar that was right stays as it is, and is whole") {
  Bars b;
  b.bar(101).contradicted = b.bar(101).lost = b.bar(101).partial_begin = true;
  b.bar(101).missing = 3;
  b.announce(101, 102, 1);
  CHECK(b.take(101, at(101, 1)));
  CHECK((!b.bar(101).changed && !b.bar(101).contradicted && !b.bar(101).lost && !b.bar(101).partial_begin));
  CHECK((b.bar(101).missing == 0 && b.bar(101).settled && !b.bar(101).recovered));
  // One whose row said otherwise was recovered, though its sums are the same.
  b.bar(102).revs = 1;
  b.bar(102).written_status = BarStatus::gap;
  b.announce(102, 103, 1);
  CHECK(b.take(102, at(102, 1)));
  CHECK((b.bar(102).recovered && b.bar(102).revs == 1));
}

TEST_CASE("remaker: a quiet bar is made again of nothing, and so is one that nobody wrote") {
  Bars b;
  b.bar(101) = Bar{};
  b.bar(101).absent = true;
  b.announce(101, 102, 0);
  CHECK((!b.bar(101).absent && b.bar(101).recovered && b.bar(101).settled && !b.bar(101).changed));
}

TEST_CASE("remaker: what is not what was announced ends it, and so does another announcement") {
  Bars b;
  b.announce(101, 102, 2);
  CHECK(b.take(1, at(101, 5)));
  CHECK(b.take(2, at(102, 5)));
  CHECK((b.take(3, at(101, 6)) && b.bar(101).first_id == 101));
  b.announce(101, 102, 2);
  CHECK(b.take(1, at(101, 5)));
  b.announce(102, 103, 1);
  CHECK(b.take(2, at(102, 5)));
  CHECK((!b.bar(101).settled && b.bar(102).settled));
}

TEST_CASE("remaker: what is counted meanwhile in such a bar is in it") {
  Bars b;
  b.announce(101, 102, 1);
  b.remaker.also(b.bars, at(101), trade(50, at(101, 9)), {});
  b.remaker.also(b.bars, at(102), trade(51, at(102, 9)), {});
  CHECK(b.take(1, at(101, 5)));
  CHECK((b.bar(101).buys == 2 && b.bar(101).last_id == 50));
}

TEST_CASE("remaker: bars that are no longer in memory are passed over") {
  Bars b;
  b.series.drop_front();
  b.series.drop_front();
  b.announce(100, 103, 1);
  CHECK(b.take(1, at(100, 5)));
  CHECK((b.series.oldest() == at(102) && b.bar(102).buys == 0));
}

TEST_CASE("remaker: a sum that does not fit is told") {
  Bars b;
  b.announce(101, 102, 2);
  const Instrument instrument;
  Trade t;
  t.instrument = &instrument;
  t.time = at(101, 1);
  t.aggressor = Aggressor::buyer;
  t.price = {1, 0};
  t.base = t.quote = {Int128{1} << 126, 0};
  const Record huge = Record::from(t).value().as_again();
  CHECK(b.remaker.take(b.series, huge, {}));
  CHECK_FALSE(b.remaker.take(b.series, huge, {}));
  CHECK(b.bar(101).first_id == 101);
}
