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
