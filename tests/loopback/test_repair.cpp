// What is missed comes back: connections are cut again and again, and in the end the rows equal the tape.
#include <fmt/format.h>

#include "catch.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;

// Three instruments of each market of each exchange. Where ids have no order nothing can be fetched: there `?` stays.
TEST_CASE("30 cuts in 60 bars of every exchange: every hole is fetched, no row that was wrong had said live",
          "[repair]") {
  const Folder folder;
  constexpr std::size_t count = 48;
  Exchanges exchanges(sim::make_instruments_everywhere(count, 120));
  const auto id_kind = [&](const Row& row) {
    return exchanges.tape().instruments()[exchanges.tape().find(row.exchange, row.market, row.symbol)].instrument.ids;
  };
  std::size_t cuts = 0;
  std::vector<Row> rows;
  Timestamp begin;
  {
    // Cuts every two seconds are more than an exchange's budget is made for.
    Running daemon(exchanges, folder, seconds(1), [](DaemonOptions& o) {
      for (auto& [where, settings] : o.config.exchanges) settings.history_per_minute = 3'000;
    });
    // Without an id from before a cut nobody can tell what it cost.
    std::set<std::string> traded;
    REQUIRE(daemon.until([&](const Row& row) {
      if (!row.last_id.empty()) traded.insert(row.exchange + row.symbol + std::string(name_of(row.market)));
      return traded.size() == count;
    }));
    begin = daemon.newest();
    for (; cuts < 30; ++cuts) {
      exchanges.drop_connections();
      REQUIRE(
          daemon.until(live_after(begin + seconds(static_cast<std::int64_t>(cuts) * 2 - 60)), std::chrono::seconds(5)));
      std::this_thread::sleep_for(std::chrono::milliseconds(1'300 + 97 * (cuts % 12)));
    }
    // Until everything is repaired: no bar but the last few says gap.
    const auto open_gaps = [&] {
      std::map<std::tuple<std::string, Market, std::string, std::int64_t>, Row> newest;
      for (const Row& row : daemon.rows()) {
        newest.insert_or_assign({row.exchange, row.market, row.symbol, row.time.us}, row);
      }
      return static_cast<std::size_t>(std::count_if(newest.begin(), newest.end(), [&](const auto& r) {
        return r.second.status == BarStatus::gap && id_kind(r.second) != Ids::opaque;
      }));
    };
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (open_gaps() > 0 && std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    CHECK(open_gaps() == 0);
    CHECK(daemon.stop() == 0);
    rows = daemon.rows();
  }
  exchanges.stop();
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(result.instruments == count);
  CHECK(exchanges.server().stats().limit_violations == 0);
  std::size_t said_live = 0, wrong_live = 0, repaired = 0;
  std::map<std::string, std::size_t> repaired_of;
  for (const Row& row : rows) {
    if (row.status == BarStatus::repaired) {
      ++repaired;
      ++repaired_of[row.exchange];
    }
    if (row.status != BarStatus::live) continue;
    ++said_live;
    const std::size_t index = exchanges.tape().find(row.exchange, row.market, row.symbol);
    const auto bar = exchanges.tape().bar(index, row.time, seconds(1));
    if (!difference_from_tape(row, exchanges.tape().instruments()[index], bar.trades).empty()) ++wrong_live;
  }
  fmt::print("repair: {} cuts, {} bars, {} rows said live, {} of them wrong, {} repaired\n", cuts, result.rows,
             said_live, wrong_live, repaired);
  CHECK(wrong_live == 0);
  for (const auto& [exchange, bars] : repaired_of) fmt::print("repair: {} bars of {}\n", bars, exchange);
  for (const auto& what : exchanges.tape().instruments()) {
    if (what.instrument.ids != Ids::opaque) CHECK(repaired_of[what.instrument.exchange] > 20);
  }
}

TEST_CASE("the time when the daemon did not run is fetched at the next start", "[repair]") {
  const Folder folder;
  Exchanges exchanges(6);
  {
    Running daemon(exchanges, folder);
    REQUIRE(daemon.until(live_after({})));
    CHECK(daemon.stop() == 0);
  }
  std::this_thread::sleep_for(std::chrono::seconds(4));
  Running daemon(exchanges, folder);
  const Timestamp again = wall_now();
  REQUIRE(
      daemon.until([&](const Row& row) { return row.status == BarStatus::repaired && row.time < again - seconds(1); }));
  REQUIRE(daemon.until(live_after(again + seconds(3))));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  std::set<std::int64_t> bars;
  for (const Row& row : daemon.rows()) bars.insert(row.time.us / 1'000'000);
  CHECK(*bars.rbegin() - *bars.begin() + 1 == std::ssize(bars));  // without a break
}

TEST_CASE("connections are renewed before the exchange closes them, and nobody sees it", "[repair]") {
  const Folder folder;
  sim::ServerOptions options;
  options.lifetime = seconds(7);
  options.ping_every = milliseconds(500);
  Exchanges exchanges(12, options);
  Running daemon(exchanges, folder, seconds(1), [](DaemonOptions& o) { o.config.renew_after = seconds(4); });
  REQUIRE(daemon.until(live_after(wall_now() + seconds(16))));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  std::map<std::string, std::size_t> seen;
  const Timestamp last = daemon.newest();
  std::size_t rows = 0;
  for (const Row& row : daemon.rows()) {
    if (++seen[row.symbol + std::string(name_of(row.market))] == 1 || row.time + seconds(1) >= last) continue;
    ++rows;
    if (row.status != BarStatus::live) FAIL(row.symbol << " " << name_of(row.status));
  }
  CHECK(rows > 12 * 10);
  CHECK(exchanges.server().stats().connections >= 3 * 3);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
}
