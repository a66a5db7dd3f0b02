#include <limits>

#include "catch.hpp"
#include "cvdd/base/latency.hpp"

using namespace cvdd;

TEST_CASE("latencies: quantiles are within an eighth of an octave, powers of two are ends of buckets") {
  Latency l;
  CHECK((l.count() == 0 && l.quantile(1, 2).us == 0));
  for (std::int64_t us = 1; us <= 10'000; ++us) l.add({us});
  CHECK(l.count() == 10'000);
  CHECK(l.sum().us == 50'005'000);
  for (const std::uint64_t percent : {1U, 10U, 50U, 90U, 99U, 100U}) {
    const auto exact = static_cast<std::int64_t>(percent * 100);
    const std::int64_t told = l.quantile(percent, 100).us;
    INFO(percent);
    CHECK((told > exact && told <= exact + exact / 8 + 1));
  }
  for (std::int64_t bound = 1; bound <= 8192; bound *= 2)
    CHECK(l.up_to({bound}) == static_cast<std::uint64_t>(bound - 1));
  CHECK(l.up_to({1 << 14}) == 10'000);
}

TEST_CASE("latencies: what no clock should say is counted at the ends") {
  Latency l;
  l.add({-5});
  l.add({0});
  l.add({std::numeric_limits<std::int64_t>::max()}, 3);
  CHECK(l.count() == 5);
  CHECK(l.up_to({1}) == 2);
}
