#include "sim/faults.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace cvdd::simtest {

namespace {
constexpr std::array<std::string_view, fault_kinds> names = {
    "drop",       "outage",    "mute",       "half_open", "duplicates",   "broken", "swallowed", "deaf",    "late",
    "banned",     "rejected",  "rest_fails", "disk_full", "clock_step",   "frozen", "kill",      "restart", "stalled",
    "rest_flaky", "rest_late", "refused",    "reload",    "off_for_long", "asleep", "sync_fails"};

// The standard's distributions differ by library.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::int64_t operator()(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(to - from + 1));
  }

 private:
  std::mt19937_64 random_;
};

Duration draw_length(Draw& draw, FaultKind kind) {
  switch (kind) {
    case FaultKind::late:
      return milliseconds(draw(100, 20'000));
    case FaultKind::off_for_long:
    case FaultKind::asleep:
      return milliseconds(draw(120'000, 5'400'000));
    case FaultKind::reload:
      return milliseconds(draw(100, 600'000));
    default:
      return milliseconds(draw(100, 120'000));
  }
}

std::optional<FaultKind> draw_kind(Draw& draw, std::uint32_t without) {
  const auto kind = static_cast<FaultKind>(draw(0, fault_kinds - 1));
  const bool rare = kind == FaultKind::off_for_long || kind == FaultKind::asleep;
  if (rare && draw(0, 3) != 0) return std::nullopt;
  if ((without >> static_cast<unsigned>(kind) & 1U) != 0) return std::nullopt;
  return kind;
}

// The process ends, in order or not, again and again.
void add_ends(Draw& draw, Timestamp begin, Timestamp end, std::vector<Fault>& faults) {
  for (Timestamp at = begin;;) {
    at = at + milliseconds(draw(45'000, 420'000));
    Fault fault;
    fault.kind = draw(0, 1) == 0 ? FaultKind::kill : FaultKind::restart;
    fault.at = at;
    fault.length = milliseconds(draw(100, draw(0, 3) == 0 ? 120'000 : 10'000));
    if (at + fault.reach() > end) return;
    faults.push_back(fault);
  }
}
}  // namespace

std::string_view name_of(FaultKind kind) {
  return kind < FaultKind::count_ ? names[static_cast<std::size_t>(kind)] : "";
}

// Detection (a thin connection may be silent for 5 minutes), the longest back-off, one more bar on either side.
Duration Fault::reach() const {
  const bool hard_to_see = kind == FaultKind::mute || kind == FaultKind::deaf;
  const Duration detection = hard_to_see ? seconds(420) : seconds(45);
  return {length.us + detection.us + seconds(120).us};
}

bool Fault::everywhere() const {
  switch (kind) {
    case FaultKind::kill:
    case FaultKind::frozen:
    case FaultKind::asleep:
    case FaultKind::clock_step:
    case FaultKind::restart:
    case FaultKind::rest_fails:
    case FaultKind::rest_flaky:
    case FaultKind::rest_late:
    case FaultKind::reload:
    case FaultKind::off_for_long:
    case FaultKind::disk_full:
    case FaultKind::sync_fails:
    case FaultKind::banned:
      return true;
    default:
      return false;
  }
}

std::vector<Fault> draw_faults(std::uint64_t seed, Timestamp begin, Timestamp end, std::size_t sides,
                               const FaultPlan& plan) {
  Draw draw(seed);
  std::vector<Fault> faults;
  for (Timestamp at = begin;;) {
    at = at + milliseconds(draw(1'000, 400'000));
    const auto kind = draw_kind(draw, plan.without);
    if (!kind) continue;
    Fault fault;
    fault.kind = *kind;
    fault.at = at;
    fault.length = draw_length(draw, *kind);
    fault.side = static_cast<std::size_t>(draw(0, static_cast<std::int64_t>(sides) - 1));
    fault.what = static_cast<std::uint32_t>(draw(0, 1'000'000));
    if (at + fault.reach() > end) break;
    if (!plan.storm) at = at + fault.reach();
    faults.push_back(fault);
  }
  if (plan.storm) add_ends(draw, begin, end, faults);
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.at < b.at; });
  return faults;
}

}  // namespace cvdd::simtest
