// One attack, what must hold meanwhile, and what was seen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "attack/victim.hpp"

namespace cvdd::attack {

struct Bench {
  std::string cvdd;
  bool short_run = false, tell_logs = false;
  bool instrumented = false;  // a sanitizer's build: it keeps what is freed for a while, and its own books of it
  std::chrono::milliseconds time{5'000};  // of one attack
  std::size_t instruments = 200;
  std::uint32_t trades_per_minute = 300;
};

struct Outcome {
  std::vector<std::string> broken;  // what did not hold
  double rss_more = 0;              // MiB
  double p99_calm = 0, p99 = 0;     // seconds; event → receipt of the other exchanges
  double late = 0, cpu_more = 0;    // trades; percent of a processor beyond that without the attack
  std::size_t health_asked = 0, health_answered = 0;
  std::chrono::milliseconds health_slowest{0};
  std::string note;
};

struct Attack {
  std::string name, must_hold;
  bool in_short_run = false;
};

class Table {
 public:
  explicit Table(bool short_run) : short_run_(short_run) {}
  void add(const Attack& attack, const Outcome& outcome);
  [[nodiscard]] bool good() const { return good_; }
  static void head();

 private:
  const bool short_run_;
  bool good_ = true;
};

struct Limits {
  double p99 = 0;        // seconds; twice the calm is allowed anyway
  double rss_more = 64;  // MiB
};
// What every attack has in common: memory, health, the others' latency, late trades.
void judge(const Bench& bench, const Victim& victim, Watcher& watcher, const Seen& calm_from, const Seen& calm_to,
           const Seen& from, const Seen& to, const Limits& limits, Outcome& out);

// Whose name has `only` in it; empty: all.
void run_servers(const Bench& bench, const std::string& only, Table& table);
void run_readers(const Bench& bench, const std::string& only, Table& table);

}  // namespace cvdd::attack
