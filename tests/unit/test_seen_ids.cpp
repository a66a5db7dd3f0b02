#include "catch.hpp"
#include "cvdd/ledger/recent_ids.hpp"
#include "cvdd/ledger/sequencer.hpp"

using namespace cvdd;

TEST_CASE("seen ids: a copy is known, for ten minutes at least and 8,192 ids at most") {
  RecentIds seen;
  constexpr Timestamp start{1'700'000'000'000'000};
  const auto id = [](std::uint64_t n) { return OpaqueId{n * 0x9E3779B97F4A7C15ULL, n}; };
  for (std::uint64_t n = 0; n < 5'000; ++n) {
    REQUIRE_FALSE(seen.contains(id(n)));
    REQUIRE(seen.insert(id(n), start + milliseconds(static_cast<std::int64_t>(n))));
    REQUIRE_FALSE(seen.insert(id(n), start));
  }
  for (std::uint64_t n = 0; n < 5'000; ++n) REQUIRE(seen.contains(id(n)));
  // More than it holds: the oldest go, the newest 8,192 stay.
  for (std::uint64_t n = 5'000; n < 30'000; ++n) REQUIRE(seen.insert(id(n), start + seconds(5)));
  CHECK(seen.size() == RecentIds::size_max);
  CHECK_FALSE(seen.contains(id(30'000 - RecentIds::size_max - 1)));
  for (std::uint64_t n = 30'000 - RecentIds::size_max; n < 30'000; ++n) REQUIRE(seen.contains(id(n)));
}

TEST_CASE("seen ids: what is older than ten minutes makes room, so a quiet instrument takes little memory") {
  RecentIds seen;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    REQUIRE(seen.insert({0, n}, Timestamp{static_cast<std::int64_t>(n) * 60'000'000}));  // one a minute
  }
  CHECK(seen.size() <= 16);
  CHECK(seen.contains({0, 9'999}));
  CHECK(seen.contains({0, 9'990}));
}

TEST_CASE("seen ids: what history tells of a long absence is known when it tells it again") {
  RecentIds seen;
  constexpr Timestamp start{1'700'000'000'000'000};
  for (std::uint64_t n = 0; n < 16; ++n) REQUIRE(seen.insert({0, n}, start + seconds(static_cast<std::int64_t>(n))));
  // It speaks again after twenty minutes, and what was traded meanwhile is fetched, twice.
  REQUIRE(seen.insert({0, 1'000}, start + seconds(1'200)));
  for (std::uint64_t n = 16; n < 116; ++n) {
    REQUIRE(seen.insert({0, n}, start + seconds(static_cast<std::int64_t>(n))));
  }
  for (std::uint64_t n = 16; n < 116; ++n) CHECK_FALSE(seen.insert({0, n}, start));
  CHECK(seen.size() <= 256);
}

TEST_CASE("a sequence of merged messages: each fill once, whoever cuts them") {
  using Verdict = Sequencer::Verdict;
  Sequencer s;
  CHECK(s.decide(Series::single, 10, 12).verdict == Verdict::next);
  CHECK(s.decide(Series::single, 13, 13).hole_count == 0);
  CHECK(s.decide(Series::single, 10, 12).verdict == Verdict::duplicate);
  const auto hole = s.decide(Series::single, 20, 22);
  CHECK((hole.verdict == Verdict::next && hole.hole_first == 14 && hole.hole_count == 6));
  CHECK(s.decide(Series::single, 15, 16).verdict == Verdict::late);
  CHECK((s.waits_for(14, 14) && !s.waits_for(15, 16) && s.waits_for(17, 19)));
  // A part of it is known: it can't be counted, and what it had beyond that stays missing.
  CHECK(s.decide(Series::single, 16, 17).verdict == Verdict::straddles);
  CHECK(s.waits_for(17, 17));
  const auto over = s.decide(Series::single, 22, 25);
  CHECK((over.verdict == Verdict::straddles && over.hole_first == 23 && over.hole_count == 3));
  CHECK(s.decide(Series::single, 23).verdict == Verdict::late);
  CHECK(s.decide(Series::single, 24, 25).verdict == Verdict::late);
  CHECK(s.decide(Series::single, 26).hole_count == 0);
}

TEST_CASE("told what the newest id is, without a trade") {
  using Verdict = Sequencer::Verdict;
  Sequencer s;
  CHECK(s.told(Series::single, 100).hole_count == 0);  // where the counting begins
  CHECK(s.told(Series::single, 100).hole_count == 0);
  const auto hole = s.told(Series::single, 103);
  CHECK((hole.hole_first == 101 && hole.hole_count == 3));
  CHECK(s.told(Series::single, 102).hole_count == 0);
  CHECK(s.decide(Series::single, 102).verdict == Verdict::late);
  CHECK(s.decide(Series::single, 104).hole_count == 0);
}
