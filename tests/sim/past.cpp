#include <fmt/format.h>

#include <map>

#include "sim/life.hpp"
#include "sim/oracle.hpp"
#include "sim/storms.hpp"
#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

namespace {
constexpr Duration minute = seconds(60);

struct Judged {
  std::size_t rows = 0, history = 0, repaired = 0, live = 0, gap = 0, other = 0;
  std::vector<std::string> complaints;
  void complain(const std::string& what, const ReadRow& row) {
    if (complaints.size() < 10) complaints.push_back(what + ": " + row.text);
  }
};

// Every bar from `begin` on is there, without a break, at its highest revision equal to the tape; CVDs are the sums.
Judged judge_rows(const MemoryFiles& files, World& world, Timestamp begin, Timestamp end) {
  Judged j;
  Verdict v;
  std::map<std::size_t, std::map<std::int64_t, ReadRow>> instruments;
  for (const ReadRow& row : rows_of(files, v)) {
    auto& of = instruments[world.tape().find(row.exchange, row.market, row.symbol)];
    const auto old = of.find(row.time.us);
    if (row.rev != (old == of.end() ? 0 : old->second.rev + 1)) j.complain("revision", row);
    of.insert_or_assign(row.time.us, row);
  }
  for (std::size_t i = 0; i < world.tape().instruments().size(); ++i) {
    const sim::TapeInstrument& what = world.tape().instruments()[i];
    Exact base, quote;
    // What was begun anew a little later reaches back as far from there.
    Timestamp due = begin;
    if (!instruments[i].empty())
      due = std::clamp(Timestamp{instruments[i].begin()->first}, begin, begin + seconds(600));
    for (const auto& [time, row] : instruments[i]) {
      ++j.rows;
      base = base + row.delta_base;
      quote = quote + row.delta_quote;
      if (base != row.cvd_base || quote != row.cvd_quote) j.complain("CVD", row);
      if (row.time != due) j.complain("a bar is left out before", row);
      due = row.time + minute;
      const auto bar = world.tape().bar(i, row.time, minute);
      std::string differs;
      if (row.whole() || row.status == Status::history) {
        ++(row.status == Status::history ? j.history : row.status == Status::live ? j.live : j.repaired);
        differs = difference(row, what, bar.trades);
      } else {
        ++(row.status == Status::gap ? j.gap : j.other);
      }
      if (!differs.empty()) j.complain(differs + " differs", row);
    }
    if (due + minute < end) ++j.gap;  // it ends too early
  }
  return j;
}

bool tell(const char* what, const Judged& j, const World& world) {
  fmt::print("past: {}: {} rows: {} history, {} repaired, {} live, {} gap, {} other; {} offences {}\n", what, j.rows,
             j.history, j.repaired, j.live, j.gap, j.other, world.offences(), world.first_offence());
  for (const std::string& complaint : j.complaints) fmt::print("  {}\n", complaint);
  return j.complaints.empty() && world.offences() == 0;
}

void go(VirtualClock& clock, Life* life, std::chrono::seconds time, std::chrono::milliseconds step) {
  const SteadyTime end = clock.steady() + time;
  while (clock.steady() < end) {
    if (life != nullptr) life->settle();
    clock.advance(std::min(end, clock.steady() + step));
  }
}

void stop(VirtualClock& clock, std::optional<Life>& life, World& world) {
  life->engine->stop();
  go(clock, &*life, std::chrono::seconds(1), std::chrono::milliseconds(100));
  life->engine->aggregator().finish();
  life.reset();
  world.cut_all();
}

bool test_bootstrap(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments(100, 3), seconds(3 * 86'400 + 600));
  EngineOptions options = options_for(world);
  options.symbols.history["binance"] = seconds(3 * 86'400);
  const Timestamp begin = bar_start(simulated_start, minute) - seconds(3 * 86'400);
  std::optional<Life> life;
  life.emplace(options, clock, files, world);
  // Killed in the middle of it: nothing of the rest is written, and it is begun anew.
  go(clock, &*life, std::chrono::seconds(150), std::chrono::milliseconds(100));
  life.reset();
  world.cut_all();
  Verdict v;
  std::map<std::string, std::size_t> whole;
  for (const ReadRow& row : rows_of(files, v)) ++whole[row.symbol + std::string(cvdd::name_of(row.market))];
  life.emplace(options, clock, files, world);
  go(clock, &*life, std::chrono::minutes(25), std::chrono::milliseconds(100));
  const Timestamp end = clock.true_time();
  stop(clock, life, world);
  const Judged j = judge_rows(files, world, begin, end);
  fmt::print("past: {} of 100 had theirs when the process was killed\n", whole.size());
  return tell("history of three days for 100 instruments", j, world) && j.history >= 100 * 4'300 && j.gap == 0 &&
         !whole.empty() && whole.size() < 100;
}

bool test_absence(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments(6, 120));
  const EngineOptions options = options_for(world);
  std::optional<Life> life;
  life.emplace(options, clock, files, world);
  go(clock, &*life, std::chrono::minutes(5), std::chrono::milliseconds(100));
  Fault outage;
  outage.kind = FaultKind::outage;
  outage.length = seconds(2 * 3'600);
  for (std::size_t side = 0; side < world.sides().size(); ++side) {
    outage.side = side;
    world.begin(outage);
  }
  go(clock, &*life, std::chrono::hours(2) + std::chrono::minutes(10), std::chrono::milliseconds(100));
  const Judged first = judge_rows(files, world, bar_start(simulated_start, minute), clock.true_time());
  const bool bridged = tell("cut off for two hours", first, world) && first.history >= 6 * 110 && first.gap == 0;
  stop(clock, life, world);
  go(clock, nullptr, std::chrono::hours(9), std::chrono::seconds(60));
  life.emplace(options, clock, files, world);
  go(clock, &*life, std::chrono::minutes(10), std::chrono::milliseconds(100));
  const Timestamp end = clock.true_time();
  stop(clock, life, world);
  const Judged j = judge_rows(files, world, bar_start(simulated_start, minute), end);
  return tell("not running for nine hours", j, world) && bridged && j.gap == 0 && j.history >= 6 * (110 + 9 * 60 - 1);
}

std::map<std::string, std::uint32_t> numbers_of(const Life& life) {
  std::map<std::string, std::uint32_t> numbers;
  for (const auto& [where, market] : life.engine->markets()) {
    std::vector<InstrumentState> states;
    market->look(states);
    for (const InstrumentState& s : states) {
      if (s.instrument != nullptr) numbers[s.exchange + std::string(name_of(s.market)) + s.symbol] = s.instrument->id;
    }
  }
  return numbers;
}

// Two instruments leave the list for more than a day, are forgotten, and come back one after the other: each has the
// other's number then, and goes on where it was.
bool test_departure(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments(6, 60));
  const EngineOptions all = options_for(world);
  std::optional<Life> life;
  life.emplace(all, clock, files, world);
  go(clock, &*life, std::chrono::minutes(10), std::chrono::milliseconds(100));
  const auto before = numbers_of(*life);
  SymbolList none = all.symbols, one = all.symbols;
  auto& names = none.wanted.begin()->second;
  const std::string low = names[0], high = names[1];
  std::erase_if(names, [&](const std::string& name) { return name == low || name == high; });
  const std::string market = none.wanted.begin()->first.first + std::string(name_of(none.wanted.begin()->first.second));
  // Who comes back first gets the lower number: the one that had the higher.
  const bool in_order = before.at(market + low) < before.at(market + high);
  std::erase(one.wanted.begin()->second, in_order ? low : high);
  life->engine->want(none);
  go(clock, &*life, std::chrono::hours(26), std::chrono::milliseconds(500));
  life->engine->want(one);
  go(clock, &*life, std::chrono::minutes(20), std::chrono::milliseconds(100));
  life->engine->want(all.symbols);
  go(clock, &*life, std::chrono::minutes(20), std::chrono::milliseconds(100));
  const auto after = numbers_of(*life);
  const Timestamp end = clock.true_time();
  stop(clock, life, world);
  const bool swapped = after.size() == 6 && after.at(market + low) == before.at(market + high) &&
                       after.at(market + high) == before.at(market + low);
  if (!swapped) fmt::print("past: the numbers were not given out again\n");
  const Judged j = judge_rows(files, world, bar_start(simulated_start, minute), end);
  return tell("forgotten for a day", j, world) && swapped && j.gap == 0 && j.history >= 2 * 26 * 59;
}

// The wire says another size than the exchange's history, in one message in a while: only an audit can tell.
bool test_audit(std::uint64_t seed) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments_everywhere(48, 60));
  EngineOptions options = options_for(world);
  options.config.audit = AuditMode::all;
  std::optional<Life> life;
  life.emplace(options, clock, files, world);
  go(clock, &*life, std::chrono::minutes(3), std::chrono::milliseconds(100));
  constexpr std::size_t distorted = 20;
  for (std::size_t i = 0; i < distorted; ++i) {
    world.distort_one();
    go(clock, &*life, std::chrono::seconds(150), std::chrono::milliseconds(100));
  }
  go(clock, &*life, std::chrono::minutes(5), std::chrono::milliseconds(100));
  std::uint64_t bars = 0, mismatches = 0;
  for (const auto& [where, market] : life->engine->markets()) {
    if (market->prover() == nullptr) continue;
    bars += market->prover()->counters().bars;
    mismatches += market->prover()->counters().mismatches;
  }
  const Timestamp end = clock.true_time();
  stop(clock, life, world);
  const Judged j = judge_rows(files, world, bar_start(simulated_start, minute), end);
  fmt::print("past: {} bars audited, {} were not the exchange's\n", bars, mismatches);
  return tell("audited", j, world) && mismatches == distorted && bars > 44 * 25 && j.gap == 0 &&
         j.repaired >= distorted;
}
}  // namespace

bool test_past(std::uint64_t seed) {
  return test_absence(seed) && test_audit(seed) && test_bootstrap(seed) && test_departure(seed);
}

}  // namespace cvdd::simtest
