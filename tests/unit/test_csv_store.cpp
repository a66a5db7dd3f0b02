#include <stdexcept>

#include "catch.hpp"
#include "cvdd/app/csv_store.hpp"
#include "cvdd/core/csv.hpp"
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

TEST_CASE("a torn last line is cut off, everything else foreign is refused") {
  MemoryFiles files;
  const std::string good = text_of({row("2026-11-20T23:59:00Z")});
  files.files[first_day] = good + "2026-11-20T23:59:00Z,bin";
  {
    CsvStore store(files, "/d");
    CHECK(store.open().size() == 1);
    CHECK(store.torn_bytes() == 24);
    CHECK(files.files[first_day] == good);
  }
  for (const std::string& text : {std::string("a,b\n1,2\n"), good + "edited\n", "\n" + good}) {
    files.files[first_day] = text;
    CsvStore store(files, "/d");
    CHECK_THROWS_AS(store.open(), std::runtime_error);
    CHECK(files.files[first_day] == text);
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

TEST_CASE("a file that was deleted begins again with its header") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  const std::vector<Row> one{row("2026-11-20T23:58:00Z")}, two{row("2026-11-20T23:59:00Z")};
  CHECK(store.write(one) == 0);
  files.files.clear();
  CHECK(store.write(two) == 0);
  CHECK(files.files[first_day] == text_of(two));
}
