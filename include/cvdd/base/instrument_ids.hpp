// Which numbers instruments have: each belongs to one at a time, and those that were given back are given out first, so
// that tables by number stay as short as they can. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cvdd {

class InstrumentIds {
 public:
  // As many as a record has room for.
  static constexpr std::uint32_t most_max = 1U << 19U;
  // `most`: at once.
  explicit InstrumentIds(std::uint32_t most = most_max) : most_(most) {}

  // Empty: none is left.
  [[nodiscard]] std::optional<std::uint32_t> take();
  // Nothing refers to it any more. One that is not out is a programmer error, and nothing happens.
  void give_back(std::uint32_t id);
  [[nodiscard]] std::size_t out() const { return out_; }

 private:
  std::uint32_t most_;
  std::size_t out_ = 0;
  std::vector<bool> is_out_;         // of all numbers that were ever given out
  std::vector<std::uint32_t> free_;  // of these, those that are not out: a heap, the lowest first
};

}  // namespace cvdd
