#include "cvdd/ledger/recent_ids.hpp"

#include <algorithm>

namespace cvdd {

namespace {
constexpr std::size_t first_size = 16;

// Ids may be consecutive numbers: neighbours must not queue up in the table.
std::size_t mixed(OpaqueId id) {
  std::uint64_t z = id.low + id.high * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  return static_cast<std::size_t>(z ^ (z >> 31U));
}
}  // namespace

bool RecentIds::insert(OpaqueId id, Timestamp time) {
  if (ring_.empty()) grow();
  if (table_[place_of(id)] != 0) return false;
  newest_ = std::max(newest_, time);
  if (count_ == ring_.size()) {
    const bool old = ring_.size() >= size_min && ring_[begin_].time + kept < newest_;
    if (old || ring_.size() >= size_max) {
      forget_oldest();
    } else {
      grow();
    }
  }
  const std::size_t slot = (begin_ + count_) % ring_.size();
  ring_[slot] = {id, time};
  ++count_;
  table_[place_of(id)] = static_cast<std::uint16_t>(slot + 1);
  return true;
}

std::size_t RecentIds::place_of(OpaqueId id) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = mixed(id) & mask;
  while (table_[place] != 0 && ring_[table_[place] - 1U].id != id) place = (place + 1) & mask;
  return place;
}

// Open addressing: what stood behind it because of it moves up.
void RecentIds::forget_oldest() {
  const std::size_t mask = table_.size() - 1;
  std::size_t gap = place_of(ring_[begin_].id);
  forgotten_until_ = std::max(forgotten_until_, ring_[begin_].time);
  table_[gap] = 0;
  for (std::size_t at = (gap + 1) & mask; table_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = mixed(ring_[table_[at] - 1U].id) & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    table_[gap] = table_[at];
    table_[at] = 0;
    gap = at;
  }
  begin_ = (begin_ + 1) % ring_.size();
  --count_;
}

void RecentIds::grow() {
  const std::size_t size = std::max(first_size, ring_.size() * 2);
  std::vector<Entry> larger;
  larger.reserve(size);
  for (std::size_t i = 0; i < count_; ++i) larger.push_back(ring_[(begin_ + i) % ring_.size()]);
  larger.resize(size);
  ring_ = std::move(larger);
  begin_ = 0;
  table_.assign(ring_.size() * 2, 0);
  for (std::size_t i = 0; i < count_; ++i) table_[place_of(ring_[i].id)] = static_cast<std::uint16_t>(i + 1);
}

}  // namespace cvdd
