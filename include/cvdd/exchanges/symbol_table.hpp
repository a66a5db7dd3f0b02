// From the symbols in an exchange's messages to instruments.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Of names of which most are short, and which nobody chooses in order to collide: an exchange lists them.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const {
    std::uint64_t first = 0, last = 0, hash = s.size();
    for (; s.size() > 16; s.remove_prefix(8)) hash = mix(hash, word(s.data(), 8));
    if (s.size() >= 8) {
      first = word(s.data(), 8);
      last = word(s.data() + s.size() - 8, 8);
    } else if (!s.empty()) {
      first = word(s.data(), s.size());
    }
    return mix(mix(hash, first), last);
  }

 private:
  static std::uint64_t word(const char* at, std::size_t size) {
    std::uint64_t out = 0;
    std::memcpy(&out, at, size);
    return out;
  }
  static std::uint64_t mix(std::uint64_t hash, std::uint64_t with) {
    hash = (hash ^ with) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 32U;
  }
};
// Symbol as the exchange prints it in its messages → instrument.
using SymbolTable = boost::unordered_flat_map<std::string, const Instrument*, StringHash, std::equal_to<>>;

}  // namespace cvdd
