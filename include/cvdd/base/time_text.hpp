// Moments and days as text, always UTC. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

// "2026-11-20T20:59:00Z"
[[nodiscard]] std::string format_time(Timestamp t);
[[nodiscard]] std::optional<Timestamp> parse_time(std::string_view text);

// "2026-11-20": the UTC day of `t`.
[[nodiscard]] std::string format_day(Timestamp t);

}  // namespace cvdd
