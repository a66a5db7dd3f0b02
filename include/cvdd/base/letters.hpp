// Names in any case. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace cvdd {

// A to Z alone: names are UTF-8.
[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace cvdd
