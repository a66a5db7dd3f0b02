#include <random>

#include "catch.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "storage/csv_scan.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
const std::string path = "/d/cvd-2026-11-20.csv";

// Rows of a few instruments, minute by minute: quiet ones, revisions, one that comes late and one that ends early.
std::string some_rows(std::mt19937& random) {
  const char* const symbols[] = {"BTCUSDT", "ETHUSDT", "A", "1000SATSUSDT", "BTC-27JUN25-100000-C"};
  std::string text = std::string(csv_header()) + "\n";
  for (int minute = 0; minute < 40; ++minute) {
    for (std::size_t i = 0; i < std::size(symbols); ++i) {
      if ((i == 2 && minute < 20) || (i == 3 && minute > 10)) continue;
      Row r;
      r.time = {1'763'600'000'000'000 / 60'000'000 * 60'000'000 + minute * std::int64_t{60'000'000}};
      r.exchange = "exchange";
      r.symbol = symbols[i];
      r.rev = random() % 4 == 0 ? 1 : 0;
      if (random() % 3 != 0) r.first_id = r.last_id = std::to_string(1'000'000 + minute);
      append_row(text, r);
      if (random() % 8 == 0) {
        r.rev = 2;
        r.time.us -= 60'000'000;
        append_row(text, r);
      }
    }
  }
  return text;
}

void compare(const FileScan& one, const FileScan& other) {
  CHECK(one.foreign_line() == other.foreign_line());
  CHECK(one.torn() == other.torn());
  CHECK(one.end() == other.end());
  CHECK(one.interval() == other.interval());
  REQUIRE(one.instruments().size() == other.instruments().size());
  for (const NewestLines& a : one.instruments()) {
    const auto b = std::find_if(other.instruments().begin(), other.instruments().end(),
                                [&](const NewestLines& n) { return n.key == a.key; });
    REQUIRE(b != other.instruments().end());
    CHECK(a.line.begin == b->line.begin);
    CHECK(a.line.size == b->line.size);
    CHECK(a.rev == b->rev);
    CHECK(a.traded_line.begin == b->traded_line.begin);
    CHECK(a.traded_line.size == b->traded_line.size);
  }
}
}  // namespace

TEST_CASE("a file read in pieces says what it says in one") {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    MemoryFiles files;
    std::string text = some_rows(random);
    if (round % 3 == 1) text += "2026-11-20T10:00:00Z,exch";  // torn
    if (round % 4 == 1) text.insert(text.find('\n', random() % text.size()) + 1, "what is this?\n");
    if (round % 7 == 1) text.erase(random() % text.size());
    files.files[path] = text;
    std::optional<FileScan> whole, pieces;
    REQUIRE(scan_file(files, path, false, 1, 1, whole) == 0);
    CHECK((whole->interval() == seconds(60) || text.size() < 2'000));
    for (const std::size_t readers : {2U, 3U, 4U}) {
      REQUIRE(scan_file(files, path, false, readers, 1 + random() % 3'000, pieces) == 0);
      compare(*whole, *pieces);
    }
  }
}

TEST_CASE("what is too long for a row hides what follows, wherever the pieces begin") {
  std::mt19937 random(3);
  MemoryFiles files;
  const std::string rows = some_rows(random);
  files.files[path] = rows + std::string(std::size_t{3} << 20, '\0') + "\n" + rows.substr(rows.find('\n') + 1);
  std::optional<FileScan> whole, pieces;
  REQUIRE(scan_file(files, path, false, 1, 1, whole) == 0);
  CHECK(whole->foreign_line() > 100);
  for (const std::uint64_t piece_min : {1'000U, 700'000U, 1'000'000U}) {
    REQUIRE(scan_file(files, path, false, 4, piece_min, pieces) == 0);
    CHECK(pieces->foreign_line() == whole->foreign_line());
    REQUIRE(pieces->instruments().size() == whole->instruments().size());
    for (std::size_t i = 0; i < whole->instruments().size(); ++i) {
      CHECK(pieces->instruments()[i].line.begin == whole->instruments()[i].line.begin);
    }
  }
}

TEST_CASE("lines that can be no row are not taken for one, whatever their neighbours were") {
  const std::string good = "2026-11-20T10:00:00Z,exchange,spot,BTCUSDT,3,live,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,,,0";
  const auto outline = outline_of(good, "exchange,spot,BTCUSDT");
  REQUIRE(outline.has_value());
  CHECK(outline->key == "exchange,spot,BTCUSDT");
  CHECK(outline->rev == 3);
  CHECK(outline->traded == false);
  for (const char* likely : {"", "exchange,spot,ETHUSDT", "exchange,spot,BTCUSDTX", "exchange,spot,BTC"}) {
    const auto other = outline_of(good, likely);
    REQUIRE(other.has_value());
    CHECK(other->key == outline->key);
    CHECK(other->rev == 3);
  }
  CHECK_FALSE(outline_of("2026-11-20T10:00:00Z,exchange,spot", "exchange,spot").has_value());
  CHECK_FALSE(outline_of(std::string(60, 'x')).has_value());
  CHECK_FALSE(outline_of("2026-11-20T10:00:00Z,exchange,spot,BTCUSDT,three,live,1,1,1,1,1,1,1,1,1,1").has_value());
  CHECK_FALSE(outline_of("2026-11-20T10:00:00Z,exchange,spot,BTCUSDT,12345678901,live,1,1,1,1,1,1,1,1").has_value());
}
