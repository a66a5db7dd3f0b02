// Small things that all simulated exchanges need to write and read their messages.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/sim/tape.hpp"

namespace cvdd::sim {

[[nodiscard]] inline std::int64_t ms(Timestamp t) { return t.us / 1'000; }
// Integer / 10^scale with `decimals` digits after the point; digits beyond those are cut off.
[[nodiscard]] std::string fixed(Int128 value, unsigned scale, unsigned decimals);
[[nodiscard]] std::string price_text(const TapeInstrument& what, const TapeTrade& trade);
// Of one fill, or of all.
[[nodiscard]] std::string size_text(const TapeInstrument& what, std::int64_t steps);
// The trades [first, last] of those that a tape remembers, oldest first.
[[nodiscard]] std::span<const TapeTrade> with_ids(std::span<const TapeTrade> trades, std::uint64_t first,
                                                  std::uint64_t last);
// … made in [from, to).
[[nodiscard]] std::span<const TapeTrade> with_times(std::span<const TapeTrade> trades, Timestamp from, Timestamp to);
// A field that should be a string; empty if it is none.
[[nodiscard]] inline std::string_view string_field(simdjson::dom::element object, const char* key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}
// The bars that begin in [from, to] and have begun by `now`, oldest first, `most` at most; prices of a quiet one are 0.
struct TapeCandle {
  Timestamp time;
  std::string open, high, low, close;
  Int128 steps = 0;    // of size, in all
  std::string volume;  // as a size is written
  std::uint64_t fills = 0;
};
[[nodiscard]] std::vector<TapeCandle> tape_candles(const Tape& tape, std::size_t index, Timestamp from, Timestamp to,
                                                   Timestamp now, Duration interval, std::size_t most);
// As it was before it was percent-encoded.
[[nodiscard]] std::string decoded(std::string_view text);
// Whether an address begins with "/NAME"; takes it away then.
[[nodiscard]] bool eat(std::string_view& path, std::string_view prefix);

}  // namespace cvdd::sim
