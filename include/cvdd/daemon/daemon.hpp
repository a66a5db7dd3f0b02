// The daemon: store and ledger on the aggregator thread, every market on the io thread, an orderly start and end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/daemon/health.hpp"

namespace cvdd {

// The files as they are now, or what is wrong with them.
struct Reloaded {
  std::optional<Config> config;  // empty: errors
  SymbolList symbols;
  std::vector<std::string> errors;  // one line each
};

class Engine;

struct DaemonOptions {
  Config config;  // paths resolved
  SymbolList symbols;
  bool handle_signals = true;  // SIGTERM and SIGINT stop it, SIGHUP reloads
  // When one of these files was saved, `reload` is called (io thread) and what changed takes effect.
  std::vector<std::string> watched_files;
  std::function<Reloaded()> reload;
  std::function<void(const Config&)> on_config;  // of a good reload: what the caller itself follows (log level)
  std::function<void(const Health&)> on_tick;    // every second; io thread
  std::function<void()> on_stopping;             // once; io thread
  // Before anything runs: for who serves what the engine knows, on the io thread.
  std::function<void(const boost::asio::any_io_executor&, Engine&)> on_begin;
  // After rows were written; on the aggregator thread.
  std::function<void(std::span<const Row>)> on_rows;
};

class Daemon {
 public:
  // Opens the data directory and reads back what the files say.
  // Throws WrongConfiguration or another std::runtime_error, saying what is wrong, where, and what to do.
  explicit Daemon(DaemonOptions options);
  ~Daemon();
  // Blocks until stop() or a signal; open bars are written then. Returns the process's exit status.
  int run();
  // Any thread.
  void stop();
  // Its counters may be read once run() has returned.
  [[nodiscard]] const Engine& engine() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cvdd
