// The daemon without its threads and its real environment: store, ledger and markets on whatever clock, network and
// files it is given. Daemon runs it on the system's; the simulation on virtual ones.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "cvdd/config/config.hpp"
#include "cvdd/daemon/health.hpp"
#include "cvdd/daemon/market_runner.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/pipeline/aggregator.hpp"
#include "cvdd/storage/file_sink.hpp"
#include "cvdd/system/clock.hpp"

namespace cvdd {

struct Environment {
  asio::any_io_executor executor;
  Clock* clock = nullptr;
  FileSink* files = nullptr;
  std::function<std::unique_ptr<Transport>()> make_transport;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  bool threads = true;  // false: files are synced on the thread that writes them
  // Does what takes long on a thread of its own; null: it is done at once.
  std::function<asio::awaitable<void>(std::function<void()>)> beside = {};
};

struct EngineOptions {
  Config config;  // paths resolved
  SymbolList symbols;
  // After rows were written; on the aggregator thread.
  std::function<void(std::span<const Row>)> on_rows;
};

// What no second try mends: the files have to be changed. Everything else that keeps us from starting may pass.
struct WrongConfiguration : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Engine {
 public:
  // Opens the data directory and reads back what the files say.
  // Throws WrongConfiguration or another std::runtime_error, saying what is wrong, where, and what to do.
  Engine(EngineOptions options, Environment around);
  ~Engine();

  // Spawns the markets on the executor. The aggregator is the caller's to start or to turn.
  void start();
  // Ends the sessions; the coroutines return soon after.
  void stop();
  // What is to be collected from now on. Differences only.
  void want(const SymbolList& symbols);
  // Asked about once a second: the rate is that since the last time.
  [[nodiscard]] Health health();
  // As it was then.
  [[nodiscard]] const Health& last_health() const { return health_; }
  // How it is doing: one log line, and one for each market where something went wrong since the last time.
  void report();

  [[nodiscard]] Aggregator& aggregator() { return *aggregator_; }
  [[nodiscard]] const Aggregator& aggregator() const { return *aggregator_; }
  [[nodiscard]] const Config& config() const { return options_.config; }
  // As the symbol list has them now.
  [[nodiscard]] const std::vector<GroupWanted>& groups() const { return options_.symbols.groups; }
  [[nodiscard]] const Capture* capture() const { return capture_.get(); }  // null: none is wanted
  [[nodiscard]] FileSink& files() { return *around_.files; }
  [[nodiscard]] const Latency& sync_time() const { return syncer_.time(); }
  [[nodiscard]] const auto& markets() const { return markets_; }

 private:
  // A market's troubles so far.
  struct Reported {
    std::uint64_t refused = 0, missing = 0, stalls = 0, backpressure_us = 0, mismatches = 0, failures = 0;
    friend bool operator==(const Reported&, const Reported&) = default;
  };
  void report_market(const MarketRunner& market, Reported& before) const;
  void check_interval() const;
  void set_size_buckets(AggregatorOptions& options) const;
  [[nodiscard]] std::unique_ptr<Capture> make_capture();
  asio::awaitable<void> watch_bars();
  asio::awaitable<void> read_what_arrived();
  MarketRunner* make_market(const std::pair<std::string, Market>& where, const std::vector<std::string>& wanted,
                            Duration history, DataKinds kinds);

  EngineOptions options_;
  Environment around_;
  // Its files are of a sink of its own, so that neither waits for the other. It goes after all that tells it something.
  std::unique_ptr<FileSink> capture_files_;
  std::unique_ptr<Capture> capture_;
  CsvStore store_;
  FileSyncer syncer_;
  ProofMail proofs_;
  ClosingTime closing_time_;
  Remembered restored_;
  std::unique_ptr<Aggregator> aggregator_;
  std::unique_ptr<CoalescedWakeup> wakeup_;
  std::map<std::string, RequestBudget> history_budgets_;  // by exchange and weight pool
  std::map<std::string, ExchangeGate> gates_;             // by exchange: limits are per IP
  std::map<std::pair<std::string, Market>, std::unique_ptr<MarketRunner>> markets_;
  std::map<std::pair<std::string, Market>, Reported> reported_;
  bool running_ = false;
  std::unique_ptr<Timer> bar_timer_;
  Health health_;
  std::uint64_t trades_then_ = 0;
  std::chrono::steady_clock::time_point then_{};
  InstrumentIds ids_;
};

}  // namespace cvdd
