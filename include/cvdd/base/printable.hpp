// The one way by which foreign text gets into a log line, an answer, a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cvdd {

// At most `max` bytes of foreign text, fit for one line: characters of UTF-8 as they are, and a space for whatever else
// is there, such as ends of lines, a terminal's commands, marks that turn the direction of writing.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max);

}  // namespace cvdd
