#include "cvdd/base/instrument_ids.hpp"

#include <algorithm>
#include <functional>

namespace cvdd {

std::optional<std::uint32_t> InstrumentIds::take() {
  std::uint32_t id = 0;
  if (!free_.empty()) {
    std::ranges::pop_heap(free_, std::greater{});
    id = free_.back();
    free_.pop_back();
    is_out_[id] = true;
  } else if (is_out_.size() < most_) {
    id = static_cast<std::uint32_t>(is_out_.size());
    is_out_.push_back(true);
  } else {
    return std::nullopt;
  }
  ++out_;
  return id;
}

void InstrumentIds::give_back(std::uint32_t id) {
  if (id >= is_out_.size() || !is_out_[id]) return;
  is_out_[id] = false;
  --out_;
  free_.push_back(id);
  std::ranges::push_heap(free_, std::greater{});
}

}  // namespace cvdd
