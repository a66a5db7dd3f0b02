// The daemon: store and ledger on the aggregator thread, every market on the io thread, an orderly start and end.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "cvdd/core/config.hpp"
#include "cvdd/core/types.hpp"

namespace cvdd {

struct DaemonOptions {
  Config config;                 // paths resolved
  SymbolList symbols;
  bool handle_signals = true;    // SIGTERM and SIGINT stop it
  // After rows were written; on the aggregator thread.
  std::function<void(std::span<const Row>)> on_rows;
};

class Daemon {
 public:
  // Opens the data directory and reads back what the files say.
  // Throws std::runtime_error saying what is wrong, where, and what to do.
  explicit Daemon(DaemonOptions options);
  ~Daemon();
  // Blocks until stop() or a signal; open bars are written then. Returns the process's exit status.
  int run();
  // Any thread.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cvdd
