// The whole daemon against the simulated exchange.
#include "catch.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("rows equal the tape; cut connections make gaps, not wrong numbers; a restart goes on", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(6);
  // Without repairs: they would fill the holes before this test has seen them.
  const auto unrepaired = [](DaemonOptions& options) { options.config.repair = false; };
  {
    Running daemon(exchanges, folder, seconds(1), unrepaired);
    REQUIRE(daemon.until(live_after({})));
    exchanges.drop_connections();
    const Timestamp cut = daemon.newest();
    // Connections come back after a second or two; ids say what was missed.
    REQUIRE(daemon.until([&](const Row& row) { return row.time > cut && row.status == BarStatus::gap; }));
    REQUIRE(daemon.until([&](const Row& row) { return row.time > cut && row.missing.value_or(0) > 0; }));
    REQUIRE(daemon.until(live_after(daemon.newest())));
    CHECK(daemon.stop() == 0);
    const auto rows = daemon.rows();
    CHECK(std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.status == BarStatus::partial; }));
  }
  {
    Running daemon(exchanges, folder, seconds(1), unrepaired);
    const Timestamp before = wall_now();
    REQUIRE(daemon.until(live_after(before)));
    CHECK(daemon.stop() == 0);
  }
  exchanges.stop();
  CHECK(exchanges.server().stats().limit_violations == 0);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(result.instruments == 6);
  CHECK(result.live > 6);
}

TEST_CASE("300 instruments over three markets: within the limits, every one has its rows", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(300);
  Running daemon(exchanges, folder);
  REQUIRE(daemon.until(live_after(wall_now())));
  REQUIRE(daemon.until(live_after(daemon.newest())));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  CHECK(exchanges.server().stats().limit_violations == 0);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(result.instruments == 300);
}

TEST_CASE("an exchange that closes connections at their age: gaps are marked, the daemon goes on", "[daemon]") {
  const Folder folder;
  sim::ServerOptions options;
  options.lifetime = seconds(3);
  options.ping_every = milliseconds(500);
  Exchanges exchanges(3, options);
  Running daemon(exchanges, folder, seconds(1), [](DaemonOptions& o) { o.config.repair = false; });
  REQUIRE(daemon.until([](const Row& row) { return row.status == BarStatus::gap; }));
  REQUIRE(daemon.until(live_after(daemon.newest())));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
}

TEST_CASE("an instrument list that can't be had any more: the last good one serves", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(3);
  {
    Running daemon(exchanges, folder);
    REQUIRE(daemon.until(live_after({})));
    daemon.stop();
  }
  std::size_t lists = 0;
  for (const auto& entry : fs::directory_iterator(folder / "data")) {
    if (entry.path().filename().string().starts_with("instruments-")) ++lists;
  }
  CHECK(lists == 3);
}

TEST_CASE("files of another interval are refused before anything starts; foreign ones are left alone", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(3);
  fs::create_directories(folder / "data");
  SECTION("foreign") {
    const std::string day = format_day(wall_now());
    const std::string theirs = folder / ("data/cvd-" + day + ".csv").c_str();
    std::ofstream(theirs) << "a,b\n1,2\n";
    Running daemon(exchanges, folder);
    REQUIRE(daemon.until(live_after({})));
    daemon.stop();
    CHECK(fs::file_size(theirs) == 8);
    CHECK(fs::exists(folder / ("data/cvd-" + day + ".1.csv").c_str()));
  }
  SECTION("interval") {
    Row row;
    row.exchange = "binance";
    row.symbol = "BTCUSDT";
    std::string text = std::string(csv_header()) + "\n";
    for (int i = 0; i < 2; ++i) {
      row.time = {1'763'675'700'000'000 + i * 1'000'000};
      append_row(text, row);
    }
    std::ofstream(folder / "data/cvd-2025-11-20.csv") << text;
    CHECK_THROWS_AS(Running(exchanges, folder, seconds(60)), std::runtime_error);
  }
  SECTION("a second daemon") {
    Running daemon(exchanges, folder);
    CHECK_THROWS_AS(Running(exchanges, folder), std::runtime_error);
  }
}
