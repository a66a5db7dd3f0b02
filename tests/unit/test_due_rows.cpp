// Which rows are due, what they say, and what is forgotten once they are written; and what a bar is as a row.
#include "catch.hpp"
#include "ledger/bar_row.hpp"
#include "ledger/due_rows.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp at(std::int64_t minutes, std::int64_t us = 0) { return {minutes * 60'000'000 + us}; }
const LedgerOptions options{seconds(60), false, true, true};

// An instrument with the bars 100 to 105, of which somebody has watched all.
struct Written {
  Written() {
    instrument.exchange = "test";
    instrument.symbol = "A";
    bars.begin(at(100));
    (void)bars.extend(at(105));
    gaps.watched(at(200));
  }
  void trade(std::int64_t minutes, std::int64_t price) {
    Trade t;
    t.instrument = &instrument;
    t.time = at(minutes, 1);
    t.id = ++id;
    t.aggressor = price < 0 ? Aggressor::seller : Aggressor::buyer;
    t.price = {price < 0 ? -price : price, 0};
    t.base = t.quote = {1, 0};
    (void)add_record(bar(minutes), Record::from(t).value());
  }
  Bar& bar(std::int64_t minutes) { return *bars.at(at(minutes)); }
  // "minute rev status cvd" of the rows that are due.
  std::string due(std::int64_t last) {
    std::vector<Row> rows;
    std::vector<FlowRow> flow;
    overflow = append_due_rows(instrument, bars, gaps, true, at(last), rows, flow);
    std::string out;
    for (const Row& r : rows) {
      out += std::to_string(r.time.us / 60'000'000) + " " + std::to_string(r.rev) + " " +
             std::string(name_of(r.status)) + " " + to_string(r.cvd_base) + "; ";
    }
    return out;
  }
  Instrument instrument;
  std::uint64_t id = 0;
  BarSeries bars{seconds(60)};
  GapTracker gaps{Ids::sequence, options};
  Rebuilder rebuilder;
  std::optional<Timestamp> overflow;
};
}  // namespace

TEST_CASE("due rows: each bar is told once, until it would say something else") {
  Written w;
  w.trade(100, 10);
  CHECK(w.due(101) == "100 0 live 1; 101 0 live 1; ");
  CHECK(w.due(101).empty());
  CHECK(w.due(102) == "102 0 live 1; ");
  w.bar(101).contradicted = true;
  CHECK(w.due(102) == "101 1 gap 1; ");
  w.bar(101).contradicted = false;
  w.bar(101).settled = true;
  CHECK(w.due(102) == "101 2 repaired 1; ");
}

TEST_CASE("due rows: where a delta has changed, every later CVD is told again; volume beside it changes its own row") {
  Written w;
  w.trade(100, 10);
  (void)w.due(102);
  w.trade(101, -10);
  CHECK(w.due(102) == "101 1 live 0; 102 1 live 0; ");
  w.bar(100).other_base = {1, 0};
  w.bar(100).changed = true;
  CHECK(w.due(102) == "100 1 live 1; ");
}

TEST_CASE("due rows: what is absent is not told, and counts for nothing") {
  Written w;
  w.trade(100, 10);
  w.trade(101, 10);
  w.bar(101).absent = true;
  CHECK(w.due(102) == "100 0 live 1; 102 0 live 1; ");
  w.bar(101).absent = false;
  CHECK(w.due(102) == "101 0 live 2; 102 1 live 2; ");
}

TEST_CASE("due rows: a quiet row has the last price, and none before the first trade") {
  Written w;
  w.trade(101, 10);
  std::vector<Row> rows;
  CHECK_FALSE(append_due_rows(w.instrument, w.bars, w.gaps, true, at(102), rows).has_value());
  REQUIRE(rows.size() == 3);
  CHECK((!rows[0].open && rows[2].open == Decimal{10, 0} && rows[2].low == Decimal{10, 0}));
  CHECK((rows[0].first_id.empty() && rows[1].first_id == "1" && rows[1].symbol == "A"));
}

TEST_CASE("due rows: the bar whose sum does not fit is named, and nothing is told of it or after it") {
  Written w;
  w.bar(100).buy_base = w.bar(101).buy_base = {Int128{1} << 126, 0};
  CHECK(w.due(103).starts_with("100 0 live "));
  CHECK(w.overflow == at(101));
}

TEST_CASE("due rows: of settled bars only the few are kept that late trades may reach") {
  Written w;
  (void)w.bars.extend(at(130));
  (void)w.due(120);
  for (std::int64_t m = 100; m <= 120; ++m) w.bar(m).proven = m != 110;
  forget_settled(w.bars, w.gaps, w.rebuilder, options);
  CHECK(w.bars.oldest() == at(110));  // it has no proof yet
  w.bar(110).proven = true;
  forget_settled(w.bars, w.gaps, w.rebuilder, options);
  CHECK(w.bars.oldest() == at(121));  // which is not written yet
  (void)w.due(130);
  for (std::int64_t m = 121; m <= 130; ++m) w.bar(m).proven = true;
  forget_settled(w.bars, w.gaps, w.rebuilder, options);
  CHECK(w.bars.size() == options.bars_kept());
}

TEST_CASE("due rows: of too many bars the oldest are forgotten, whatever is open about them") {
  Written w;
  (void)w.bars.extend(at(400));
  (void)w.due(400);
  forget_settled(w.bars, w.gaps, w.rebuilder, options);
  CHECK(w.bars.size() == options.bars_kept_max());
}

TEST_CASE("due rows: the open bar has the sums of all bars, and its own prices or the last one") {
  Written w;
  w.trade(104, 10);
  w.trade(105, -20);
  w.trade(103, 7);
  w.bar(103).absent = true;
  const OpenBar open = open_bar_of(w.bars, at(105, 30));
  CHECK((open.time == at(105) && open.sells == 1 && open.delta_base == Decimal{-1, 0}));
  CHECK((open.cvd_base == Decimal{0, 0} && open.open == Decimal{20, 0} && open.close == Decimal{20, 0}));
  const OpenBar quiet = open_bar_of(w.bars, at(107, 30));  // nothing was traded in it yet
  CHECK((quiet.time == at(107) && quiet.sells == 0 && quiet.delta_base.is_zero()));
  CHECK((quiet.cvd_base == Decimal{0, 0} && quiet.open == Decimal{20, 0} && quiet.low == Decimal{20, 0}));
  w.bar(105) = Bar{};
  CHECK(open_bar_of(w.bars, at(105, 30)).open == Decimal{10, 0});
}

TEST_CASE("bar and row: a bar that is read back from its row has the sums, and knows what was said of it") {
  Instrument instrument;
  instrument.symbol = "A";
  Bar bar;
  bar.buys = 3;
  bar.buy_base = bar.buy_quote = {30, 0};
  bar.sell_base = bar.sell_quote = {10, 0};
  bar.open = bar.high = bar.low = bar.close = Decimal{7, 0};
  bar.first_time = bar.last_time = at(100);
  bar.first_id = 5;
  bar.last_id = 9;
  bar.revs = 2;
  Evidence evidence;
  evidence.covered = true;
  Row row = row_of(instrument, at(100), bar, evidence);
  set_totals(row, {{100, 0}, {200, 0}, Decimal{8, 0}});
  CHECK((row.rev == 2 && row.delta_base == Decimal{20, 0} && row.cvd_base == Decimal{100, 0} && row.first_id == "5"));
  CHECK((row.status == BarStatus::live && row.close == Decimal{7, 0}));
  const Bar back = bar_of(row, Ids::sequence, true);
  CHECK((back.buys == 3 && back.delta_base() == Decimal{20, 0} && back.close == Decimal{7, 0}));
  CHECK((back.restored && back.revs == 3 && back.first_id == 5 && back.last_id == 9 && back.has_ids()));
  CHECK((!back.lost && back.missing == 0 && back.written_status == BarStatus::live));
  // Names, where ids have no order.
  CHECK((bar_of(row, Ids::opaque, true).first_name == "5" && bar_of(row, Ids::opaque, true).first_id == 0));
  row.status = BarStatus::gap;
  row.missing = std::nullopt;
  CHECK(bar_of(row, Ids::sequence, true).lost);
  row.missing = 4;
  CHECK((bar_of(row, Ids::sequence, true).missing == 4 && !bar_of(row, Ids::sequence, true).lost));
  // A stop cut it, or, if nothing was counted before, a start.
  row.status = BarStatus::partial;
  CHECK((bar_of(row, Ids::sequence, true).partial_end && !bar_of(row, Ids::sequence, true).partial_begin));
  row.cvd_base = row.delta_base;
  row.cvd_quote = row.delta_quote;
  CHECK((bar_of(row, Ids::sequence, true).partial_begin && !bar_of(row, Ids::sequence, true).partial_end));
  CHECK(bar_of(row, Ids::sequence, false).partial_end);  // a CVD may come back to nothing
}

TEST_CASE("bar and row: a quiet row is a bar without a trade, though it has the last price") {
  Row row;
  row.open = row.high = row.low = row.close = Decimal{7, 0};
  CHECK_FALSE(bar_of(row, Ids::sequence, true).has_trades());
  row.status = BarStatus::history;  // of candles no trades are counted, but their volume is
  row.sell_base = {1, 0};
  CHECK(bar_of(row, Ids::sequence, true).has_trades());
}
