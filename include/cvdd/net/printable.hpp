// The one way by which foreign text gets into a log line or an error.
#pragma once

#include <string>
#include <string_view>

namespace cvdd {

// At most `max` characters of foreign text, fit for one line of a log.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max);

}  // namespace cvdd
