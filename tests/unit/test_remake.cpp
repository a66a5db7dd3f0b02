// Whom to believe about bars that were made again.
#include "catch.hpp"
#include "cvdd/ledger/remake.hpp"

using namespace cvdd;

namespace {
Trade trade(std::uint64_t id, std::uint32_t fills = 1) {
  Trade t;
  t.id = id;
  t.fills = fills;
  t.merged = fills > 1;
  return t;
}
using Ids64 = std::vector<std::uint64_t>;
}  // namespace

TEST_CASE("history that lacks an id which a row names is not that of the row") {
  const std::vector<Trade> page = {trade(5), trade(9, 3), trade(10)};  // 6 is missing, 7 to 9 came as one
  CHECK(holds_all(page, {}));
  CHECK(holds_all(page, Ids64{5, 7, 8, 9, 10}));
  CHECK_FALSE(holds_all(page, Ids64{5, 6}));
  CHECK_FALSE(holds_all(page, Ids64{4}));
  CHECK_FALSE(holds_all(page, Ids64{11}));
  CHECK_FALSE(holds_all({}, Ids64{1}));
}

TEST_CASE("a candle that is not the sum of the exchange's own trades is wrong, unless sizes may mean something else") {
  Instrument spot, swap, opaque;
  swap.contract_size = {1, 1};
  opaque.ids = Ids::opaque;
  for (const bool refuted : {false, true}) {
    const Remade same{Figures::differ, true, refuted, false};
    CHECK(believed(same, spot));
    CHECK_FALSE(believed(same, swap));
    CHECK_FALSE(believed(same, opaque));
    CHECK_FALSE(believed({Figures::differ, false, refuted, false}, spot));
    CHECK_FALSE(believed({Figures::differ, true, refuted, true}, spot));
  }
}

TEST_CASE("what figures agree with is right; what they refuted, or what is of an unknown unit, waits for them") {
  Instrument spot, swap, opaque;
  swap.contract_size = {1, 1};
  opaque.ids = Ids::opaque;
  for (const Instrument* instrument : {&spot, &swap, &opaque}) {
    for (const bool refuted : {false, true}) {
      CHECK(believed({Figures::agree, false, refuted, true}, *instrument));
      CHECK_FALSE(believed({Figures::silent, true, refuted, true}, *instrument));
    }
    CHECK(believed({Figures::silent, false, false, false}, *instrument));
  }
  CHECK(believed({Figures::silent, false, true, false}, spot));
  CHECK_FALSE(believed({Figures::silent, true, true, false}, swap));
  CHECK_FALSE(believed({Figures::silent, true, true, false}, opaque));
}

TEST_CASE("history that shows by numbers of its own that it lacks nothing outweighs a candle") {
  Instrument opaque;
  opaque.ids = Ids::opaque;
  const Remade numbered{Figures::differ, true, true, false, true};
  CHECK(believed(numbered, opaque));
  CHECK_FALSE(believed({Figures::differ, false, true, false, true}, opaque));
  CHECK(believed({Figures::silent, true, true, false, true}, opaque));
  opaque.contract_size = {1, 1};
  CHECK_FALSE(believed(numbered, opaque));
}

TEST_CASE("pages from a moment on go on from one to the next, or are not used") {
  std::vector<Trade> trades;
  CHECK(put_behind(std::vector<Trade>{trade(5), trade(6)}, trades));
  CHECK(put_behind(std::vector<Trade>{trade(6), trade(7), trade(10, 3)}, trades));
  CHECK(trades.size() == 4);
  CHECK(put_behind(std::vector<Trade>{}, trades));
  CHECK_FALSE(put_behind(std::vector<Trade>{trade(12)}, trades));
  CHECK_FALSE(put_behind(std::vector<Trade>{trade(10), trade(11), trade(13)}, trades));
  CHECK((trades.size() == 4 && trades.back().id == 10));
  CHECK(put_behind(std::vector<Trade>{trade(3), trade(5)}, trades));  // all of it is known
  CHECK(trades.size() == 4);
}

TEST_CASE("pages backward from the newest must touch") {
  const auto named = [](std::uint64_t id, std::int64_t time) {
    Trade t = trade(id);
    t.time = {time};
    return t;
  };
  std::vector<Trade> trades;
  CHECK_FALSE(put_before(std::vector<Trade>{named(1, 1)}, trades));
  trades = {named(90, 5), named(40, 6)};
  CHECK_FALSE(put_before(std::vector<Trade>{named(70, 3), named(80, 4)}, trades));
  CHECK_FALSE(put_before(std::vector<Trade>{named(70, 3), named(90, 4)}, trades));  // another one of that name
  CHECK(put_before(std::vector<Trade>{named(70, 3), named(80, 5), named(90, 5)}, trades) == 2);
  CHECK((trades.size() == 4 && trades[0].id == 70 && trades[1].id == 80 && trades[2].id == 90));
  CHECK(put_before(std::vector<Trade>{named(70, 3)}, trades) == 0);
}
