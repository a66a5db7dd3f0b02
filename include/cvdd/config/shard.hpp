// Which of several collectors of one symbol list collects what, without asking each other: rendezvous hashing. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

// One of `count` collectors, counted from 0. The default collects everything.
struct Shard {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
  friend bool operator==(const Shard&, const Shard&) = default;
};

inline constexpr std::uint32_t shards_max = 1'000;

// The shard that an instrument belongs to, 0 … count - 1; the same on every machine and in every version. From `count`
// to count + 1 an instrument stays where it is or goes to the new shard: one in count + 1 of them moves.
[[nodiscard]] std::uint32_t shard_of(std::string_view exchange, Market market, std::string_view symbol,
                                     std::uint32_t count);

[[nodiscard]] inline bool owns(const Shard& shard, const Instrument& instrument) {
  return shard.count <= 1 ||
         shard_of(instrument.exchange, instrument.market, instrument.symbol, shard.count) == shard.index;
}

}  // namespace cvdd
