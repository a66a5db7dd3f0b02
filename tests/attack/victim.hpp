// The daemon as users run it, with simulated exchanges, of which one may be replaced by a hostile server; and what can
// be seen of it from outside.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "attack/process.hpp"
#include "attack/tls_server.hpp"

namespace cvdd::attack {

struct VictimOptions {
  std::string cvdd;
  std::size_t instruments = 60;
  std::uint32_t trades_per_minute = 600;
  std::string interval = "2s";
  std::string token;
  TlsServer* hostile = nullptr;  // takes the place of binance spot
  const test::Identity* hostile_ca = nullptr;
};

// What it tells of itself, summed up over all markets but the hostile one.
struct Seen {
  double late = 0, revisions = 0, trades = 0, cpu_seconds = 0;
  std::map<double, double> latency;  // event → receipt: trades by the end of their bucket, cumulative
  std::chrono::steady_clock::time_point at;
};
// Between two moments; in seconds, and 0 without a trade.
[[nodiscard]] double p99_between(const Seen& from, const Seen& to);

class Victim {
 public:
  explicit Victim(const VictimOptions& options);
  ~Victim();
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] Seen look() const;
  [[nodiscard]] std::string log() const { return text_of_file((folder_ / "cvdd.log").string()); }
  [[nodiscard]] Process& process() { return *daemon_; }
  [[nodiscard]] const VictimOptions& options() const { return options_; }
  // A bar's instrument that the simulated exchanges have.
  [[nodiscard]] std::string bars_target() const;

 private:
  void write_config(const std::string& exchanges);
  void wait_until_ready() const;
  VictimOptions options_;
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> simulated_, daemon_;
};

// Asks for /healthz as a load balancer would, ten times a second, each time on a connection of its own; and watches the
// memory.
class Watcher {
 public:
  explicit Watcher(Victim& victim);
  ~Watcher() { stop(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  void stop();
  std::size_t asked = 0, answered = 0;
  std::chrono::milliseconds slowest{0};
  double rss_before = 0, rss_most = 0;

 private:
  void watch();
  Victim& victim_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cvdd::attack
