// One instrument's life in a ledger: begun, ended, begun again, stopped.
#include "catch.hpp"
#include "cvdd/ledger/account.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp at(std::int64_t minutes, std::int64_t us = 0) { return {minutes * 60'000'000 + us}; }

struct Life {
  explicit Life(LedgerOptions options = {seconds(60), false, true, false}) {
    instrument.exchange = "test";
    instrument.symbol = "A";
    account = Account(options, &instrument, 3);
  }
  bool trade(std::uint64_t id, Timestamp time, Decimal base = {1, 0}) {
    Trade t;
    t.instrument = &instrument;
    t.time = time;
    t.id = id;
    t.aggressor = Aggressor::buyer;
    t.price = {1, 0};
    t.base = t.quote = base;
    return account.trade(Record::from(t).value(), out);
  }
  // "minute rev status cvd" of the rows that are due.
  std::string close(std::int64_t minutes) {
    std::vector<Row> rows;
    account.close(at(minutes), out, rows);
    return told(rows);
  }
  static std::string told(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& r : rows) {
      text += std::to_string(r.time.us / 60'000'000) + " " + std::to_string(r.rev) + " " +
              std::string(name_of(r.status)) + " " + to_string(r.cvd_base) + "; ";
    }
    return text;
  }
  Instrument instrument;
  Account account;
  LedgerOutput out;
};
}  // namespace

TEST_CASE("account: nobody's until it has an instrument") {
  CHECK_FALSE(Account().known());
  Life life;
  CHECK((life.account.known() && life.account.clock() == 3 && !life.account.stopped()));
}

TEST_CASE("account: it begins when it is subscribed to; a trade of before that is not counted") {
  Life life;
  CHECK_FALSE(life.trade(1, at(100, 1)));
  CHECK((life.close(101).empty() && !life.account.open_bar(at(101)) && life.out.counters.before_first == 1));
  life.account.subscribed(at(100, 5));
  CHECK_FALSE(life.trade(2, at(99, 1)));
  CHECK(life.trade(3, at(101, 1)));
  CHECK((life.out.counters.trades == 1 && life.out.counters.before_first == 2));
  CHECK(life.close(102) == "100 0 partial 0; 101 0 live 1; ");
  CHECK(life.out.counters.rows == 2);
  const auto open = life.account.open_bar(at(102, 7));
  REQUIRE(open.has_value());
  CHECK((open->instrument == &life.instrument && open->time == at(102) && open->last_trade == at(101, 1)));
}

TEST_CASE("account: by event time it begins with its first trade") {
  Life life({seconds(60), true, false, false});
  life.account.subscribed({});
  CHECK(life.account.bars().empty());
  CHECK(life.trade(1, at(100, 1)));
  CHECK(life.account.bars().first() == at(100));
}

TEST_CASE("account: a trade behind all bars, or far ahead of them, is missing in the newest") {
  Life life;
  life.account.subscribed(at(100));
  CHECK_FALSE(life.trade(1, at(100 + static_cast<std::int64_t>(BarSeries::ahead_max) + 1)));
  CHECK((life.out.counters.too_far_ahead == 1 && life.account.bars().back().missing == 1));
  (void)life.trade(2, at(101, 1));
  (void)life.close(500);
  CHECK_FALSE(life.trade(3, at(101, 2)));
  CHECK((life.out.counters.too_late == 1 && life.account.bars().back().missing == 1));
}

TEST_CASE("account: where it ended it goes on when it is subscribed to again") {
  Life life;
  life.account.subscribed(at(100));
  (void)life.trade(1, at(100, 1));
  life.account.unsubscribed(at(101, 5));
  CHECK_FALSE(life.trade(2, at(101, 6)));
  CHECK((!life.account.open_bar(at(102)) && !life.account.gap()));
  CHECK(life.close(103) == "100 0 partial 1; 101 0 partial 1; ");
  life.account.subscribed(at(104, 1));
  CHECK(life.trade(2, at(104, 2)));  // the next id: nothing was missed
  CHECK(life.close(105) == "101 1 repaired 1; 102 0 repaired 1; 103 0 repaired 1; 104 0 repaired 2; ");
}

TEST_CASE("account: at the end of a run the bars that nobody heard to their end are cut") {
  Life life;
  life.account.subscribed(at(99));
  (void)life.trade(1, at(100, 1));
  std::vector<Row> rows;
  life.account.finish(at(101, 5), at(102, 3), life.out, rows);
  CHECK(Life::told(rows) == "99 0 partial 0; 100 0 live 1; 101 0 partial 1; 102 0 partial 1; ");
  CHECK_FALSE(life.account.open_bar(at(103)));
}

TEST_CASE("account: while rows wait for candles none is told, and the end of a run tells none") {
  Life life;
  life.account.hold();
  life.account.subscribed(at(100));
  CHECK((life.close(105).empty() && !life.account.open_bar(at(105))));
  std::vector<Row> rows;
  life.account.finish(at(105), at(105), life.out, rows);
  CHECK(rows.empty());
  life.account.candles(Record::mark(RecordKind::candles, 0, at(100)), life.out);
  CHECK(life.close(102) == "100 0 repaired 0; 101 0 live 0; ");
}

TEST_CASE("account: a sum that does not fit stops it, with a gap and one message") {
  Life life;
  life.account.subscribed(at(100));
  CHECK(life.trade(1, at(101, 1), {Int128{1} << 126, 0}));
  CHECK_FALSE(life.trade(2, at(101, 2), {Int128{1} << 126, 0}));
  CHECK(life.account.stopped());
  REQUIRE(life.out.errors.size() == 1);
  CHECK(life.out.errors[0].starts_with("test spot A: a sum does not fit 128 bits"));
  CHECK(life.close(102).ends_with("101 0 gap 85070591730234615865843651857942052864; "));
}

TEST_CASE("account: a trade that an earlier run's row may have counted is not counted, and its bar is a gap") {
  Life life({seconds(60), false, false, false});
  Row row;
  row.time = at(100);
  row.first_id = row.last_id = "7";
  row.buys = 1;
  row.cvd_base = row.delta_base = row.buy_base = {1, 0};
  life.account.restore({&row, 1}, 7);
  life.account.subscribed(at(101, 1));
  CHECK_FALSE(life.trade(8, at(100, 9)));
  CHECK((life.close(102) == "100 1 gap 1; 101 0 gap 1; " && life.account.gap()));
  CHECK(life.trade(9, at(101, 5)));  // it tells of the time since the row
  CHECK((life.close(102) == "101 1 repaired 2; " && !life.account.gap()));
}
