// Who looks on while the daemon works: clients that ask for everything as fast as they can, and listeners of the
// stream. Threads of the bench's own, plain sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "cvdd/base/latency.hpp"

namespace cvdd::load {

class Clients {
 public:
  // `listen`: "127.0.0.1:port" of the daemon's [http].
  Clients(const std::string& listen, std::size_t pollers, std::size_t streams);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // What was answered with 200, what was not, messages that streams brought, and streams that ended before they were
  // told to.
  struct Told {
    std::uint64_t answers = 0, refused = 0, messages = 0, ended = 0;
    Duration metrics_p50, metrics_p99;
    std::size_t metrics_bytes = 0;
  };
  [[nodiscard]] Told told() const;

 private:
  void poll(std::size_t number);
  void listen_on();
  [[nodiscard]] int connected() const;

  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answers_{0}, refused_{0}, messages_{0}, ended_{0};
  std::atomic<std::size_t> metrics_bytes_{0};
  std::vector<Latency> metrics_;
  std::vector<std::thread> threads_;
};

}  // namespace cvdd::load
