// Whether the stream is the one that rows were published to, and has all that it acknowledged. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "broker.hpp"
#include "checkpoint.hpp"
#include "metrics.hpp"

namespace cvdd::engine {

class StreamWatch {
 public:
  // `checkpoint` must outlive this.
  StreamWatch(const NatsConfig& config, Checkpoint& checkpoint, Metrics& metrics)
      : config_(config), checkpoint_(checkpoint), metrics_(metrics) {}
  std::function<void(const std::string&)> complain = [](const std::string&) {};

  // Asks the broker every 30 s, and after soon(). Makes the stream where it may. True: the checkpoint has changed.
  bool look(Broker& broker);
  void soon() { looked_ = {}; }

 private:
  bool missing(Broker& broker);
  bool take(const StreamFacts& facts);

  NatsConfig config_;
  Checkpoint& checkpoint_;
  Metrics& metrics_;
  std::chrono::steady_clock::time_point looked_{};
};

}  // namespace cvdd::engine
