// What goes wrong in one run, and when: drawn from a seed before the run begins, so that it can be told afterwards
// where a mark in the rows was due.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd::simtest {

enum class FaultKind : std::uint8_t {
  drop,          // every connection of the market is cut
  outage,        // … and none is accepted for `length`
  mute,          // the connections there are deliver no more trades, but answer
  half_open,     // … and answer nothing
  duplicates,    // frames come twice
  broken,        // broken, truncated and foreign frames between the good ones
  swallowed,     // one frame never arrives
  deaf,          // one instrument's trades stop coming, until it is subscribed again
  late,          // one frame arrives `length` late
  banned,        // connections are cut, and every attempt is answered 429 with Retry-After until `length` is over
  rejected,      // connections are cut, and SUBSCRIBE is answered with an error for `length`
  rest_fails,    // REST answers 503 or nothing, just when the process is killed and started again
  disk_full,     // nothing can be written for `length`
  clock_step,    // the machine's clock is set wrong, by up to two hours, and right again after `length`
  frozen,        // the process gets no processor for `length`
  kill,          // the process is gone at once, and back after `length`
  restart,       // the process ends in order, and is back after `length`
  stalled,       // frames are held up on their way for `length`, and then come all at once
  rest_flaky,    // connections are cut, and for `length` half of what is asked of history fails or gets no answer
  rest_late,     // … or answers come up to eight seconds late, in another order than they were asked for
  refused,       // for `length` every third row of one instrument has a size that nobody can read
  reload,        // some instruments leave the symbol list for `length`
  off_for_long,  // … for up to an hour and a half
  asleep,        // the process gets no processor for up to an hour and a half
  sync_fails,    // the disk confirms nothing for `length`
  count_,
};
[[nodiscard]] std::string_view name_of(FaultKind kind);
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::count_);

struct Fault {
  FaultKind kind = FaultKind::drop;
  Timestamp at;
  Duration length;
  std::size_t side = 0;    // exchange and market it befalls
  std::uint32_t what = 0;  // … or what of it, at random
  // From `at` on, its effects may be seen in rows for no longer than this.
  [[nodiscard]] Duration reach() const;
  // It befalls all exchanges and markets.
  [[nodiscard]] bool everywhere() const;
};

struct FaultPlan {
  // The next fault comes whether the last one's reach is over or not, and the process ends, in order or not, every few
  // minutes.
  bool storm = false;
  std::uint32_t without = 0;  // kinds that are left out, a bit each
};

// Faults between `begin` and `end`, by time. The first so many kinds come as often as others; those for long less so.
[[nodiscard]] std::vector<Fault> draw_faults(std::uint64_t seed, Timestamp begin, Timestamp end, std::size_t sides,
                                             const FaultPlan& plan);

}  // namespace cvdd::simtest
