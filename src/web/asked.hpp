// Who is meant by names that somebody writes in any case, and what is said where nobody is. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/config/config.hpp"
#include "cvdd/feed/feed_status.hpp"
#include "query.hpp"

namespace cvdd::web {

// The place among `names` of the one that is spelled so; else of the first that differs in case alone. npos: there is
// none.
inline constexpr std::size_t nobody = static_cast<std::size_t>(-1);
[[nodiscard]] std::size_t place_of(std::string_view name, std::span<const std::string> names);

// That no group has this name, with those that are near it, or, where none is, with some that there are.
[[nodiscard]] std::string no_such_group(std::string_view name, std::span<const std::string> names);

// Spells each as it is collected. Which are not: "abc:spot:X".
[[nodiscard]] std::vector<std::string> spell_as_collected(std::vector<InstrumentName>& names,
                                                          std::span<const InstrumentState> states);

// That these are not collected; of many, some.
[[nodiscard]] std::string not_collected(std::span<const std::string> names);

}  // namespace cvdd::web
