// Loading into SQLite: each row once, the better one in front, sums exact to the last digit.
#include <random>

#include "catch.hpp"
#include "engine/folder.hpp"
#include "engine/loader.hpp"
#include "engine/sqlite_schema.hpp"

using namespace cvdd;
using namespace cvdd::engine;
using engine_test::ask;
using engine_test::Folder;
using engine_test::header;
using engine_test::line;
using Lines = std::vector<std::string>;

namespace {
std::unique_ptr<Store> store_at(const std::string& file) { return make_store(parse_store_url("sqlite:" + file), {}); }

LoadCounts load(const Folder& folder, const std::string& db, const std::string& collector = "a",
                Lines* told = nullptr) {
  const auto store = store_at(db);
  Loader loader(*store, {.directory = folder.path(), .collector = collector, .piece_bytes = 1});
  loader.complain = [&](const std::string& what) {
    if (told != nullptr) told->push_back(what);
  };
  std::atomic<bool> stop{false};
  loader.pass(stop);
  loader.pass(stop);
  return loader.counts();
}

StoreRow row(const std::string& collector, const engine_test::RowSpec& spec) {
  std::string text = line(spec), reason;
  text.pop_back();
  return *store_row_from(collector, text, reason);
}
}  // namespace

TEST_CASE("a day is loaded once, however often it is loaded") {
  Folder folder;
  folder.write("cvd-2026-11-20.csv", header() + line({}) + line({.symbol = "ETHUSDT", .status = BarStatus::gap}) +
                                         line({.delta = "2", .rev = 1}) + "2026-11-20T00:01:0");
  const std::string db = folder / "cvd.db";
  CHECK(load(folder, db).rows == 3);
  CHECK(load(folder, db).rows == 0);
  const Lines rows{"BTCUSDT|1|live|2|0", "ETHUSDT|0|gap|1.5|-"};
  CHECK(ask(db, "SELECT symbol, rev, status, delta_base, missing FROM bars ORDER BY symbol") == rows);
  // The positions lost: the same again.
  ask(db, "DELETE FROM positions");
  CHECK(load(folder, db).rows == 3);
  CHECK(ask(db, "SELECT symbol, rev, status, delta_base, missing FROM bars ORDER BY symbol") == rows);
  // An older revision that comes later changes nothing.
  folder.write("cvd-2026-11-20.1.csv", header() + line({.delta = "7", .rev = 0}));
  CHECK(load(folder, db).rows == 1);
  CHECK(ask(db, "SELECT symbol, rev, status, delta_base, missing FROM bars ORDER BY symbol") == rows);
}

TEST_CASE("lines that cvdd did not write are kept aside and told, the others are loaded") {
  Folder folder;
  std::string broken = line({.symbol = "ETHUSDT"});
  broken.replace(broken.find("1.5"), 3, "1.50");
  folder.write("cvd-2026-11-20.csv", header() + line({}) + broken + line({.symbol = "XRPUSDT"}));
  folder.write("cvd-2026-11-21.csv", "time,exchange\n" + line({.time = "2026-11-21T00:00:00Z"}));
  const std::string db = folder / "cvd.db";
  Lines told;
  const LoadCounts counts = load(folder, db, "a", &told);
  CHECK(counts.rows == 2);
  CHECK(counts.rejected == 1);
  CHECK(counts.broken_files == 1);
  REQUIRE(told.size() == 2);
  CHECK(told[0].find("cvd-2026-11-20.csv: at byte") != std::string::npos);
  CHECK(told[1].find("header") != std::string::npos);
  CHECK(ask(db, "SELECT source, reason FROM rejected") == Lines{"a|not a row as cvdd writes it"});
}

TEST_CASE("the better row of each bar is the one that the rule says, whichever came first") {
  Folder folder;
  const std::string db = folder / "cvd.db";
  std::mt19937 random(11);
  const BarStatus all[] = {BarStatus::gap, BarStatus::partial, BarStatus::history, BarStatus::repaired,
                           BarStatus::live};
  std::vector<StoreRow> rows;
  for (int bar = 0; bar < 400; ++bar) {
    for (const char* collector : {"a", "b", "c"}) {
      if (random() % 5 == 0) continue;
      rows.push_back(row(collector, {.time = fmt::format("2026-11-20T{:02}:{:02}:00Z", bar / 60, bar % 60),
                                     .delta = std::to_string(random() % 9),
                                     .status = all[random() % 5],
                                     .rev = static_cast<std::uint32_t>(random() % 3),
                                     .buys = random() % 3}));
    }
  }
  std::map<std::string, const StoreRow*> best;
  for (const StoreRow& one : rows) {
    const StoreRow*& of = best[format_time(one.row.time)];
    if (of == nullptr || is_better(one, *of)) of = &one;
  }
  Lines expected;
  for (const auto& [time, of] : best) {
    expected.push_back(time + "|" + of->collector + "|" + std::string(name_of(of->row.status)) + "|" +
                       to_string(of->row.delta_base));
  }
  std::vector<StoreRow> shuffled = rows;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  store_at(db)->write({.rows = shuffled});
  CHECK(ask(db, "SELECT time, collector, status, delta_base FROM bars ORDER BY time") == expected);
}

TEST_CASE("the running sum is exact for every sign, scale and carry") {
  Folder folder;
  const std::string db = folder / "cvd.db";
  std::mt19937_64 random(3);
  std::vector<StoreRow> rows;
  Lines expected;
  // What 128 bits hold: many digits before the point, or many behind it.
  for (const unsigned scale_max : {18U, 36U}) {
    Decimal base, quote;
    for (int bar = 0; bar < 720; ++bar) {
      const auto scale = static_cast<unsigned>(random() % 19) + scale_max - 18;
      Int128 mantissa = static_cast<std::int64_t>(random()) % 1'000'000'000'000'000;
      if (bar % 7 == 0) mantissa = bar % 2 == 0 ? 1 : -1;
      Decimal delta(mantissa, scale);
      if (bar % 11 == 0) delta = negate(base);  // back to nothing
      rows.push_back(row("a", {.time = fmt::format("2026-11-20T{:02}:{:02}:00Z", bar / 60, bar % 60),
                               .symbol = "S" + std::to_string(scale_max),
                               .delta = to_string(delta)}));
      base = add(base, rows.back().row.delta_base).value();
      quote = add(quote, rows.back().row.delta_quote).value();
      expected.push_back(to_string(base) + "|" + to_string(quote));
    }
  }
  store_at(db)->write({.rows = rows});
  const Lines found = ask(db, "SELECT cvd_base, cvd_quote FROM cvd ORDER BY symbol, time");
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(found[i] == expected[i]);
}

TEST_CASE("the running sum does not jump when the better row changes hands") {
  Folder a, b;
  const std::string db = a / "cvd.db";
  a.write("cvd-2026-11-20.csv",
          header() + line({.time = "2026-11-20T00:00:00Z", .delta = "1", .cvd = "1001"}) +
              line({.time = "2026-11-20T00:01:00Z", .delta = "1", .status = BarStatus::gap, .cvd = "1002"}) +
              line({.time = "2026-11-20T00:02:00Z", .delta = "4", .cvd = "1006"}));
  b.write("cvd-2026-11-20.csv", header() + line({.time = "2026-11-20T00:00:00Z", .delta = "1", .cvd = "5"}) +
                                    line({.time = "2026-11-20T00:01:00Z", .delta = "2", .cvd = "7"}) +
                                    line({.time = "2026-11-20T00:02:00Z", .delta = "4", .cvd = "11"}));
  (void)load(a, db, "a");
  (void)load(b, db, "b");
  CHECK(ask(db, "SELECT collector, status, cvd_base FROM cvd ORDER BY time") ==
        Lines{"a|live|1", "b|live|3", "a|live|7"});
  // a takes back what it had called live: b's row takes its place.
  a.append("cvd-2026-11-20.csv",
           line({.time = "2026-11-20T00:02:00Z", .delta = "3", .status = BarStatus::gap, .rev = 1}));
  (void)load(a, db, "a");
  CHECK(ask(db, "SELECT collector, status, cvd_base FROM cvd ORDER BY time") ==
        Lines{"a|live|1", "b|live|3", "b|live|7"});
}

TEST_CASE("collectors that contradict each other are told of") {
  Folder folder;
  const std::string db = folder / "cvd.db";
  const auto store = store_at(db);
  store->write({.rows = std::vector{row("a", {}), row("b", {.delta = "2"}), row("a", {.symbol = "ETHUSDT"}),
                                    row("b", {.symbol = "ETHUSDT"}), row("a", {.symbol = "XRPUSDT", .delta = "9"}),
                                    row("b", {.symbol = "XRPUSDT", .status = BarStatus::gap})}});
  const auto found = store->contradictions(*parse_time("2026-11-20T00:00:00Z"), 10);
  REQUIRE(found.size() == 1);
  CHECK(found[0].symbol == "BTCUSDT");
  CHECK(found[0].collector == "a");
  CHECK(found[0].other_collector == "b");
  CHECK(found[0].what.find("delta_base 1.5 and 2") != std::string::npos);
  CHECK(store->contradictions(*parse_time("2026-11-20T00:01:00Z"), 10).empty());
}

TEST_CASE("a database of the first schema is brought up, one of a later schema is left alone") {
  Folder folder;
  const std::string db = folder / "cvd.db";
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(db.c_str(), &raw) == SQLITE_OK);
  REQUIRE(sqlite3_exec(raw, sqlite_migrations[0].sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_exec(raw, "PRAGMA user_version = 1", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(raw);
  store_at(db)->write({.rows = std::vector{row("a", {})}});
  CHECK(ask(db, "SELECT cvd_base FROM cvd") == Lines{"1.5"});
  ask(db, "PRAGMA user_version = 99");
  CHECK_THROWS_WITH(store_at(db)->open(), Catch::Contains("newer cvdd-engine"));
  folder.write("other.db", std::string(5'000, 'x'));
  CHECK_THROWS_WITH(store_at(folder / "other.db")->open(), Catch::Contains("move the file away"));
  CHECK_THROWS_WITH(store_at(folder / "none/cvd.db")->open(), Catch::Contains("folder must exist"));
}

TEST_CASE("a row whose sum would not be exact is kept aside, the others are written") {
  Folder folder;
  const std::string db = folder / "cvd.db";
  const auto store = store_at(db);
  std::vector<StoreRow> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(row("a", {.symbol = "S" + std::to_string(i)}));
  rows[7] = row("a", {.symbol = "S7", .delta = "1000000000000000000"});
  CHECK(write_isolating(*store, {.rows = rows, .collector = "a", .file = "f", .position = {9, 9}}) == 1);
  CHECK(ask(db, "SELECT count(*) FROM rows") == Lines{"19"});
  CHECK(ask(db, "SELECT place FROM rejected") == Lines{"binance/spot/S7/2026-11-20T00:00:00Z/0"});
  CHECK(store->positions("a").at("f") == Position{9, 9});
}

namespace {
// A database that fails once, and is an older copy of itself then: a standby that took over.
class FailsOver final : public Store {
 public:
  FailsOver(std::string file, std::string older)
      : file_(std::move(file)), older_(std::move(older)), store_(store_at(file_)) {}
  void open() override { store_->open(); }
  Positions positions(const std::string& collector) override { return store_->positions(collector); }
  void write(const Write& what) override {
    if (fail) {
      fail = false;
      store_ = nullptr;
      for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_ + suffix);
      std::filesystem::copy_file(older_, file_);
      store_ = store_at(file_);
      throw StoreError(StoreError::Kind::temporary, "the connection was lost");
    }
    store_->write(what);
  }
  std::vector<Contradiction> contradictions(Timestamp, std::size_t) override { return {}; }
  std::string about() override { return ""; }
  std::uint64_t rejected_count() override { return 0; }
  bool fail = false;

 private:
  std::string file_, older_;
  std::unique_ptr<Store> store_;
};
}  // namespace

TEST_CASE("a store that comes back with less is asked what it has, and gets the rest again") {
  Folder folder;
  folder.write("cvd-2026-11-20.csv", header() + line({}));
  (void)load(folder, folder / "older.db");
  ask(folder / "older.db", "PRAGMA journal_mode = DELETE");
  std::filesystem::copy_file(folder / "older.db", folder / "cvd.db");
  FailsOver store(folder / "cvd.db", folder / "older.db");
  Loader loader(store, {.directory = folder.path(), .collector = "a"});
  std::atomic<bool> stop{false};
  folder.append("cvd-2026-11-20.csv", line({.symbol = "ETHUSDT"}));
  loader.pass(stop);
  folder.append("cvd-2026-11-20.csv", line({.symbol = "XRPUSDT"}));
  store.fail = true;
  CHECK_THROWS_AS(loader.pass(stop), StoreError);
  loader.pass(stop);
  CHECK(ask(folder / "cvd.db", "SELECT symbol FROM bars ORDER BY symbol") == Lines{"BTCUSDT", "ETHUSDT", "XRPUSDT"});
}

TEST_CASE("numbers as limbs") {
  CHECK(limbs_of(engine_test::decimal("-12.0000000010000000020000000030000004")) == Limbs{-12, -1, -2, -3, -400});
  CHECK(limbs_of(Decimal{}) == Limbs{});
  CHECK(limbs_of(engine_test::decimal("999999999999999999")) == Limbs{999'999'999'999'999'999});
  CHECK_FALSE(limbs_of(engine_test::decimal("1000000000000000000")));
}

TEST_CASE("addresses of databases") {
  CHECK(parse_store_url("postgres://cvd:s%40cret@db/cvd").shown == "postgres://cvd@db/cvd");
  CHECK(parse_store_url("postgres://cvd:s%40cret@db/cvd").secrets == Lines{"s%40cret", "s@cret"});
  CHECK(parse_store_url("clickhouse+https://db:8443/cvd").secrets.empty());
  CHECK_THROWS_WITH(parse_store_url("mysql://x"), Catch::Contains("expected \"sqlite:FILE\""));
  CHECK_THROWS_WITH(parse_store_url("postgres://db/cvd?password=x"), Catch::Contains("USER:PASSWORD"));
}
