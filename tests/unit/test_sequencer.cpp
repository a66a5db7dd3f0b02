#include "catch.hpp"
#include "cvdd/ledger/fill_order.hpp"
#include "cvdd/ledger/sequencer.hpp"

using cvdd::Sequencer;
using cvdd::Series;
using Verdict = cvdd::Sequencer::Verdict;

namespace {
Verdict agg(Sequencer& s, std::uint64_t id) { return s.decide(Series::aggregate, id).verdict; }
}  // namespace

TEST_CASE("consecutive ids are next, repeated ones duplicates") {
  Sequencer s;
  CHECK(agg(s, 100) == Verdict::next);
  CHECK(agg(s, 101) == Verdict::next);
  CHECK(agg(s, 101) == Verdict::duplicate);
  CHECK(agg(s, 50) == Verdict::duplicate);
  CHECK(s.last_id() == 101);
}

TEST_CASE("a jump is a hole of exactly the ids between, and each of them fills it once") {
  Sequencer s;
  (void)agg(s, 100);
  auto d = s.decide(Series::aggregate, 105);
  CHECK(d.verdict == Verdict::next);
  CHECK(d.hole_first == 101);
  CHECK(d.hole_count == 4);
  for (std::uint64_t id : {103U, 101U, 104U, 102U}) {
    CHECK(agg(s, id) == Verdict::late);
    CHECK(agg(s, id) == Verdict::duplicate);
  }
}

TEST_CASE("the first series seen is the source, the other is left out") {
  Sequencer s;
  CHECK(s.decide(Series::single, 7).verdict == Verdict::next);
  CHECK(s.decide(Series::aggregate, 1).verdict == Verdict::other_series);
  CHECK(s.decide(Series::single, 8).verdict == Verdict::next);
}

TEST_CASE("blocks have ids of their own") {
  Sequencer s;
  CHECK(agg(s, 1000) == Verdict::next);
  CHECK(s.decide(Series::block, 5).verdict == Verdict::next);
  CHECK(s.decide(Series::block, 5).verdict == Verdict::duplicate);
  CHECK(s.decide(Series::block, 9).hole_count == 0);
  CHECK(agg(s, 1001) == Verdict::next);
}

TEST_CASE("after a restart the ids since the last row are a hole") {
  Sequencer s;
  s.resume_after(Series::aggregate, 500);
  CHECK(s.decide(Series::aggregate, 500).verdict == Verdict::duplicate);
  auto d = s.decide(Series::aggregate, 504);
  CHECK(d.hole_first == 501);
  CHECK(d.hole_count == 3);
}

TEST_CASE("a jump back says nothing by its size: what was seen was seen") {
  Sequencer s;
  (void)agg(s, 20'000'000);
  CHECK(agg(s, 5) == Verdict::duplicate);
  s.resume_after(Series::aggregate, 4);
  CHECK(agg(s, 5) == Verdict::next);
}

TEST_CASE("remembered holes are bounded, the oldest is given up") {
  Sequencer s;
  (void)agg(s, 0);
  for (std::uint64_t id = 2; id <= 2000; id += 2) (void)agg(s, id);
  CHECK(agg(s, 1) == Verdict::duplicate);
  CHECK(agg(s, 1999) == Verdict::late);
}

TEST_CASE("sequencer: what candles cover is known of") {
  Sequencer s;
  (void)s.decide(Series::aggregate, 1);
  CHECK(s.decide(Series::aggregate, 11).hole_count == 9);
  CHECK(s.cover(4, 8));
  CHECK(s.decide(Series::aggregate, 5).verdict == Sequencer::Verdict::duplicate);
  CHECK(s.decide(Series::aggregate, 3).verdict == Sequencer::Verdict::late);
  CHECK_FALSE(s.cover(2, 9));  // a part of it came
  CHECK(s.waits_for(9, 9));
}

TEST_CASE("fills that come again under another id are known by their numbers, where those go on") {
  cvdd::FillOrder fills;
  for (std::uint64_t i = 0; i < 4; ++i) CHECK_FALSE(fills.repeats(10 + 3 * i, 3));
  CHECK(fills.repeats(16, 3));        // … 16 to 18 were counted
  CHECK_FALSE(fills.repeats(22, 1));  // it goes on
  CHECK_FALSE(fills.repeats(0, 1));   // no number
  CHECK_FALSE(fills.repeats(22, 1));  // one in order is not three
  cvdd::FillOrder early;              // an overlap at the beginning is told when the order is known
  for (const std::uint64_t first : {10U, 10U, 11U, 12U}) CHECK_FALSE(early.repeats(first, 1, {7}));
  CHECK_FALSE(early.take_overlap());
  CHECK_FALSE(early.repeats(13, 1));
  CHECK(early.take_overlap() == cvdd::Timestamp{7});
  CHECK_FALSE(early.take_overlap());
  cvdd::FillOrder sure;
  for (std::uint64_t i = 1; i <= 60; ++i) CHECK_FALSE(sure.repeats(i, 1));
  for (std::uint64_t i = 57; i <= 60; ++i) CHECK(sure.repeats(i, 1));  // one after the other
  CHECK_FALSE(sure.repeats(61, 1));
  cvdd::FillOrder unordered;
  for (const std::uint64_t first : {50U, 40U, 60U, 30U, 70U, 20U}) CHECK_FALSE(unordered.repeats(first, 1));
}

TEST_CASE("fills that come later, of ids that were missing, are held against what was counted before them") {
  cvdd::FillOrder fills;
  for (std::uint64_t i = 0; i < 4; ++i) CHECK_FALSE(fills.repeats(10 + 3 * i, 3));  // … 19 to 21
  fills.missing_from(105);                                                          // 105 and 106
  CHECK_FALSE(fills.repeats(28, 3));
  fills.missing_from(108);
  CHECK_FALSE(fills.repeats(40, 1));
  CHECK(fills.repeats_late(105, 16, 3));  // counted before
  CHECK_FALSE(fills.repeats_late(105, 22, 3));
  CHECK(fills.repeats_late(106, 24, 1));  // … which 105 has
  CHECK_FALSE(fills.repeats_late(106, 25, 3));
  CHECK_FALSE(fills.repeats_late(108, 31, 2));
  CHECK_FALSE(fills.repeats_late(90, 1, 1));  // older than all holes that are known
  CHECK_FALSE(fills.repeats_late(108, 0, 1));
  // The second of two comes first.
  fills.missing_from(110);
  CHECK_FALSE(fills.repeats_late(111, 44, 2));
  CHECK_FALSE(fills.repeats_late(110, 42, 2));
}
