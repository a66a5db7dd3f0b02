// A daemon in its world, driven step by step, and all that it wrote held against the tape: every revision of every row.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sim/life.hpp"
#include "sim/oracle.hpp"

namespace cvdd::simtest {

// What the rows said. `whole`: live or repaired.
struct StageVerdict {
  std::size_t rows = 0, bars = 0;
  std::size_t wrong = 0;           // bars that say to be whole at their highest revision, and are not
  std::size_t repaired_wrong = 0;  // rows of any revision that say `repaired`, and are not whole
  std::size_t early = 0;           // rows that said `live`, were wrong, and have been revised
  std::size_t gaps = 0;            // bars that say `gap` at their highest revision
  std::vector<std::string> complaints;
  [[nodiscard]] bool right() const { return wrong == 0 && repaired_wrong == 0 && complaints.empty(); }
};

class Stage {
 public:
  // `past`: how long before now the tape begins.
  Stage(std::uint64_t seed, std::vector<sim::TapeInstrument> instruments, Duration interval = seconds(60),
        Duration past = seconds(60));

  void start();
  void stop();                                  // in order
  void go(std::chrono::milliseconds time);      // everything runs
  void freeze(std::chrono::milliseconds time);  // the process gets no processor, the world goes on
  void go_to_second(std::int64_t second);       // of the minute at the exchange
  void befall(FaultKind kind, Duration length = seconds(1), std::size_t side = 0);
  void want(const SymbolList& list) { life_->engine->want(list); }
  // The symbol list without the last instrument of its first market; `gone`: who that is.
  [[nodiscard]] SymbolList without_one(std::string& gone) const;

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] EngineOptions& options() { return options_; }
  [[nodiscard]] Engine& engine() { return *life_->engine; }
  [[nodiscard]] VirtualClock& clock() { return clock_; }

  // `ids` false: ids and counts of fills are not compared, since rows are of another stream than the tape's.
  [[nodiscard]] StageVerdict verdict(bool ids = true) const;
  [[nodiscard]] std::vector<ReadRow> rows_of_symbol(const std::string& symbol) const;

 private:
  [[nodiscard]] std::string difference_of(const ReadRow& row, bool ids) const;
  VirtualClock clock_;
  MemoryFiles files_;
  World world_;
  EngineOptions options_;
  std::uint32_t lives_ = 0;
  std::optional<Life> life_;
};

// `count` instruments of one market of an exchange, of so many trades a minute.
[[nodiscard]] std::vector<sim::TapeInstrument> instruments_of(const std::string& exchange, Market market,
                                                              std::size_t count, std::uint32_t trades_per_minute);

}  // namespace cvdd::simtest
