// Which cvdd this is. Any thread.
#pragma once

#include <string_view>

namespace cvdd {

// "0.2.0": CMake's. One file alone is compiled with it, so that another version compiles nothing else anew.
[[nodiscard]] std::string_view version();
// "cvdd/0.2.0": as programs name themselves to each other.
[[nodiscard]] std::string_view product();

}  // namespace cvdd
