// What is missed comes back: connections are cut again and again, and in the end the rows equal the tape.
#include <fmt/format.h>

#include "catch.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
// Bars that say gap, of instruments whose ids could tell what is missing.
std::size_t open_gaps(const Exchanges& exchanges, Running& daemon) {
  std::map<std::tuple<std::string, Market, std::string, std::int64_t>, BarStatus> newest;
  for (const Row& row : daemon.rows()) {
    newest.insert_or_assign({row.exchange, row.market, row.symbol, row.time.us}, row.status);
  }
  return static_cast<std::size_t>(std::count_if(newest.begin(), newest.end(), [&](const auto& r) {
    const auto& [exchange, market, symbol, time] = r.first;
    const auto& of = exchanges.tape().instruments()[exchanges.tape().find(exchange, market, symbol)];
    return r.second == BarStatus::gap && of.instrument.ids == Ids::sequence;
  }));
}

bool repaired(const Exchanges& exchanges, Running& daemon, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (open_gaps(exchanges, daemon) > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return open_gaps(exchanges, daemon) == 0;
}

// Whether the row behind "WHAT differs: " is of an instrument where a swallowed frame can't be noticed before the
// exchange's candle tells.
bool of_opaque_ids(const Exchanges& exchanges, const std::string& complaint) {
  const std::size_t colon = complaint.find(": ");
  const auto row = parse_row(complaint.substr(colon == complaint.npos ? 0 : colon + 2));
  if (!row) return false;
  const std::size_t index = exchanges.tape().find(row->exchange, row->market, row->symbol);
  return index != sim::Tape::npos && exchanges.tape().instruments()[index].instrument.ids == Ids::opaque;
}

// Rows that said live and were not what the tape says.
std::size_t wrong_live(const Exchanges& exchanges, const std::vector<Row>& rows) {
  std::size_t wrong = 0;
  for (const Row& row : rows) {
    if (row.status != BarStatus::live) continue;
    const std::size_t index = exchanges.tape().find(row.exchange, row.market, row.symbol);
    const sim::TapeInstrument& of = exchanges.tape().instruments()[index];
    const std::string what = difference_from_tape(row, of, exchanges.tape().bar(index, row.time, seconds(1)).trades);
    if (what.empty()) continue;
    // Where ids have no order nobody can miss a frame, nor know which of two came first.
    if (of.instrument.ids == Ids::opaque) continue;
    UNSCOPED_INFO(what << " of " << row.exchange << " " << row.symbol << " " << format_time(row.time));
    for (const Row& near : rows) {  // what was said of it and its neighbours, in the order in which it was
      const bool same = near.exchange == row.exchange && near.market == row.market && near.symbol == row.symbol;
      if (!same || near.time + seconds(3) < row.time || row.time + seconds(3) < near.time) continue;
      std::string text;
      append_row(text, near);
      text.pop_back();
      UNSCOPED_INFO("  " << text);
    }
    ++wrong;
  }
  return wrong;
}

// Without an id from before a cut nobody can tell what it cost.
bool all_traded(Running& daemon, std::size_t count) {
  std::set<std::string> traded;
  return daemon.until([&](const Row& row) {
    if (!row.last_id.empty()) traded.insert(row.exchange + row.symbol + std::string(name_of(row.market)));
    return traded.size() == count;
  });
}
}  // namespace

// Three instruments of each market of each exchange. Where ids have no order nothing can be fetched: there `?` stays.
TEST_CASE("30 cuts in 60 bars of every exchange: every hole is fetched, no row that was wrong had said live",
          "[repair][minutes]") {
  const Folder folder;
  constexpr std::size_t count = 51;
  Exchanges exchanges(sim::make_instruments_everywhere(count, 600));
  // A cut every two seconds is more than an exchange's budget is made for.
  Running daemon(exchanges, folder, seconds(1), [](DaemonOptions& o) {
    for (auto& [where, settings] : o.config.exchanges) settings.history_per_minute = 3'000;
    o.config.close_delay = seconds(2);
  });
  REQUIRE(all_traded(daemon, count));
  // By then it is known how busy each connection is, so that a mute one is doubted before its bars are closed.
  std::this_thread::sleep_for(std::chrono::seconds(36));
  for (std::uint64_t cuts = 0; cuts < 30; ++cuts) {
    // The hidden ones take half a minute to be found, so each connection has one of them now and then.
    exchanges.trouble(static_cast<sim::LineFault>(cuts % static_cast<std::uint64_t>(sim::LineFault::count_)), cuts * 7);
    std::this_thread::sleep_for(std::chrono::milliseconds(1'300 + 97 * (cuts % 12)));
  }
  const bool all = repaired(exchanges, daemon, std::chrono::seconds(120));
  CHECK(all);
  CHECK(daemon.stop() == 0);
  const std::vector<Row> rows = daemon.rows();
  exchanges.stop();
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  std::size_t wrong = result.wrong;
  for (const std::string& line : result.disagreements) {
    if (of_opaque_ids(exchanges, line)) --wrong;
  }
  INFO(complaints(result));
  CHECK(wrong == 0);
  CHECK(result.instruments == count);
  CHECK(wrong_live(exchanges, rows) == 0);
  CHECK(exchanges.server().stats().limit_violations == 0);
  std::uint64_t holes = 0, missing = 0, fetched = 0, stalls = 0;
  for (const auto& [where, market] : daemon.daemon().engine().markets()) {
    holes += market->counters().holes;
    missing += market->counters().missing;
    fetched += market->counters().fetched;
    stalls += market->stalls();
  }
  std::map<std::string, std::size_t> repaired_of;
  for (const Row& row : rows) repaired_of[row.exchange] += row.status == BarStatus::repaired ? 1U : 0U;
  fmt::print("repair: {} bars; {} holes of {} ids, {} trades fetched, {} stalls, {} gaps left\n", result.rows, holes,
             missing, fetched, stalls, open_gaps(exchanges, daemon));
  for (const auto& [exchange, bars] : repaired_of) fmt::print("repair: {} bars of {} repaired\n", bars, exchange);
  for (const auto& what : exchanges.tape().instruments()) {
    if (what.instrument.ids != Ids::opaque) CHECK(repaired_of[what.instrument.exchange] > 20);
  }
}

TEST_CASE("history that is refused, slow, torn or nonsense: nobody gets banned, and the repair comes when it can",
          "[repair][minutes]") {
  const Folder folder;
  constexpr std::size_t count = 32;
  Exchanges exchanges(sim::make_instruments_everywhere(count, 120));
  Running daemon(exchanges, folder);
  REQUIRE(all_traded(daemon, count));
  for (int fault = 1; fault < static_cast<int>(sim::RestFault::count_); ++fault) {
    exchanges.trouble_rest(static_cast<sim::RestFault>(fault), seconds(6));
    exchanges.drop_connections();
    std::this_thread::sleep_for(std::chrono::milliseconds(7'500));
  }
  exchanges.trouble_rest(sim::RestFault::none, {});
  const bool all = repaired(exchanges, daemon, std::chrono::seconds(120));
  CHECK(all);
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(wrong_live(exchanges, daemon.rows()) == 0);
  const sim::ServerStats& stats = exchanges.server().stats();
  fmt::print("repair: {} REST requests, {} of them spoilt, {} impolite, {} beyond the weight\n", stats.rest_requests,
             stats.rest_refused, stats.impolite, stats.overweight);
  CHECK(stats.rest_refused > 20);
  INFO(stats.rude);
  CHECK((stats.impolite == 0 && stats.overweight == 0 && stats.limit_violations == 0));
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
