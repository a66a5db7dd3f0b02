// What the demo counts, and where it writes.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "cli/commands.hpp"
#include "cli/demo_count.hpp"
#include "cli/demo_folder.hpp"

using namespace cvdd;

namespace {
Row row(std::int64_t second, const char* symbol, BarStatus status) {
  Row r;
  r.time = {second * 1'000'000};
  r.exchange = "abc";
  r.symbol = symbol;
  r.status = status;
  return r;
}
}  // namespace

TEST_CASE("the demo counts whole bars, waits for a row of each instrument, and says so only where nothing comes") {
  DemoCount count(2, 2);
  CHECK(
      count.rule() ==
      "it ends after 2 bars that are whole (live or repaired, of one instrument at least), once every instrument has a "
      "row; after 62 bars in any case");
  CHECK(count.waits().empty());
  count.add(row(0, "X", BarStatus::partial));
  CHECK(count.waits().empty());  // an instrument more
  CHECK(count.waits().empty());
  count.add(row(5, "X", BarStatus::gap));
  CHECK(count.waits() == "it waits: 2 bars so far, 0 of 2 whole, without a row: 1 instrument");
  CHECK(count.waits().empty());  // once
  count.add(row(5, "X", BarStatus::repaired));
  count.add(row(10, "X", BarStatus::live));
  CHECK_FALSE(count.done());
  CHECK(count.waits().empty());
  count.add(row(10, "Y", BarStatus::gap));
  CHECK(count.done());
  CHECK(count.shortfall().empty());
}

TEST_CASE("a demo whose bars are never whole ends, and says what it lacks; without a number it never ends") {
  DemoCount count(1, 1), endless(0, 1);
  std::size_t told = 0;
  for (std::int64_t bar = 0; !count.done(); ++bar) {
    REQUIRE(bar < 100);
    count.add(row(5 * bar, "X", BarStatus::gap));
    endless.add(row(5 * bar, "X", BarStatus::live));
    told += count.waits().empty() ? 0U : 1U;
  }
  CHECK(count.shortfall() == "it was given up: 61 bars so far, 0 of 1 whole");
  CHECK(told == 59);  // not of the first, in which the instrument's row came, nor of the last
  CHECK_FALSE(endless.done());
  CHECK((endless.waits().empty() && endless.shortfall().empty()));
}

TEST_CASE("the demo writes where no rows are, and its own folder goes with it") {
  namespace fs = std::filesystem;
  const fs::path there = fs::temp_directory_path() / ("cvdd-demo-test-" + std::to_string(::getpid()));
  CHECK(wrong_demo_folder("").empty());
  CHECK(wrong_demo_folder(there.string()).empty());  // it is made
  { const DemoFolder folder(there.string()); }
  CHECK(fs::is_directory(there));
  std::ofstream(there / "notes.csv") << "x";
  CHECK(wrong_demo_folder(there.string()).empty());
  for (const char* rows : {"cvd-2026-11-20.csv", "cvd-2026-11-20.1.csv", "flow-2026-11-20.csv"}) {
    std::ofstream(there / rows) << "x";
    CHECK(wrong_demo_folder(there.string()).find(" holds rows already") != std::string::npos);
    fs::remove(there / rows);
  }
  fs::remove_all(there);
  fs::path ours;
  {
    const DemoFolder folder("");
    ours = folder.path();
    CHECK((folder.ours() && fs::is_directory(ours)));
  }
  CHECK_FALSE(fs::exists(ours));
}
