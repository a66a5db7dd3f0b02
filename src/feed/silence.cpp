#include "cvdd/feed/silence.hpp"

#include <algorithm>

namespace cvdd {

std::optional<SilenceFinding> find_in_silence(const Silence& silence, std::span<const Timestamp> missed,
                                              Timestamp front, bool covered) {
  const bool within = std::ranges::any_of(missed, [&](Timestamp t) { return t < silence.to; });
  if (!within && (covered || !silence.improbable)) return std::nullopt;
  const bool before = std::ranges::any_of(missed, [&](Timestamp t) { return t < silence.from; });
  if (before) return SilenceFinding{std::min(front, silence.from), false};
  return SilenceFinding{silence.from, covered};
}

}  // namespace cvdd
