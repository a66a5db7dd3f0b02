// Runs of the daemon against a misbehaving exchange, one for each seed, judged and summed up.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/life.hpp"
#include "sim/oracle.hpp"

namespace cvdd::simtest {

struct RunPlan {
  std::int64_t hours = 6;  // virtual ones; faults cease `calm_end` before
  std::size_t instruments = 6;
  bool everywhere = false;           // of all exchanges
  bool context = false;              // with all that stands beside the trades
  bool once = false;                 // the same seed is not run again, to compare the bytes
  std::optional<Duration> interval;  // of the bars; empty: by seed
  std::uint32_t without = 0;         // kinds of fault, a bit each
  std::string only;                  // the name of a kind; empty: all of them
  std::string capture;               // a folder for what is captured of it; empty: none
  std::string out;                   // file for the rows of the last run; empty: none

  // "drop,mute"; false if one of them is none.
  [[nodiscard]] bool leave_out(const std::string& names);
  // In seconds, or "by seed".
  [[nodiscard]] bool set_interval(const std::string& text);
  [[nodiscard]] Duration interval_of(std::uint64_t seed) const;
  // In every second seed the process ends every few minutes, and faults overlap.
  [[nodiscard]] bool storm(std::uint64_t seed) const { return everywhere && seed % 2 == 0; }
  [[nodiscard]] std::vector<sim::TapeInstrument> tape_of_all() const;
};

// No faults any more: everything must become whole again.
inline constexpr Duration calm_end = seconds(2'700);

// One seed, from the first second to the last.
class Run {
 public:
  Run(std::uint64_t seed, const RunPlan& plan);
  [[nodiscard]] Verdict verdict() { return judge(files_, world_, facts_); }
  [[nodiscard]] const WatchedFiles& files() const { return files_; }
  [[nodiscard]] const World& world() const { return world_; }
  [[nodiscard]] const std::vector<Fault>& faults() const { return facts_.faults; }
  [[nodiscard]] Duration interval() const { return facts_.interval; }
  [[nodiscard]] std::uint32_t lives() const { return files_.life(); }

 private:
  void start();
  void start_at(SteadyTime when);
  void go_until(Timestamp end);
  bool end_if_due();
  void begin(const Fault& fault);
  void freeze(const Fault& fault);
  void take_off(const Fault& fault);
  void ask_what_is_proven();
  void end_life();
  void die();
  void stop();
  [[nodiscard]] EngineOptions options() const;
  [[nodiscard]] std::uint64_t id_of(std::size_t instrument, const std::string& text);

  const std::string capture_;
  const bool context_;
  VirtualClock clock_;
  WatchedFiles files_;
  World world_;
  RunFacts facts_;
  std::optional<Life> life_;
  std::vector<int> off_;  // by instrument of the tape: how many faults keep it from the symbol list
  SteadyTime asked_{};
  SteadyTime back_at_{};  // not before, while there is no life
  std::optional<std::chrono::microseconds> dead_for_, ends_for_;
  bool frozen_ = false;
  int freezes_ = 0, full_ = 0, unsynced_ = 0;
};

// Many of them.
class Campaign {
 public:
  explicit Campaign(RunPlan plan) : plan_(std::move(plan)) {}
  // Prints a line, and what is wrong.
  void run(std::uint64_t seed);
  // What all of them showed.
  void report() const;
  [[nodiscard]] bool good() const { return failed_.empty() && runs_ > 0; }

 private:
  RunPlan plan_;
  std::size_t runs_ = 0, storms_ = 0, lives_ = 0, live_said_ = 0, live_wrong_ = 0, doubts_ = 0, unknowable_ = 0,
              unreachable_ = 0;
  std::array<std::size_t, statuses> rows_{};
  std::array<std::size_t, fault_kinds> faults_{};
  std::vector<Duration> corrected_;
  std::vector<std::uint64_t> failed_;
};

}  // namespace cvdd::simtest
