// Volume by the size of trades: buckets, the path of the delta, rows and files.
#include <algorithm>
#include <random>

#include "catch.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp start{1'763'676'000'000'000};  // 2025-11-20T22:00:00Z

Instrument btc(Ids ids = Ids::sequence) {
  Instrument i;
  i.exchange = "binance";
  i.symbol = "BTCUSDT";
  i.ids = ids;
  return i;
}

Decimal d(const char* text) { return parse_sum(text).value(); }

Record trade(const Instrument& instrument, std::uint64_t id, Duration at, bool buy, const char* price,
             const char* base) {
  Trade t;
  t.instrument = &instrument;
  t.id = id;
  t.time = start + at;
  t.aggressor = buy ? Aggressor::buyer : Aggressor::seller;
  t.price = d(price);
  t.base = d(base);
  t.quote = multiply(t.price, t.base).value();
  return Record::from(t).value();
}

std::shared_ptr<const SizeBuckets> buckets(std::vector<Decimal> bounds = {{1'000, 0}, {10'000, 0}}) {
  return std::make_shared<const SizeBuckets>(std::move(bounds));
}

std::string lines(const std::vector<FlowRow>& rows) {
  std::string out;
  for (const FlowRow& row : rows) append_flow_row(out, row);
  return out;
}

// Sums of a bar's buckets against its row.
void check_sums(const Row& row, const std::vector<FlowRow>& flow, std::size_t expected) {
  FlowSums all;
  std::size_t n = 0;
  for (const FlowRow& f : flow) {
    if (f.time != row.time || f.rev != row.rev || f.bucket == SizeBuckets::all) continue;
    ++n;
    all.buys += f.sums.buys;
    all.sells += f.sums.sells;
    all.buy_base = add(all.buy_base, f.sums.buy_base).value();
    all.sell_base = add(all.sell_base, f.sums.sell_base).value();
    all.buy_quote = add(all.buy_quote, f.sums.buy_quote).value();
    all.sell_quote = add(all.sell_quote, f.sums.sell_quote).value();
    CHECK(f.status == row.status);
  }
  CHECK(n == expected);
  CHECK((all.buys == row.buys && all.sells == row.sells && all.buy_base == row.buy_base &&
         all.sell_base == row.sell_base && all.buy_quote == row.buy_quote && all.sell_quote == row.sell_quote));
}
}  // namespace

TEST_CASE("a bucket begins with its bound") {
  const SizeBuckets b({{1'000, 0}, {10'000, 0}});
  CHECK(b.names() == std::vector<std::string>{"0", "1000", "10000"});
  CHECK((b.of(d("0.01")) == 0 && b.of(d("999.999")) == 0 && b.of(d("1000")) == 1 && b.of(d("9999")) == 1 &&
         b.of(d("10000.00")) == 2 && b.of(d("1000000")) == 2));
}

TEST_CASE("the extremes of a delta are those of its trades by id, in whatever order they came") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    struct One {
      std::uint64_t first, last;
      Decimal delta;
    };
    std::vector<One> trades;
    Decimal sum, least, most;
    for (std::uint64_t id = 100; trades.size() < 60;) {
      const std::uint64_t covers = 1 + random() % 3;
      const Decimal delta{static_cast<std::int64_t>(random() % 2'001) - 1'000, 2};
      trades.push_back({id, id + covers - 1, delta});
      id += covers + (random() % 10 == 0 ? 5 : 0);  // of another bar
      sum = add(sum, delta).value();
      least = std::min(least, sum);
      most = std::max(most, sum);
    }
    if (round % 3 == 1) std::shuffle(trades.begin(), trades.end(), random);
    if (round % 3 == 2) {
      for (std::size_t i = 0; i + 1 < trades.size(); i += 1 + random() % 5) std::swap(trades[i], trades[i + 1]);
    }
    DeltaPath path;
    for (const One& t : trades) path.add(t.first, t.last, t.delta);
    const auto extremes = path.extremes();
    REQUIRE(extremes);
    CHECK(extremes->least == least);
    CHECK(extremes->most == most);
  }
}

TEST_CASE("a trade whose place nobody can tell leaves the extremes unknown, and too many holes are bounded") {
  DeltaPath inside;
  inside.add(1, 3, {1, 0});
  inside.add(2, 2, {1, 0});
  CHECK_FALSE(inside.extremes());
  DeltaPath many;
  for (std::uint64_t i = 0; i < 2'000; ++i) many.add(10 * i + 10, 10 * i + 10, {1, 0});
  CHECK(many.extremes()->most == Decimal{2'000, 0});
  many.add(15, 15, {1, 0});  // between two that were joined
  CHECK_FALSE(many.extremes());
  DeltaPath unordered;
  for (const int n : {5, -7, 3}) unordered.add(0, 0, {n, 0});
  CHECK((unordered.extremes()->least == Decimal{-2, 0} && unordered.extremes()->most == Decimal{5, 0}));
}

TEST_CASE("a bar's buckets, by hand") {
  Ledger ledger({seconds(60), true});
  const Instrument instrument = btc();
  ledger.add_instrument(instrument);
  ledger.count_flow(0, buckets(), {});
  // 500 × 1 = 500; 500 × 2 = 1,000; 500 × 30 = 15,000; 500 × 0.5 = 250
  ledger.apply(trade(instrument, 1, seconds(1), true, "500", "1"));
  ledger.apply(trade(instrument, 2, seconds(2), false, "500", "2"));
  ledger.apply(trade(instrument, 4, seconds(4), true, "500", "30"));
  ledger.apply(trade(instrument, 3, seconds(3), false, "500", "0.5"));  // came late: 1, -1, -1.5, 28.5
  std::vector<Row> rows;
  ledger.close(start + seconds(120), rows);
  const auto flow = ledger.take_flow_rows();
  REQUIRE(rows.size() == 2);
  const std::string head = "2025-11-20T22:00:00Z,binance,spot,BTCUSDT,";
  CHECK(lines({flow.begin(), flow.begin() + 4}) ==
        head + "0,0,partial,1,1,1,0.5,500,250,0.5,250,0.5,250,,,,\n" +           //
            head + "1000,0,partial,0,1,0,2,0,1000,-2,-1000,-2,-1000,,,,\n" +     //
            head + "10000,0,partial,1,0,30,0,15000,0,30,15000,30,15000,,,,\n" +  //
            head + "all,0,partial,2,2,31,2.5,15500,1250,28.5,14250,28.5,14250,-1.5,28.5,15000,1000\n");
  REQUIRE(flow.size() == 8);  // and a quiet bar
  CHECK(lines({flow.begin() + 5, flow.begin() + 6}) ==
        "2025-11-20T22:01:00Z,binance,spot,BTCUSDT,1000,0,live,0,0,0,0,0,0,0,0,-2,-1000,,,,\n");
  CHECK(lines({flow.begin() + 7, flow.end()}) ==
        "2025-11-20T22:01:00Z,binance,spot,BTCUSDT,all,0,live,0,0,0,0,0,0,0,0,28.5,14250,0,0,,\n");
  for (const Row& row : rows) check_sums(row, flow, 3);

  // A late trade of the first bar: both rows again, with all their buckets.
  rows.clear();
  ledger.apply(trade(instrument, 5, seconds(59), true, "500", "3"));
  ledger.close(start + seconds(120), rows);
  const auto again = ledger.take_flow_rows();
  REQUIRE(rows.size() == 2);
  REQUIRE(again.size() == 8);
  CHECK((again[1].rev == 1 && again[1].cvd_base == d("1") && again[5].rev == 1 && again[5].cvd_base == d("1")));
  for (const Row& row : rows) check_sums(row, again, 3);
}

TEST_CASE("rows are the same with buckets and without, and without there are none") {
  std::vector<Row> rows[2];
  for (const bool with : {false, true}) {
    Ledger ledger({seconds(60), true});
    const Instrument instrument = btc();
    ledger.add_instrument(instrument);
    if (with) ledger.count_flow(0, buckets(), {});
    for (std::uint64_t id = 1; id < 50; ++id) {
      ledger.apply(trade(instrument, id, seconds(static_cast<std::int64_t>(id * 7)), id % 3 == 0, "700", "1.5"));
      ledger.close(start + seconds(static_cast<std::int64_t>(id * 7)), rows[with ? 1 : 0]);
    }
    CHECK(ledger.take_flow_rows().empty() != with);
  }
  std::string text[2];
  for (int i = 0; i < 2; ++i) {
    for (const Row& row : rows[i]) append_row(text[i], row);
  }
  CHECK(text[0] == text[1]);
}

TEST_CASE("flow goes on after a restart from its files, and a cut bar keeps its buckets") {
  MemoryFiles files;
  const Instrument instrument = btc();
  {
    CsvStore store(files, "/d");
    (void)store.open();
    Ledger ledger({seconds(60), false, true, false});
    ledger.add_instrument(instrument);
    ledger.count_flow(0, buckets(), {});
    ledger.apply(Record::mark(RecordKind::subscribed, 0, start));
    ledger.apply(trade(instrument, 1, seconds(1), true, "500", "1"));
    ledger.apply(trade(instrument, 2, seconds(61), false, "500", "20"));
    std::vector<Row> rows;
    ledger.finish(start + seconds(70), start + seconds(80), rows);
    CHECK(store.write(rows, ledger.take_flow_rows()) == 0);
  }
  CHECK(files.links["/d/latest-flow.csv"] == "flow-2025-11-20.csv");
  const std::string before = files.files["/d/flow-2025-11-20.csv"];
  CHECK(before.starts_with(std::string(flow_header()) + "\n2025-11-20T22:00:00Z,binance,spot,BTCUSDT,0,0,"));

  CsvStore store(files, "/d");
  Remembered known = store.open();
  store.recall(known, seconds(60), 10, seconds(120));
  REQUIRE(known.size() == 1);
  const LastKnown& last = known.begin()->second;
  REQUIRE(last.recent.size() == 2);
  CHECK(last.flow.size() == 8);
  const auto go_on = [&](std::vector<Decimal> bounds) {
    Ledger ledger({seconds(60), false, false, false});
    ledger.add_instrument(instrument);
    ledger.restore(0, last.recent, last.resumes_after(instrument));
    ledger.count_flow(0, buckets(std::move(bounds)), last.flow);
    ledger.apply(Record::mark(RecordKind::subscribed, 0, start + seconds(90)));
    ledger.apply(trade(instrument, 3, seconds(95), true, "500", "4"));
    ledger.apply(trade(instrument, 4, seconds(125), true, "500", "8"));
    std::vector<Row> rows;
    ledger.close(start + seconds(181), rows);
    auto flow = ledger.take_flow_rows();
    CHECK(rows.size() == 2);
    return std::pair(rows, flow);
  };
  const auto [rows, flow] = go_on({{1'000, 0}, {10'000, 0}});
  REQUIRE(rows.size() == 2);
  for (const Row& row : rows) check_sums(row, flow, 3);
  REQUIRE(flow.size() == 8);
  // The cut bar: 20 sold in the largest bucket before, 4 bought in the middle one now; its path is not known.
  CHECK((flow[0].time == start + seconds(60) && flow[0].rev == 1 && flow[0].cvd_base == d("1")));
  CHECK((flow[1].sums.buy_base == d("4") && flow[1].cvd_base == d("4")));
  CHECK((flow[2].sums.sell_base == d("20") && flow[2].cvd_base == d("-20")));
  CHECK((!flow[3].delta_min_base && flow[3].largest_sell_quote == d("10000") && flow[3].cvd_base == d("-15")));
  CHECK((flow[5].cvd_base == d("12") && flow[7].delta_max_base == d("8")));

  // Other buckets: nothing is gone on with, and of the cut bar nobody knows which were in them.
  const auto [same_rows, other] = go_on({{1'000, 0}, {5'000, 0}});
  REQUIRE(other.size() == 8);
  CHECK((other[1].bucket == "1000" && other[1].sums.buys == 0 && other[2].sums.sells == 0));
  CHECK((other[3].bucket == "all" && other[3].sums.buys == 1 && other[3].cvd_base == d("-15")));
  CHECK((other[5].bucket == "1000" && other[5].cvd_base == d("8")));
}

TEST_CASE("flow and CVD rows are one batch: torn by a crash, both are completed") {
  MemoryFiles files;
  Row row;
  row.time = start;
  row.exchange = "binance";
  row.symbol = "BTCUSDT";
  FlowRow flow;
  flow.time = start;
  flow.exchange = "binance";
  flow.symbol = "BTCUSDT";
  flow.bucket = "all";
  {
    CsvStore store(files, "/d");
    (void)store.open();
    CHECK(store.write(std::vector<Row>{row}, std::vector<FlowRow>{flow}) == 0);
  }
  const auto whole = files.files;
  for (const std::size_t lost : {std::size_t{1}, std::size_t{40}}) {
    for (const char* path : {"/d/cvd-2025-11-20.csv", "/d/flow-2025-11-20.csv"}) {
      files.files[path].resize(whole.at(path).size() - lost);
    }
    CsvStore store(files, "/d");
    const Remembered known = store.open();
    std::erase_if(files.files, [](const auto& file) { return file.first.starts_with("/d/last-"); });
    CHECK(files.files == whole);
    REQUIRE(known.size() == 1);
    REQUIRE(known.begin()->second.flow.size() == 1);
    CHECK(known.begin()->second.flow.front().bucket == "all");
  }
  // A disk that is full keeps both in memory, in order; a file that somebody changed stays.
  CsvStore store(files, "/d");
  (void)store.open();
  files.append_error = 28;
  row.rev = flow.rev = 1;
  CHECK(store.write(std::vector<Row>{row}, std::vector<FlowRow>{flow}) == 28);
  CHECK(store.backlog_rows() == 2);
  files.append_error = 0;
  files.files["/d/flow-2025-11-20.csv"] += "x\n";
  CHECK(store.write({}) == 0);
  CHECK(files.files["/d/cvd-2025-11-20.csv"].size() > whole.at("/d/cvd-2025-11-20.csv").size());
  CHECK(files.files["/d/flow-2025-11-20.csv"] == whole.at("/d/flow-2025-11-20.csv") + "x\n");
  CHECK(files.files["/d/flow-2025-11-20.1.csv"].starts_with(flow_header()));
}

TEST_CASE("candles have no buckets, and what is made again from trades has") {
  Ledger ledger({seconds(60), false, true, false});
  const Instrument instrument = btc();
  ledger.add_instrument(instrument);
  ledger.hold(0);
  ledger.count_flow(0, buckets(), {});
  Candle candle;
  candle.time = start - seconds(60);
  candle.open = candle.high = candle.low = candle.close = d("500");
  candle.base = d("10");
  candle.quote = d("5000");
  candle.buy_base = d("4");
  candle.buy_quote = d("2000");
  ledger.give_candles(0, {candle});
  ledger.apply(Record::mark(RecordKind::subscribed, 0, start + seconds(5)));
  ledger.apply(trade(instrument, 1, seconds(6), true, "500", "1"));
  ledger.apply(Record::mark(RecordKind::candles, 0, start));
  const auto ready = ledger.take_ready();
  const auto flow = ledger.take_flow_rows();
  REQUIRE((ready.size() == 1 && flow.size() == 1));
  CHECK(lines(flow) ==
        "2025-11-20T21:59:00Z,binance,spot,BTCUSDT,all,0,history,0,0,4,6,2000,3000,-2,-1000,-2,-1000,,,,\n");
  std::vector<Row> rows;
  ledger.close(start + seconds(62), rows);
  const auto live = ledger.take_flow_rows();
  REQUIRE((rows.size() == 1 && live.size() == 4));
  CHECK((live[0].cvd_base == d("1") && live[3].cvd_base == d("-1")));
  check_sums(rows[0], live, 3);
  // Made again, with one trade more.
  rows.clear();
  ledger.apply(Record::mark(RecordKind::remake, 0, start, 2, 60'000'000));
  ledger.apply(trade(instrument, 1, seconds(6), true, "500", "1").as_again());
  ledger.apply(trade(instrument, 2, seconds(7), false, "500", "3").as_again());
  ledger.close(start + seconds(62), rows);
  const auto again = ledger.take_flow_rows();
  REQUIRE((rows.size() == 1 && again.size() == 4));
  check_sums(rows[0], again, 3);
  CHECK((again[1].sums.sell_base == d("3") && again[3].delta_min_base == d("-2") && again[3].rev == 1));
}

TEST_CASE("size_buckets in the configuration") {
  KnownMarkets known;
  known.markets = {{"okx", Market::spot}};
  std::vector<ConfigError> errors;
  const Config c = parse_config("size_buckets = [\"1000\", \"2500.5\"]\n[exchange.okx.spot]\nsize_buckets = []\n",
                                "c.toml", known, errors);
  CHECK(errors.empty());
  CHECK(c.size_buckets == std::vector<Decimal>{{1'000, 0}, {25'005, 1}});
  CHECK(c.exchanges.at({"okx", Market::spot}).size_buckets->empty());
  CHECK(changes_that_need_a_restart(c, Config{}) == std::vector<std::string>{"size_buckets", "exchange.okx.spot"});
  for (const char* wrong :
       {"[1000]", "[\"0\"]", "[\"10\", \"5\"]", "[\"5\", \"5\"]", "[\"-1\"]", "\"1000\"", "[\"x\"]"}) {
    errors.clear();
    (void)parse_config(std::string("size_buckets = ") + wrong + "\n", "c.toml", known, errors);
    CHECK(errors.size() == 1);
  }
}
