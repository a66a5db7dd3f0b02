#include <array>
#include <stdexcept>

#include "catch.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/packed_days.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
Row row(const char* time, const char* symbol = "BTCUSDT", std::uint32_t rev = 0) {
  Row r;
  r.time = parse_time(time).value();
  r.exchange = "binance";
  r.symbol = symbol;
  r.rev = rev;
  return r;
}
std::string text_of(const std::vector<Row>& rows) {
  std::string text = std::string(csv_header()) + "\n";
  for (const Row& r : rows) append_row(text, r);
  return text;
}
const std::string first_day = "/d/cvd-2026-11-20.csv", second_day = "/d/cvd-2026-11-21.csv";
}  // namespace

TEST_CASE("rows go to the day of their bar, one write a file, and latest.csv follows") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  CHECK(store.open().empty());
  const std::vector<Row> before{row("2026-11-20T23:59:00Z")};
  CHECK(store.write(before) == 0);
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-20.csv");
  const std::vector<Row> after{row("2026-11-20T23:59:00Z", "BTCUSDT", 1), row("2026-11-21T00:00:00Z"),
                               row("2026-11-21T00:00:00Z", "ETHUSDT")};
  files.appends = 0;
  CHECK(store.write(after) == 0);
  CHECK(files.appends == 2);
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-21.csv");
  CHECK(files.files[first_day] == text_of({before[0], after[0]}));
  CHECK(files.files[second_day] == text_of({after[1], after[2]}));
}

TEST_CASE("latest.csv is made again when it is gone, and moved when that failed once") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")}, two{row("2026-11-20T23:59:00Z")};
  CHECK(store.write(one) == 0);
  files.links.clear();
  CHECK(store.write(two) == 0);
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-20.csv");
  const auto notes = store.take_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0] == "latest.csv was gone, it is made again file=/d/latest.csv");
  // A revision of the day before is no reason to point to it.
  const std::vector<Row> next{row("2026-11-21T00:00:00Z")}, late{row("2026-11-20T23:59:00Z", "BTCUSDT", 1)};
  CHECK(store.write(next) == 0);
  files.links.clear();
  CHECK(store.write(late) == 0);
  CHECK(files.links.empty());
  CHECK(store.write({&next[0], 1}) == 0);
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-21.csv");
  const std::vector<Row> third{row("2026-11-22T00:00:00Z")}, fourth{row("2026-11-22T00:01:00Z")};
  files.calls = 0;
  files.fail_every = 3;  // the journal, the rows, the link
  files.fail_with = ENOSPC;
  CHECK(store.write(third) == ENOSPC);
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-21.csv");
  files.fail_every = 0;
  CHECK(store.write(fourth) == 0);
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-22.csv");
  CHECK(files.files["/d/cvd-2026-11-22.csv"] == text_of({third[0], fourth[0]}));
}

TEST_CASE("the newest bar at its highest revision is read back, across days") {
  MemoryFiles files;
  files.files[first_day] = text_of({row("2026-11-20T23:58:00Z"), row("2026-11-20T23:59:00Z"),
                                    row("2026-11-20T23:59:00Z", "OLD"), row("2026-11-20T23:59:00Z", "BTCUSDT", 1)});
  files.files[second_day] = text_of({row("2026-11-21T00:00:00Z", "ETHUSDT")});
  CsvStore store(files, "/d");
  const auto newest = store.open();
  CHECK(newest.size() == 3);
  CHECK(newest.at({"binance", Market::spot, "BTCUSDT"}).row.rev == 1);
  CHECK(newest.at({"binance", Market::spot, "OLD"}).row.time == parse_time("2026-11-20T23:59:00Z"));
  CHECK(store.interval_found() == seconds(60));
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-21.csv");
}

TEST_CASE("an instrument that was off the list for days is remembered, and its CVD goes on") {
  MemoryFiles files;
  const InstrumentKey off_key{"binance", Market::spot, "OFF"};
  const auto day_of = [&](const char* day) {
    files.files["/d/cvd-" + std::string(day) + ".csv"] = text_of({row((day + std::string("T10:00:00Z")).c_str())});
  };
  Row off = row("2026-11-20T10:00:00Z", "OFF"), traded = row("2026-11-20T09:00:00Z", "OFF");
  traded.first_id = traded.last_id = "77";
  files.files[first_day] = text_of({traded, row("2026-11-20T10:00:00Z"), off});
  {
    // It ends while the daemon runs, with a row of later than the start.
    CsvStore store(files, "/d");
    REQUIRE(store.open().contains(off_key));
    off.time = off.time + seconds(3'600);
    off.cvd_base = off.cvd_quote = {777, 0};
    FlowRow flow;
    flow.time = off.time;
    flow.exchange = off.exchange;
    flow.market = off.market;
    flow.symbol = off.symbol;
    flow.bucket = "1000";
    flow.cvd_base = flow.cvd_quote = {555, 0};
    FlowRow other = flow;  // of who goes on
    other.symbol = "BTCUSDT";
    store.keep({&off, 1}, std::array{flow, other});
  }
  for (const char* day : {"2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"}) day_of(day);
  for (int start = 0; start < 2; ++start) {
    CsvStore store(files, "/d");
    const auto newest = store.open();
    REQUIRE(newest.contains(off_key));
    CHECK(newest.at(off_key).row.cvd_base == Decimal{777, 0});
    CHECK(newest.at(off_key).last_id == "77");
    REQUIRE(newest.at(off_key).flow.size() == 1);
    CHECK(newest.at(off_key).flow.front().cvd_base == Decimal{555, 0});
    day_of("2026-11-25");
  }
  // Who takes the day files away wants to begin anew.
  std::erase_if(files.files, [](const auto& file) { return file.first.find("/cvd-") != std::string::npos; });
  CsvStore store(files, "/d");
  CHECK(store.open().empty());
}

TEST_CASE("the last id is remembered from an older bar, or day, if the newest has no trade") {
  MemoryFiles files;
  Row traded = row("2026-11-20T23:58:00Z");
  traded.first_id = "70";
  traded.last_id = "77";
  files.files[first_day] = text_of({traded, row("2026-11-20T23:59:00Z")});
  files.files[second_day] = text_of({row("2026-11-21T00:00:00Z")});
  CsvStore store(files, "/d");
  const auto known = store.open().at({"binance", Market::spot, "BTCUSDT"});
  CHECK(known.row.time == parse_time("2026-11-21T00:00:00Z"));
  CHECK(known.last_id == "77");
}

TEST_CASE("a torn last line of ours is cut off; files that hold anything else are left alone for good") {
  MemoryFiles files;
  const std::string good = text_of({row("2026-11-20T23:59:00Z")});
  const std::vector<Row> next{row("2026-11-20T23:59:30Z")};
  SECTION("torn") {
    files.files[first_day] = good + "2026-11-20T23:59:00Z,bin";
    CsvStore store(files, "/d");
    CHECK(store.open().size() == 1);
    CHECK(store.take_notes().size() == 1);
    CHECK(files.files[first_day] == good);
    CHECK(store.write(next) == 0);
    CHECK(files.files[first_day] == good + text_of(next).substr(text_of({}).size()));
  }
  SECTION("foreign") {
    const bool believed = GENERATE(true, false);
    const std::string text = believed ? good + "edited\n" : GENERATE_COPY(std::string("a,b\n1,2\n"), "\n" + good);
    files.files[first_day] = text;
    CsvStore store(files, "/d");
    CHECK(store.open().size() == (believed ? 1 : 0));
    CHECK(store.take_notes().size() == 1);
    CHECK(store.write(next) == 0);
    CHECK(files.files[first_day] == text);
    CHECK(files.files["/d/cvd-2026-11-20.1.csv"] == text_of(next));
    CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-20.1.csv");
    CsvStore again(files, "/d");
    CHECK(again.open().begin()->second.row.time == next[0].time);
    CHECK(again.write(next) == 0);
    CHECK(files.files["/d/cvd-2026-11-20.1.csv"].size() > text_of(next).size());
  }
  SECTION("a last row with another number in it") {
    std::string edited = good;
    edited.replace(edited.rfind(",0\n"), 3, ",00\n");
    files.files[first_day] = good + edited.substr(text_of({}).size());
    CsvStore store(files, "/d");
    CHECK(store.open().size() == 1);
    CHECK(store.write(next) == 0);
    CHECK(files.files.contains("/d/cvd-2026-11-20.1.csv"));
  }
}

TEST_CASE("a batch torn at any byte, over two days, is completed at the next start: once, and nothing else") {
  const std::vector<Row> before{row("2026-11-20T23:58:00Z"), row("2026-11-20T23:58:00Z", "ETHUSDT")};
  const std::vector<Row> batch{row("2026-11-20T23:59:00Z"), row("2026-11-20T23:59:00Z", "ETHUSDT"),
                               row("2026-11-21T00:00:00Z"), row("2026-11-21T00:00:00Z", "ETHUSDT")};
  MemoryFiles whole;
  std::size_t first_before = 0;
  {
    CsvStore store(whole, "/d");
    (void)store.open();
    REQUIRE(store.write(before) == 0);
    first_before = whole.files[first_day].size();
    REQUIRE(store.write(batch) == 0);
  }
  const std::string first = whole.files[first_day], second = whole.files[second_day];
  const auto recovered = [&](MemoryFiles files) {
    CsvStore store(files, "/d");
    CHECK(store.open().size() == 2);
    return files.files[first_day] == first && files.files[second_day] == second;
  };
  for (std::size_t cut = first_before; cut <= first.size(); ++cut) {
    MemoryFiles torn = whole;
    torn.files[first_day].resize(cut);
    torn.files.erase(second_day);
    if (!recovered(torn)) FAIL("cut at " << cut);
  }
  for (std::size_t cut = 0; cut <= second.size(); ++cut) {
    MemoryFiles torn = whole;
    torn.files[second_day].resize(cut);
    if (!recovered(torn)) FAIL("cut at " << cut << " of the second day");
  }
}

TEST_CASE("a damaged journal is ignored; the files keep what they have") {
  MemoryFiles files;
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")};
  {
    CsvStore store(files, "/d");
    (void)store.open();
    REQUIRE(store.write(one) == 0);
  }
  const std::string journal = files.files["/d/journal.redo"], day = files.files[first_day];
  REQUIRE(decode_journal(journal)->size() == 1);
  for (std::size_t i = 0; i < journal.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = journal;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const auto parts = decode_journal(damaged);
      if (parts && *parts != *decode_journal(journal)) FAIL("bit " << bit << " of byte " << i << " went unnoticed");
    }
    if (decode_journal(journal.substr(0, i))) FAIL("a journal cut at " << i << " was believed");
  }
  CHECK(decode_journal(journal + "rest of an older, longer one")->size() == 1);
  files.files["/d/journal.redo"][20] = 'x';
  CsvStore store(files, "/d");
  CHECK(store.open().size() == 1);
  CHECK(files.files[first_day] == day);
}

// What readers take from a directory: every row of every file, highest revision, no row twice in different words.
static std::map<std::string, std::string> rows_by_key(const MemoryFiles& files, std::size_t& twice) {
  std::map<std::string, std::string> rows;
  for (const auto& [path, text] : files.files) {
    if (path.find("/cvd-") == std::string::npos) continue;
    REQUIRE(text.ends_with('\n'));
    std::size_t begin = text.find('\n') + 1;
    REQUIRE(text.substr(0, begin - 1) == csv_header());
    for (std::size_t end; begin < text.size(); begin = end + 1) {
      end = text.find('\n', begin);
      const std::string line = text.substr(begin, end - begin);
      const auto parsed = parse_row(line);
      REQUIRE(parsed);
      const auto [known, fresh] = rows.emplace(line.substr(0, 20) + parsed->symbol + std::to_string(parsed->rev), line);
      if (!fresh) ++twice;
      REQUIRE(known->second == line);
    }
  }
  return rows;
}

TEST_CASE("a day with every Nth call to the disk failing, for every N: each row is there, once, in order") {
  for (const int error : {ENOSPC, EIO, EROFS}) {
    for (int every = 2; every <= 40; ++every) {
      MemoryFiles files;
      CsvStore store(files, "/d");
      (void)store.open();
      files.fail_every = every;
      files.fail_with = error;
      std::size_t written = 0;
      Row r = row("2026-11-20T23:40:00Z");
      const auto sync = [&] {
        for (CsvStore::SyncRequest request : store.take_sync_requests()) {
          request.error = files.sync(request.path);
          store.synced(request);
        }
      };
      for (int bar = 0; bar < 40; ++bar) {  // across midnight
        std::vector<Row> rows;
        for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT"}) {
          r.symbol = symbol;
          rows.push_back(r);
          ++written;
        }
        r.time = r.time + seconds(60);
        (void)store.write(rows);
        sync();
      }
      files.fail_every = 0;
      CHECK(store.write({}) == 0);
      sync();
      CHECK(store.write({}) == 0);
      CHECK(store.backlog_rows() == 0);
      std::size_t twice = 0;
      const auto rows = rows_by_key(files, twice);
      if (rows.size() != written || twice > 0) {
        FAIL("every " << every << "th call with error " << error << ": " << rows.size() << " of " << written
                      << " rows, " << twice << " twice");
      }
      CsvStore again(files, "/d");
      CHECK(again.open().size() == 3);
    }
  }
}

TEST_CASE("a sync that fails moves the rows since the last good one to a new file") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  const std::vector<Row> one{row("2026-11-20T23:57:00Z")}, two{row("2026-11-20T23:58:00Z")},
      three{row("2026-11-20T23:59:00Z")};
  const auto sync = [&](int error) {
    for (CsvStore::SyncRequest request : store.take_sync_requests()) {
      request.error = error;
      store.synced(request);
    }
  };
  REQUIRE(store.write(one) == 0);
  sync(0);
  REQUIRE(store.write(two) == 0);
  sync(EIO);
  CHECK(store.take_notes().size() == 1);
  CHECK(store.backlog_rows() == 1);
  REQUIRE(store.write(three) == 0);
  CHECK(files.files[first_day] == text_of(one));
  CHECK(files.files["/d/cvd-2026-11-20.1.csv"] == text_of({two[0], three[0]}));
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-20.1.csv");
}

TEST_CASE("what can still change is read back from all parts of a day, however many of them are empty") {
  MemoryFiles files;
  const auto with = [](const char* time, BarStatus status) {
    Row r = row(time);
    r.status = status;
    return r;
  };
  const std::string empty = text_of({});
  files.files["/d/cvd-2026-11-19.csv"] = text_of({with("2026-11-19T23:59:00Z", BarStatus::live)});
  files.files[first_day] = text_of({with("2026-11-20T23:55:00Z", BarStatus::gap), row("2026-11-20T23:56:00Z")});
  files.files["/d/cvd-2026-11-20.1.csv"] = text_of({row("2026-11-20T23:57:00Z")});
  for (int part = 2; part < 9; ++part) files.files["/d/cvd-2026-11-20." + std::to_string(part) + ".csv"] = empty;
  files.files["/d/cvd-2026-11-20.9.csv"] = text_of({row("2026-11-20T23:58:00Z")});
  files.files[second_day] = text_of({row("2026-11-21T00:00:00Z")});
  CsvStore store(files, "/d");
  Remembered known = store.open();
  store.recall(known, seconds(60), 200, seconds(120));
  REQUIRE(known.size() == 1);
  std::string recalled;
  for (const Row& r : known.begin()->second.recent) recalled += format_time(r.time).substr(11, 5) + " ";
  CHECK(recalled == "23:55 23:56 23:57 23:58 00:00 ");
}

TEST_CASE("bars shorter than a minute are read back with all those of their minute") {
  MemoryFiles files;
  std::vector<Row> rows;
  for (int i = 0; i < 120; ++i) {
    Row r = row("2026-11-20T12:00:00Z");
    r.time = r.time + seconds(5 * i);
    r.status = BarStatus::live;
    r.first_id = r.last_id = std::to_string(100 + i);
    rows.push_back(r);
  }
  files.files[first_day] = text_of(rows);
  CsvStore store(files, "/d");
  Remembered known = store.open();
  store.recall(known, seconds(5), 200, seconds(120));
  REQUIRE(known.size() == 1);
  const std::vector<Row>& recent = known.begin()->second.recent;
  REQUIRE_FALSE(recent.empty());
  CHECK(format_time(recent.back().time) == "2026-11-20T12:09:55Z");
  // The last two minutes begin at 12:07:55, of a minute that begins at 12:07.
  CHECK(format_time(recent.front().time) == "2026-11-20T12:07:00Z");
}

TEST_CASE("a file that somebody changes while we write to it is theirs from then on") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")}, two{row("2026-11-20T23:59:00Z")};
  REQUIRE(store.write(one) == 0);
  files.files[first_day] += "a note\n";
  const std::string theirs = files.files[first_day];
  REQUIRE(store.write(two) == 0);
  CHECK(files.files[first_day] == theirs);
  CHECK(files.files["/d/cvd-2026-11-20.1.csv"] == text_of(two));
}

TEST_CASE("a directory that another process writes to is refused, naming it") {
  MemoryFiles files;
  files.locked_by = "4711\n";
  CsvStore store(files, "/d");
  try {
    (void)store.open();
    FAIL("not refused");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()).find("process 4711;") != std::string::npos);
  }
}

TEST_CASE("rows that can't be written wait in order and are written once") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")}, two{row("2026-11-20T23:59:00Z")};
  files.append_error = ENOSPC;
  CHECK(store.write(one) == ENOSPC);
  CHECK(store.write(two) == ENOSPC);
  CHECK(store.backlog_rows() == 2);
  files.append_error = 0;
  CHECK(store.write({}) == 0);
  CHECK(store.backlog_rows() == 0);
  CHECK(files.files[first_day] == text_of({one[0], two[0]}));
}

TEST_CASE("a newest day that is packed is not taken for no day: CVDs would begin anew") {
  using Names = std::vector<std::string>;
  CHECK(packed_newest_day(Names{"cvd-2026-11-19.csv.zst", "cvd-2026-11-20.csv", "latest.csv"}).empty());
  CHECK(packed_newest_day(Names{"cvd-2026-11-20.csv", "cvd-2026-11-20.csv.zst"}).empty());  // the original was kept
  CHECK(packed_newest_day(Names{"flow-2026-11-20.csv.zst", "cvd.lock", "x.zst", "zst", ""}).empty());
  CHECK(packed_newest_day(Names{"cvd-2026-11-19.csv", "cvd-2026-11-20.csv.gz"}) == "cvd-2026-11-20.csv.gz");
  CHECK(packed_newest_day(Names{"cvd-2026-11-18.csv.zst", "cvd-2026-11-20.1.csv.zst", "cvd-2026-11-19.csv.zst"}) ==
        "cvd-2026-11-20.1.csv.zst");
  MemoryFiles files;
  files.files["/d/cvd-2026-11-20.csv.zst"] = "packed";
  CsvStore store(files, "/d");
  try {
    (void)store.open();
    FAIL("not refused");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()).find("/d/cvd-2026-11-20.csv.zst: the newest day is packed") == 0);
  }
  files.files[second_day] = std::string(csv_header()) + "\n";
  CsvStore again(files, "/d");
  CHECK(again.open().empty());
}

TEST_CASE("without its folder nothing is said to begin anew; once it is there again, that is said, and all rows come") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")}, two{row("2026-11-20T23:59:00Z")};
  CHECK(store.write(one) == 0);
  files.files.clear();
  files.list_error = ENOENT;
  CHECK(store.write(two) == ENOENT);
  CHECK(store.take_notes().empty());
  CHECK(store.backlog_rows() == 1);
  files.list_error = 0;
  CHECK(store.write({}) == 0);
  CHECK(store.take_notes() == std::vector<std::string>{"data file is gone, starting it anew file=" + first_day});
  CHECK(files.files[first_day] == text_of(two));
}

TEST_CASE("a folder in a day file's place is called a folder; a file in the link's place is not replaced silently") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  files.files[first_day + "/inside"] = "x";
  files.folders.insert(first_day);
  files.files["/d/latest.csv"] = "somebody's own";
  CHECK(store.write(std::vector<Row>{row("2026-11-20T23:58:00Z")}) == 0);
  std::string notes;
  for (const std::string& note : store.take_notes()) notes += note + "\n";
  CHECK(notes.find("reason=\"is a folder\"") != std::string::npos);
  CHECK(notes.find("latest.csv was a file of its own, it is replaced by the link file=/d/latest.csv") !=
        std::string::npos);
}

TEST_CASE("a file that was deleted begins again with its header") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")}, two{row("2026-11-20T23:59:00Z")};
  CHECK(store.write(one) == 0);
  files.files.clear();
  CHECK(store.write(two) == 0);
  CHECK(files.files[first_day] == text_of(two));
}
