#include "sim/episodes.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "sim/stage.hpp"

namespace cvdd::simtest {

namespace {
using namespace std::chrono_literals;
constexpr std::size_t any = static_cast<std::size_t>(-1);

// Nothing says to be whole and is not; no more than so many bars are gaps in the end.
bool good(const std::string& what, const Stage& stage, std::size_t gaps_max, bool ids = true) {
  const StageVerdict v = stage.verdict(ids);
  const bool right = v.right() && v.gaps <= gaps_max && v.bars > 0;
  fmt::print("  {}: {} rows, {} bars; wrong {}, repaired too early {}, live for a while {}, gap {}: {}\n", what, v.rows,
             v.bars, v.wrong, v.repaired_wrong, v.early, v.gaps, right ? "good" : "WRONG");
  for (const std::string& complaint : v.complaints) fmt::print("    {}\n", complaint);
  return right;
}

// One busy and many thin instruments on a connection, which goes mute just after a thin one was heard.
bool mute_after_a_thin_one(std::uint64_t seed) {
  bool all = true;
  for (const auto& [exchange, market] : {std::pair("bybit", Market::linear), std::pair("binance", Market::spot)}) {
    auto instruments = instruments_of(exchange, market, 40, 1);
    instruments[0].trades_per_minute = 420;
    Stage stage(seed, instruments);
    stage.start();
    stage.go(6min);
    for (int round = 0; round < 3; ++round) {
      stage.go_to_second(20);
      for (int i = 0; i < 3'000 && stage.world().last_sent() == 0; ++i) stage.go(20ms);
      stage.befall(FaultKind::mute);
      stage.go(6min);
    }
    stage.go(15min);
    stage.stop();
    all = good(exchange, stage, 0) && all;
  }
  return all;
}

bool three_on_a_mute_connection(std::uint64_t seed) {
  bool all = true;
  for (std::uint64_t s = seed; s < seed + 5; ++s) {
    Stage stage(s, instruments_of("bybit", Market::linear, 3, 30));
    stage.start();
    stage.go(20min);
    stage.befall(FaultKind::mute);
    stage.go(25min);
    stage.stop();
    all = good(fmt::format("seed {}", s), stage, 0) && all;
  }
  return all;
}

bool mute_single_trades(std::uint64_t seed) {
  Stage stage(seed, instruments_of("binance", Market::spot, 4, 60));
  stage.world().serve(1);
  stage.options().config.exchanges[stage.world().sides()[0]].stream = "trade";
  stage.start();
  stage.go(6min);
  stage.befall(FaultKind::mute);
  stage.go(90min);
  std::uint64_t noticed = 0;
  for (const auto& [where, market] : stage.engine().markets()) noticed += market->stalls();
  stage.stop();
  // What it has cost stays a gap: single trades have no history by id.
  return good(fmt::format("noticed {} times", noticed), stage, 8, false) && noticed > 0;
}

bool hung_up_while_frozen(std::uint64_t seed) {
  bool all = true;
  for (const auto& [exchange, market] : {std::pair("bybit", Market::linear), std::pair("binance", Market::spot)}) {
    Stage stage(seed, instruments_of(exchange, market, 4, 60));
    stage.start();
    stage.go(5min);
    stage.go_to_second(20);
    stage.freeze(15s);
    stage.world().hang_up();
    stage.freeze(55s);
    stage.go(25min);
    stage.stop();
    all = good(exchange, stage, 0) && all;
  }
  return all;
}

// Nothing is lost: it comes later, and while the network stalls the process has no processor either.
bool stalled_then_frozen(std::uint64_t seed) {
  Stage stage(seed, instruments_of("binance", Market::spot, 4, 300));
  stage.start();
  stage.go(5min);
  stage.go_to_second(15);
  stage.befall(FaultKind::stalled, seconds(24));
  stage.befall(FaultKind::rest_fails, seconds(24));
  stage.go(4s);
  stage.freeze(20s);
  stage.go(40min);
  stage.stop();
  return good("4 s, then 20 s", stage, 0);
}

bool asleep_for_more_bars_than_are_kept(std::uint64_t seed) {
  Stage stage(seed, instruments_of("binance", Market::spot, 2, 20), seconds(1));
  stage.start();
  stage.go(2min);
  stage.freeze(28h);
  stage.world().cut_connections();
  const Timestamp woken = stage.clock().true_time();
  stage.go(20min);
  stage.stop();
  std::size_t live = 0;
  for (const auto& of : stage.world().tape().instruments()) {
    for (const ReadRow& row : stage.rows_of_symbol(of.instrument.symbol)) {
      live += row.time > woken + seconds(120) && row.status == Status::live ? 1U : 0U;
    }
  }
  return good(fmt::format("{} bars live afterwards", live), stage, any) && live > 2'000;
}

bool removed_while_cut_off(std::uint64_t seed) {
  Stage stage(seed, instruments_of("binance", Market::spot, 6, 60));
  stage.start();
  stage.go(4min);
  stage.befall(FaultKind::outage, seconds(90));
  stage.go(20s);
  std::string gone;
  stage.want(stage.without_one(gone));
  const Timestamp removed = stage.clock().true_time();
  stage.go(15min);
  stage.stop();
  std::size_t later = 0;
  for (const ReadRow& row : stage.rows_of_symbol(gone)) later += row.time > removed ? 1U : 0U;
  return good(fmt::format("{} rows of bars after its end", later), stage, 1) && later == 0;
}

bool edited_while_a_repair_waits(std::uint64_t seed) {
  Stage stage(seed, instruments_of("binance", Market::spot, 6, 60));
  stage.start();
  stage.go(4min);
  stage.befall(FaultKind::rest_fails, seconds(70));
  stage.befall(FaultKind::outage, seconds(10));
  stage.go(40s);
  const SymbolList full = stage.options().symbols;
  std::string gone;
  stage.want(stage.without_one(gone));
  stage.go(90s);
  stage.want(full);
  stage.go(45min);
  stage.stop();
  return good("removed and added again", stage, 0);
}

// Removed in the moment between the acknowledgement and the first trade; the exchange's history can't be had.
bool removed_before_a_cut_is_known(std::uint64_t seed) {
  Stage stage(seed, instruments_of("binance", Market::spot, 6, 60));
  stage.start();
  stage.go(4min);
  stage.befall(FaultKind::rest_fails, seconds(20 * 60));
  stage.go_to_second(10);
  stage.befall(FaultKind::outage, seconds(100));
  stage.go(99s);
  const auto live = [&] {
    std::size_t sum = 0;
    for (const auto& [where, market] : stage.engine().markets()) sum += market->live_instruments();
    return sum;
  };
  for (int i = 0; i < 600 && live() == 0; ++i) stage.go(20ms);
  const SymbolList full = stage.options().symbols;
  std::string gone;
  stage.want(stage.without_one(gone));
  stage.go(5min);
  stage.want(full);
  stage.go(6min);
  stage.stop();
  return good("history can't be had", stage, any);
}

bool another_stream_on_old_files(std::uint64_t seed) {
  bool all = true;
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}}) {
    Stage stage(seed, instruments_of("binance", Market::spot, 3, 60));
    for (const std::size_t topic : {first, 1 - first}) {
      stage.world().serve(topic);
      stage.options().config.exchanges[stage.world().sides()[0]].stream = topic == 0 ? "aggTrade" : "trade";
      stage.start();
      stage.go(topic == first ? 5min : 30min);
      stage.stop();
      stage.go(20s);
    }
    // The bars around the stop may be gaps for good: single trades have no history by id.
    all =
        good(first == 0 ? "aggregates, then single trades" : "single trades, then aggregates", stage, 9, false) && all;
  }
  return all;
}

bool thin_and_deaf(std::uint64_t seed) {
  bool all = true;
  for (std::uint64_t s = seed; s < seed + 5; ++s) {
    auto instruments = instruments_of("binance", Market::spot, 6, 200);
    instruments[0].trades_per_minute = 2;
    Stage stage(s, instruments);
    stage.start();
    stage.go(60min);
    stage.befall(FaultKind::deaf);
    stage.go(40min);
    stage.stop();
    all = good(fmt::format("seed {}", s), stage, 0) && all;
  }
  return all;
}

bool history_fails_after_a_page(std::uint64_t seed) {
  bool all = true;
  for (std::uint64_t s = seed; s < seed + 4; ++s) {
    Stage stage(s, instruments_of("binance", Market::spot, 1, 5));
    stage.start();
    stage.go(5min);
    stage.befall(FaultKind::outage, seconds(225 * 60));
    stage.go(225min);
    const auto fetched = [&] {
      std::uint64_t n = 0;
      for (const auto& [where, market] : stage.engine().markets()) n += market->counters().fetched;
      return n;
    };
    const std::uint64_t before = fetched();
    for (int i = 0; i < 6'000 && fetched() == before; ++i) stage.go(20ms);
    stage.befall(FaultKind::rest_fails, seconds(180));
    stage.go(40min);
    stage.stop();
    all = good(fmt::format("seed {}", s), stage, 0) && all;
  }
  return all;
}

bool deaf_on_one_of_two(std::uint64_t seed) {
  Stage stage(seed, instruments_of("bybit", Market::spot, 3, 120));
  stage.options().config.exchanges[stage.world().sides()[0]].redundancy = 2;
  stage.start();
  stage.go(5min);
  stage.world().deafen_one(0);
  stage.go(3min);
  stage.go_to_second(20);
  for (int i = 0; i < 60; ++i) {
    stage.world().cut_all_but_deafened();
    stage.go(100ms);
  }
  stage.go(25min);
  stage.stop();
  return good("the other is cut", stage, any);
}

// It is on its way for longer than bars wait, and the connection ends before it has come.
bool cut_before_a_late_frame(std::uint64_t seed) {
  bool all = true;
  for (const auto& [exchange, market] : {std::pair("bybit", Market::linear), std::pair("binance", Market::spot)}) {
    Stage stage(seed, instruments_of(exchange, market, 3, 30));
    stage.start();
    stage.go(5min);
    stage.befall(FaultKind::late, milliseconds(2'500));
    stage.go(2'400ms);
    stage.befall(FaultKind::drop);
    stage.go(25min);
    stage.stop();
    all = good(exchange, stage, 0) && all;
  }
  return all;
}

struct Episode {
  std::string_view name;
  bool (*play)(std::uint64_t seed);
};
constexpr std::array episodes{
    Episode{"mute-after-a-thin-one", mute_after_a_thin_one},
    Episode{"three-on-a-mute-connection", three_on_a_mute_connection},
    Episode{"mute-single-trades", mute_single_trades},
    Episode{"hung-up-while-frozen", hung_up_while_frozen},
    Episode{"stalled-then-frozen", stalled_then_frozen},
    Episode{"asleep-for-28-hours", asleep_for_more_bars_than_are_kept},
    Episode{"removed-while-cut-off", removed_while_cut_off},
    Episode{"edited-while-a-repair-waits", edited_while_a_repair_waits},
    Episode{"removed-before-a-cut-is-known", removed_before_a_cut_is_known},
    Episode{"another-stream-on-old-files", another_stream_on_old_files},
    Episode{"thin-and-deaf", thin_and_deaf},
    Episode{"history-fails-after-a-page", history_fails_after_a_page},
    Episode{"deaf-on-one-of-two", deaf_on_one_of_two},
    Episode{"cut-before-a-late-frame", cut_before_a_late_frame},
};
}  // namespace

bool play_episodes(std::uint64_t seed, const std::string& name) {
  bool all = true;
  std::size_t played = 0;
  for (const Episode& episode : episodes) {
    if (!name.empty() && name != episode.name) continue;
    ++played;
    fmt::print("episode {}, seed {}\n", episode.name, seed);
    all = episode.play(seed) && all;
  }
  if (played == 0) fmt::print("there is no episode {}\n", name);
  return all && played > 0;
}

}  // namespace cvdd::simtest
