// The whole daemon and the simulated exchange on threads of their own: real TLS, WebSockets and files, on loopback.
#pragma once

#include <stdlib.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "catch.hpp"
#include "cli/compare.hpp"
#include "cvdd/daemon/daemon.hpp"
#include "cvdd/daemon/engine.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"

namespace cvdd::test {

namespace fs = std::filesystem;

inline Timestamp wall_now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

class Folder {
 public:
  Folder() {
    std::string name = "/tmp/cvdd_test_XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// The simulated exchange on a thread of its own.
class Exchanges {
 public:
  explicit Exchanges(std::size_t instruments, sim::ServerOptions options = {}, std::uint32_t trades_per_minute = 600)
      : Exchanges(sim::make_instruments(instruments, trades_per_minute), std::move(options)) {}
  explicit Exchanges(std::vector<sim::TapeInstrument> instruments, sim::ServerOptions options = {})
      : tape_(std::make_shared<sim::Tape>(7, wall_now() - seconds(30), std::move(instruments))),
        server_(io_, options, tape_) {
    server_.start();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Exchanges() { stop(); }
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;
  void trouble(sim::LineFault fault, std::uint64_t choice) {
    boost::asio::post(io_, [this, fault, choice] { (void)server_.trouble(fault, choice); });
  }
  void trouble_rest(sim::RestFault fault, Duration wait) {
    boost::asio::post(io_, [this, fault, wait] { server_.trouble_rest(fault, wait); });
  }
  void drop_connections() {
    boost::asio::post(io_, [this] { server_.drop_connections(); });
  }
  // Afterwards tape and counters may be read.
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] { server_.stop(); });
    guard_.reset();
    thread_.join();
  }
  [[nodiscard]] sim::Server& server() { return server_; }
  [[nodiscard]] const sim::Tape& tape() const { return *tape_; }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
  std::shared_ptr<sim::Tape> tape_;
  sim::Server server_;
  std::thread thread_;
};

// The daemon on a thread of its own.
class Running {
 public:
  Running(Exchanges& exchanges, const Folder& folder, Duration interval = seconds(1),
          const std::function<void(DaemonOptions&)>& change = {}) {
    const std::string ca = folder / "ca.pem";
    std::ofstream(ca, std::ios::binary) << exchanges.server().ca_pem();
    DaemonOptions options;
    std::vector<ConfigError> errors;
    options.config = parse_config(exchanges.server().config_toml(), "simulated", simulated_markets(), errors);
    REQUIRE(errors.empty());
    options.config.data_dir = folder / "data";
    options.config.ca_file = ca;
    options.config.interval = interval;
    options.config.close_delay = milliseconds(300);
    options.handle_signals = false;
    for (const auto& s : exchanges.tape().instruments()) {
      options.symbols.wanted[{s.instrument.exchange, s.instrument.market}].push_back(s.instrument.symbol);
    }
    options.on_rows = [this](std::span<const Row> rows) {
      const std::lock_guard lock(mutex_);
      rows_.insert(rows_.end(), rows.begin(), rows.end());
      more_.notify_all();
    };
    if (change) change(options);
    daemon_ = std::make_unique<Daemon>(std::move(options));
    thread_ = std::thread([this] { status_ = daemon_->run(); });
  }
  ~Running() { stop(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  int stop() {
    if (thread_.joinable()) {
      daemon_->stop();
      thread_.join();
    }
    return status_;
  }
  // After stop().
  [[nodiscard]] const Daemon& daemon() const { return *daemon_; }
  // Waits until some row is as asked for; every one so far is looked at.
  bool until(const std::function<bool(const Row&)>& wanted, std::chrono::seconds limit = std::chrono::seconds(30)) {
    std::unique_lock lock(mutex_);
    return more_.wait_for(lock, limit, [&] { return std::any_of(rows_.begin(), rows_.end(), wanted); });
  }
  [[nodiscard]] Timestamp newest() {
    const std::lock_guard lock(mutex_);
    Timestamp t;
    for (const Row& row : rows_) t = std::max(t, row.time);
    return t;
  }
  [[nodiscard]] std::vector<Row> rows() {
    const std::lock_guard lock(mutex_);
    return rows_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<Row> rows_;
  std::unique_ptr<Daemon> daemon_;
  std::atomic<int> status_{-1};
  std::thread thread_;
};

inline std::function<bool(const Row&)> live_after(Timestamp t) {
  return [t](const Row& row) { return row.status == BarStatus::live && row.time > t; };
}

inline std::string complaints(const Comparison& comparison) {
  std::string text;
  for (const std::string& line : comparison.disagreements) text += line + "\n";
  return text;
}

}  // namespace cvdd::test
