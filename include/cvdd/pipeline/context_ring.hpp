// The way of what stands beside the trades from the io thread to the aggregator: a bounded lock-free queue of a
// market's own. Who finds it full keeps nothing back and waits for nothing: what it could not say it counts, and the
// columns are marked once there is room (ContextIntake).
#pragma once

#include <memory>
#include <span>

#include "cvdd/base/market_data.hpp"
#include "cvdd/pipeline/spsc_ring.hpp"

namespace cvdd {

class ContextRing {
 public:
  // Of a bar the newest value of each kind comes, and every forced order: room for two thousand instruments.
  static constexpr std::size_t capacity = 16'384;
  ContextRing() : ring_(capacity) {}
  explicit ContextRing(std::size_t room) : ring_(room) {}

  // Whether there was room.
  [[nodiscard]] bool push(const ContextUpdate& update) { return ring_.push(std::span(&update, 1)) == 1; }
  [[nodiscard]] std::span<const ContextUpdate> front(std::size_t most) { return ring_.front(most); }
  void release(std::size_t n) { ring_.release(n); }
  [[nodiscard]] std::size_t waiting() { return ring_.waiting(); }

 private:
  SpscRing<ContextUpdate> ring_;
};

}  // namespace cvdd
