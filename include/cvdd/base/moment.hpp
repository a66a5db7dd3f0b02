// Moments as people and their programs write them. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

// "2026-11-20T20:59:00Z", the same with "+00:00" in place of Z, or a day, which is its beginning. Always UTC.
[[nodiscard]] std::optional<Timestamp> parse_moment(std::string_view text);

}  // namespace cvdd
