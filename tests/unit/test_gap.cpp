// A hole, a loss, and what becomes of bars when they are settled.
#include "catch.hpp"
#include "cvdd/ledger/gap.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp at(std::int64_t minutes) { return {minutes * 60'000'000}; }

// The bars 100 to 105.
struct Bars {
  Bars() {
    series.begin(at(100));
    (void)series.extend(at(105));
  }
  Bar& bar(std::int64_t minutes) { return *series.at(at(minutes)); }
  // The minutes whose bars have the flag.
  std::string of(bool Bar::*flag) {
    std::string out;
    series.each(at(0), at(200), [&](Timestamp t, Bar& b) {
      if (b.*flag) out += std::to_string(t.us / 60'000'000) + " ";
    });
    return out;
  }
  BarSeries series{seconds(60)};
  Rebuilder rebuilder;
};
// Five ids that may be of 101 to 103, and are counted at 103; the trade before is of 100.
Hole hole_of(bool cut) { return {10, 14, 5, at(103), at(101), at(101), at(100), cut}; }
void say_gap(Bar& bar) {
  bar.revs = 1;
  bar.written_status = BarStatus::gap;
}
}  // namespace

TEST_CASE("gap: a hole has ids, and touches bars before the one that counts them") {
  const Hole hole = hole_of(false);
  CHECK((hole.has_any(14, 20) && hole.has_any(1, 10) && hole.has_any(11, 11)));
  CHECK_FALSE((hole.has_any(15, 20) || hole.has_any(1, 9)));
  CHECK((hole.touches(at(101)) && hole.touches(at(102)) && !hole.touches(at(103)) && !hole.touches(at(100))));
}

TEST_CASE("gap: a hole that closes after a cut recovers all its bars") {
  Bars b;
  b.bar(102).absent = true;
  b.bar(101).partial_end = true;
  close(hole_of(true), b.series, b.rebuilder);
  CHECK(b.of(&Bar::recovered) == "101 102 103 ");
  CHECK((b.of(&Bar::absent).empty() && b.of(&Bar::partial_end).empty()));
}

TEST_CASE("gap: a hole that closes without a cut was a matter of order, but for rows that said gap meanwhile") {
  Bars b;
  say_gap(b.bar(102));
  close(hole_of(false), b.series, b.rebuilder);
  CHECK(b.of(&Bar::recovered) == "102 ");
}

TEST_CASE("gap: a hole that is given up is counted in one bar, and in doubt since the trade before") {
  Bars b;
  b.bar(102).proven = true;
  give_up(hole_of(true), b.series);
  CHECK((b.bar(103).missing == 5 && !b.bar(103).lost));
  CHECK(b.of(&Bar::lost) == "100 101 ");  // the exchange's own figures agree with 102
}

TEST_CASE("gap: what was found of an absent bar is told with the hole that is given up, as a gap") {
  Bars b;
  b.bar(101).absent = b.bar(102).absent = true;
  b.bar(102).open = Decimal{1, 0};
  give_up(hole_of(true), b.series);
  CHECK(b.of(&Bar::absent) == "101 ");
  CHECK((b.bar(101).lost && b.bar(102).lost));
}

TEST_CASE("gap: losses that come together are one, and only of the same doubt a doubt") {
  using Cause = Loss::Cause;
  const Loss cut{at(101), at(102), at(101), false, Cause::cut}, doubt{at(100), at(104), at(100), false, Cause::doubt};
  Loss loss = cut;
  loss.merge(doubt);
  CHECK((loss.from == at(100) && loss.to == at(104) && loss.visible_from == at(100) && !loss.open));
  CHECK(loss.cause == Cause::cut);
  loss = doubt;
  loss.merge(doubt);
  CHECK(loss.cause == Cause::doubt);
  loss = {at(100), at(100), at(100), false, Cause::absence};
  loss.merge(cut);
  CHECK(loss.cause == Cause::cut);
  // One that goes on has no end yet.
  const Loss open{at(103), at(103), at(103), true, Cause::cut};
  loss = cut;
  loss.merge(open);
  CHECK((loss.open && loss.from == at(101) && loss.to == at(102)));
}

TEST_CASE("gap: ids that go on settle a loss, bar by bar") {
  Bars b;
  Loss loss{at(101), at(104), at(101), false, Loss::Cause::cut};
  b.bar(102).absent = b.bar(101).partial_end = true;
  CHECK_FALSE(settle(loss, at(103), {}, b.series, b.rebuilder));
  CHECK((b.of(&Bar::recovered) == "101 102 " && loss.from == at(103)));
  CHECK((b.of(&Bar::absent).empty() && b.of(&Bar::partial_end).empty()));
  CHECK(settle(loss, at(104), {}, b.series, b.rebuilder));
  CHECK(b.of(&Bar::recovered) == "101 102 103 104 ");
}

TEST_CASE("gap: where nothing shows that anything was lost, nothing was recovered") {
  Bars b;
  Loss loss{at(101), at(102), at(101), false, Loss::Cause::doubt};
  CHECK(settle(loss, at(105), {}, b.series, b.rebuilder));
  CHECK(b.of(&Bar::recovered).empty());
}

TEST_CASE("gap: ids prove nothing of bars before the newest that an earlier run knew") {
  Bars b;
  Loss loss{at(101), at(103), at(101), false, Loss::Cause::absence};
  b.bar(101).absent = true;
  CHECK(settle(loss, at(105), at(103), b.series, b.rebuilder));
  CHECK(b.of(&Bar::recovered) == "103 ");
  CHECK((b.of(&Bar::contradicted) == "101 " && !b.bar(101).absent));
}

TEST_CASE("gap: a loss that is given up leaves bars in doubt that do not keep what they said") {
  Bars b;
  give_up(Loss{at(101), at(103), at(102), false, Loss::Cause::cut}, b.series);
  CHECK(b.of(&Bar::lost) == "102 103 ");
  CHECK(b.bar(104).missing == 0);
}
