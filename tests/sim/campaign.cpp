// One line for each seed, and what all of them showed.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "cvdd/base/time_text.hpp"
#include "sim/run.hpp"

namespace cvdd::simtest {

bool RunPlan::leave_out(const std::string& names) {
  std::string_view rest = names;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::size_t kind = 0;
    while (kind < fault_kinds && name_of(static_cast<FaultKind>(kind)) != rest.substr(0, comma)) ++kind;
    if (kind == fault_kinds) return false;
    without |= 1U << kind;
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
  }
  if (only.empty()) return true;
  without = 0;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    if (name_of(static_cast<FaultKind>(kind)) != only) without |= 1U << kind;
  }
  return without != (1U << fault_kinds) - 1;
}

bool RunPlan::set_interval(const std::string& text) {
  if (text == "by seed") return true;
  std::int64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end != text.data() + text.size() || length < 1 || length > 60) return false;
  interval = seconds(length);
  return true;
}

Duration RunPlan::interval_of(std::uint64_t seed) const {
  return interval ? *interval : seconds(everywhere && seed % 8 >= 6 ? 5 : 60);
}

// Everywhere the instruments of one connection are busy and thin in turn.
std::vector<sim::TapeInstrument> RunPlan::tape_of_all() const {
  if (!everywhere) return sim::make_instruments(instruments, 30);
  constexpr std::array<std::uint32_t, 4> rates{60, 2, 20, 1};
  auto all = sim::make_instruments_everywhere(instruments, 30);
  std::map<std::pair<std::string, Market>, std::size_t> of_side;
  for (sim::TapeInstrument& what : all) {
    const std::size_t place = of_side[{what.instrument.exchange, what.instrument.market}]++;
    what.trades_per_minute = rates[place % rates.size()];
  }
  return all;
}

void Campaign::run(std::uint64_t seed) {
  Run run(seed, plan_);
  const Verdict v = run.verdict();
  fmt::print(
      "seed {}: {} h, bars of {} s, {} faults, {} lives, {} rows: {} live, {} gap, {} partial, {} repaired, {} "
      "history; "
      "{} revisions, {} of {} live ones wrong for a while, {} doubts, {} out of reach, {} unknowable\n",
      seed, plan_.hours, run.interval().us / 1'000'000, run.faults().size(), run.lives(), v.rows, v.of(Status::live),
      v.of(Status::gap), v.of(Status::partial), v.of(Status::repaired), v.of(Status::history), v.revisions,
      v.live_wrong, v.live_said, v.doubts.size(), v.unreachable, v.unknowable);
  bool good = v.complaints.empty() && v.rows > 0;
  if (!plan_.once && Run(seed, plan_).files().files != run.files().files) {
    fmt::print("  the same seed gave other bytes\n");
    good = false;
  }
  for (const std::string& complaint : v.complaints) fmt::print("  {}\n", complaint);
  if (!good || !plan_.out.empty()) {
    for (const Fault& f : run.faults()) {
      fmt::print("  fault {} at {} for {} s, {}\n", name_of(f.kind), format_time(f.at), f.length.us / 1'000'000,
                 f.side);
    }
  }
  std::fflush(stdout);
  if (!plan_.out.empty()) {
    std::ofstream file(plan_.out, std::ios::binary);
    for (const Written& w : run.files().rows()) file << format_time(w.at) << ' ' << w.life << ' ' << w.row.text << '\n';
  }
  ++runs_;
  if (plan_.storm(seed)) ++storms_;
  if (!good) failed_.push_back(seed);
  lives_ += run.lives();
  live_said_ += v.live_said;
  live_wrong_ += v.live_wrong;
  doubts_ += v.doubts.size();
  unknowable_ += v.unknowable;
  unreachable_ += v.unreachable;
  corrected_.insert(corrected_.end(), v.corrected.begin(), v.corrected.end());
  for (std::size_t s = 0; s < statuses; ++s) rows_[s] += v.by_status[s];
  for (const Fault& f : run.faults()) ++faults_[static_cast<std::size_t>(f.kind)];
}

void Campaign::report() const {
  fmt::print("{} seeds of {} h ({} virtual hours), {} of them with ends every few minutes ({} lives of the process)\n",
             runs_, plan_.hours, static_cast<std::int64_t>(runs_) * plan_.hours, storms_, lives_);
  std::string faults, rows;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    if (faults_[kind] > 0) faults += fmt::format(" {} {},", faults_[kind], name_of(static_cast<FaultKind>(kind)));
  }
  for (std::size_t s = 0; s < statuses; ++s) rows += fmt::format(" {} {},", rows_[s], name_of(static_cast<Status>(s)));
  fmt::print("faults:{}\nbars:{}\n", faults, rows);
  auto corrected = corrected_;
  std::sort(corrected.begin(), corrected.end());
  fmt::print("{} of {} live rows were wrong when written", live_wrong_, live_said_);
  if (!corrected.empty()) {
    fmt::print(", and stood for {:.1f} s (median), {:.1f} s at most",
               static_cast<double>(corrected[corrected.size() / 2].us) / 1e6,
               static_cast<double>(corrected.back().us) / 1e6);
  }
  fmt::print("; {} bars doubted without a fault, {} gaps out of history's reach, {} rows nobody can know of\n", doubts_,
             unreachable_, unknowable_);
  std::string failed;
  for (const std::uint64_t seed : failed_) failed += fmt::format(" {}", seed);
  fmt::print("{} failed{}{}\n", failed_.size(), failed.empty() ? "" : ":", failed);
}

}  // namespace cvdd::simtest
