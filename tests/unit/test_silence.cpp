// What a page of the newest trades tells of a silence.
#include "catch.hpp"
#include "cvdd/feed/silence.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp at(std::int64_t s) { return {s * 1'000'000}; }
using Times = std::vector<Timestamp>;
constexpr Silence usual{at(100), at(110), false}, odd{at(100), at(110), true};
}  // namespace

TEST_CASE("a silence in which nothing was traded is none, as far as the page reaches") {
  CHECK_FALSE(find_in_silence(odd, {}, at(90), true));
  CHECK_FALSE(find_in_silence(usual, {}, at(105), false));
  const auto unknown = find_in_silence(odd, {}, at(105), false);
  REQUIRE(unknown);
  CHECK(unknown->from == at(100));
  CHECK_FALSE(unknown->whole);
  // What came after it is news.
  CHECK_FALSE(find_in_silence(odd, Times{at(111)}, at(90), true));
}

TEST_CASE("what was traded in a silence makes its bars whole where the page reaches back, else gaps") {
  const auto all = find_in_silence(usual, Times{at(103)}, at(90), true);
  REQUIRE(all);
  CHECK(all->from == at(100));
  CHECK(all->whole);
  const auto some = find_in_silence(usual, Times{at(106)}, at(105), false);
  REQUIRE(some);
  CHECK_FALSE(some->whole);
}

TEST_CASE("what is missing from before a silence was lost while the connection spoke: nobody knows since when") {
  const auto lossy = find_in_silence(usual, Times{at(97), at(103)}, at(90), true);
  REQUIRE(lossy);
  CHECK(lossy->from == at(90));
  CHECK_FALSE(lossy->whole);
}
