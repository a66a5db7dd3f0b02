#include "sim/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cvdd/sim/protocol.hpp"
#include "sim/life.hpp"
#include "sim/run.hpp"

namespace cvdd::simtest {

using sim::TapeInstrument;

namespace {
// All but what stands beside the trades.
std::map<std::string, std::string> other_files(const MemoryFiles& files) {
  std::map<std::string, std::string> out;
  for (const auto& [path, text] : files.files) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!name.starts_with("context-") && name != "journal.redo") out[path] = text;
  }
  return out;
}

// Over midnight, without a fault.
void calm_run(std::uint64_t seed, const std::vector<TapeInstrument>& instruments, bool context, MemoryFiles& files,
              ContextVerdict& verdict, std::size_t& offences) {
  VirtualClock clock(simulated_start);
  World world(clock, seed, instruments);
  world.answer_evenly();
  EngineOptions options = options_for(world);
  for (const auto& side : world.sides()) {
    for (const DataKind kind : context_kinds) {
      if (context) options.symbols.context[side.first].add({kind});
    }
  }
  Life life(std::move(options), clock, files, world);
  const SteadyTime end = clock.steady() + std::chrono::minutes(135);
  while (clock.steady() < end) {
    life.settle();
    clock.advance(clock.steady() + std::chrono::milliseconds(100));
  }
  life.engine->stop();
  life.settle();
  life.engine->aggregator().finish();
  offences += world.offences();
  if (context) verdict = judge_context(files, world.tape(), seconds(60), true);
  life.engine.reset();
}

// The first place where files differ; empty: they don't.
std::string difference(const std::map<std::string, std::string>& one, const std::map<std::string, std::string>& other) {
  for (const auto& [path, text] : one) {
    if (!other.contains(path)) return path + " is not there";
    const std::string& same = other.at(path);
    const auto at = std::ranges::mismatch(text, same).in1 - text.begin();
    if (text == same) continue;
    const auto line = text.rfind('\n', static_cast<std::size_t>(at)) + 1;
    return path + ":\n    without: " + text.substr(line, text.find('\n', line) - line) +
           "\n    with:    " + same.substr(line, same.find('\n', line) - line);
  }
  return one.size() == other.size() ? "" : "there are more files";
}

// What is planted in a line of the files, the judge sees: one column with another text.
bool sees_plants(const MemoryFiles& files, const sim::Tape& tape) {
  bool good = true;
  const std::pair<const char*, const char*> plants[] = {
      {"bid", "1"},        {"ask_size", "7.5"},      {"book_age_ms", "2000"}, {"mark", "3"},
      {"index", ""},       {"funding_rate", "0.5"},  {"funding_time", ""},    {"open_interest_base", "12"},
      {"liq_buys", "999"}, {"liq_sell_quote", "-1"}, {"liq_kind", "all"},     {"status", "gap"}};
  for (const auto& [column, text] : plants) {
    MemoryFiles planted = files;
    for (auto& [path, lines] : planted.files) {
      if (path.find("/context-") == path.npos) continue;
      const auto begin = lines.find("binance,linear,", lines.size() / 2), start = lines.rfind('\n', begin) + 1;
      const std::size_t size = lines.find('\n', start) - start;
      lines.replace(start, size, with_column(lines.substr(start, size), column, text));
    }
    if (!judge_context(planted, tape, seconds(60), true).complaints.empty()) continue;
    fmt::print("context: the judge does not see {} \"{}\"\n", column, text);
    good = false;
  }
  return good;
}

bool test_calm(std::uint64_t seed) {
  const std::vector<TapeInstrument> everywhere = sim::make_instruments_everywhere(32, 30);
  MemoryFiles without, with;
  ContextVerdict none, calm;
  std::size_t offences = 0;
  calm_run(seed, everywhere, false, without, none, offences);
  calm_run(seed, everywhere, true, with, calm, offences);
  const std::string differs = difference(other_files(without), other_files(with));
  const bool same = differs.empty();
  const bool sees = sees_plants(with, sim::Tape(seed, simulated_start, everywhere));
  const bool good =
      same && sees && calm.complaints.empty() && calm.live > 1'000 && calm.orders > 1'000 && offences == 0;
  fmt::print(
      "context: the other files are {}; {} rows, {} live, {} forced orders, {} values compared, {} offences: {}\n",
      same ? "the same" : "NOT THE SAME", calm.rows, calm.live, calm.orders, calm.values, offences,
      good ? "good" : "WRONG");
  if (!same) fmt::print("  {}\n", differs);
  for (const std::string& complaint : calm.complaints) fmt::print("  {}\n", complaint);
  return good;
}
}  // namespace

bool test_context(std::uint64_t seed, std::uint64_t seeds) {
  bool good = test_calm(seed);
  for (std::uint64_t i = 0; i < seeds; ++i) {
    RunPlan plan;
    plan.context = true;
    plan.instruments = i % 2 == 0 ? 9 : 24;
    plan.everywhere = i % 2 == 1;
    plan.hours = 4;
    Run run(seed + i, plan);
    const Verdict trades = run.verdict();
    const ContextVerdict verdict = judge_context(run.files(), run.world().tape(), run.interval(), false);
    const bool fine = trades.complaints.empty() && verdict.complaints.empty() && verdict.live > 1'000;
    fmt::print("context: seed {}: {} faults, {} lives, {} rows, {} live, {} revisions, {} forced orders: {}\n",
               seed + i, run.faults().size(), run.lives(), verdict.rows, verdict.live, verdict.revisions,
               verdict.orders, fine ? "good" : "WRONG");
    for (const std::string& complaint : trades.complaints) fmt::print("  {}\n", complaint);
    for (const std::string& complaint : verdict.complaints) fmt::print("  {}\n", complaint);
    good = good && fine;
  }
  return good;
}

}  // namespace cvdd::simtest
