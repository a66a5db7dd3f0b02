// cvdd_sim_test --seed N [--seeds COUNT] [--hours H] [--instruments N] [--verbose] [--out FILE]
// The daemon's own engine for H virtual hours against a misbehaving exchange; 0 if the judges have nothing to say.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <fstream>
#include <optional>
#include <random>

#include "cli/compare.hpp"
#include "cvdd/daemon/engine.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"
#include "sim/episodes.hpp"
#include "sim/life.hpp"
#include "sim/oracle.hpp"
#include "sim/storms.hpp"

using namespace cvdd;
using namespace cvdd::simtest;

namespace {
constexpr Duration calm_end = seconds(900);  // no faults: everything must be live again
constexpr std::chrono::milliseconds goodbye{700};

class Run {
 public:
  Run(std::uint64_t seed, Duration length, std::vector<sim::TapeInstrument> instruments)
      : clock_(simulated_start), world_(clock_, seed, std::move(instruments)) {
    facts_.begin = simulated_start;
    facts_.end = simulated_start + length;
    facts_.interval = seconds(60);
    facts_.faults = draw_faults(seed, simulated_start + seconds(120), facts_.end - calm_end, world_.sides().size());
    for (const Fault& fault : facts_.faults) {
      clock_.at(clock_.steady_at(fault.at), [this, fault] { begin(fault); });
    }
    start();
    go_until(facts_.end);
    stop();
  }

  [[nodiscard]] Verdict verdict() { return judge(files_, world_, facts_); }
  [[nodiscard]] const MemoryFiles& files() const { return files_; }
  [[nodiscard]] const std::vector<Fault>& faults() const { return facts_.faults; }

 private:
  void start() { life_.emplace(options_for(world_), clock_, files_, world_); }

  void go_until(Timestamp end) {
    const SteadyTime until = clock_.steady_at(end);
    while (clock_.steady() < until) {
      if (life_ && !frozen_) life_->settle();
      if (dead_) {  // not inside an event: the engine must not vanish under its own feet
        dead_ = false;
        die();
        continue;
      }
      if (restart_) {
        restart_ = false;
        stop();
        continue;
      }
      SteadyTime next = std::min(until, clock_.steady() + std::chrono::seconds(1));
      if (life_) {
        const SteadyTime due = clock_.steady_at(life_->engine->aggregator().due());
        if (due > clock_.steady()) next = std::min(next, due);
      }
      clock_.advance(next);
    }
  }

  void begin(const Fault& fault) {
    const SteadyTime over = clock_.steady() + std::chrono::microseconds(fault.length.us);
    switch (fault.kind) {
      case FaultKind::clock_step: {
        const Duration by = seconds((fault.at.us / 1'000) % 14'400 - 7'200);
        clock_.step_wall(by);
        clock_.at(over, [this, by] { clock_.step_wall({-by.us}); });
        break;
      }
      case FaultKind::frozen:
        frozen_ = true;
        world_.freeze(true);
        clock_.at(over, [this] {
          frozen_ = false;
          world_.freeze(false);
        });
        break;
      case FaultKind::kill:
        dead_ = true;
        clock_.at(over, [this] { start(); });
        break;
      case FaultKind::restart:
        restart_ = true;
        clock_.at(over + goodbye, [this] { start(); });
        break;
      case FaultKind::disk_full:
        files_.append_error = ENOSPC;
        clock_.at(over, [this] { files_.append_error = 0; });
        break;
      case FaultKind::rest_fails:
        world_.begin(fault);
        dead_ = true;
        clock_.at(clock_.steady() + std::chrono::seconds(1), [this] { start(); });
        break;
      default:
        world_.begin(fault);
    }
  }

  void end_life() {
    life_->engine.reset();
    life_.reset();
    world_.cut_all();
  }

  // What was in memory only is as good as never received.
  void die() {
    end_life();
    Verdict ignored;
    std::map<std::size_t, std::pair<Timestamp, std::string>> last;
    for (const Row& row : rows_of(files_, ignored)) {
      auto& [time, id] = last[world_.tape().find(row.exchange, row.market, row.symbol)];
      if (row.last_id.empty() || row.time < time) continue;
      time = row.time;
      id = row.last_id;
    }
    for (std::size_t i = 0; i < world_.tape().instruments().size(); ++i) {
      world_.undeliver_after(i, last.contains(i) ? id_of(i, last[i].second) : 0);
    }
  }

  void stop() {
    if (!life_) return;
    life_->engine->stop();
    const SteadyTime until = clock_.steady() + goodbye;
    life_->settle();
    while (clock_.advance(until)) life_->settle();
    life_->engine->aggregator().finish();
    end_life();
  }

  // Of the trade that a row names.
  [[nodiscard]] std::uint64_t id_of(std::size_t instrument, const std::string& text) {
    const sim::TapeInstrument& what = world_.tape().instruments()[instrument];
    if (what.instrument.ids == Ids::sequence) return std::stoull(text);
    const auto trades = world_.tape().trades(instrument);
    for (auto t = trades.rbegin(); t != trades.rend(); ++t) {
      if (sim::id_text(what, *t) == text) return t->id;
    }
    return 0;
  }

  VirtualClock clock_;
  MemoryFiles files_;
  World world_;
  RunFacts facts_;
  std::optional<Life> life_;
  bool dead_ = false, restart_ = false, frozen_ = false;
};

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
  for (const Row& row : rows_of(files, v)) {
    if (++seen[row.symbol + std::string(cvdd::name_of(row.market))] == 1) continue;  // the first bar is partial
    ++rows;
    if (row.status != BarStatus::live || row.rev != 0) ++not_live;
    const std::size_t index = world.tape().find(row.exchange, row.market, row.symbol);
    const auto bar = world.tape().bar(index, row.time, seconds(60));
    if (!difference_from_tape(row, world.tape().instruments()[index], bar.trades).empty()) v.complain("a row is wrong");
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
  std::map<std::string, std::vector<Row>> rows;
  for (Row& row : rows_of(files, v))
    rows[row.symbol + std::string(cvdd::name_of(row.market))].push_back(std::move(row));
  const auto minutes_in = [](const Row& row) { return (row.time - simulated_start).us / 60'000'000; };
  const auto &added = rows["ETHUSD_PERPinverse"], &removed = rows["BTCUSD_PERPinverse"];
  bool good = rows.size() == 12 && !added.empty() && !removed.empty() && minutes_in(added.front()) >= 5 &&
              minutes_in(added.front()) <= 15 && minutes_in(removed.back()) >= 24 && minutes_in(removed.back()) <= 36 &&
              removed.back().status == BarStatus::partial;
  const auto& awaited = rows["SOLUSD_PERPinverse"];
  good = good && !awaited.empty() && minutes_in(awaited.front()) == 0;
  std::size_t others = 0, touched = 0;
  for (const auto& [name, of] : rows) {
    if (&of == &added || &of == &removed) continue;
    for (std::size_t i = 1; i < of.size(); ++i, ++others) touched += of[i].status == BarStatus::live ? 0U : 1U;
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
  for (const Row& row : rows_of(files, v)) {
    if (++seen[row.exchange + row.symbol + std::string(cvdd::name_of(row.market))] == 1) continue;
    ++rows;
    if (row.status != BarStatus::live || row.rev != 0) {
      std::string text;
      append_row(text, row);
      if (not_live++ < 3) fmt::print("  not live at once: {}", text);
    }
    const std::size_t index = world.tape().find(row.exchange, row.market, row.symbol);
    const auto bar = world.tape().bar(index, row.time, seconds(60));
    if (!difference_from_tape(row, world.tape().instruments()[index], bar.trades).empty()) v.complain("a row is wrong");
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
  // Where one coin is one topic, a strike can't be refused; and the first exchange takes any name and stays silent.
  std::erase_if(refused, [](const sim::TapeInstrument& t) {
    const Instrument& i = t.instrument;
    const Exchange* exchange = find_exchange(i.exchange, i.market);
    return exchange->delivers_unrequested || i.exchange == sim::protocols().front()->name();
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
  for (const Row& row : rows_of(files, v)) {
    if (world.tape().find(row.exchange, row.market, row.symbol) == sim::Tape::npos) ++of_refused;
    const std::string name = row.exchange + row.symbol + std::string(cvdd::name_of(row.market));
    if (++bars[name] > 1 && row.status != BarStatus::live) ++not_live;
  }
  const bool good = bars.size() == served.size() && of_refused == 0 && not_live == 0 && world.offences() == 0 &&
                    std::all_of(bars.begin(), bars.end(), [](const auto& b) { return b.second >= 23; });
  fmt::print("refusals: {} instruments of {} refused, the other {} have rows, {} of those not live, {} offences {}\n",
             refused.size(), everything.size(), bars.size(), not_live, world.offences(), world.first_offence());
  return good;
}

bool test(std::uint64_t seed, Duration length, const std::vector<sim::TapeInstrument>& instruments,
          const std::string& out) {
  Run run(seed, length, instruments);
  const Verdict v = run.verdict();
  fmt::print("seed {}: {} h, {} faults, {} rows: {} live, {} gap, {} partial, {} repaired; {} revisions\n", seed,
             length.us / 3'600'000'000, run.faults().size(), v.rows, v.live, v.gap, v.partial, v.repaired, v.revisions);
  bool good = v.complaints.empty() && v.rows > 0;
  Run again(seed, length, instruments);
  if (again.files().files != run.files().files) {
    fmt::print("  the same seed gave other bytes\n");
    good = false;
  }
  for (const std::string& complaint : v.complaints) fmt::print("  {}\n", complaint);
  if (!good || !out.empty()) {
    for (const Fault& f : run.faults()) {
      fmt::print("  fault {} at {} for {} s, {}\n", name_of(f.kind), format_time(f.at), f.length.us / 1'000'000,
                 f.side);
    }
  }
  if (!out.empty()) {
    std::ofstream file(out, std::ios::binary);
    for (const auto& [path, text] : run.files().files) {
      if (path.find("/cvd-") != std::string::npos) file << text;
    }
  }
  return good;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("cvdd in virtual time against a misbehaving exchange");
  std::uint64_t seed = 1, seeds = 1;
  std::int64_t hours = 6;
  std::size_t instruments = 6;
  bool everywhere = false, verbose = false, manners = false, renewals = false, listings = false, refusals = false,
       twins = false, past = false;
  std::size_t kills = 0;
  std::string out;
  std::string first_seed = "1", episode;
  bool episodes = false;
  app.add_option("--seed", first_seed, "the first seed; random: drawn, and printed first");
  app.add_option("--seeds", seeds, "how many, from --seed on");
  app.add_option("--hours", hours, "virtual hours of each run")->check(CLI::Range(1, 24 * 365));
  app.add_option("--instruments", instruments, "at least 3")->check(CLI::Range(3, 1000));
  app.add_option("--out", out, "write the rows of the last run there");
  app.add_flag("--everywhere", everywhere, "instruments of every exchange, not of one alone");
  app.add_flag("--verbose", verbose, "the daemon's log on standard output");
  app.add_flag("--manners", manners, "instead: reconnects and reloads without end, counted as exchanges count");
  app.add_flag("--renewals", renewals, "instead: 200 renewals of connections, unseen");
  app.add_flag("--listings", listings, "instead: the exchange lists one instrument and takes another off its list");
  app.add_flag("--refusals", refusals, "instead: exchanges that refuse some of what they list");
  app.add_flag("--twins", twins, "instead: two connections for everything, of which one is cut again and again");
  app.add_flag("--past", past, "instead: long outages and absences, and new instruments with a history");
  app.add_flag("--episodes", episodes, "instead: single faults, each set up with care");
  app.add_option("--episode", episode, "instead: the one of this name");
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
  spdlog::set_level(verbose ? spdlog::level::info : spdlog::level::off);
  if (manners) return test_manners(seed) ? 0 : 1;
  if (episodes || !episode.empty()) return play_episodes(seed, episode) ? 0 : 1;
  if (past) return test_past(seed) ? 0 : 1;
  if (twins) return test_twins(seed) ? 0 : 1;
  if (refusals) return test_refusals(seed) ? 0 : 1;
  if (listings) return test_listings(seed) ? 0 : 1;
  if (renewals) return test_renewals(seed, 200) ? 0 : 1;
  bool good = true;
  for (std::uint64_t i = 0; kills > 0 && i < seeds; ++i) good = test_kills(seed + i, kills) && good;
  if (kills > 0) return good ? 0 : 1;
  const auto simulated =
      everywhere ? sim::make_instruments_everywhere(instruments, 30) : sim::make_instruments(instruments, 30);
  for (std::uint64_t i = 0; i < seeds; ++i) good = test(seed + i, seconds(3'600 * hours), simulated, out) && good;
  if (!good) fmt::print("FAILED\n");
  return good ? 0 : 1;
}
