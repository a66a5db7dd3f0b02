// Which hole is fetched when, what a page of history means, and what the ledger makes of it.
#include <limits>

#include "catch.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/recovery/history_client.hpp"
#include "cvdd/recovery/repair_queue.hpp"

using namespace cvdd;
using namespace std::chrono_literals;
using Next = RepairProgress::Next;

namespace {
const RepairQueue::Time t0{1000h};
Instrument instrument_of(std::uint32_t id) {
  Instrument i;
  i.exchange = "test";
  i.symbol = "S" + std::to_string(id);
  i.id = id;
  return i;
}
HistoryPage page_of(std::uint64_t first, std::uint64_t last) {
  HistoryPage page;
  for (std::uint64_t id = first; id <= last; ++id) page.trades.emplace_back().id = id;
  return page;
}
}  // namespace

TEST_CASE("the newest hole that is due comes first; a failed one waits, and is given up in the end") {
  const Instrument a = instrument_of(0);
  RepairQueue queue;
  CHECK_FALSE(queue.next_due());
  REQUIRE(queue.add({&a, 10, 20, t0, 0}));
  REQUIRE(queue.add({&a, 50, 60, t0, 0}));
  REQUIRE(queue.add({&a, 90, 99, t0 + 5s, 0}));
  CHECK(queue.next_due() == t0);
  CHECK_FALSE(queue.take(t0 - 1s));
  Repair newest = queue.take(t0).value();
  CHECK(newest.first == 50);
  REQUIRE(queue.again(newest, t0));
  CHECK(queue.take(t0).value().first == 10);
  CHECK_FALSE(queue.take(t0 + 1s));
  CHECK(queue.take(t0 + 2s).value().attempts == 1);
  newest.attempts = static_cast<unsigned>(RepairQueue::pauses.size());
  CHECK_FALSE(queue.again(newest, t0));
}

TEST_CASE("a page begins where it also holds older holes of the same instrument") {
  const Instrument a = instrument_of(0), b = instrument_of(1);
  RepairQueue queue;
  REQUIRE(queue.add({&a, 100, 110, t0, 0}));
  REQUIRE(queue.add({&a, 900, 910, t0, 0}));
  REQUIRE(queue.add({&b, 1'500, 1'510, t0, 0}));
  const Repair repair{&a, 1'600, 1'650, t0, 0};
  CHECK(queue.best_begin(repair, 1'000).first == 900);
  CHECK(queue.best_begin(repair, 2'000).first == 100);
  CHECK(queue.best_begin(repair, 100).first == 1'600);
  CHECK(queue.best_begin({&a, 1'600, 9'000, t0, 0}, 1'000).first == 1'600);  // all of the page is needed for itself
}

TEST_CASE("what a page means for its hole") {
  const Instrument a = instrument_of(0);
  const Repair hole{&a, 100, 199, t0, 0};
  CHECK(judge_page(hole, page_of(100, 250), 1'000).next == Next::done);
  CHECK(judge_page(hole, page_of(100, 149), 50).next == Next::more);
  CHECK(judge_page(hole, page_of(100, 149), 50).first == 150);
  CHECK(judge_page(hole, page_of(100, 149), 1'000).next == Next::later);  // the exchange is late itself
  CHECK(judge_page(hole, {}, 1'000).next == Next::later);
  const Repair check{&a, 100, 0, t0, 0};
  CHECK(judge_page(check, {}, 1'000).next == Next::done);  // nothing was traded
  CHECK(judge_page(check, page_of(100, 120), 1'000).next == Next::done);
  CHECK(judge_page(check, page_of(100, 149), 50).next == Next::more);
}

TEST_CASE("a row that can't be read was there: nothing more is to be had of it, and others go on") {
  const Instrument a = instrument_of(0);
  const Repair hole{&a, 100, 149, t0, 0};
  HistoryPage page = page_of(100, 148);
  page.refused.push_back({149, {}, Refusal::bad_number});
  CHECK(judge_page(hole, page, 1'000).next == Next::done);
  page.refused.back().id = 0;  // of nobody knows which
  CHECK(judge_page(hole, page, 1'000).next == Next::later);
  page.refused.back().id = 90;
  page.trades.clear();
  CHECK(judge_page(hole, page, 1'000).next == Next::later);
  // A full page of which one row can't be read is full.
  page = page_of(100, 147);
  page.refused.push_back({148, {}, Refusal::bad_field});
  CHECK((judge_page(hole, page, 49).next == Next::more && judge_page(hole, page, 49).first == 149));
}

TEST_CASE("a page that is cut at its old end is asked for again, for as many rows as it gives") {
  const Instrument a = instrument_of(0);
  const Repair hole{&a, 1'000, 1'002, t0, 0};
  const RepairProgress cut = judge_page(hole, page_of(1'400, 1'499), 1'000, false);
  CHECK((cut.next == Next::cut && cut.first == 1'000 && cut.rows == 100));
  Repair again = hole;
  again.rows = cut.rows;
  CHECK(judge_page(again, page_of(1'000, 1'099), 100, false).next == Next::done);
  CHECK(judge_page(again, page_of(1'000, 1'099), 100, false).rows == 100);
  // Where a short page is the end, what is older is not there.
  CHECK(judge_page(hole, page_of(1'400, 1'499), 1'000).next == Next::done);
  // A beginning that is not there at all ends the asking: pages get shorter, or full.
  CHECK(judge_page(again, page_of(1'001, 1'099), 100, false).next == Next::cut);
  again.rows = 99;
  CHECK(judge_page(again, page_of(1'001, 1'099), 99, false).next == Next::done);
}

TEST_CASE("a page that begins at a moment may end before the hole does, and goes on then") {
  const Instrument a = instrument_of(0);
  Repair hole{&a, 100, 149, t0, 0};
  CHECK(judge_page(hole, page_of(40, 89), 50).next == Next::later);
  hole.since = {1};
  CHECK(
      (judge_page(hole, page_of(40, 89), 50).next == Next::more && judge_page(hole, page_of(40, 89), 50).first == 100));
  CHECK(judge_page(hole, page_of(40, 89), 1'000).next == Next::later);  // there is no more yet
  CHECK(judge_page(hole, page_of(60, 109), 50).first == 110);
}

namespace {
constexpr std::int64_t minute = 60'000'000;

struct Repaired {
  Repaired() : ledger({seconds(60), false, true}), instrument(instrument_of(0)) { ledger.add_instrument(instrument); }
  void mark(RecordKind kind, std::int64_t us, std::uint64_t id = 0, std::uint64_t count = 0) {
    ledger.apply(Record::mark(kind, 0, {us}, id, count));
  }
  void trade(std::uint64_t id, std::int64_t us) {
    Trade t;
    t.instrument = &instrument;
    t.id = id;
    t.time = {us};
    t.aggressor = Aggressor::buyer;
    t.price = {100, 0};
    t.base = {1, 0};
    t.quote = {100, 0};
    ledger.apply(Record::from(t).value());
  }
  std::vector<std::string> close(std::int64_t us) {
    std::vector<Row> rows;
    ledger.close({us}, rows);
    std::vector<std::string> out;
    for (const Row& r : rows) {
      out.push_back(std::to_string(r.time.us / minute) + " " + std::to_string(r.rev) + " " +
                    std::string(name_of(r.status)) + " " + to_string(r.cvd_base));
    }
    return out;
  }
  Ledger ledger;
  Instrument instrument;
};
using Lines = std::vector<std::string>;
}  // namespace

TEST_CASE("a hole that is filled from history makes its bars repaired, and moves every CVD after them") {
  Repaired r;
  r.mark(RecordKind::subscribed, 99 * minute);
  r.trade(1, 99 * minute);
  r.trade(2, 100 * minute);
  r.mark(RecordKind::lost, 100 * minute + 30'000'000);
  CHECK(r.close(101 * minute) == Lines{"99 0 partial 1", "100 0 gap 2"});
  r.mark(RecordKind::subscribed, 101 * minute + 5);
  r.mark(RecordKind::hole, 101 * minute + 9, 3, 2);
  r.trade(5, 101 * minute + 9);
  r.trade(6, 102 * minute);
  CHECK(r.close(103 * minute) == Lines{"101 0 gap 3", "102 0 live 4"});
  r.trade(3, 100 * minute + 40'000'000);
  r.trade(4, 101 * minute + 1);
  CHECK(r.close(104 * minute) == Lines{"100 1 repaired 3", "101 1 repaired 5", "102 1 live 6", "103 0 live 6"});
}

TEST_CASE("what the history does not have stays missing, and the bars may go") {
  Repaired r;
  r.mark(RecordKind::subscribed, 99 * minute);
  r.trade(1, 99 * minute);
  r.mark(RecordKind::hole, 100 * minute, 2, 3);
  r.trade(5, 100 * minute);
  CHECK(r.close(101 * minute) == Lines{"99 0 gap 1", "100 0 gap 2"});
  r.trade(3, 100 * minute - 1);
  r.mark(RecordKind::verdict, 100 * minute, 4, 1);
  CHECK(r.close(102 * minute) == Lines{"99 1 gap 2", "100 1 gap 3", "101 0 live 3"});
}

TEST_CASE("nothing heard after a cut, and the history has nothing either: the quiet bars are repaired") {
  Repaired r;
  r.mark(RecordKind::subscribed, 99 * minute);
  r.trade(1, 99 * minute);
  r.mark(RecordKind::lost, 100 * minute);
  r.mark(RecordKind::subscribed, 101 * minute);
  CHECK(r.close(102 * minute) == Lines{"99 0 partial 1", "100 0 gap 1", "101 0 gap 1"});
  r.mark(RecordKind::verdict, 102 * minute, 1, 0);
  CHECK(r.close(103 * minute) == Lines{"100 1 repaired 1", "101 1 repaired 1", "102 0 live 1"});
}

TEST_CASE("bars of the time when nobody ran are told of when all of them is known, and are in no CVD before") {
  Repaired first;
  first.mark(RecordKind::subscribed, 99 * minute);
  first.trade(1, 99 * minute);
  std::vector<Row> rows;
  first.ledger.finish({99 * minute + 7}, {99 * minute + 7}, rows);
  REQUIRE(rows.size() == 1);
  Repaired again;
  again.ledger.restore(0, rows.back(), 1);
  again.mark(RecordKind::subscribed, 102 * minute);
  again.mark(RecordKind::hole, 102 * minute + 2, 2, 2);
  again.trade(4, 102 * minute + 2);
  CHECK(again.close(103 * minute) == Lines{"102 0 gap 2"});
  again.trade(2, 99 * minute + 30'000'000);
  // Whether the cut bar's row has all that was traded in it before nobody knows: it is to be made again by time.
  CHECK(again.close(104 * minute) == Lines{"99 1 gap 2", "102 1 gap 3", "103 0 live 3"});
  again.trade(3, 101 * minute);
  CHECK(again.close(105 * minute) ==
        Lines{"100 0 repaired 2", "101 0 repaired 3", "102 2 repaired 4", "103 1 live 4", "104 0 live 4"});
}

TEST_CASE("history goes through the same sequencer: what was seen counts once") {
  Instrument i = instrument_of(0);
  i.exchange = "binance";
  Intake intake(*find_exchange("binance", Market::spot), false);
  intake.add(i);
  intake.resume_after(i, Series::aggregate, 10, {});
  std::vector<Trade> page = page_of(9, 13).trades;
  for (Trade& t : page) {
    t.instrument = &i;
    t.time = {1'763'675'700'000'000};
    t.price = t.base = t.quote = Decimal{1, 0};
  }
  std::vector<Record> out;
  intake.take_history(page, out);
  CHECK(out.size() == 3);  // 11, 12, 13
  intake.take_history(page, out);
  CHECK(out.size() == 3);
  CHECK(intake.last_id(i) == 13);
  CHECK_FALSE(intake.waits_for(i, 1, 13));
}

TEST_CASE(
    "what waits to be fetched of an instrument that is forgotten is wanted no more, and its questions come back") {
  const Instrument left, stays;
  RepairQueue queue;
  Repair question{&left, 1, 0, t0, 0};
  question.question = true;
  CHECK((queue.add({&left, 5, 9, t0, 0}) && queue.add(question) && queue.add({&stays, 5, 9, t0, 0})));
  CHECK(queue.forget(left) == 1);
  CHECK((queue.size() == 1 && !queue.has(left) && queue.has(stays)));
  CHECK(queue.forget(left) == 0);
  const auto next = queue.take(t0);
  REQUIRE(next);
  CHECK((next->instrument == &stays && !queue.take(t0)));
}

TEST_CASE("history tells of no trades that are still to come: each would make bars up to there") {
  HistoryPage page = page_of(1, 4);
  const Timestamp now{1'800'000'000'000'000};
  for (Trade& trade : page.trades) trade.time = now;
  page.trades[1].time = now + Intake::ahead_max;
  page.trades[2].time = now + Intake::ahead_max + Duration{1};
  page.trades[3].time = {std::numeric_limits<std::int64_t>::max() / 2};
  refuse_future(page, now);
  CHECK(page.rows() == 4);
  REQUIRE((page.trades.size() == 2 && page.trades[1].id == 2));
  REQUIRE(page.refused.size() == 2);
  CHECK((page.refused[0].id == 3 && page.refused[1].why != Refusal::none));
}
