#include "sim/faults.hpp"

#include <random>

namespace cvdd::simtest {

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::drop:
      return "drop";
    case FaultKind::outage:
      return "outage";
    case FaultKind::mute:
      return "mute";
    case FaultKind::half_open:
      return "half_open";
    case FaultKind::duplicates:
      return "duplicates";
    case FaultKind::broken:
      return "broken";
    case FaultKind::swallowed:
      return "swallowed";
    case FaultKind::deaf:
      return "deaf";
    case FaultKind::late:
      return "late";
    case FaultKind::banned:
      return "banned";
    case FaultKind::rejected:
      return "rejected";
    case FaultKind::rest_fails:
      return "rest_fails";
    case FaultKind::disk_full:
      return "disk_full";
    case FaultKind::clock_step:
      return "clock_step";
    case FaultKind::frozen:
      return "frozen";
    case FaultKind::kill:
      return "kill";
    case FaultKind::restart:
      return "restart";
    case FaultKind::count_:
      break;
  }
  return "";
}

// Detection (a thin connection may be silent for 5 minutes), the longest back-off, one more bar on either side.
Duration Fault::reach() const {
  const bool hard_to_see = kind == FaultKind::mute || kind == FaultKind::deaf;
  const Duration detection = hard_to_see ? seconds(420) : seconds(45);
  return {length.us + detection.us + seconds(120).us};
}

std::vector<Fault> draw_faults(std::uint64_t seed, Timestamp begin, Timestamp end, std::size_t sides) {
  std::mt19937_64 random(seed);
  const auto draw = [&](std::int64_t from, std::int64_t to) {  // the standard's distributions differ by library
    return from + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(to - from + 1));
  };
  std::vector<Fault> faults;
  Timestamp at = begin;
  while (true) {
    at = at + milliseconds(draw(1'000, 400'000));
    Fault fault;
    fault.kind = static_cast<FaultKind>(draw(0, static_cast<std::int64_t>(FaultKind::count_) - 1));
    fault.at = at;
    fault.length = milliseconds(draw(100, fault.kind == FaultKind::late ? 20'000 : 120'000));
    fault.side = static_cast<std::size_t>(draw(0, static_cast<std::int64_t>(sides) - 1));
    at = at + fault.reach();
    if (at > end) return faults;
    faults.push_back(fault);
  }
}

}  // namespace cvdd::simtest
