#include <malloc.h>

#include <map>

#include "account.hpp"
#include "catch.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("trades fall into the bar of their own time, CVD runs on, quiet bars are live") {
  Account b;
  b.mark(RecordKind::subscribed, 100 * minute + 5);
  b.trade(1, 100 * minute + 10, 50);
  b.trade(2, 101 * minute - 1, -40);
  b.trade(3, 101 * minute, 60);
  CHECK(told(b.close(101 * minute)) == Lines{"100 0 partial 0 0"});
  const auto rows = b.close(103 * minute);
  CHECK(told(rows) == Lines{"101 0 live 0 1", "102 0 live 0 1"});
  CHECK(*rows[1].open == Decimal(60, 0));
  CHECK(rows[1].first_id.empty());
  CHECK(rows[1].buys + rows[1].sells == 0);
}

TEST_CASE("open, close and ids go by time, then id, not by arrival") {
  Account b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(7, 100 * minute + 30, 10);
  b.trade(6, 100 * minute + 20, 20);
  b.trade(8, 100 * minute + 30, 30);
  const auto rows = b.close(101 * minute);
  REQUIRE(rows.size() == 1);
  CHECK(*rows[0].open == Decimal(20, 0));
  CHECK(*rows[0].close == Decimal(30, 0));
  CHECK(*rows[0].low == Decimal(10, 0));
  CHECK(rows[0].first_id == "6");
  CHECK(rows[0].last_id == "8");
}

TEST_CASE("trades of bars before the first one are dropped and counted") {
  Account b;
  b.mark(RecordKind::subscribed, 100 * minute + 5);
  b.trade(1, 100 * minute - 1, 50);
  CHECK(b.ledger.counters().before_first == 1);
  CHECK(told(b.close(101 * minute)) == Lines{"100 0 partial 0 0"});
}

TEST_CASE("a late trade revises its bar and every later one whose CVD moves") {
  Account b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(1, 100 * minute, 50);
  (void)b.close(103 * minute);
  b.trade(2, 101 * minute + 1, 50);
  CHECK(told(b.close(104 * minute)) == Lines{"101 1 live 0 2", "102 1 live 0 2", "103 0 live 0 2"});
}

TEST_CASE("missing ids are counted in the next trade's bar, the bars they touch say ?") {
  Account b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(1, 101 * minute, 50);
  b.mark(RecordKind::hole, 103 * minute, 2, 3);
  b.trade(5, 103 * minute, 50);
  CHECK(told(b.close(105 * minute)) ==
        Lines{"100 0 partial 0 0", "101 0 gap ? 1", "102 0 gap ? 1", "103 0 gap 3 2", "104 0 live 0 2"});
  b.trade(2, 101 * minute + 1, 50);
  b.trade(3, 101 * minute + 2, 50);
  CHECK(told(b.close(105 * minute)) == Lines{"101 1 gap ? 3", "102 1 gap ? 3", "103 1 gap 1 4", "104 1 live 0 4"});
  b.trade(4, 102 * minute + 2, 50);
  CHECK(told(b.close(105 * minute)) ==
        Lines{"101 2 repaired 0 3", "102 2 repaired 0 4", "103 2 repaired 0 5", "104 2 live 0 5"});
}

TEST_CASE("a hole that fills before its bar is written was only a matter of order") {
  Account b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute, 50);
  b.mark(RecordKind::hole, 100 * minute + 2, 2, 1);
  b.trade(3, 100 * minute + 2, 50);
  b.trade(2, 100 * minute + 1, 50);
  CHECK(told(b.close(101 * minute)) == Lines{"99 0 partial 0 0", "100 0 live 0 3"});
}

TEST_CASE("while cut off bars are written on time as gap, and repaired once the ids prove it") {
  Account b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 99 * minute, 50);
  (void)b.close(102 * minute);
  b.mark(RecordKind::lost, 101 * minute + 30);  // noticed late: 101 is written already
  CHECK(told(b.close(103 * minute)) == Lines{"101 1 gap ? 1", "102 0 gap ? 1"});
  b.mark(RecordKind::subscribed, 103 * minute + 5);
  CHECK(told(b.close(104 * minute)) == Lines{"103 0 gap ? 1"});
  b.trade(2, 104 * minute + 1, 50);
  CHECK(told(b.close(105 * minute)) ==
        Lines{"101 2 repaired 0 1", "102 1 repaired 0 1", "103 1 repaired 0 1", "104 0 live 0 2"});
}

TEST_CASE("what a cut cost is counted where the feed goes on") {
  Account b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 99 * minute, 50);
  b.mark(RecordKind::lost, 100 * minute);
  b.mark(RecordKind::subscribed, 101 * minute);
  b.mark(RecordKind::hole, 101 * minute + 9, 2, 4);
  b.trade(6, 101 * minute + 9, 50);
  CHECK(told(b.close(103 * minute)) == Lines{"99 0 partial 0 1", "100 0 gap ? 1", "101 0 gap 4 2", "102 0 live 0 2"});
}

TEST_CASE("a stop writes the open bar as partial; the rest of it makes it repaired after a restart") {
  Account first;
  first.mark(RecordKind::subscribed, 99 * minute);
  first.trade(1, 99 * minute, 50);
  first.trade(2, 100 * minute, 50);
  std::vector<Row> rows;
  first.ledger.finish({100 * minute + 7}, {100 * minute + 7}, rows);
  REQUIRE(told(rows) == Lines{"99 0 partial 0 1", "100 0 partial 0 2"});

  SECTION("nothing was missed") {
    Account again;
    again.ledger.restore(0, rows.back(), sequence_id(rows.back().last_id));
    again.mark(RecordKind::subscribed, 102 * minute + 1);
    again.trade(3, 102 * minute + 2, -50);
    CHECK(told(again.close(103 * minute)) == Lines{"100 1 repaired 0 2", "101 0 repaired 0 2", "102 0 repaired 0 1"});
  }
  SECTION("trades were missed: the time in between has no rows, the next bar counts them") {
    Account again;
    again.ledger.restore(0, rows.back(), sequence_id(rows.back().last_id));
    again.mark(RecordKind::subscribed, 102 * minute + 1);
    again.mark(RecordKind::hole, 102 * minute + 2, 3, 7);
    again.trade(10, 102 * minute + 2, -50);
    CHECK(told(again.close(104 * minute)) == Lines{"102 0 gap 7 1", "103 0 live 0 1"});
  }
  SECTION("the newest trade that the exchange had when we subscribed is older: what came after it was nothing") {
    Account again(false, true);
    again.ledger.restore(0, rows.back(), sequence_id(rows.back().last_id));
    again.mark(RecordKind::subscribed, 103 * minute + 1);
    again.mark(RecordKind::hole, 101 * minute + 2, 3, 2);
    again.trade(5, 101 * minute + 2, -50);
    SECTION("and history has the others") {
      again.trade(3, 100 * minute + 9, -50);
      again.trade(4, 101 * minute + 1, -50);
      again.mark(RecordKind::verdict, 103 * minute + 2, 5, 0);
      CHECK(told(again.close(104 * minute)) ==
            // Which of the cut bar's own were counted two ids don't tell: it is made again by time.
            Lines{"100 1 gap ? 1", "101 0 repaired 0 -1", "102 0 repaired 0 -1", "103 0 repaired 0 -1"});
    }
    SECTION("and the others are not to be had") {
      again.mark(RecordKind::verdict, 103 * minute + 2, 3, 1);
      again.mark(RecordKind::verdict, 103 * minute + 2, 5, 0);
      CHECK(told(again.close(104 * minute)) ==
            Lines{"100 1 gap ? 2", "101 0 gap 2 1", "102 0 repaired 0 1", "103 0 repaired 0 1"});
    }
  }
  SECTION("history brings it one by one: each trade tells of the bars before its own") {
    Account again(false, true);
    again.ledger.restore(0, rows.back(), sequence_id(rows.back().last_id));
    again.mark(RecordKind::subscribed, 105 * minute + 1);
    again.trade(3, 101 * minute + 2, -50);
    CHECK(told(again.close(104 * minute)) == Lines{"100 1 repaired 0 2", "101 0 gap ? 1"});
    again.trade(4, 102 * minute + 2, -50);
    again.trade(5, 105 * minute + 2, -50);
    CHECK(told(again.close(106 * minute)) == Lines{"101 1 repaired 0 1", "102 0 repaired 0 0", "103 0 repaired 0 0",
                                                   "104 0 repaired 0 0", "105 0 repaired 0 -1"});
  }
  SECTION("a trade of the time when nobody ran comes with the newest: it is alone there, for all that is known") {
    Account again(false, true);
    again.ledger.restore(0, rows.back(), sequence_id(rows.back().last_id));
    again.mark(RecordKind::subscribed, 103 * minute + 1);
    again.mark(RecordKind::hole, 103 * minute + 2, 3, 7);
    again.trade(10, 103 * minute + 2, -50);
    again.trade(11, 102 * minute + 59, -50);
    CHECK(told(again.close(104 * minute)) == Lines{"102 0 gap ? 1", "103 0 gap 7 0"});
  }
  SECTION("a month later") {
    Account again;
    again.ledger.restore(0, rows.back(), sequence_id(rows.back().last_id));
    again.mark(RecordKind::subscribed, 50'000 * minute);
    again.mark(RecordKind::hole, 50'000 * minute + 2, 3, 7);
    again.trade(10, 50'000 * minute + 2, -50);
    CHECK(told(again.close(50'001 * minute)) == Lines{"50000 0 gap 7 1"});
  }
}

TEST_CASE("a stop just after a bar's end: trades of that bar may have been on their way, so it is partial too") {
  Account b;
  b.mark(RecordKind::subscribed, 98 * minute);
  b.trade(1, 98 * minute, 50);
  b.trade(2, 99 * minute, 50);
  CHECK(told(b.close(99 * minute)) == Lines{"98 0 partial 0 1"});
  std::vector<Row> rows;
  b.ledger.finish({100 * minute - 1}, {100 * minute + 1}, rows);
  CHECK(told(rows) == Lines{"99 0 partial 0 2", "100 0 partial 0 2"});
}

TEST_CASE("after a restart, a hole is measured from the last id there ever was, not only of the newest bar") {
  Account first;
  first.mark(RecordKind::subscribed, 99 * minute);
  first.trade(1, 99 * minute, 50);
  std::vector<Row> rows;
  first.ledger.finish({100 * minute + 7}, {100 * minute + 7}, rows);
  REQUIRE(told(rows) == Lines{"99 0 partial 0 1", "100 0 partial 0 1"});
  Account again;
  again.ledger.restore(0, rows.back(), 1);
  again.mark(RecordKind::subscribed, 101 * minute);
  again.trade(2, 101 * minute + 2, -50);
  CHECK(told(again.close(102 * minute)) == Lines{"100 1 repaired 0 1", "101 0 repaired 0 0"});
}

TEST_CASE("ids go on from the newest that the files know: they tell nothing of bars before it") {
  const auto row = [](std::int64_t at, BarStatus status, const char* id) {
    Row r;
    r.time = {at * minute};
    r.exchange = "test";
    r.symbol = "A";
    r.status = status;
    r.first_id = r.last_id = id;
    if (status == BarStatus::gap) r.missing = std::nullopt;
    return r;
  };
  // Nobody ran at 99 and 100, and no id of before is known.
  const std::vector rows = {row(98, BarStatus::gap, ""), row(101, BarStatus::gap, "7")};
  Account b(false, true);
  b.ledger.restore(0, rows, 7);
  b.mark(RecordKind::subscribed, 102 * minute + 1);
  b.mark(RecordKind::lost, 98 * minute, 0, 1);
  b.trade(8, 102 * minute + 2, 50);
  Lines lines;
  for (const Row& r : b.close(103 * minute)) {
    if (r.time.us < 101 * minute) lines.push_back(told({r}).front());
  }
  CHECK(lines == Lines{"99 0 gap ? 0", "100 0 gap ? 0"});
}

TEST_CASE("the first id that anybody ever heard of says nothing of the time before it") {
  Account first;
  first.mark(RecordKind::subscribed, 99 * minute);
  std::vector<Row> rows;
  first.ledger.finish({100 * minute + 7}, {100 * minute + 7}, rows);
  REQUIRE(told(rows) == Lines{"99 0 partial 0 0", "100 0 partial 0 0"});

  Account again(false, true);
  again.ledger.restore(0, rows.back(), std::nullopt);
  again.mark(RecordKind::subscribed, 102 * minute + 1);
  SECTION("the exchange told its newest trade when we subscribed, and nothing came after it") {
    again.mark(RecordKind::verdict, 102 * minute + 20, 7, 0);
    again.trade(8, 103 * minute + 2, 50);
    CHECK(told(again.close(104 * minute)) == Lines{"102 0 gap ? 0", "103 0 live 0 1"});
  }
  SECTION("… and something did, which history has") {
    again.mark(RecordKind::hole, 103 * minute + 1, 8, 2);
    again.trade(10, 103 * minute + 1, 50);
    again.trade(8, 102 * minute + 9, 50);
    again.trade(9, 103 * minute, 50);
    CHECK(told(again.close(104 * minute)) == Lines{"102 0 gap ? 1", "103 0 live 0 3"});
  }
}

TEST_CASE("event time: rows run from the first trade to the last, first and last partial") {
  Account b(true);
  b.mark(RecordKind::subscribed, 0);
  b.trade(1, 100 * minute + 3, 50);
  b.trade(2, 102 * minute + 3, 50);
  CHECK(b.ledger.event_due(seconds(2)));
  std::vector<Row> rows;
  b.ledger.close_by_event(seconds(2), rows);
  b.ledger.finish({102 * minute + 3}, {102 * minute + 3}, rows);
  CHECK(told(rows) == Lines{"100 0 partial 0 1", "101 0 live 0 1", "102 0 partial 0 2"});
}

TEST_CASE("deltas always add up to the CVD, whatever the order and the holes") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::uint64_t state = seed;
    const auto random = [&](std::uint64_t n) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return (state >> 33) % n;
    };
    Account b;
    b.mark(RecordKind::subscribed, 100 * minute);
    std::map<std::int64_t, Row> newest;
    std::uint64_t id = 0;
    std::int64_t now = 100 * minute;
    for (int step = 0; step < 300; ++step) {
      now += static_cast<std::int64_t>(random(20'000'000));
      const std::uint64_t what = random(20);
      if (what == 0) b.mark(RecordKind::lost, now);
      if (what == 1) b.mark(RecordKind::subscribed, now);
      if (what == 2) {
        b.mark(RecordKind::hole, now, id + 1, 2);
        id += 2;
      }
      b.trade(++id, now - static_cast<std::int64_t>(random(90'000'000)), random(2) == 0 ? 10 : -10);
      for (const Row& row : b.close(now - 2'000'000)) {
        const auto old = newest.find(row.time.us);
        if (old != newest.end()) REQUIRE(row.rev == old->second.rev + 1);
        newest[row.time.us] = row;
      }
    }
    Decimal sum;
    for (const auto& [time, row] : newest) {
      sum = add(sum, row.delta_base).value();
      REQUIRE(sum == row.cvd_base);
    }
  }
}

TEST_CASE("ids without an order: after a cut only a verdict tells") {
  for (const bool nothing_missing : {true, false}) {
    Account b(false, true, Ids::opaque);
    b.mark(RecordKind::subscribed, 100 * minute + 5);
    b.trade(7, 101 * minute + 1, 50);
    b.mark(RecordKind::lost, 102 * minute + 1);
    b.mark(RecordKind::subscribed, 102 * minute + 30);
    b.trade(5, 102 * minute + 40, 50);  // proves nothing, be its number what it may
    CHECK(told(b.close(103 * minute)) == Lines{"100 0 partial 0 0", "101 0 live 0 1", "102 0 gap ? 2"});
    b.mark(RecordKind::verdict, 103 * minute + 1, 0, nothing_missing ? 0 : 1);
    const auto rows = told(b.close(104 * minute));
    if (nothing_missing) {
      CHECK(rows == Lines{"102 1 repaired 0 2", "103 0 live 0 2"});
    } else {
      CHECK(rows == Lines{"103 0 live 0 2"});  // the gap stays what it is
    }
  }
}

TEST_CASE("ids without an order, and nobody who could be asked: a cut is a gap for good") {
  Account b(false, false, Ids::opaque);
  b.mark(RecordKind::subscribed, 100 * minute + 5);
  b.trade(7, 100 * minute + 6, 50);
  b.mark(RecordKind::lost, 101 * minute + 1);
  b.mark(RecordKind::subscribed, 101 * minute + 30);
  CHECK(told(b.close(102 * minute)) == Lines{"100 0 partial 0 1", "101 0 gap ? 1"});
  b.trade(8, 102 * minute + 40, 50);
  CHECK(told(b.close(103 * minute)) == Lines{"102 0 live 0 2"});
}

TEST_CASE("a trade of before a restart that comes with the first of after it does not make its bar whole") {
  for (const bool verdict_first : {true, false}) {
    Account b(false, true, Ids::opaque);
    Row newest;
    newest.time = {100 * minute};
    newest.exchange = "test";
    newest.symbol = "A";
    newest.missing = 0;
    b.ledger.restore(0, newest, std::nullopt);
    b.mark(RecordKind::subscribed, 103 * minute + 1);
    if (verdict_first) b.mark(RecordKind::verdict, 103 * minute + 2, 0, 1);
    b.trade(5, 103 * minute - 5, 50);
    CHECK(told(b.close(104 * minute)) == Lines{"102 0 gap ? 1", "103 0 gap ? 1"});
    b.mark(RecordKind::verdict, 104 * minute + 1, 0, 1);
    CHECK(told(b.close(105 * minute)) == Lines{"104 0 live 0 1"});
  }
  // The same, and history has it all.
  Account b(false, true, Ids::opaque);
  Row newest;
  newest.time = {100 * minute};
  newest.exchange = "test";
  newest.symbol = "A";
  newest.missing = 0;
  b.ledger.restore(0, newest, std::nullopt);
  b.mark(RecordKind::subscribed, 103 * minute + 1);
  b.trade(5, 103 * minute - 5, 50);
  b.mark(RecordKind::verdict, 103 * minute + 2, 0, 0);
  CHECK(told(b.close(104 * minute)) == Lines{"101 0 repaired 0 0", "102 0 repaired 0 1", "103 0 repaired 0 1"});
}

TEST_CASE("a block trade is beside the CVD and moves no price, but rows end with its id") {
  Account b;
  b.mark(RecordKind::subscribed, 99 * minute + 5);
  b.trade(1, 100 * minute + 10, 50);
  Trade block;
  block.instrument = &b.instrument;
  block.time = {100 * minute + 20};
  block.id = 2;
  block.aggressor = Aggressor::buyer;
  block.in_cvd = false;
  block.price = {70, 0};
  block.base = {3, 0};
  block.quote = {210, 0};
  b.ledger.apply(Record::from(block).value());
  const Row row = b.close(101 * minute).back();
  CHECK((row.first_id == "1" && row.last_id == "2"));
  CHECK((*row.close == Decimal{50, 0} && row.buys == 1));
  CHECK((row.other_base == Decimal{3, 0} && row.cvd_base == Decimal{1, 0}));
  // One that is numbered for itself has no place among the ids.
  block.series = Series::block;
  block.time = {101 * minute + 20};
  b.ledger.apply(Record::from(block).value());
  CHECK(b.close(102 * minute).back().last_id.empty());
}

TEST_CASE("a merged message counts its fills and covers their ids") {
  Account b;
  b.mark(RecordKind::subscribed, 99 * minute + 5);
  b.trade(1, 100 * minute + 10, 50);
  b.mark(RecordKind::hole, 100 * minute + 30, 2, 4);
  Trade merged;
  merged.instrument = &b.instrument;
  merged.time = {100 * minute + 20};
  merged.id = 5;
  merged.fills = 4;
  merged.merged = true;
  merged.aggressor = Aggressor::buyer;
  merged.price = {50, 0};
  merged.base = {4, 0};
  merged.quote = {200, 0};
  b.ledger.apply(Record::from(merged).value());
  const Row row = b.close(101 * minute).back();
  CHECK((row.status == BarStatus::live && row.missing == 0));  // closed before anybody had read of it
  CHECK((row.buys == 5 && row.first_id == "1" && row.last_id == "5"));
}

namespace {
// Bought and sold as given, at price 10.
Candle candle(std::int64_t at, std::int64_t bought, std::int64_t sold) {
  const Decimal ten{10, 0};
  return {{at * minute},   ten, ten, ten, ten, 7, {bought + sold, 0}, {(bought + sold) * 10, 0}, {bought, 0},
          {bought * 10, 0}};
}
}  // namespace

TEST_CASE("bars are made again of all their trades, and told if that makes a difference") {
  for (const bool same : {true, false}) {
    Account b(false, true);
    b.mark(RecordKind::subscribed, 99 * minute);
    b.trade(1, 100 * minute + 1, 50);
    b.trade(2, 100 * minute + 2, 50);
    b.trade(3, 101 * minute + 2, 50);
    CHECK(told(b.close(102 * minute)) == Lines{"99 0 partial 0 0", "100 0 live 0 2", "101 0 live 0 3"});
    b.mark(RecordKind::remake, 100 * minute, 2, minute);
    b.again(1, 100 * minute + 1, same ? 50 : -50);
    CHECK(told(b.close(103 * minute)) == Lines{"102 0 live 0 3"});
    b.again(2, 100 * minute + 2, 50);
    const Lines changed{"100 1 repaired 0 0", "101 1 live 0 1", "102 1 live 0 1", "103 0 live 0 1"};
    CHECK(told(b.close(104 * minute)) == (same ? Lines{"103 0 live 0 3"} : changed));
  }
}

TEST_CASE("what comes while bars are made again is in them; what was in doubt of them is settled") {
  Account b(false, true);
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  b.trade(2, 101 * minute + 1, 50);
  b.mark(RecordKind::contradicted, 100 * minute, 0, 2 * minute - 1);
  CHECK(told(b.close(102 * minute)) == Lines{"99 0 partial 0 0", "100 0 gap ? 1", "101 0 gap ? 2"});
  b.mark(RecordKind::remake, 100 * minute, 2, 2 * minute);
  b.again(1, 100 * minute + 1, 50);
  b.trade(3, 101 * minute + 5, 50);  // a late one
  b.again(2, 101 * minute + 1, 50);
  CHECK(told(b.close(103 * minute)) == Lines{"100 1 repaired 0 1", "101 1 repaired 0 3", "102 0 live 0 3"});
  // A quiet one, made again of nothing; and what is not what was announced changes nothing.
  b.mark(RecordKind::contradicted, 102 * minute);
  CHECK(told(b.close(104 * minute)) == Lines{"102 1 gap ? 3", "103 0 live 0 3"});
  b.mark(RecordKind::remake, 102 * minute, 1, minute);
  b.again(9, 103 * minute, 50);
  CHECK(told(b.close(105 * minute)) == Lines{"104 0 live 0 3"});
  b.mark(RecordKind::remake, 102 * minute, 0, minute);
  CHECK(told(b.close(106 * minute)) == Lines{"102 2 repaired 0 3", "105 0 live 0 3"});
  // No longer in memory: what comes again is passed over.
  (void)b.close(700 * minute);
  b.mark(RecordKind::remake, 100 * minute, 1, minute);
  b.again(1, 100 * minute + 1, 50);
  CHECK(told(b.close(701 * minute)) == Lines{"700 0 live 0 3"});
}

TEST_CASE("a trade that belongs to a whole row of an earlier run makes it a gap: the row may have counted it") {
  Account b(false, true, Ids::sequence, true);
  std::vector<Row> rows(2);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].time = {static_cast<std::int64_t>(100 + i) * minute};
    rows[i].exchange = "test";
    rows[i].symbol = "A";
    rows[i].status = BarStatus::live;
    rows[i].missing = 0;
    rows[i].first_id = rows[i].last_id = std::to_string(i + 1);
  }
  b.ledger.restore(0, rows, 2);
  b.mark(RecordKind::subscribed, 102 * minute + 1);
  b.mark(RecordKind::watched, 103 * minute);
  b.trade(3, 101 * minute + 50, 50);
  const auto lines = told(b.close(103 * minute));
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front() == "101 1 gap ? 0");
  b.mark(RecordKind::remake, 101 * minute, 1, minute);
  b.again(3, 101 * minute + 50, 50);
  b.mark(RecordKind::watched, 104 * minute);
  CHECK(told(b.close(104 * minute)).front() == "101 2 repaired 0 1");
}

TEST_CASE("candles: a new instrument's rows wait for its past and go on from it") {
  for (const bool whole : {true, false}) {
    Account b(false, true);
    b.ledger.hold(0);
    b.mark(RecordKind::subscribed, 103 * minute + 5);
    b.trade(9, 103 * minute + 10, 50);
    CHECK(b.close(105 * minute).empty());
    b.trade(8, 103 * minute + 2, 50);
    b.ledger.give_candles(0, {candle(101, 5, 2), candle(102, 0, 0)});
    b.mark(RecordKind::candles, whole ? 103 * minute : 0);
    const auto past = b.ledger.take_ready();
    CHECK(told(past) == Lines{"101 0 history 0 3", "102 0 history 0 3"});
    CHECK((past[0].buy_quote == Decimal{50, 0} && past[0].sell_base == Decimal{2, 0} && past[0].first_id.empty()));
    CHECK(*past[1].open == Decimal{10, 0});
    CHECK(told(b.close(105 * minute)) == Lines{whole ? "103 0 repaired 0 5" : "103 0 partial 0 5", "104 0 live 0 5"});
  }
}

TEST_CASE("candles: after a long absence the cut bar is told again, and the CVD goes on") {
  Account b(false, true);
  Row newest;
  newest.time = {100 * minute};
  newest.exchange = "test";
  newest.symbol = "A";
  newest.status = BarStatus::partial;
  newest.rev = 1;
  newest.buys = 1;
  newest.open = newest.high = newest.low = newest.close = Decimal{10, 0};
  newest.buy_base = newest.delta_base = Decimal{4, 0};
  newest.cvd_base = Decimal{50, 0};
  newest.first_id = newest.last_id = "7";
  newest.missing = 0;
  b.ledger.restore(0, newest, 7);
  b.ledger.hold(0);
  b.mark(RecordKind::subscribed, 1000 * minute + 5);
  b.trade(99, 1000 * minute + 6, 50);
  b.ledger.give_candles(0, {candle(100, 6, 1), candle(101, 2, 0)});
  b.mark(RecordKind::candles, 1000 * minute);
  CHECK(told(b.ledger.take_ready()) == Lines{"100 2 history 0 51", "101 0 history 0 53"});
  CHECK(told(b.close(1001 * minute)) == Lines{"1000 0 repaired 0 54"});
}

TEST_CASE("candles: bars inside a hole come from them, its ends from trades") {
  Account b(false, true);
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  b.mark(RecordKind::lost, 100 * minute + 2);
  (void)b.close(103 * minute);
  b.mark(RecordKind::subscribed, 103 * minute + 30);
  b.mark(RecordKind::hole, 103 * minute + 31, 2, 20);
  b.trade(22, 103 * minute + 31, 50);
  b.trade(2, 100 * minute + 3, 50);
  b.trade(21, 103 * minute + 1, 50);
  b.ledger.give_candles(0, {candle(101, 5, 2), candle(102, 1, 4)});
  b.mark(RecordKind::candles, 104 * minute, 3, 18);
  CHECK(told(b.close(104 * minute)) ==
        Lines{"100 1 repaired 0 2", "101 1 history 0 5", "102 1 history 0 2", "103 0 repaired 0 4"});
}

TEST_CASE("candles that don't come: the rows begin without them, in bounded memory") {
  Account b(false, true);
  b.ledger.hold(0);
  b.mark(RecordKind::subscribed, 1000 * minute + 5);
  CHECK(b.close(1200 * minute).empty());
  CHECK(b.close(1242 * minute).size() == 242);
  CHECK(b.ledger.take_errors().size() == 1);
}

TEST_CASE("a bar is a gap until somebody has watched beyond its end, or ids go on") {
  for (const Ids ids : {Ids::sequence, Ids::opaque}) {
    Account b(false, true, ids, true);
    b.mark(RecordKind::subscribed, 99 * minute);
    b.trade(1, 99 * minute + 1, 50);
    b.mark(RecordKind::watched, 100 * minute);
    CHECK(told(b.close(100 * minute)) == Lines{"99 0 partial 0 1"});
    b.mark(RecordKind::watched, 101 * minute - 1);
    CHECK(told(b.close(101 * minute)) == Lines{"100 0 gap ? 1"});
    b.mark(RecordKind::watched, 102 * minute + 2);
    CHECK(told(b.close(102 * minute)) == Lines{"101 0 live 0 1"});  // what was a gap takes more than that
    // A trade of later: of ids in order it says that there was nothing else, of others nothing.
    b.trade(2, 103 * minute + 1, 50);
    const bool tells = ids == Ids::sequence;
    CHECK(told(b.close(103 * minute)) ==
          (tells ? Lines{"100 1 repaired 0 1", "102 0 live 0 1"} : Lines{"102 0 gap ? 1"}));
    b.mark(RecordKind::watched, 103 * minute);
    (void)b.close(103 * minute);
    b.mark(RecordKind::watched, 103 * minute - 5, 0, 1);  // said too early: it lags
    CHECK(told(b.close(103 * minute)).empty());
    // It ends, and nobody vouches any more.
    b.mark(RecordKind::unsubscribed, 105 * minute + 1);
    const auto rows = told(b.close(106 * minute));
    REQUIRE(rows.size() == 3);
    CHECK(rows[1] == "104 0 gap ? 2");
    CHECK(rows[2] == "105 0 partial 0 2");
  }
}

TEST_CASE("what was lost for a while alone is known by the next id, or by a verdict") {
  Account b(false, true, Ids::sequence, true);
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  b.mark(RecordKind::watched, 101 * minute);
  b.mark(RecordKind::lost, 101 * minute - 5, 0, 10);
  CHECK(told(b.close(101 * minute)) == Lines{"99 0 partial 0 0", "100 0 gap ? 1"});
  b.mark(RecordKind::watched, 102 * minute);
  CHECK(told(b.close(102 * minute)) == Lines{"101 0 gap ? 1"});
  b.trade(2, 102 * minute + 1, 50);
  b.mark(RecordKind::watched, 103 * minute);
  CHECK(told(b.close(103 * minute)) == Lines{"100 1 repaired 0 1", "101 1 repaired 0 1", "102 0 live 0 2"});
}

TEST_CASE("a contradiction makes a gap of a written row, and the exchange's own figures make it whole again") {
  Account b(false, true, Ids::sequence, true);
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  b.trade(2, 101 * minute + 1, 50);
  b.mark(RecordKind::watched, 102 * minute);
  CHECK(told(b.close(102 * minute)) == Lines{"99 0 partial 0 0", "100 0 live 0 1", "101 0 live 0 2"});
  b.mark(RecordKind::contradicted, 100 * minute + 7);
  b.mark(RecordKind::watched, 103 * minute);
  CHECK(told(b.close(103 * minute)) == Lines{"100 1 gap ? 1", "102 0 live 0 2"});
  b.mark(RecordKind::proven, 99 * minute, 0, 2 * minute);
  b.mark(RecordKind::watched, 104 * minute);
  CHECK(told(b.close(104 * minute)) == Lines{"99 1 repaired 0 0", "100 2 repaired 0 1", "103 0 live 0 2"});
  // Contradicted over several bars; a trade that comes after the proof takes it away.
  b.mark(RecordKind::contradicted, 102 * minute, 0, 61'000'000);
  b.trade(3, 100 * minute + 9, 50);
  b.mark(RecordKind::watched, 105 * minute);
  CHECK(told(b.close(105 * minute)) ==
        Lines{"100 3 gap ? 2", "101 1 live 0 3", "102 1 gap ? 3", "103 1 gap ? 3", "104 0 live 0 3"});
}

TEST_CASE(
    "a hole after a cut may lie in any bar that nobody watched, and of unknown size in any since the last trade") {
  Account b(false, true, Ids::sequence, true);
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(1, 100 * minute + 1, 10);
  b.mark(RecordKind::lost, 101 * minute + 5);
  b.mark(RecordKind::subscribed, 101 * minute + 9);  // connected again, and mute
  CHECK(told(b.close(104 * minute)) == Lines{"100 0 partial 0 1", "101 0 gap ? 1", "102 0 gap ? 1", "103 0 gap ? 1"});
  b.mark(RecordKind::hole, 104 * minute + 10, 2, 3);
  b.trade(5, 104 * minute + 10, 10);
  b.mark(RecordKind::watched, 105 * minute);
  CHECK(told(b.close(105 * minute)) == Lines{"104 0 gap 3 2"});  // the others are what they were
  b.trade(2, 102 * minute, 10);
  b.trade(3, 103 * minute, 10);
  b.trade(4, 103 * minute + 1, 10);
  b.trade(6, 105 * minute, 10);  // ids go on, so that 104 is whole for good
  CHECK(told(b.close(105 * minute)) ==
        Lines{"101 1 repaired 0 1", "102 1 repaired 0 2", "103 1 repaired 0 4", "104 1 repaired 0 5"});
  Account anew(false, true, Ids::sequence, true);
  anew.mark(RecordKind::subscribed, 100 * minute);
  anew.trade(7, 101 * minute + 1, 10);
  anew.mark(RecordKind::watched, 104 * minute);
  CHECK(told(anew.close(104 * minute)) ==
        Lines{"100 0 partial 0 0", "101 0 live 0 1", "102 0 live 0 1", "103 0 live 0 1"});
  anew.mark(RecordKind::lost, 104 * minute + 1);
  anew.mark(RecordKind::subscribed, 104 * minute + 2);
  anew.mark(RecordKind::hole, 104 * minute + 9, 0, 0);  // numbers begin anew
  anew.trade(3, 104 * minute + 9, 10);
  anew.mark(RecordKind::watched, 105 * minute);
  CHECK(told(anew.close(105 * minute)) == Lines{"101 1 gap ? 1", "102 1 gap ? 1", "103 1 gap ? 1", "104 0 gap ? 2"});
}

TEST_CASE("a trade that is missing just behind a bar's end may be of it: times and ids change places") {
  Account b(false, true, Ids::sequence, true);
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 101 * minute - 500'000, 10);
  b.mark(RecordKind::hole, 101 * minute + 200'000, 2, 1);
  b.trade(3, 101 * minute + 200'000, 10);
  b.mark(RecordKind::watched, 101 * minute + 200'000);
  CHECK(told(b.close(101 * minute)) == Lines{"99 0 partial 0 0", "100 0 gap ? 1"});
  b.trade(2, 101 * minute - 100'000, 10);
  b.mark(RecordKind::watched, 102 * minute);
  CHECK(told(b.close(102 * minute)) == Lines{"100 1 repaired 0 2", "101 0 live 0 3"});
}

TEST_CASE("the bar in which a killed run's successor begins to listen is made again by time, like those before it") {
  Account first;
  std::vector<Row> rows;
  for (std::int64_t m = 98; m < 100; ++m) {
    Row row;
    row.time = {m * minute};
    row.status = BarStatus::live;
    row.missing = 0;
    row.buys = 1;
    row.buy_base = row.delta_base = {1, 0};
    row.cvd_base = {m - 97, 0};
    row.first_id = row.last_id = std::to_string(m);
    rows.push_back(row);
  }
  for (const std::int64_t after : {5, 10}) {
    Account again(false, true);
    again.ledger.restore(0, rows, 99);
    again.mark(RecordKind::subscribed, (100 * 60 + after) * 1'000'000);
    again.trade(100, (100 * 60 + after + 1) * 1'000'000, 50);
    // Trades with lower ids may have been made in this bar, and were lost with the process: only time can tell.
    CHECK(told(again.close(101 * minute)).back() == "100 0 gap ? 3");
  }
}

TEST_CASE("a doubt of a time far ahead takes no memory for the bars up to there") {
  Account a(false, true);
  a.mark(RecordKind::subscribed, 100 * minute);
  a.trade(1, 100 * minute + 1, 50);
  const std::size_t before = ::mallinfo2().uordblks;
  for (const std::int64_t ahead : {90'000, 99'000, 50'000'000}) {
    a.mark(RecordKind::contradicted, (100 + ahead) * minute);
  }
  CHECK(::mallinfo2().uordblks - before < std::size_t{1} << 20);  // it was 60 MiB
  // What is near is in doubt as ever.
  a.mark(RecordKind::contradicted, 102 * minute);
  CHECK(told(a.close(104 * minute)) == Lines{"100 0 partial 0 1", "101 0 live 0 1", "102 0 gap ? 1", "103 0 live 0 1"});
}
