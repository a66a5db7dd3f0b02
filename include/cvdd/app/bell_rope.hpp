// The io thread's end of the bell: pulled for every push, it rings once, when all that is ready on the io thread has
// had its turn. So one tick of many connections wakes the aggregator once, not once for each of them. Where nothing is
// coalesced it rings at once.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include "cvdd/app/bell.hpp"
#include "cvdd/net/ticks.hpp"

namespace cvdd {

class BellRope {
 public:
  BellRope(boost::asio::any_io_executor executor, Bell& bell, bool at_once)
      : executor_(std::move(executor)), ticks_(Ticks::of(executor_)), bell_(bell), at_once_(at_once) {}
  BellRope(const BellRope&) = delete;
  BellRope& operator=(const BellRope&) = delete;
  void pull() {
    if (at_once_) return bell_.ring();
    if (pulled_) return;
    pulled_ = true;
    const auto ring = [this] {
      pulled_ = false;
      bell_.ring();
    };
    if (!ticks_.at_end(ring)) boost::asio::post(executor_, ring);
  }
  // At once: a queue is full.
  void pull_hard() { bell_.ring(); }

 private:
  boost::asio::any_io_executor executor_;
  Ticks& ticks_;
  Bell& bell_;
  bool at_once_;
  bool pulled_ = false;
};

}  // namespace cvdd
