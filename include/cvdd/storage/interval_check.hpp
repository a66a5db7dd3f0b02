// One interval per data directory: what the files' bars say of another one. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Why bars of `interval` can't go to a directory whose bars are `found` apart; empty: they can.
[[nodiscard]] std::string interval_too_long(const std::string& directory, Duration found, Duration interval);
// Why they can't go to one that holds a bar of this beginning; empty: they can.
[[nodiscard]] std::string interval_off(const std::string& directory, std::string_view exchange, std::string_view symbol,
                                       Timestamp bar, Duration interval);
// The same of the lines of a CSV file; those that are no rows (the first may be torn) count for nothing.
[[nodiscard]] std::string interval_conflict(const std::string& directory, std::string_view lines, Duration interval);

}  // namespace cvdd
