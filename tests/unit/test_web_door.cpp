// Who may come in, how often, and with what.
#include "catch.hpp"
#include "web/allowance.hpp"
#include "web/places.hpp"
#include "web/query.hpp"

using namespace cvdd;
using namespace cvdd::web;

namespace {
constexpr Timestamp noon{1'763'640'000'000'000};  // 2025-11-20T12:00:00Z
}  // namespace

TEST_CASE("web: what a browser keeps is not the token, and ends") {
  const std::string token = "0123456789abcdef-TOKEN", session = session_of(token, noon);
  CHECK(session.find(token) == session.npos);
  CHECK(session_good(session, token, noon - seconds(1)));
  CHECK_FALSE(session_good(session, token, noon));
  CHECK_FALSE(session_good(session, token + "x", noon - seconds(1)));
  std::string later = session;
  later[3] = '9';
  for (const std::string& bad : {later, std::string(), token, std::string("."), "99999999999999" + session}) {
    CHECK_FALSE(session_good(bad, token, noon - seconds(1)));
  }
}

TEST_CASE("web: readers have their share of a processor, and what they saved") {
  using std::chrono::microseconds;
  Allowance readers(25, microseconds(1'000'000));
  const Allowance::Time t0{std::chrono::hours(1)};
  CHECK(readers.wait(t0).count() == 0);
  readers.spend(microseconds(1'100'000), t0);
  const auto wait = readers.wait(t0);
  CHECK((wait >= std::chrono::milliseconds(400) && wait < std::chrono::milliseconds(410)));
  CHECK(readers.wait(t0 + wait).count() == 0);
  readers.spend(microseconds(1), t0 + std::chrono::hours(5));  // no more is saved than that
  readers.spend(microseconds(1'000'000), t0 + std::chrono::hours(5));
  CHECK(readers.wait(t0 + std::chrono::hours(5)).count() > 0);
}

TEST_CASE("web: when all places are taken the longest idle goes, and some are kept for health") {
  using std::chrono::seconds;
  const auto v4 = [](unsigned n) { return boost::asio::ip::address(boost::asio::ip::address_v4(n)); };
  const Places::Time t0{std::chrono::hours(1)};
  std::vector<unsigned> closed;
  const auto come = [&](Places& places, unsigned who, Places::Time now, Places::Handle& out) {
    return places.enter(
        v4(who), now, [&closed, who] { closed.push_back(who); }, out);
  };
  SECTION("idle ones make room") {
    Places places(false);
    std::vector<Places::Handle> all(Places::most + 1);
    for (unsigned i = 0; i < Places::most; ++i)
      REQUIRE(come(places, 1'000 + i, t0 + std::chrono::milliseconds(i), all[i]));
    all[0]->moved = t0 + seconds(60);
    REQUIRE(come(places, 5, t0 + seconds(61), all[Places::most]));
    CHECK(closed == std::vector<unsigned>{1'001});
    CHECK_FALSE(all[Places::most]->kept);
    CHECK(places.count() == Places::most);
  }
  SECTION("busy ones don't, but there are places for health, and then the longest without a byte goes") {
    Places places(false);
    std::vector<Places::Handle> all(Places::most + Places::most_kept + 2);
    for (unsigned i = 0; i < Places::most; ++i) {
      REQUIRE(come(places, 1'000 + i, t0, all[i]));
      all[i]->waited = false;
    }
    for (unsigned i = Places::most; i < Places::most + Places::most_kept; ++i) {
      REQUIRE(come(places, 1'000 + i, t0, all[i]));
      CHECK(all[i]->kept);
    }
    all[3]->waited = true;
    REQUIRE(come(places, 7, t0, all[all.size() - 2]));
    CHECK(closed == std::vector<unsigned>{1'003});
    for (const auto& place : all) {
      if (place != Places::Handle{}) place->waited = false;
    }
    CHECK_FALSE(come(places, 8, t0 + seconds(9), all.back()));
  }
  SECTION("one address has its limit, and so have those without the token") {
    Places places(false);
    std::vector<Places::Handle> all(100);
    for (unsigned i = 0; i < Places::most_of_one; ++i) {
      REQUIRE(come(places, 1'000, t0, all[i]));
      all[i]->waited = false;
    }
    CHECK_FALSE(come(places, 1'000, t0 + seconds(5), all.back()));
    CHECK(come(places, 2'000, t0 + seconds(5), all.back()));
    Places locked(true);
    for (unsigned i = 0; i < Places::most_unproven; ++i) REQUIRE(come(locked, 3'000 + i, t0, all[i]));
    all[0]->proven = true;
    REQUIRE(come(locked, 4'000, t0 + seconds(1), all[40]));
    CHECK(closed.empty());
    REQUIRE(come(locked, 4'001, t0 + seconds(1), all[41]));
    CHECK(closed == std::vector<unsigned>{3'001});
  }
}
