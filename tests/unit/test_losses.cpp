// What a row may say while something is missing, through repairs that take their time, removals and quiet hours: the
// bars as the daemon keeps them, with history to ask and somebody who watches.
#include "account.hpp"
#include "catch.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
struct Watched : Account {
  Watched() : Account(false, true, Ids::sequence, true) {}
  // The connection vouches for all bars up to this minute, and they are closed.
  Lines watch(std::int64_t at) {
    mark(RecordKind::watched, at * minute);
    return told(close(at * minute));
  }
};
// Of a bar's rows the last one, without its CVD.
std::string last_of(const Lines& rows, std::int64_t at) {
  std::string out;
  for (const std::string& row : rows) {
    if (row.starts_with(std::to_string(at) + " ")) out = row.substr(0, row.rfind(' '));
  }
  return out;
}
}  // namespace

TEST_CASE("removed after a cut, before an id told what that cost: who is added again begins with no live bar") {
  Watched b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(1, 100 * minute + 1, 50);
  (void)b.watch(101);
  b.mark(RecordKind::lost, 101 * minute + 1);
  b.mark(RecordKind::subscribed, 101 * minute + 5'000'000);
  CHECK(last_of(b.watch(102), 101) == "101 0 gap ?");
  b.mark(RecordKind::unsubscribed, 103 * minute + 10);
  (void)b.close(104 * minute);
  CHECK(b.close(108 * minute).empty());
  // Ids 2 and 3 were made before it was subscribed to again, in the bar that it begins in.
  b.mark(RecordKind::subscribed, 108 * minute + 30'000'000);
  Lines rows = b.watch(109);
  CHECK(last_of(rows, 108) == "108 0 gap ?");
  (void)b.watch(110);
  b.mark(RecordKind::hole, 110 * minute + 1'000'000, 2, 2);
  b.trade(4, 110 * minute + 1'000'000, 50);
  rows = b.watch(111);
  CHECK(last_of(rows, 110) == "110 0 gap 2");
  // Of what is written nothing becomes whole before ids or history say so.
  for (const std::string& row : rows) CHECK(row.find("repaired") == std::string::npos);
  b.trade(2, 108 * minute + 10, 50);
  b.trade(3, 108 * minute + 11, 50);
  b.trade(5, 111 * minute + 1, 50);
  rows = b.watch(112);
  CHECK(last_of(rows, 110).ends_with("repaired 0"));
  CHECK(rows.back() == "111 0 live 0 5");
}

TEST_CASE("where nobody asks what a cut cost, its bar is a gap, also if nothing was traded in it before") {
  Account b(false, false, Ids::opaque, true);
  const auto watch = [&](std::int64_t at) {
    b.mark(RecordKind::watched, at * minute);
    return told(b.close(at * minute));
  };
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(0, 100 * minute + 1, 50);
  (void)watch(101);
  b.mark(RecordKind::lost, 101 * minute + 30'000'000);
  b.mark(RecordKind::subscribed, 101 * minute + 40'000'000);
  b.mark(RecordKind::verdict, 101 * minute + 40'000'000, 0, 1);
  b.trade(0, 101 * minute + 50'000'000, 50);
  CHECK(last_of(watch(102), 101) == "101 0 gap ?");
  b.trade(0, 102 * minute + 1, 50);
  CHECK(last_of(watch(103), 102) == "102 0 live 0");
}

TEST_CASE("numbers begun anew trouble no later cut: each cut concerns its own bars") {
  Watched b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(50'000'000, 100 * minute + 1, 50);
  (void)b.watch(101);
  b.mark(RecordKind::hole, 101 * minute, 0, 0);
  b.trade(1, 101 * minute + 1, 50);
  b.trade(2, 102 * minute + 1, 50);
  CHECK(last_of(b.watch(103), 101) == "101 0 gap ?");
  for (const std::int64_t cut : {103, 112}) {
    const std::uint64_t next = cut == 103 ? 3 : 12;
    b.mark(RecordKind::lost, cut * minute + 1);
    b.mark(RecordKind::subscribed, cut * minute + 5'000'000);
    b.trade(next, cut * minute + 6'000'000, 50);
    b.mark(RecordKind::verdict, cut * minute + 7'000'000, next, 0);
    // It was over before its bar was told of, and its ids go on: nothing was missed.
    const Lines rows = b.watch(cut + 1);
    CAPTURE(rows);
    CHECK(last_of(rows, cut) == std::to_string(cut) + " 0 live 0");
    if (cut == 112) break;
    for (std::int64_t i = 0; i < 8; ++i) {
      b.trade(static_cast<std::uint64_t>(4 + i), (104 + i) * minute + 1, 50);
      CHECK(last_of(b.watch(105 + i), 104 + i) == std::to_string(104 + i) + " 0 live 0");
    }
  }
}

TEST_CASE("deaf for twenty quiet minutes: what ids tell of in the end goes to its own bars") {
  Watched b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  Lines rows;
  for (std::int64_t at = 101; at <= 120; ++at) rows = b.watch(at);
  CHECK(rows == Lines{"119 0 live 0 1"});
  b.mark(RecordKind::hole, 120 * minute + 5'000'000, 2, 2);
  b.trade(4, 120 * minute + 5'000'000, 50);
  rows = b.watch(121);
  // What was live by being watched alone is a gap at once.
  for (const std::int64_t at : {101, 103, 105, 119}) CHECK(last_of(rows, at) == std::to_string(at) + " 1 gap ?");
  CHECK(last_of(rows, 120) == "120 0 gap 2");
  b.trade(2, 103 * minute + 1, 50);
  b.trade(3, 105 * minute + 1, 50);
  b.trade(5, 121 * minute + 1, 50);
  rows = b.watch(122);
  CAPTURE(rows);
  CHECK(b.ledger.counters().too_late == 0);
  CHECK(std::find(rows.begin(), rows.end(), "103 2 repaired 0 2") != rows.end());
  CHECK(std::find(rows.begin(), rows.end(), "105 2 repaired 0 3") != rows.end());
  CHECK(std::find(rows.begin(), rows.end(), "120 1 repaired 0 4") != rows.end());
}

TEST_CASE("history of several pages: nothing is whole before the page that shows it") {
  Watched b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  (void)b.watch(101);
  b.mark(RecordKind::lost, 101 * minute + 1);
  for (std::int64_t at = 102; at <= 104; ++at) (void)b.close(at * minute);
  b.mark(RecordKind::subscribed, 104 * minute + 5'000'000);
  // The first page has ids 2 to 4 of 2 to 10, all of one bar.
  for (std::uint64_t id = 2; id <= 4; ++id) b.trade(id, 101 * minute + static_cast<std::int64_t>(id), 50);
  Lines rows = b.watch(105);
  for (const std::int64_t at : {101, 102, 103, 104}) {
    const std::string told = last_of(rows, at);
    if (!told.empty()) CHECK(told.ends_with("gap ?"));
  }
  for (std::uint64_t id = 5; id <= 10; ++id) b.trade(id, 102 * minute + static_cast<std::int64_t>(id), 50);
  b.mark(RecordKind::verdict, 105 * minute + 20'000'000, 10, 0);
  rows = b.watch(106);
  for (const std::int64_t at : {101, 102, 103, 104}) CHECK(last_of(rows, at).ends_with("repaired 0"));
  CHECK(rows.back() == "105 0 live 0 10");
}

TEST_CASE("begun by a clock that was ahead: the rows begin at the right time, while none is told") {
  Watched b;
  b.mark(RecordKind::subscribed, 105 * minute + 1);
  b.trade(1, 100 * minute + 1, 50);  // of before the first bar, for all that is known
  b.mark(RecordKind::watched, 100 * minute + 2, 0, 1);
  b.mark(RecordKind::subscribed, 100 * minute + 2);
  b.mark(RecordKind::contradicted, 100 * minute + 2);
  b.trade(2, 100 * minute + 3, 50);
  b.trade(3, 101 * minute + 3, 50);
  CHECK(b.watch(101) == Lines{"100 0 gap ? 1"});
  CHECK(b.watch(102) == Lines{"101 0 live 0 2"});
}

TEST_CASE("begun by a clock that is still ahead at the stop: no row is written of a time to come") {
  Watched b;
  b.mark(RecordKind::subscribed, 105 * minute + 1);
  std::vector<Row> rows;
  b.ledger.finish({100 * minute + 8}, {100 * minute + 10}, rows);
  CHECK(rows.empty());
}

TEST_CASE(
    "ids without order: what a page has of a bar that was cut by a removal does not make it whole, nor `partial`") {
  Account b(false, true, Ids::opaque, true);
  b.mark(RecordKind::subscribed, 99 * minute);
  b.mark(RecordKind::watched, 100 * minute + 30'000'000);
  b.trade(7, 100 * minute + 1, 50);
  b.mark(RecordKind::unsubscribed, 100 * minute + 30'000'000);
  CHECK(last_of(told(b.close(101 * minute)), 100) == "100 0 partial 0");
  b.mark(RecordKind::subscribed, 101 * minute + 30'000'000);
  b.trade(9, 100 * minute + 55'000'000, 50);
  b.mark(RecordKind::verdict, 101 * minute + 31'000'000, 0, 1);  // the page does not reach back to the end
  b.mark(RecordKind::watched, 102 * minute);
  const Lines rows = told(b.close(102 * minute));
  CHECK(last_of(rows, 100) == "100 1 gap ?");
  CHECK(last_of(rows, 101) == "101 0 gap ?");
}

TEST_CASE("the CVD was 0 before a cut bar: it is no first bar, and a trade of it counts once in the end") {
  Row quiet;
  quiet.time = {99 * minute};
  quiet.exchange = "test";
  quiet.symbol = "A";
  // Of its two trades the one with the highest id was made earlier.
  Row cut = quiet;
  cut.time = {100 * minute};
  cut.status = BarStatus::partial;
  cut.buys = 2;
  cut.open = cut.high = cut.low = cut.close = Decimal{50, 0};
  cut.buy_base = cut.delta_base = cut.cvd_base = {2, 0};
  cut.buy_quote = cut.delta_quote = cut.cvd_quote = {100, 0};
  cut.first_id = "8";
  cut.last_id = "7";
  // The only row there is may be the first there ever was.
  for (const std::vector<Row>& known : {std::vector{quiet, cut}, std::vector{cut}}) {
    CHECK(is_first_ever(known, known.back()) == (known.size() == 1));
    Watched again;
    again.ledger.restore(0, known, 7);
    again.mark(RecordKind::subscribed, 100 * minute + 40);
    again.trade(8, 100 * minute + 10, 50);
    again.trade(9, 100 * minute + 50, 50);
    CHECK(last_of(again.watch(101), 100) == "100 1 gap ?");
    again.mark(RecordKind::remake, 100 * minute, 3, minute);
    again.again(7, 100 * minute + 20, 50);
    again.again(8, 100 * minute + 10, 50);
    again.again(9, 100 * minute + 50, 50);
    CHECK(again.watch(102).front() == "100 2 repaired 0 3");
  }
}

TEST_CASE("a block trade has no place in the order of ids: it does not say where a hole begins") {
  Watched b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  (void)b.watch(101);
  Trade block = b.trade_of(77, 103 * minute + 1, 50);
  block.series = Series::block;
  block.in_cvd = false;
  (void)b.watch(103);
  b.ledger.apply(Record::from(block).value());
  (void)b.watch(104);
  b.mark(RecordKind::hole, 104 * minute + 1, 2, 1);
  b.trade(3, 104 * minute + 1, 50);
  const Lines rows = b.watch(105);
  for (const std::int64_t at : {101, 102, 103}) CHECK(last_of(rows, at) == std::to_string(at) + " 1 gap ?");
  CHECK(last_of(rows, 104) == "104 0 gap 1");
}

TEST_CASE("a hole that history shows while the connection is lost does not end the loss") {
  Watched b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  (void)b.watch(101);
  b.mark(RecordKind::lost, 101 * minute + 1);
  b.mark(RecordKind::hole, 101 * minute + 20'000'000, 2, 1);
  b.trade(3, 101 * minute + 20'000'000, 50);
  b.trade(2, 101 * minute + 10, 50);
  // What was traded between that and now nobody knows.
  b.mark(RecordKind::subscribed, 101 * minute + 40'000'000);
  CHECK(last_of(b.watch(102), 101) == "101 0 gap ?");
  b.trade(4, 102 * minute + 1, 50);
  CHECK(last_of(b.watch(103), 101) == "101 1 repaired 0");
}

TEST_CASE("a candle's ids close every hole that they reach over") {
  Watched b;
  b.mark(RecordKind::subscribed, 99 * minute);
  b.trade(1, 100 * minute + 1, 50);
  (void)b.watch(101);
  for (const std::uint64_t missing : {2U, 4U}) {
    const std::int64_t at = 101 * minute + static_cast<std::int64_t>(missing);
    b.mark(RecordKind::hole, at, missing, 1);
    b.trade(missing + 1, at, 50);
  }
  CHECK(last_of(b.watch(102), 101) == "101 0 gap 2");
  Trade merged = b.trade_of(4, 101 * minute + 1, 50);
  merged.fills = 3;
  merged.merged = true;
  merged.placeholder = true;  // its ids alone
  b.ledger.apply(Record::from(merged).value());
  b.trade(6, 102 * minute + 1, 50);
  CHECK(last_of(b.watch(103), 101) == "101 1 repaired 0");
}

TEST_CASE("ids say nothing of the time before the first of them") {
  Watched b;
  b.mark(RecordKind::subscribed, 99 * minute);
  (void)b.watch(100);
  // Mute, for all that is known, until a trade comes.
  for (std::int64_t at = 101; at <= 103; ++at) CHECK(last_of(told(b.close(at * minute)), at - 1).ends_with("gap ?"));
  b.trade(1, 103 * minute + 1, 50);
  b.trade(2, 104 * minute + 1, 50);
  const Lines rows = b.watch(105);
  for (const std::int64_t at : {100, 101, 102}) CHECK(last_of(rows, at).empty());
  CHECK(last_of(rows, 104) == "104 0 live 0");
  // The exchange's figures do.
  b.mark(RecordKind::proven, 100 * minute, 0, 3 * minute);
  CHECK(last_of(b.watch(106), 101) == "101 1 repaired 0");
}

TEST_CASE("ids that are missing behind a row that could not be read may be of the bar before it") {
  Watched b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.trade(1, 100 * minute + 1, 50);
  b.trade(2, 101 * minute + 59'900'000, 50);
  // A row of the next bar could not be read, and nobody knows its id: what was lost is of then. Ids then lack two.
  b.mark(RecordKind::lost, 102 * minute + 100'000, 0, 50'000);
  b.mark(RecordKind::hole, 102 * minute + 200'000, 3, 2);
  b.trade(5, 102 * minute + 200'000, 50);
  CHECK(last_of(b.watch(102), 101) == "101 0 gap ?");
  b.trade(3, 101 * minute + 59'950'000, 50);
  b.trade(4, 102 * minute + 100'000, 50);
  CHECK(last_of(b.watch(103), 101) == "101 1 repaired 0");
  b.trade(6, 103 * minute + 1, 50);
  CHECK(last_of(b.watch(104), 102) == "102 1 repaired 0");
}

TEST_CASE("a clock that was minutes behind puts all bars in doubt up to now, also those that are not made yet") {
  Watched b;
  b.mark(RecordKind::subscribed, 100 * minute);
  b.mark(RecordKind::contradicted, 100 * minute, 0, 300 * minute);
  b.mark(RecordKind::subscribed, 400 * minute);
  const Lines rows = b.watch(403);
  REQUIRE(rows.size() == 303);
  for (std::size_t i = 0; i <= 300; ++i) CHECK(rows[i].find(" gap ?") != std::string::npos);
  CHECK(rows[301] == "401 0 live 0 0");
}
