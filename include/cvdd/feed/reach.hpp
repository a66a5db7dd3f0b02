// How far a connection has brought the trades of its instruments, by the exchange's clock. Being open proves nothing:
// data do, and where data are seldom, a sign of life after the moment in question. Pure.
#pragma once

#include <algorithm>

#include "cvdd/base/types.hpp"

namespace cvdd {

// What a connection was heard to say; exchange's clock, 0: never.
struct Heard {
  Timestamp event;     // the newest trade (or heartbeat that names a time) that it brought …
  Timestamp received;  // … and when the newest of its data came
  Timestamp frame;     // when anything at all came: an answer, a ping
};

// Trades made before this are here. `in_flight`: a trade arrives no later than this after it was made, or the
// connection lags, and vouches for no more than what came. `lull`: silent for longer than can be chance. `owing`: it
// has not brought anything yet where others would have, so that being alive vouches for nothing.
[[nodiscard]] constexpr Timestamp reach_of(const Heard& heard, bool lull, bool owing, Duration in_flight) {
  if (heard.event.us == 0) return lull || owing ? Timestamp{} : heard.frame;
  const bool lags = heard.received - heard.event > in_flight;
  return lags || lull ? heard.event : std::max(heard.event, heard.frame);
}

}  // namespace cvdd
