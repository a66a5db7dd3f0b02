// Where the checkout is that the tests were built from.
#pragma once

#include <string>

namespace cvdd {
[[nodiscard]] const std::string& source_dir();
}  // namespace cvdd
