// Instruments that leave for good: what was known of them is handed over, and who has their number next has nothing of
// theirs.
#include <map>

#include "catch.hpp"
#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/pipeline/aggregator.hpp"
#include "daemon/connection_pool.hpp"
#include "daemon/departed.hpp"
#include "support/memory_files.hpp"
#include "web/board.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t minute = 60'000'000;

Instrument instrument_of(const std::string& symbol, std::uint32_t id, Ids ids = Ids::sequence) {
  Instrument out;
  out.exchange = "test";
  out.symbol = symbol;
  out.id = id;
  out.ids = ids;
  return out;
}

// An aggregator without a thread, one queue, and a clock that is set.
struct Bench {
  explicit Bench(bool flow = false) : syncer(files, false), aggregator(options(flow), store, syncer, restored) {
    aggregator.add_channel(channel);
    aggregator.begin();
  }
  AggregatorOptions options(bool flow) {
    AggregatorOptions o;
    o.repairs = true;
    o.now = [this] { return Timestamp{clock}; };
    o.on_rows = [this](std::span<const Row> rows) { written.insert(written.end(), rows.begin(), rows.end()); };
    o.on_problem = [](const std::string& line) { FAIL(line); };
    o.on_note = o.on_problem;
    if (flow) {
      const auto buckets = std::make_shared<const SizeBuckets>(std::vector<Decimal>{Decimal{100, 0}});
      o.size_buckets = [buckets](const Instrument&) { return buckets; };
    }
    return o;
  }
  void push(const Record& record) { REQUIRE(channel->push(std::span(&record, 1)) == 1); }
  void mark(const Instrument& i, RecordKind kind) { push(Record::mark(kind, i.id, {clock})); }
  void trade(const Instrument& i, std::uint64_t id, std::int64_t base) {
    Trade t;
    t.instrument = &i;
    t.time = {clock};
    t.id = id;
    t.aggressor = Aggressor::buyer;
    t.price = {10, 0};
    t.base = {base, 0};
    t.quote = {base * 10, 0};
    push(Record::from(t).value());
  }
  // Time passes, and what is due is written. Rows of that time, by symbol: the newest of each.
  std::map<std::string, Row> pass(std::int64_t minutes) {
    written.clear();
    for (; minutes > 0; --minutes) {
      clock += minute;
      (void)aggregator.turn();
    }
    std::map<std::string, Row> newest;
    for (const Row& row : written) newest[row.symbol] = row;
    return newest;
  }
  std::int64_t clock = 1'000'000 * minute + 5'000'000;
  MemoryFiles files;
  CsvStore store{files, "/memory"};
  Remembered restored;
  FileSyncer syncer;
  std::vector<Row> written;
  std::shared_ptr<Channel> channel = std::make_shared<Channel>();
  Aggregator aggregator;
};
}  // namespace

TEST_CASE("who has a number next has nothing of the one before: no CVD, no price, no ids, no revision, no open bar") {
  Bench bench;
  const Instrument first = instrument_of("FIRST", 7), second = instrument_of("SECOND", 7);
  bench.aggregator.add_instrument(first);
  bench.mark(first, RecordKind::subscribed);
  bench.trade(first, 500, 3);
  bench.push(Record::mark(RecordKind::hole, first.id, {bench.clock}, 501, 9));
  bench.trade(first, 510, 4);
  bench.aggregator.row_feed().want_open_bars();
  CHECK(bench.pass(2).at("FIRST").cvd_base == Decimal(7, 0));
  REQUIRE(bench.aggregator.row_feed().open_bars());
  bench.mark(first, RecordKind::unsubscribed);
  CHECK(bench.pass(2).at("FIRST").status == BarStatus::partial);
  // What was pushed before, and was not taken yet, is the first one's all the same.
  bench.mark(first, RecordKind::subscribed);
  bench.trade(first, 511, 1'000);
  bench.mark(first, RecordKind::unsubscribed);
  const auto farewell = bench.aggregator.forget(first);
  CHECK(!farewell->done);
  (void)bench.pass(3);
  REQUIRE(farewell->done);
  REQUIRE(farewell->known);
  CHECK((farewell->known->row.symbol == "FIRST" && farewell->known->row.cvd_base == Decimal(1'007, 0)));
  CHECK(farewell->known->last_id == "511");
  CHECK(!bench.aggregator.row_feed().open_bars());  // they pointed to it

  bench.aggregator.add_instrument(second);
  bench.mark(second, RecordKind::subscribed);
  bench.trade(second, 502, 2);  // an id that the first one lacked
  bench.aggregator.row_feed().want_open_bars();
  const auto rows = bench.pass(2);
  CHECK(!rows.contains("FIRST"));
  const Row& row = rows.at("SECOND");
  CHECK((row.cvd_base == Decimal(2, 0) && row.rev == 0 && row.open == Decimal(10, 0) && row.missing == 0U));
  CHECK((row.buys == 0 && bench.written.front().status == BarStatus::partial && bench.written.front().buys == 1));
  const RowFeed::OpenBars open = bench.aggregator.row_feed().open_bars();
  REQUIRE((open && open->size() == 1));
  CHECK(open->front().instrument == &second);
}

TEST_CASE("an instrument is not forgotten while it is collected, or before its rows are told") {
  Bench bench;
  const Instrument one = instrument_of("ONE", 0);
  bench.aggregator.add_instrument(one);
  bench.mark(one, RecordKind::subscribed);
  bench.trade(one, 1, 1);
  const auto farewell = bench.aggregator.forget(one);
  (void)bench.pass(5);
  CHECK(!farewell->done);
  bench.mark(one, RecordKind::unsubscribed);
  (void)bench.aggregator.turn();
  CHECK(!farewell->done);  // its last bar is open yet
  CHECK(bench.pass(2).contains("ONE"));
  CHECK(farewell->done);
  // One that nothing was ever heard of is gone at once, and leaves nothing.
  const Instrument silent = instrument_of("SILENT", 1);
  bench.aggregator.add_instrument(silent);
  const auto other = bench.aggregator.forget(silent);
  (void)bench.aggregator.turn();
  CHECK((other->done && !other->known));
  // One that waited for its past, and never began, goes on from what was known before.
  auto known = std::make_shared<LastKnown>(*farewell->known);
  const Instrument waiting = instrument_of("ONE", 2);
  bench.aggregator.add_instrument(waiting, true, known);
  const auto third = bench.aggregator.forget(waiting);
  (void)bench.aggregator.turn();
  REQUIRE((third->done && third->known));
  CHECK((third->known->row.time == known->row.time && third->known->row.status == BarStatus::partial));
  CHECK((third->known->row.cvd_base == Decimal(1, 0) && third->known->last_id == "1"));
}

TEST_CASE("who comes again goes on from where it was forgotten, its size buckets too") {
  Bench bench(true);
  const Instrument one = instrument_of("ONE", 3);
  bench.aggregator.add_instrument(one);
  bench.mark(one, RecordKind::subscribed);
  bench.trade(one, 1, 5);
  bench.trade(one, 2, 50);
  (void)bench.pass(20);
  bench.mark(one, RecordKind::unsubscribed);
  (void)bench.pass(2);
  const auto farewell = bench.aggregator.forget(one);
  (void)bench.pass(1);
  REQUIRE((farewell->done && farewell->known));
  Departed departed;
  departed.put("ONE", *farewell->known);
  const std::shared_ptr<const LastKnown> known = departed.take("ONE");
  REQUIRE(known);
  CHECK((known->row.cvd_base == Decimal(55, 0) && known->resumes_after(one) == 2U));
  REQUIRE(known->flow.size() == 3);
  CHECK((known->flow[0].cvd_base == Decimal(5, 0) && known->flow[1].cvd_base == Decimal(50, 0)));

  (void)bench.pass(2'000);
  const Instrument again = instrument_of("ONE", 9);
  bench.aggregator.add_instrument(again, false, known);
  bench.mark(again, RecordKind::subscribed);
  bench.trade(again, 3, 60);
  const Row row = bench.pass(2).at("ONE");
  CHECK((row.cvd_base == Decimal(115, 0) && row.open == Decimal(10, 0)));
  std::string newest;
  for (const auto& [name, text] : bench.files.files) {
    if (text.starts_with(flow_header())) newest = text;
  }
  // Its large trades, in quote units from 100 on: 50 before, 60 now.
  const auto line = newest.rfind(",100,");
  REQUIRE(line != newest.npos);
  CHECK(newest.substr(line).find(",110,1100,") != newest.npos);
}

TEST_CASE("what is known of departed instruments: as much as there is room for, the newest stay") {
  Departed departed(3);
  LastKnown known;
  known.row.exchange = "test";
  known.row.open = known.row.high = known.row.low = known.row.close = Decimal{1, 0};
  known.last_id = "77";
  for (const int i : {5, 2, 9, 4}) {
    known.row.symbol = "S" + std::to_string(i);
    known.row.time = {i * minute};
    departed.put(known.row.symbol, known);
  }
  CHECK(departed.size() == 3);
  CHECK(departed.take("S2") == nullptr);
  const auto nine = departed.take("S9");
  REQUIRE(nine);
  CHECK((nine->row.symbol == "S9" && nine->row.time.us == 9 * minute && nine->last_id == "77"));
  CHECK((departed.take("S9") == nullptr && departed.take("never") == nullptr && departed.size() == 2));
  // The newer word counts.
  known.row.symbol = "S5";
  known.row.cvd_base = Decimal{3, 0};
  departed.put("S5", known);
  CHECK(departed.size() == 2);
  CHECK(departed.take("S5")->row.cvd_base == Decimal(3, 0));
}

TEST_CASE("the page's list forgets instruments that have had no row for days") {
  web::Board board;
  Row row;
  row.exchange = "test";
  for (const auto& [symbol, time] : {std::pair{"OLD", 100}, std::pair{"NEW", 200}}) {
    row.symbol = symbol;
    row.time = {time * minute};
    board.add(row);
  }
  board.forget_before({150 * minute});
  CHECK(board.find({{"test", Market::spot}, "OLD"}) == nullptr);
  CHECK(board.find({{"test", Market::spot}, "NEW"}) != nullptr);
}

TEST_CASE("a connection pool refers to an instrument until no connection has it") {
  ConnectionPool pool(10, 2);
  const Instrument a = instrument_of("A", 0), b = instrument_of("B", 1);
  const Instrument* const both[] = {&a, &b};
  (void)pool.begin(both);
  CHECK((pool.refers_to(a) && pool.refers_to(b)));
  const Instrument* const one[] = {&a};
  (void)pool.end(one);
  CHECK((!pool.refers_to(a) && pool.refers_to(b)));
}
