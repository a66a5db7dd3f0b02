// What stands beside the trades of a simulated instrument, second by second: a function of its name and the moment, so
// that who asks later is told the same. Integers in the tape's steps. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "cvdd/sim/tape.hpp"

namespace cvdd::sim {

struct TapeContext {
  std::int64_t bid_ticks = 0, bid_steps = 0, ask_ticks = 0, ask_steps = 0;  // 0 ticks: nobody is there
  std::int64_t mark_ticks = 0, index_ticks = 0;
  std::int64_t funding_hundred_millionths = 0;  // below 0 at times
  Timestamp funding_applies;
  std::int64_t open_steps = 0;
  // A forced order of this second that was filled.
  struct Order {
    bool buys = false;  // it closes a short
    std::int64_t ticks = 0, steps = 0;
  };
  std::optional<Order> order;
};

// Of the second that begins at `second`.
[[nodiscard]] TapeContext tape_context(const TapeInstrument& what, Timestamp second);

}  // namespace cvdd::sim
