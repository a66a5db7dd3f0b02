// What a row may say, by what is known of its bar; and how far a connection vouches.
#include "catch.hpp"
#include "cvdd/feed/reach.hpp"
#include "cvdd/ledger/evidence.hpp"

using namespace cvdd;

TEST_CASE("without evidence a bar is a gap of unknown size") {
  const Evidence nothing;
  CHECK(status_of(nothing) == BarStatus::gap);
  CHECK_FALSE(missing_of(nothing).has_value());
}

TEST_CASE("every combination of evidence has one status, and only evidence makes one whole") {
  for (unsigned bits = 0; bits < 256; ++bits) {
    Evidence e;
    e.covered = (bits & 1) != 0;
    e.contradicted = (bits & 2) != 0;
    e.missing = (bits & 4) != 0 ? 7 : 0;
    e.proven = (bits & 8) != 0;
    e.cut = (bits & 16) != 0;
    e.candles = (bits & 32) != 0;
    e.recovered = (bits & 64) != 0;
    e.final = (bits & 128) != 0;
    const BarStatus status = status_of(e);
    const bool provisional = e.recovered && !e.final && !e.cut;  // not after something had been missing
    const bool whole = e.proven || (e.covered && !e.contradicted && e.missing == 0 && !provisional);
    CHECK((status == BarStatus::gap) == !whole);
    CHECK((status == BarStatus::gap) == (missing_of(e) != std::optional<std::uint64_t>(0)));
    if (!whole) continue;
    if (e.cut && !e.proven) {
      CHECK(status == BarStatus::partial);
    } else if (e.candles) {
      CHECK(status == BarStatus::history);
    } else {
      CHECK(status == (e.recovered || e.cut ? BarStatus::repaired : BarStatus::live));
    }
    // What is known to be missing is told by its number only where nothing else may be.
    if (e.missing > 0 && !e.proven) CHECK(missing_of(e).has_value() == (e.covered && !e.contradicted));
  }
}

TEST_CASE("a connection vouches as far as its data came, or a sign of life where they are seldom") {
  const Duration in_flight = seconds(2);
  const Timestamp t{1'000'000'000};
  CHECK(reach_of({{}, {}, {}}, false, false, in_flight).us == 0);
  CHECK(reach_of({{}, {}, t}, false, true, in_flight).us ==
        0);                                                    // the one before was busy, this one brought nothing yet
  CHECK(reach_of({{}, {}, t}, false, false, in_flight) == t);  // subscribed, and nothing was traded
  CHECK(reach_of({{}, {}, t}, true, false, in_flight).us == 0);  // others of before make that unlikely
  CHECK(reach_of({t, t + seconds(1), t + seconds(9)}, false, true, in_flight) == t + seconds(9));
  CHECK(reach_of({t, t + seconds(3), t + seconds(9)}, false, true, in_flight) == t);  // it lags
  CHECK(reach_of({t, t + seconds(1), t + seconds(9)}, true, false, in_flight) == t);  // it was busy, and is silent
}
