#include <fmt/format.h>

#include <map>
#include <random>

#include "sim/life.hpp"
#include "sim/oracle.hpp"
#include "sim/storms.hpp"
#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

bool test_kills(std::uint64_t seed, std::size_t kills) {
  VirtualClock clock(simulated_start);
  MemoryFiles files;
  World world(clock, seed, sim::make_instruments_everywhere(32, 60));
  EngineOptions options = options_for(world);
  options.config.interval = seconds(seed % 2 == 0 ? 5 : 1);
  const std::uint64_t life_max = seed % 2 == 0 ? 25'000 : 4'000;
  std::mt19937_64 random(seed);
  std::optional<Life> life;
  const auto go = [&](std::chrono::milliseconds time) {
    const SteadyTime end = clock.steady() + time;
    while (clock.steady() < end) {
      if (life) life->settle();
      clock.advance(std::min(end, clock.steady() + std::chrono::milliseconds(100)));
    }
  };
  for (std::size_t i = 0; i <= kills; ++i) {
    life.emplace(options, clock, files, world);
    go(i == kills ? std::chrono::minutes(30) : std::chrono::milliseconds(300 + random() % life_max));
    life.reset();
    world.cut_all();
    go(std::chrono::milliseconds(100 + random() % (random() % 10 == 0 ? 60'000 : 5'000)));
  }
  Verdict v;
  std::map<std::tuple<std::size_t, std::int64_t>, ReadRow> newest;
  std::map<std::size_t, std::pair<Exact, Exact>> sums;
  std::size_t whole = 0, gaps = 0, blind = 0;
  for (const ReadRow& row : rows_of(files, v)) {
    const std::tuple key{world.tape().find(row.exchange, row.market, row.symbol), row.time.us};
    const auto old = newest.find(key);
    if (row.rev != (old == newest.end() ? 0 : old->second.rev + 1)) v.complain("a revision is doubled or left out");
    newest.insert_or_assign(key, row);
  }
  for (const auto& [key, row] : newest) {
    const auto index = std::get<0>(key);
    const sim::TapeInstrument& of = world.tape().instruments()[index];
    auto& [base, quote] = sums[index];
    base = base + row.delta_base;
    quote = quote + row.delta_quote;
    if (base != row.cvd_base || quote != row.cvd_quote) v.complain("CVD is not the sum of the deltas: " + row.text);
    if (row.status == Status::gap) ++(of.instrument.ids == Ids::sequence ? gaps : blind);
    if (!row.whole()) continue;
    ++whole;
    const auto bar = world.tape().bar(index, row.time, options.config.interval);
    const std::string what = difference(row, of, bar.trades);
    if (!what.empty()) v.complain(what + " differs: " + row.text);
  }
  fmt::print("kills: seed {}, {} kills, {} bars whole, {} with a gap, {} where ids don't tell, {} offences {}\n", seed,
             kills, whole, gaps, blind, world.offences(), world.first_offence());
  for (const std::string& complaint : v.complaints) fmt::print("  {}\n", complaint);
  // Offences are told, not judged: a process knows nothing of the attempts of the one before it.
  return v.complaints.empty() && whole > kills * 16;
}

}  // namespace cvdd::simtest
