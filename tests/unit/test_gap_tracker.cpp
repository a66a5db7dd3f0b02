// What of an instrument's bars is missing or in doubt, by what marks and trades say.
#include "catch.hpp"
#include "cvdd/ledger/gap_tracker.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t minute = 60'000'000;
constexpr Timestamp at(std::int64_t minutes, std::int64_t us = 0) { return {minutes * minute + us}; }

// An instrument whose first bar is 100, with bars up to 109.
struct Tracked {
  explicit Tracked(Ids ids = Ids::sequence, LedgerOptions options = {seconds(60), false, true, true})
      : ordered(ids == Ids::sequence), gaps(ids, options) {
    bars.begin(at(100));
    (void)bars.extend(at(109));
    gaps.watched(at(200));
  }
  Record trade_of(std::uint64_t id, Timestamp time) const {
    const Instrument instrument;
    Trade t;
    t.instrument = &instrument;
    t.time = time;
    t.id = id;
    t.aggressor = Aggressor::buyer;
    t.price = t.base = t.quote = {1, 0};
    return Record::from(t).value();
  }
  void trade(std::uint64_t id, Timestamp time) {
    const bool numbered = ordered && id != 0;
    if (numbered) gaps.next_id(bars, rebuilder, id, bars.start_of(time));
    gaps.counted(bars, rebuilder, trade_of(id, time), numbered);
  }
  void lost(Timestamp from, std::int64_t us = 0, bool doubt = false) {
    gaps.lost(bars, Record::mark(RecordKind::lost, 0, from, doubt ? doubt_alone : 0, static_cast<std::uint64_t>(us)));
  }
  void hole(Timestamp time, std::uint64_t first, std::uint64_t count) {
    gaps.hole(bars, Record::mark(RecordKind::hole, 0, time, first, count));
  }
  void verdict(Timestamp time, std::uint64_t id, bool all_there) {
    gaps.verdict(bars, rebuilder, Record::mark(RecordKind::verdict, 0, time, id, all_there ? 0 : 1));
  }
  Bar& bar(std::int64_t minutes) { return *bars.at(at(minutes)); }
  // "?" or the number of missing ids, of the bars 100 to 109.
  std::string missing() {
    std::string out;
    bars.each(at(100), at(110), [&](Timestamp t, Bar& b) {
      const auto n = missing_of(gaps.evidence(t, b, true));
      out += n ? std::to_string(*n) : "?";
    });
    return out;
  }
  bool ordered;
  BarSeries bars{seconds(60)};
  Rebuilder rebuilder;
  GapTracker gaps;
};
}  // namespace

TEST_CASE("gap tracker: a bar is covered where somebody watched beyond its end, or ids go on there") {
  for (const Ids ids : {Ids::sequence, Ids::opaque}) {
    Tracked t(ids);
    CHECK(t.missing() == "0000000000");
    t.gaps.watched(at(103), true);  // and no more than that
    CHECK(t.missing() == "000???????");
    t.gaps.watched(at(102));  // less than is known says nothing
    t.trade(7, at(106, 1));
    CHECK(t.missing() == (t.ordered ? "000000????" : "000???????"));
    CHECK(t.gaps.last_trade() == at(106, 1));
    // Of an instrument that has ended nothing more is to be watched.
    CHECK(missing_of(t.gaps.evidence(at(108), t.bar(108), false)) == 0U);
  }
  Tracked replay(Ids::sequence, {seconds(60), false, false, false});
  replay.gaps.watched(at(100), true);
  CHECK(replay.missing() == "0000000000");  // what is read is all that there is
}

TEST_CASE("gap tracker: a loss is a gap of unknown size until the next id tells that it cost nothing") {
  Tracked t;
  t.trade(1, at(101));
  t.lost(at(102, 5));
  CHECK((t.gaps.cut_off() && t.missing() == "00????????"));
  t.trade(2, at(103));  // we are cut off: it says nothing yet
  t.gaps.found(at(105));
  CHECK((!t.gaps.cut_off() && t.missing() == "00????0000"));
  t.trade(3, at(104, 1));
  CHECK(t.missing() == "0000??0000");  // what is before its bar is known
  CHECK((t.bar(102).recovered && t.bar(103).recovered && !t.bar(104).recovered));
  t.trade(4, at(106, 1));
  CHECK(t.missing() == "0000000000");
}

TEST_CASE("gap tracker: a loss for a while alone is over at once, and one that is only a doubt recovers nothing") {
  for (const bool doubt : {true, false}) {
    Tracked t;
    t.trade(1, at(101));
    t.lost(at(102, 5), minute, doubt);
    CHECK((!t.gaps.cut_off() && t.missing() == "00??000000"));
    t.trade(2, at(106));
    CHECK((t.missing() == "0000000000" && t.bar(102).recovered != doubt));
  }
}

TEST_CASE("gap tracker: ids that are missing are counted in the next trade's bar, and may be of those before") {
  Tracked t;
  t.trade(1, at(101, 5'000'000));
  t.hole(at(104), 2, 3);
  t.trade(5, at(104));
  CHECK(t.missing() == "0???300000");
  CHECK((t.gaps.waits_for(t.trade_of(3, at(1))) && !t.gaps.waits_for(t.trade_of(5, at(1)))));
  CHECK((t.gaps.in_doubt(at(104)) && !t.gaps.in_doubt(at(105))));
  t.trade(2, at(102));
  t.trade(3, at(102));
  CHECK(t.missing() == "0???100000");
  t.trade(4, at(103));
  CHECK((t.missing() == "0000000000" && !t.bar(102).recovered));  // only a matter of order
}

TEST_CASE("gap tracker: ids that are missing may be of the second before, while nobody has them") {
  Tracked t;
  t.trade(1, at(101, 500'000));
  t.hole(at(102, 5), 2, 1);
  t.trade(3, at(102, 5));
  CHECK(t.missing() == "??10000000");
  t.verdict(at(103), 2, false);
  CHECK(t.missing() == "0?10000000");
}

TEST_CASE("gap tracker: after a loss the missing ids may be of any bar since") {
  Tracked t;
  t.trade(1, at(101));
  t.lost(at(103));
  t.gaps.found(at(105));
  t.hole(at(106), 2, 3);
  t.trade(5, at(106));
  CHECK(t.missing() == "000???3000");
  t.trade(6, at(108));
  t.gaps.fill(t.bars, t.rebuilder, 2, 4);
  CHECK((t.missing() == "0000000000" && t.bar(103).recovered && t.bar(106).recovered && !t.bar(102).recovered));
}

TEST_CASE("gap tracker: history's verdict gives a hole up, or says that nothing is missing") {
  Tracked t;
  t.trade(1, at(101));
  t.hole(at(104), 2, 3);
  t.trade(5, at(104));
  t.verdict(at(106), 3, false);
  CHECK((t.missing() == "0???300000" && !t.gaps.waits_for(t.trade_of(3, at(1)))));
  t.lost(at(106));
  t.gaps.found(at(107));
  t.verdict(at(108), 4, true);  // up to an id that is not the newest
  CHECK(t.missing() == "0???30??00");
  t.verdict(at(109), 5, true);
  CHECK(t.missing() == "0???300000");
}

TEST_CASE("gap tracker: of ids without an order only history can tell, where it can be asked") {
  for (const bool repairs : {true, false}) {
    Tracked t(Ids::opaque, {seconds(60), false, repairs, false});
    t.trade(0, at(101));
    t.lost(at(102));
    t.gaps.found(at(103));
    t.trade(0, at(104));
    CHECK(t.missing() == "00??000000");
    t.verdict(at(105), 0, true);
    CHECK(t.missing() == (repairs ? "0000000000" : "00??000000"));
    CHECK(t.bar(102).settled == repairs);
    t.lost(at(106));
    t.gaps.found(at(106));
    t.verdict(at(107), 0, false);
    CHECK(t.missing() == (repairs ? "000000?000" : "00??00?000"));
    CHECK_FALSE(t.gaps.in_doubt(at(106)));
  }
}

TEST_CASE("gap tracker: the first id of all says nothing of a loss before it") {
  Tracked t;
  t.lost(at(102));
  t.gaps.found(at(103));
  t.trade(7, at(105));
  CHECK((t.missing() == "00??000000" && t.bar(102).lost && t.bar(103).lost));
}

TEST_CASE("gap tracker: a hole of unknown size is in doubt for good, since the trade before") {
  Tracked t;
  t.trade(9, at(101));
  t.hole(at(103), 0, 0);  // numbers begin anew
  CHECK((t.missing() == "0???000000" && !t.gaps.in_doubt(at(102))));
}

TEST_CASE("gap tracker: beyond so many holes the oldest is given up") {
  Tracked t;
  t.trade(1, at(100));
  for (std::uint64_t n = 0; n <= GapTracker::holes_max; ++n) {
    t.hole(at(101), 2 + 2 * n, 1);
    t.trade(3 + 2 * n, at(101));
  }
  CHECK((!t.gaps.waits_for(t.trade_of(2, at(1))) && t.gaps.waits_for(t.trade_of(4, at(1)))));
  CHECK((t.bar(101).missing == 1 && t.missing() == "?" + std::to_string(GapTracker::holes_max + 1) + "00000000"));
}

TEST_CASE("gap tracker: after an earlier run its bars keep what they said until the first id has told") {
  Tracked t;
  t.gaps.restore(at(103), at(103), 7, at(101));  // its rows end with 102
  t.gaps.reaches_back(at(101));
  t.gaps.hide_before(at(105));
  t.gaps.watched(at(200));
  CHECK(t.missing() == "00000?????");
  t.gaps.found(at(105));
  t.trade(8, at(105, 9));
  t.trade(9, at(107));
  CHECK(t.missing() == "0000000000");
  CHECK((t.bar(101).recovered && t.bar(105).recovered));
}

TEST_CASE("gap tracker: an earlier run that knew no id leaves a gap where the next begins") {
  Tracked t;
  t.gaps.restore(at(103), at(103), std::nullopt, at(101));
  t.gaps.watched(at(200));
  t.gaps.hide_before(at(105));
  t.gaps.found(at(105));
  t.verdict(at(106), 7, true);
  CHECK((t.missing() == "00000?0000" && t.bar(105).lost));
}

TEST_CASE("gap tracker: what was lost before the process began may be had whole, unless more was lost") {
  for (const bool more : {true, false}) {
    Tracked t;
    t.gaps.restore(at(103), at(103), 7, at(101));
    t.gaps.found(at(104));
    if (more) t.lost(at(104), 5);
    t.gaps.settle_absence();
    CHECK(t.gaps.in_doubt(at(103)) == more);
  }
}

TEST_CASE("gap tracker: a trade of before we listened is alone in its bar, and that bar is a gap") {
  Tracked t;
  t.gaps.restore(at(102), at(102), 7, at(101));
  t.gaps.watched(at(200));
  t.gaps.hide_before(at(105));
  t.gaps.found(at(105));
  CHECK(t.missing() == "00000?0000");
  t.gaps.found_alone(at(103));
  CHECK(t.missing() == "000???0000");
}

TEST_CASE("gap tracker: where an instrument ends nobody vouches any more for what came last") {
  Tracked t;
  t.gaps.watched(at(105, 30), true);
  t.gaps.ended(t.bars, at(108));
  CHECK((!t.bar(104).lost && t.bar(105).lost && t.bar(107).lost && !t.bar(108).lost));
  CHECK(t.gaps.cut_off());  // should it come again
}

TEST_CASE("gap tracker: the oldest bar is kept while something may still change it") {
  const auto kept = [](Tracked& t) { return t.gaps.keeps(at(100), t.bar(100)); };
  Tracked t;
  CHECK(kept(t));  // no proof, and no later id
  t.trade(1, at(101, 1));
  CHECK_FALSE(kept(t));
  t.bar(100).written_status = BarStatus::gap;
  CHECK(kept(t));
  t.bar(100).proven = true;
  CHECK_FALSE(kept(t));
  t.lost(at(100), 5);
  CHECK(kept(t));
  t.trade(2, at(101, 2));
  t.hole(at(100), 3, 1);
  CHECK(kept(t));
  t.gaps.dropped(at(100));  // and the hole with it
  CHECK_FALSE(t.gaps.waits_for(t.trade_of(3, at(1))));
  Tracked unasked(Ids::sequence, {seconds(60), false, false, true});
  CHECK_FALSE(kept(unasked));  // nobody is asked: what comes by itself comes soon
}
