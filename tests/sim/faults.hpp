// What goes wrong in one run, and when: drawn from a seed before the run begins, so that it can be told afterwards
// where a mark in the rows was due.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd::simtest {

enum class FaultKind : std::uint8_t {
  drop,        // every connection of the market is cut
  outage,      // … and none is accepted for `length`
  mute,        // the connections there are deliver no more trades, but answer
  half_open,   // … and answer nothing
  duplicates,  // frames come twice
  broken,      // broken, truncated and foreign frames between the good ones
  swallowed,   // one frame never arrives
  deaf,        // one instrument's trades stop coming, until it is subscribed again
  late,        // one frame arrives `length` late
  banned,      // connections are cut, and every attempt is answered 429 with Retry-After until `length` is over
  rejected,    // connections are cut, and SUBSCRIBE is answered with an error for `length`
  rest_fails,  // REST answers 503 or nothing, just when the process is killed and started again
  disk_full,   // nothing can be written for `length`
  clock_step,  // the machine's clock is set wrong, by up to two hours, and right again after `length`
  frozen,      // the process gets no processor for `length`
  kill,        // the process is gone at once, and back after `length`
  restart,     // the process ends in order, and is back after `length`
  count_,
};
[[nodiscard]] std::string_view name_of(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::drop;
  Timestamp at;
  Duration length;
  std::size_t side = 0;  // exchange and market it befalls
  // From `at` on, its effects may be seen in rows for no longer than this.
  [[nodiscard]] Duration reach() const;
  [[nodiscard]] bool of_the_process() const {
    return kind == FaultKind::kill || kind == FaultKind::frozen || kind == FaultKind::clock_step ||
           kind == FaultKind::restart || kind == FaultKind::rest_fails;
  }
};

// Faults between `begin` and `end`, one after the other, the next not before the last one's reach is over.
[[nodiscard]] std::vector<Fault> draw_faults(std::uint64_t seed, Timestamp begin, Timestamp end, std::size_t sides);

}  // namespace cvdd::simtest
