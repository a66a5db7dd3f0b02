// cvdd_sim_test --seed N [--seeds COUNT] [--hours H] [--instruments N] [--verbose] [--out FILE]
// The daemon's own engine for H virtual hours against a misbehaving exchange; 0 if the judges have nothing to say.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>

#include "cvdd/base/time_text.hpp"
#include "cvdd/daemon/engine.hpp"
#include "cvdd/sim/protocol.hpp"
#include "sim/captures.hpp"
#include "sim/context.hpp"
#include "sim/episodes.hpp"
#include "sim/life.hpp"
#include "sim/oracle.hpp"
#include "sim/run.hpp"
#include "sim/storms.hpp"
#include "sim/tape_figures.hpp"

using namespace cvdd;
using namespace cvdd::simtest;

namespace {
// Ten connections are cut a hundred times, and the symbol list changes twenty times: nobody may get banned.
bool test_manners(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments(7'200, 1));
  const auto options = [&](std::size_t without) {
    EngineOptions o;
    o.config.data_dir = "data";
    std::size_t n = 0;
    for (const auto& s : world.tape().instruments()) {
      if (without == 0 || n++ % 100 != without) {
        o.symbols.wanted[{s.instrument.exchange, s.instrument.market}].push_back(s.instrument.symbol);
      }
    }
    return o;
  };
  Life life(options(0), clock, files, world);
  std::size_t cuts = 0, reloads = 0, connections = 0;
  const auto live = [&] {
    std::size_t sum = 0;
    for (const auto& [where, market] : life.engine->markets()) sum += market->live_instruments();
    return sum;
  };
  const SteadyTime begin = clock.steady();
  while ((cuts < 100 || live() < world.tape().instruments().size()) && clock.steady() < begin + std::chrono::hours(4)) {
    life.settle();
    connections = std::max(connections, world.connections());
    if (cuts < 100 && world.connections() == connections && connections >= 10) {
      world.cut_connections();
      if (++cuts % 5 == 0) life.engine->want(options(++reloads % 20).symbols);
      continue;
    }
    clock.advance(clock.steady() + std::chrono::milliseconds(100));
  }
  const auto took = std::chrono::duration_cast<std::chrono::minutes>(clock.steady() - begin).count();
  const bool good = world.offences() == 0 && live() == world.tape().instruments().size() && cuts == 100;
  fmt::print("manners: {} connections cut {} times, {} reloads: {} offences; all {} live after {} virtual minutes\n",
             connections, cuts, reloads, world.offences(), live(), took);
  return good;
}

// The exchange closes connections at 30 s; the daemon renews them before: nobody may see it.
bool test_renewals(std::uint64_t seed, std::uint64_t renewals) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments(30, 120));
  world.set_lifetime(std::chrono::seconds(30));
  EngineOptions options;
  options.config.data_dir = "data";
  options.config.renew_after = seconds(20);
  for (const auto& s : world.tape().instruments()) {
    options.symbols.wanted[{s.instrument.exchange, s.instrument.market}].push_back(s.instrument.symbol);
  }
  Life life(std::move(options), clock, files, world);
  std::uint64_t renewed = 0, fetched = 0;
  const SteadyTime end = clock.steady() + std::chrono::hours(12);
  while (renewed < renewals && clock.steady() < end) {
    life.settle();
    clock.advance(clock.steady() + std::chrono::milliseconds(100));
    renewed = fetched = 0;
    for (const auto& [where, market] : life.engine->markets()) {
      renewed += market->renewed();
      fetched += market->counters().fetched;
    }
  }
  Verdict v;
  std::size_t rows = 0, not_live = 0;
  std::map<std::string, int> seen;
  for (const ReadRow& row : rows_of(files, v)) {
    if (++seen[row.symbol + std::string(cvdd::name_of(row.market))] == 1) continue;  // the first bar is partial
    ++rows;
    if (row.status != Status::live || row.rev != 0) ++not_live;
    const std::size_t index = world.tape().find(row.exchange, row.market, row.symbol);
    const auto bar = world.tape().bar(index, row.time, seconds(60));
    if (!difference(row, world.tape().instruments()[index], bar.trades).empty()) v.complain("a row is wrong");
  }
  fmt::print("renewals: {} of connections, {} rows, {} of them not live, {} trades fetched, {} offences, {} wrong\n",
             renewed, rows, not_live, fetched, world.offences(), v.complaints.size());
  return renewed >= renewals && rows > 100 && not_live == 0 && fetched == 0 && world.offences() == 0 &&
         v.complaints.empty();
}

// Wildcards follow the exchange's list, which is read again every ten minutes; a name that is wanted and not there is
// looked for sooner; the others see nothing of it.
bool test_listings(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments(12, 60));
  world.list("ETHUSD_PERP", false);
  EngineOptions options;
  options.config.data_dir = "data";
  for (const Market market : {Market::spot, Market::linear, Market::inverse}) {
    options.symbols.wanted[{"binance", market}] = {"*"};
  }
  world.list("SOLUSD_PERP", false);
  options.symbols.wanted[{"binance", Market::inverse}].push_back("SOLUSD_PERP");
  Life life(std::move(options), clock, files, world);
  clock.at(clock.steady() + std::chrono::seconds(5), [&] { world.list("SOLUSD_PERP", true); });
  clock.at(clock.steady() + std::chrono::minutes(5), [&] { world.list("ETHUSD_PERP", true); });
  clock.at(clock.steady() + std::chrono::minutes(25), [&] { world.list("BTCUSD_PERP", false); });
  const SteadyTime end = clock.steady() + std::chrono::minutes(45);
  while (clock.steady() < end) {
    life.settle();
    clock.advance(clock.steady() + std::chrono::milliseconds(100));
  }
  Verdict v;
  std::map<std::string, std::vector<ReadRow>> rows;
  for (ReadRow& row : rows_of(files, v))
    rows[row.symbol + std::string(cvdd::name_of(row.market))].push_back(std::move(row));
  const auto minutes_in = [](const ReadRow& row) { return (row.time - simulated_start).us / 60'000'000; };
  const auto &added = rows["ETHUSD_PERPinverse"], &removed = rows["BTCUSD_PERPinverse"];
  bool good = rows.size() == 12 && !added.empty() && !removed.empty() && minutes_in(added.front()) >= 5 &&
              minutes_in(added.front()) <= 15 && minutes_in(removed.back()) >= 24 && minutes_in(removed.back()) <= 36 &&
              removed.back().status == Status::partial;
  const auto& awaited = rows["SOLUSD_PERPinverse"];
  good = good && !awaited.empty() && minutes_in(awaited.front()) == 0;
  std::size_t others = 0, touched = 0;
  for (const auto& [name, of] : rows) {
    if (&of == &added || &of == &removed) continue;
    for (std::size_t i = 1; i < of.size(); ++i, ++others) touched += of[i].status == Status::live ? 0U : 1U;
  }
  good = good && others > 10 * 40 && touched == 0;
  fmt::print("listings: one begun, one ended, {} rows of the others, {} touched: {}\n", others, touched,
             good ? "good" : "WRONG");
  return good;
}

// Everything is carried by two connections, and one of two is cut every few seconds: nobody may see it, on any
// exchange.
bool test_twins(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments_everywhere(48, 60));
  EngineOptions options = options_for(world);
  for (const auto& side : world.sides()) options.config.exchanges[side].redundancy = 2;
  Life life(std::move(options), clock, files, world);
  const SteadyTime begin = clock.steady();
  std::size_t cuts = 0;
  SteadyTime next = begin + std::chrono::minutes(3);
  while (clock.steady() < begin + std::chrono::minutes(60)) {
    life.settle();
    if (clock.steady() >= next) {
      if (world.cut_one_of_two()) ++cuts;
      next = clock.steady() + std::chrono::milliseconds(2'900);
    }
    clock.advance(clock.steady() + std::chrono::milliseconds(100));
  }
  Verdict v;
  std::map<std::string, int> seen;
  std::size_t rows = 0, not_live = 0;
  std::uint64_t twins = 0, trades = 0;
  for (const ReadRow& row : rows_of(files, v)) {
    if (++seen[row.exchange + row.symbol + std::string(cvdd::name_of(row.market))] == 1) continue;
    ++rows;
    if (row.status != Status::live || row.rev != 0) {
      if (not_live++ < 3) fmt::print("  not live at once: {}\n", row.text);
    }
    const std::size_t index = world.tape().find(row.exchange, row.market, row.symbol);
    const auto bar = world.tape().bar(index, row.time, seconds(60));
    if (!difference(row, world.tape().instruments()[index], bar.trades).empty()) v.complain("a row is wrong");
  }
  for (const auto& [where, market] : life.engine->markets()) {
    twins += market->counters().twins;
    trades += market->counters().trades;
  }
  fmt::print("twins: {} cuts, {} rows, {} not live at once, {} wrong, {} of {} trades seen twice, {} offences {}\n",
             cuts, rows, not_live, v.complaints.size(), twins, trades, world.offences(), world.first_offence());
  return cuts > 500 && rows > 48 * 50 && not_live == 0 && v.complaints.empty() && twins > trades / 2 &&
         world.offences() == 0;
}

// Every exchange lists an instrument in ten that it does not serve, and each says no in its own way: or not at all.
bool test_refusals(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  const auto everything = sim::make_instruments_everywhere(16 * 40, 20);
  std::vector<sim::TapeInstrument> served, refused;
  for (std::size_t i = 0; i < everything.size(); ++i) (i / 16 % 10 == 3 ? refused : served).push_back(everything[i]);
  // Where one coin is one topic, a strike can't be refused; the first exchange takes any name and stays silent; and one
  // says nothing and closes the connection: there only names of its list may be asked for.
  std::erase_if(refused, [](const sim::TapeInstrument& t) {
    const Instrument& i = t.instrument;
    const Exchange* exchange = find_exchange(i.exchange, i.market);
    return exchange->delivers_unrequested || exchange->begins_with_old ||
           i.exchange == sim::protocols().front()->name();
  });
  World world(clock, seed, served);
  world.list_too(refused);
  EngineOptions options = options_for(world);
  for (const auto& t : refused) {
    options.symbols.wanted[{t.instrument.exchange, t.instrument.market}].push_back(t.instrument.symbol);
  }
  Life life(std::move(options), clock, files, world);
  const SteadyTime end = clock.steady() + std::chrono::minutes(25);
  while (clock.steady() < end) {
    life.settle();
    clock.advance(clock.steady() + std::chrono::milliseconds(100));
  }
  Verdict v;
  std::map<std::string, std::size_t> bars;
  std::size_t not_live = 0, of_refused = 0;
  for (const ReadRow& row : rows_of(files, v)) {
    if (world.tape().find(row.exchange, row.market, row.symbol) == sim::Tape::npos) ++of_refused;
    const std::string name = row.exchange + row.symbol + std::string(cvdd::name_of(row.market));
    if (++bars[name] > 1 && row.status != Status::live) ++not_live;
  }
  const bool good = bars.size() == served.size() && of_refused == 0 && not_live == 0 && world.offences() == 0 &&
                    std::all_of(bars.begin(), bars.end(), [](const auto& b) { return b.second >= 23; });
  fmt::print("refusals: {} instruments of {} refused, the other {} have rows, {} of those not live, {} offences {}\n",
             refused.size(), everything.size(), bars.size(), not_live, world.offences(), world.first_offence());
  return good;
}

// What was captured of a run with every fault there is, replayed, gives the bytes that the run wrote; and its buckets
// are its bars.
bool test_capture(std::uint64_t seed, RunPlan plan, const std::string& folder) {
  std::filesystem::remove_all(folder);
  plan.capture = folder + "/capture";
  const Run run(seed, plan);
  const bool same = same_when_replayed(run.files(), folder + "/capture", folder + "/replayed", seed);
  return flow_adds_up(run.files()) && same;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("cvdd in virtual time against a misbehaving exchange");
  std::uint64_t seed = 1, seeds = 1;
  std::size_t instruments = 6;
  RunPlan plan;
  std::string interval = "by seed", without;
  bool everywhere = false, verbose = false, manners = false, renewals = false, listings = false, refusals = false,
       twins = false, past = false, judges = false, episodes = false, context = false;
  std::size_t kills = 0;
  std::string captures, episode;
  std::string first_seed = "1";
  app.add_option("--seed", first_seed, "the first seed; random: drawn, and printed first");
  app.add_option("--seeds", seeds, "how many, from --seed on");
  app.add_option("--hours", plan.hours,
                 "virtual hours of each run; its faults cease three quarters of one before the end")
      ->check(CLI::Range(1, 24 * 365));
  app.add_option("--instruments", instruments, "at least 3")->check(CLI::Range(3, 1000));
  app.add_option("--out", plan.out, "write the rows of the last run there");
  app.add_flag("--everywhere", everywhere,
               "instruments of every exchange, thin and busy ones, not of one exchange alone; in every second seed the "
               "process ends every few minutes");
  app.add_option("--without", without, "kinds of fault that are left out, with commas between them");
  app.add_option("--only", plan.only, "draw this kind of fault alone");
  app.add_option("--interval", interval, "of the bars in seconds; by seed: 5 in every fourth, else 60");
  app.add_flag("--once", plan.once, "do not run every seed a second time to compare the bytes");
  app.add_flag("--verbose", verbose, "the daemon's log on standard output");
  app.add_flag("--manners", manners, "instead: reconnects and reloads without end, counted as exchanges count");
  app.add_flag("--renewals", renewals, "instead: 200 renewals of connections, unseen");
  app.add_flag("--listings", listings, "instead: the exchange lists one instrument and takes another off its list");
  app.add_flag("--refusals", refusals, "instead: exchanges that refuse some of what they list");
  app.add_flag("--twins", twins, "instead: two connections for everything, of which one is cut again and again");
  app.add_flag("--past", past, "instead: long outages and absences, and new instruments with a history");
  app.add_flag("--context", context,
               "instead: what stands beside the trades, on and off, and --seeds times with every fault");
  app.add_flag("--episodes", episodes, "instead: single faults, each set up with care");
  app.add_option("--episode", episode, "instead: the one of this name");
  app.add_flag("--judges", judges, "instead: what is planted in rows, the judges see");
  app.add_option("--captures", captures, "instead: captured into this folder, which is emptied, and replayed");
  app.add_option("--kills", kills, "instead: killed so many times, a few seconds apart");
  CLI11_PARSE(app, argc, argv);
  if (first_seed == "random") {
    seed = std::random_device{}() % 1'000'000'000;
    fmt::print("seed {}\n", seed);
    std::fflush(stdout);
  } else if (std::from_chars(first_seed.data(), first_seed.data() + first_seed.size(), seed).ec != std::errc{}) {
    fmt::print(stderr, "--seed {}: expected a number, or random\n", first_seed);
    return 2;
  }
  if (!plan.leave_out(without) || !plan.set_interval(interval)) {
    fmt::print(stderr, "--without {}, --interval {}: expected names of faults, and 1 to 60 seconds\n", without,
               interval);
    return 2;
  }
  plan.everywhere = everywhere;
  plan.instruments = instruments;
  spdlog::set_level(verbose ? spdlog::level::info : spdlog::level::off);
  if (episodes || !episode.empty()) return play_episodes(seed, episode) ? 0 : 1;
  if (judges) return test_judges() ? 0 : 1;
  if (context) return test_context(seed, seeds) ? 0 : 1;
  if (manners) return test_manners(seed) ? 0 : 1;
  if (past) return test_past(seed) ? 0 : 1;
  if (twins) return test_twins(seed) ? 0 : 1;
  if (refusals) return test_refusals(seed) ? 0 : 1;
  if (listings) return test_listings(seed) ? 0 : 1;
  if (renewals) return test_renewals(seed, 200) ? 0 : 1;
  bool good = true;
  for (std::uint64_t i = 0; kills > 0 && i < seeds; ++i) good = test_kills(seed + i, kills) && good;
  if (kills > 0) return good ? 0 : 1;
  for (std::uint64_t i = 0; !captures.empty() && i < seeds; ++i) good = test_capture(seed + i, plan, captures) && good;
  if (!captures.empty()) return good ? 0 : 1;
  Campaign campaign(plan);
  for (std::uint64_t i = 0; i < seeds; ++i) campaign.run(seed + i);
  if (seeds > 1) campaign.report();
  good = campaign.good();
  if (!good) fmt::print("FAILED\n");
  return good ? 0 : 1;
}
