// Names with wildcards; private to this room.
#pragma once

#include <string>
#include <string_view>

namespace cvdd {

// A to Z alone: names are UTF-8.
[[nodiscard]] std::string upper(std::string_view text);

[[nodiscard]] inline bool has_wildcard(std::string_view name) {
  return name.find_first_of("*?") != std::string_view::npos;
}

// `*` is any number of characters, `?` is one; case matters.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);

}  // namespace cvdd
