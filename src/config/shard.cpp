#include "cvdd/config/shard.hpp"

namespace cvdd {

namespace {
// FNV-1a.
void feed(std::uint64_t& hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
}

// The last step of SplitMix64: every bit of the sum decides about every bit of the weight.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}
}  // namespace

std::uint32_t shard_of(std::string_view exchange, Market market, std::string_view symbol, std::uint32_t count) {
  std::uint64_t name = 14'695'981'039'346'656'037ULL;
  feed(name, exchange);
  feed(name, "/");
  feed(name, name_of(market));
  feed(name, "/");
  feed(name, symbol);
  std::uint32_t best = 0;
  std::uint64_t heaviest = 0;
  for (std::uint32_t shard = 0; shard < count; ++shard) {
    const std::uint64_t weight = mixed(name ^ mixed(shard));
    if (shard > 0 && weight <= heaviest) continue;
    heaviest = weight;
    best = shard;
  }
  return best;
}

}  // namespace cvdd
