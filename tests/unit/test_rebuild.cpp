#include <map>

#include "catch.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/ledger/rebuild_plan.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t minute = 60'000'000;

Row row(std::int64_t at, BarStatus status, const char* first, const char* last,
        std::optional<std::uint64_t> missing = 0) {
  Row r;
  r.time = {at * minute};
  r.exchange = "test";
  r.symbol = "A";
  r.status = status;
  r.first_id = first;
  r.last_id = last;
  r.missing = missing;
  if (*first != '\0') {
    r.buys = 1;
    r.buy_base = r.buy_quote = r.delta_base = r.delta_quote = {1, 0};
    r.open = r.high = r.low = r.close = Decimal{1, 0};
  }
  return r;
}
std::vector<Row> with_cvd(std::vector<Row> rows) {
  Decimal cvd{100, 0};
  for (Row& r : rows) {
    cvd = *add(cvd, r.delta_base);
    r.cvd_base = r.cvd_quote = cvd;
  }
  return rows;
}
std::string told(const std::vector<RebuildPlan>& plans) {
  std::string out;
  for (const RebuildPlan& p : plans) {
    out += std::to_string(p.first) + "-" + std::to_string(p.last) + " of " + std::to_string(p.from.us / minute) + "-" +
           std::to_string(p.to.us / minute) + (p.open ? " open " + std::to_string(p.open_from.us / minute) : "") + "; ";
  }
  return out;
}
std::vector<RebuildPlan> plans(const std::vector<Row>& rows) { return plan_rebuilds(rows, seconds(60)); }
// A ledger that goes on after these rows.
struct Restored {
  Restored(const std::vector<Row>& rows, std::uint64_t last_id, std::int64_t subscribed_at, bool watched = false)
      : ledger{{seconds(60), false, true, watched}} {
    instrument.exchange = "test";
    instrument.symbol = "A";
    ledger.add_instrument(instrument);
    ledger.restore(0, rows, last_id);
    ledger.apply(Record::mark(RecordKind::subscribed, 0, {subscribed_at * minute + 1}));
  }
  // Three units at a price of two.
  void trade(std::uint64_t id, std::int64_t us) { ledger.apply(Record::from(trade_of(id, us)).value()); }
  void again(std::uint64_t id, std::int64_t us) { ledger.apply(Record::from(trade_of(id, us)).value().as_again()); }
  Trade trade_of(std::uint64_t id, std::int64_t us) const {
    Trade t;
    t.instrument = &instrument;
    t.time = {us};
    t.id = id;
    t.aggressor = Aggressor::buyer;
    t.price = {2, 0};
    t.base = {3, 0};
    t.quote = {6, 0};
    return t;
  }
  std::vector<Row> close(std::int64_t at) {
    std::vector<Row> out;
    ledger.close({at * minute}, out);
    return out;
  }
  Instrument instrument;
  Ledger ledger;
};
constexpr auto live = BarStatus::live, gap = BarStatus::gap, partial = BarStatus::partial;
}  // namespace

TEST_CASE("rebuild: what is missing lies between the ids of whole bars") {
  const std::optional<std::uint64_t> unknown;
  CHECK(told(plans(with_cvd({row(1, live, "5", "9"), row(2, live, "10", "12")}))).empty());
  CHECK(told(plans(with_cvd({row(1, live, "5", "9"), row(2, gap, "12", "14", 2), row(3, live, "15", "16")}))) ==
        "10-14 of 2-2; ");
  // Bars without rows before and after it: nobody ran.
  CHECK(told(plans(with_cvd({row(1, live, "5", "9"), row(2, live, "", ""), row(5, gap, "12", "14", 2),
                             row(8, live, "15", "16")}))) == "10-14 of 3-7; ");
  CHECK(told(plans(with_cvd({row(1, live, "5", "9"), row(4, gap, "", "", unknown)}))) == "10-9 of 2-4 open 2; ");
  // A run of several, quiet bars and bars without rows among them; a bar cut by a stop is one of them.
  CHECK(told(plans(with_cvd({row(1, live, "5", "9"), row(2, partial, "10", "11"), row(3, live, "", ""),
                             row(6, gap, "20", "21", unknown), row(7, live, "22", "30")}))) == "10-21 of 2-6; ");
  // To the end: ids after the newest known may be missing too.
  CHECK(told(plans(with_cvd({row(1, live, "5", "9"), row(2, gap, "12", "14", 2), row(3, gap, "", "", unknown)}))) ==
        "10-14 of 2-3 open 2; ");
  // Trades changed places at its end: of 15 and 16 ids don't tell whether they are its own.
  CHECK(plans(with_cvd({row(1, live, "5", "9"), row(2, gap, "12", "17", 2), row(3, live, "15", "20")})).empty());
  CHECK(plans(with_cvd({row(1, live, "5", "9"), row(2, gap, "8", "14", 2), row(3, live, "15", "20")})).empty());
  // Nothing whole before it: nobody can tell where it begins.
  CHECK(plans(with_cvd({row(2, gap, "12", "14", 2), row(3, live, "15", "16")})).empty());
  CHECK(plans(with_cvd(
                  {row(1, live, "5", "9"), row(2, gap, "9000000", "9000001", 2), row(3, live, "9000002", "9000003")}))
            .empty());  // too many
}

TEST_CASE("rebuild: of rows whose ids begin anew, the new ones are gone on from") {
  const Duration bar{minute};
  using enum BarStatus;
  const std::vector<Row> steady = {row(0, live, "100", "199"), row(1, live, "", ""), row(2, live, "201", "200")};
  CHECK(newest_numbering(steady, 200, bar).highest == 201);  // the newest by time is not the highest
  CHECK(newest_numbering(steady, 200, bar).since.us == 0);
  const std::vector<Row> anew = {row(0, live, "5000", "5999"), row(1, gap, "6000", "7"), row(2, live, "8", "90")};
  CHECK(newest_numbering(anew, 90, bar).highest == 90);
  CHECK(newest_numbering(anew, 90, bar).since.us == 2 * minute);  // the bar between has trades of both
  const std::vector<Row> between = {row(0, live, "5000", "5999"), row(1, live, "1", "7")};
  CHECK(newest_numbering(between, 7, bar).highest == 7);
  CHECK(newest_numbering(between, 7, bar).since.us == minute);
  // Upwards is a hole, as far as anybody can tell.
  const std::vector<Row> upwards = {row(0, live, "1", "7"), row(1, live, "5000", "5999")};
  CHECK(newest_numbering(upwards, 5999, bar).since.us == 0);
  CHECK(newest_numbering({}, 0, bar).highest == 0);
  CHECK(newest_numbering(std::vector{row(0, live, "", "")}, 17, bar).highest == 17);
}

TEST_CASE("rebuild: a bar is made again beside what the file says, and told when it is whole") {
  const auto rows = with_cvd(
      {row(100, live, "5", "9"), row(101, gap, "", "", 2), row(102, gap, "12", "12", 2), row(103, live, "13", "13")});
  for (const bool all : {true, false}) {
    Restored again(rows, 13, 104);
    again.trade(10, 102 * minute + 1);
    again.trade(11, 102 * minute + 2);
    for (const Row& r : again.close(105)) CHECK(r.time.us > 103 * minute);  // not before it is whole
    if (all) {
      again.trade(12, 102 * minute + 3);
    } else {
      again.ledger.apply(Record::mark(RecordKind::verdict, 0, {105 * minute}, 12, 1));
      again.trade(12, 102 * minute + 3);  // too late: the file's bar knows it already
    }
    again.trade(14, 105 * minute + 1);
    const std::vector<Row> out = again.close(106);
    const auto of = [&](std::int64_t at) {
      return std::find_if(out.begin(), out.end(), [&](const Row& r) { return r.time.us == at * minute; });
    };
    if (all) {
      // Just behind a whole bar its ids may be of this one: a process may have ended there. It is made again by time.
      REQUIRE(of(101) != out.end());
      CHECK((of(101)->status == gap && of(101)->buys == 0));
    } else {
      CHECK(of(102) == out.end());
      continue;
    }
    REQUIRE(of(102) != out.end());
    CHECK((of(102)->rev == 1 && of(102)->status == BarStatus::repaired && of(102)->missing == 0));
    CHECK((of(102)->buys == 3 && of(102)->buy_base == Decimal{9, 0} && of(102)->first_id == "10"));
    CHECK(of(102)->cvd_base == Decimal{110, 0});  // 100 + 1 + 9
    REQUIRE(of(103) != out.end());                // its CVD has moved
    CHECK((of(103)->rev == 1 && of(103)->cvd_base == Decimal{111, 0}));
  }
}

TEST_CASE("rebuild: what comes out as it was is no revision of the bars behind it") {
  auto rows = with_cvd({row(100, live, "5", "9"), row(101, gap, "10", "10"), row(102, live, "11", "13")});
  // Its one trade is known; that nothing else is missing is not.
  rows[1].buy_base = rows[1].delta_base = Decimal{3, 0};
  rows[1].buy_quote = rows[1].delta_quote = Decimal{6, 0};
  rows[1].open = rows[1].high = rows[1].low = rows[1].close = Decimal{2, 0};
  rows[1].missing.reset();
  Restored again(with_cvd(rows), 13, 103);
  again.trade(10, 101 * minute + 2'000'000);
  again.trade(14, 104 * minute + 1);
  for (const Row& r : again.close(105)) CHECK(r.time.us != 102 * minute);
}

TEST_CASE("rebuild: a bar loses no trade that its row counted, whatever ids say") {
  // Of four fills that the row counted two have ids below the whole bar's before it: trades change places at its end.
  auto rows = with_cvd({row(100, live, "5", "9"), row(101, gap, "11", "12", 1), row(102, live, "13", "13")});
  rows[1].buys = 4;
  Restored again(rows, 13, 103);
  for (const std::uint64_t id : {10U, 11U, 12U}) again.trade(id, 101 * minute + static_cast<std::int64_t>(id));
  for (const Row& r : again.close(104)) {
    if (r.time.us == 101 * minute) CHECK((r.status == gap && r.buys == 4));
  }
}

TEST_CASE("rebuild: what comes of a bar that an earlier run wrote may be in its row, whatever its id") {
  Restored again(with_cvd({row(100, live, "5", "9"), row(101, live, "10", "12")}), 12, 102);
  again.trade(400, 100 * minute + 59'000'000);
  again.trade(401, 102 * minute + 30'000'000);
  const std::vector<Row> out = again.close(103);
  const auto of = std::find_if(out.begin(), out.end(), [](const Row& r) { return r.time.us == 100 * minute; });
  REQUIRE(of != out.end());
  CHECK((of->status == gap && of->buys == 1 && of->rev == 1));
}

TEST_CASE("rebuild: what is missing before a bar stays missing while the bars before it are not made") {
  Restored again(with_cvd({row(100, live, "5", "9"), row(103, gap, "13", "13", 3)}), 13, 104);
  const auto made_again = [&](std::int64_t from, std::int64_t to, std::initializer_list<std::int64_t> trades) {
    again.ledger.apply(Record::mark(RecordKind::remake, 0, {from * minute}, trades.size(),
                                    static_cast<std::uint64_t>((to - from) * minute)));
    for (const std::int64_t at : trades) again.again(static_cast<std::uint64_t>(at - 91), at * minute + 1);
  };
  const auto last_of = [](const std::vector<Row>& rows, std::int64_t at) {
    std::string out = "none";
    for (const Row& r : rows) {
      if (r.time.us == at * minute)
        out = std::string(name_of(r.status)) + (r.missing ? std::to_string(*r.missing) : "?");
    }
    return out;
  };
  made_again(103, 104, {103});
  again.trade(14, 104 * minute + 2);
  const std::vector<Row> alone = again.close(105);
  CHECK((last_of(alone, 103) == "none" || last_of(alone, 103) == "gap3"));
  made_again(101, 104, {101, 102, 103});
  CHECK(last_of(again.close(106), 103) == "repaired0");
}

TEST_CASE("rebuild: bars that nobody has made wait for as long as the one behind them that misses their trades") {
  Restored again(with_cvd({row(100, gap, "8", "9", std::nullopt), row(103, gap, "13", "13", std::nullopt)}), 13, 104,
                 true);
  again.trade(10, 104 * minute + 1);  // not of where ids would have it: time is to make them, not ids
  for (std::int64_t at = 104; at < 130; ++at) {
    again.trade(static_cast<std::uint64_t>(at - 90), at * minute + 2);
    again.ledger.apply(Record::mark(RecordKind::watched, 0, {(at + 1) * minute}, 1));
    (void)again.close(at);
    if (at == 105) {  // the first of them is whole, and need not wait
      again.ledger.apply(Record::mark(RecordKind::remake, 0, {100 * minute}, 2, minute));
      for (const std::uint64_t id : {8U, 9U}) again.again(id, 100 * minute + 1);
      again.ledger.apply(Record::mark(RecordKind::proven, 0, {100 * minute}, 0, minute));
    }
  }
  again.ledger.apply(Record::mark(RecordKind::remake, 0, {101 * minute}, 4, 3 * minute));
  for (const std::int64_t at : {101, 101, 102, 103}) again.again(static_cast<std::uint64_t>(at - 90), at * minute + 1);
  std::string made;
  for (const Row& r : again.close(130)) {
    if (r.time.us < 104 * minute) made += std::to_string(r.time.us / minute) + ":" + std::to_string(r.buys) + " ";
  }
  CHECK(made == "101:2 102:1 103:1 ");
}

TEST_CASE("rebuild: of a hole that is being filled from its end no bar is told before all of it is there") {
  Restored again(with_cvd({row(100, live, "5", "9")}), 9, 106);
  again.ledger.apply(Record::mark(RecordKind::hole, 0, {106 * minute + 2}, 10, 9));
  again.trade(19, 106 * minute + 2);
  // The page of the newest reaches back into bar 104, of which 13 is still missing.
  for (std::uint64_t id = 14; id < 19; ++id) again.trade(id, (id < 16 ? 104 : 105) * minute + static_cast<int>(id));
  // A loss of the same time, as a connection that is doubted tells it, over before the next trade.
  again.ledger.apply(Record::mark(RecordKind::lost, 0, {103 * minute}, 0, 3 * minute));
  again.trade(20, 106 * minute + 3);
  std::string told;
  for (const Row& r : again.close(107)) {
    if (r.time.us < 106 * minute && r.status != gap) told += std::to_string(r.time.us / minute) + " ";
  }
  CHECK(told.empty());
  for (std::uint64_t id = 10; id < 14; ++id) again.trade(id, (id < 12 ? 102 : 104) * minute + static_cast<int>(id));
  std::map<std::int64_t, std::uint64_t> buys;
  for (const Row& r : again.close(108)) buys[r.time.us / minute] = r.buys;
  CHECK((buys[102] == 2 && buys[104] == 4 && buys[105] == 3));
}

TEST_CASE("rebuild: nothing is known of before the first row of all") {
  auto rows = with_cvd({row(1, live, "5", "9"), row(2, live, "10", "12")});
  CHECK_FALSE(begins_with_nothing(rows));  // CVD 101 and delta 1: something was counted before
  rows.front().cvd_base = rows.front().cvd_quote = rows.front().delta_base;
  CHECK(begins_with_nothing(rows));
  CHECK_FALSE(begins_with_nothing({}));
}

TEST_CASE("rebuild: killed again before anything was repaired, bars without rows between") {
  const std::optional<std::uint64_t> unknown;
  const auto rows = with_cvd({row(100, live, "5", "9"), row(103, gap, "", "", unknown)});
  Restored again(rows, 9, 105);
  again.ledger.apply(Record::mark(RecordKind::hole, 0, {105 * minute + 2}, 10, 4));
  again.trade(14, 105 * minute + 2);
  again.trade(10, 101 * minute + 2);
  again.trade(11, 102 * minute + 2);
  again.trade(12, 103 * minute + 2);
  for (const Row& r : again.close(105)) CHECK(r.status == BarStatus::gap);
  again.trade(13, 104 * minute + 2);
  std::string all;
  for (const Row& r : again.close(106)) {
    all += std::to_string(r.time.us / minute) + " " + std::to_string(r.rev) + " " + std::string(name_of(r.status)) +
           " " + r.first_id + " " + to_string(r.cvd_base) + "; ";
  }
  CHECK(all ==
        // Just behind the ends of the runs before a trade may have been lost whose id their rows have passed.
        "101 0 gap 10 104; 102 0 repaired 11 107; 103 2 repaired 12 110; 104 0 gap 13 113; "
        "105 0 repaired 14 116; ");
}
