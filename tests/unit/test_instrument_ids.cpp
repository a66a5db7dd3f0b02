// Numbers of instruments: a record has 19 bits for them, and a daemon that runs for years meets more instruments.
#include <random>
#include <set>

#include "catch.hpp"
#include "cvdd/base/flood_limit.hpp"
#include "cvdd/base/instrument_ids.hpp"
#include "cvdd/base/paged.hpp"
#include "cvdd/base/types.hpp"

using namespace cvdd;

TEST_CASE("numbers of instruments: from 0 on, each once") {
  InstrumentIds ids;
  for (std::uint32_t i = 0; i < 1'000; ++i) REQUIRE(ids.take() == i);
  CHECK(ids.out() == 1'000);
}

TEST_CASE("numbers of instruments: what was given back is given out again, the lowest first, before any that is new") {
  InstrumentIds ids;
  for (int i = 0; i < 10; ++i) (void)ids.take();
  ids.give_back(7);
  ids.give_back(2);
  ids.give_back(4);
  CHECK(ids.out() == 7);
  CHECK(ids.take() == 2U);
  CHECK(ids.take() == 4U);
  CHECK(ids.take() == 7U);
  CHECK(ids.take() == 10U);
}

TEST_CASE("numbers of instruments: when all are out there is none, until one comes back") {
  InstrumentIds ids;
  for (std::uint32_t i = 0; i < InstrumentIds::most_max; ++i) REQUIRE(ids.take() == i);
  CHECK(!ids.take());
  CHECK(!ids.take());
  ids.give_back(123'456);
  CHECK(ids.take() == 123'456U);
  CHECK(!ids.take());
  InstrumentIds none(0);
  CHECK(!none.take());
}

TEST_CASE("numbers of instruments: giving back what is not out changes nothing") {
  InstrumentIds ids(3);
  ids.give_back(0);
  CHECK(ids.take() == 0U);
  ids.give_back(0);
  ids.give_back(0);
  ids.give_back(99);
  CHECK(ids.out() == 0);
  CHECK((ids.take() == 0U && ids.take() == 1U && ids.take() == 2U));
  CHECK(!ids.take());
}

TEST_CASE("numbers of instruments: whatever comes and goes, no two have the same") {
  std::mt19937_64 random(5);
  InstrumentIds ids(200);
  std::set<std::uint32_t> out;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0) {
      const auto id = ids.take();
      REQUIRE(id.has_value() == (out.size() < 200));
      if (id) REQUIRE((*id < 200 && out.insert(*id).second));
    } else if (!out.empty()) {
      const auto one = std::next(out.begin(), static_cast<std::ptrdiff_t>(random() % out.size()));
      ids.give_back(*one);
      out.erase(one);
    }
    REQUIRE(ids.out() == out.size());
  }
}

TEST_CASE("numbers of instruments: a record holds each of them") {
  for (const std::uint32_t id : {0U, 1U, InstrumentIds::most_max - 1}) {
    CHECK(Record::mark(RecordKind::lost, id, Timestamp{1}).instrument() == id);
  }
}

TEST_CASE("a flood limit: so many in a second, which begins with the first of them") {
  using namespace std::chrono_literals;
  const FloodLimit::Time begin(100s);
  FloodLimit limit(10);
  CHECK(limit.add(0, begin));
  CHECK(limit.add(10, begin + 5s));
  CHECK(limit.add(0, begin + 5s));
  CHECK(!limit.add(1, begin + 6s));  // the same second still
  CHECK(limit.add(10, begin + 6001ms));
  CHECK(!limit.add(1, begin + 6900ms));
  CHECK(limit.add(1, begin + 8s));
  CHECK(!limit.add(1'000'000'000'000, begin + 20s));
}

TEST_CASE("a paged table: memory for the stretches in use alone, and every place its own") {
  Paged<int> table;
  CHECK((!table.has(0) && !table.has(500'000) && table.pages() == 0));
  table.reach(400'000) = 7;
  CHECK((table.has(400'000) && table[400'000] == 7 && table.reach(400'001) == 0));
  CHECK((!table.has(0) && !table.has(400'064) && table.pages() == 1));
  for (std::size_t i = 0; i < 1'000; ++i) table.reach(i) = static_cast<int>(i);
  for (std::size_t i = 0; i < 1'000; ++i) REQUIRE(table[i] == static_cast<int>(i));
  CHECK((table[400'000] == 7 && table.pages() == 17));
}
