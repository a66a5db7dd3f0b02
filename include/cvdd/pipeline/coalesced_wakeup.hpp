// The io thread's end of the wakeup: pulled for every push, it rings once, when all that is ready on the io thread has
// had its turn. So one tick of many connections wakes the aggregator once, not once for each of them. Where nothing is
// coalesced it rings at once.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include "cvdd/net/ticks.hpp"
#include "cvdd/pipeline/wakeup.hpp"

namespace cvdd {

class CoalescedWakeup {
 public:
  CoalescedWakeup(boost::asio::any_io_executor executor, Wakeup& wakeup, bool at_once)
      : executor_(std::move(executor)), ticks_(Ticks::of(executor_)), wakeup_(wakeup), at_once_(at_once) {}
  CoalescedWakeup(const CoalescedWakeup&) = delete;
  CoalescedWakeup& operator=(const CoalescedWakeup&) = delete;
  void pull() {
    if (at_once_) return wakeup_.ring();
    if (pulled_) return;
    pulled_ = true;
    const auto ring = [this] {
      pulled_ = false;
      wakeup_.ring();
    };
    if (!ticks_.at_end(ring)) boost::asio::post(executor_, ring);
  }
  // At once: a queue is full.
  void now() { wakeup_.ring(); }

 private:
  boost::asio::any_io_executor executor_;
  Ticks& ticks_;
  Wakeup& wakeup_;
  bool at_once_;
  bool pulled_ = false;
};

}  // namespace cvdd
