#include "catch.hpp"
#include "cvdd/feed/silence_detector.hpp"

using namespace cvdd;
using std::chrono::milliseconds;

namespace {
SilenceDetector::Time at(std::int64_t ms) { return SilenceDetector::Time{} + std::chrono::hours(1) + milliseconds(ms); }

// A trade every `gap` ms from 0 to `until`.
void busy(SilenceDetector& lull, std::int64_t gap, std::int64_t until, std::int64_t from = 0) {
  for (std::int64_t t = from; t <= until; t += gap) lull.heard(at(t), 1);
}
}  // namespace

TEST_CASE("lull: a busy connection that falls silent is doubted after sixteen usual gaps, not sooner than 1.5 s") {
  SilenceDetector fast, slow;
  fast.resume(at(0));
  slow.resume(at(0));
  busy(fast, 10, 40'000);
  busy(slow, 200, 40'000);
  CHECK_FALSE(fast.suspect(at(41'400)));
  CHECK(fast.suspect(at(41'600)));
  CHECK_FALSE(slow.suspect(at(43'100)));
  CHECK(slow.suspect(at(43'300)));
  fast.heard(at(41'700), 1);
  CHECK_FALSE(fast.suspect(at(41'800)));
}

TEST_CASE("lull: what is not known well enough, or never was busy, is not doubted") {
  SilenceDetector fresh, quiet, bursts;
  for (SilenceDetector* lull : {&fresh, &quiet, &bursts}) lull->resume(at(0));
  busy(fresh, 10, 1'400);
  CHECK_FALSE(fresh.suspect(at(60'000)));
  busy(fresh, 10, 9'000, 1'410);
  busy(fresh, 10, 16'000, 9'010);
  CHECK(fresh.suspect(at(18'000)));  // young, and busy all the same
  busy(quiet, 2'000, 100'000);
  CHECK_FALSE(quiet.suspect(at(125'000)));
  CHECK(quiet.suspect(at(140'000)));  // thin, and yet never silent for so long
  SilenceDetector seldom;
  seldom.resume(at(0));
  busy(seldom, 11'000, 100'000);
  CHECK_FALSE(seldom.suspect(at(200'000)));
  CHECK(seldom.suspect(at(400'000)));
  // A thousand in a second, once a minute: such a market is silent as a rule.
  for (std::int64_t minute = 0; minute < 20; ++minute) busy(bursts, 1, minute * 60'000 + 1'000, minute * 60'000);
  CHECK_FALSE(bursts.suspect(at(20 * 60'000)));
}

TEST_CASE("lull: a connection of a few seconds is known by what it brought until it fell silent") {
  SilenceDetector young, hardly;
  young.resume(at(0));
  hardly.resume(at(0));
  busy(young, 100, 4'000);
  busy(hardly, 300, 4'000);
  CHECK_FALSE(young.suspect(at(5'500)));
  CHECK(young.suspect(at(5'700)));
  CHECK_FALSE(hardly.suspect(at(60'000)));  // too little to go by
  // The next connection is mute from the first moment on.
  young.resume(at(6'000));
  CHECK_FALSE(young.suspect(at(7'500)));
  CHECK(young.suspect(at(7'700)));
  // Old trades that come at once because it subscribed are none.
  SilenceDetector mute;
  mute.resume(at(0));
  mute.heard(at(100), 0);
  CHECK(mute.expected(at(60'000)) == 0);
}

TEST_CASE("lull: whom somebody vouched for is doubted again after twice as long; time without a connection is none") {
  SilenceDetector lull;
  lull.resume(at(0));
  busy(lull, 10, 40'000);
  CHECK(lull.suspect(at(41'600)));
  lull.vouched(at(41'600));
  CHECK(lull.known_until() == at(41'600));
  CHECK_FALSE(lull.suspect(at(42'900)));
  CHECK(lull.suspect(at(43'100)));
  lull.resume(at(60'000));
  CHECK_FALSE(lull.suspect(at(60'500)));
  busy(lull, 10, 62'000, 60'000);
  CHECK(lull.suspect(at(63'600)));  // it is still known how busy it is
}
