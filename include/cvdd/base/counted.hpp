// Numbers of things in words. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cvdd {

// "1 bar", "2 bars": of words whose plural is made so.
[[nodiscard]] inline std::string counted(std::uint64_t number, std::string_view thing) {
  return std::to_string(number) + " " + std::string(thing) + (number == 1 ? "" : "s");
}

}  // namespace cvdd
