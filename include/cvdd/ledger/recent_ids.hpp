// The ids seen lately of an instrument whose ids have no order. Bounded: it holds at least those of the last ten
// minutes of trade time, and as many as a page of history has, whatever their times; at most `size_max`. Beyond that
// the oldest is forgotten, and a copy of it that came then would count twice. (Copies come from a second connection
// within seconds, and from a page that is asked for again, after a sleep of hours too.) Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

struct OpaqueId {
  std::uint64_t high = 0, low = 0;
  friend bool operator==(const OpaqueId&, const OpaqueId&) = default;
};

class RecentIds {
 public:
  // False if it is there already.
  [[nodiscard]] bool insert(OpaqueId id, Timestamp time);
  [[nodiscard]] bool contains(OpaqueId id) const { return !ring_.empty() && table_[place_of(id)] != 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  // The newest time of those that were forgotten: of what is newer every id is here that was ever put in. 0: all are.
  [[nodiscard]] Timestamp forgotten_until() const { return forgotten_until_; }
  static constexpr std::size_t size_min = 1'024, size_max = 8'192;
  static constexpr Duration kept = seconds(600);

 private:
  struct Entry {
    OpaqueId id;
    Timestamp time;
  };
  [[nodiscard]] std::size_t place_of(OpaqueId id) const;  // of it, or of the free place where it belongs
  void forget_oldest();
  void grow();

  // A ring of what was seen, in order of arrival, and a table of open addressing that finds it: index into the ring
  // + 1, 0 free. Both grow by doubling.
  std::vector<Entry> ring_;
  std::vector<std::uint16_t> table_;
  std::size_t begin_ = 0, count_ = 0;
  Timestamp newest_, forgotten_until_;
};

}  // namespace cvdd
