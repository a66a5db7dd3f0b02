// The whole daemon against the simulated exchange: real TLS, real WebSockets, real files, on loopback.
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
#include "cvdd/app/daemon.hpp"
#include "cvdd/core/csv.hpp"
#include "cvdd/ops/compare.hpp"
#include "cvdd/sim/server.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

namespace {
Timestamp wall_now() {
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
  explicit Exchanges(std::size_t instruments, sim::ServerOptions options = {})
      : tape_(std::make_shared<sim::Tape>(7, wall_now() - seconds(30), sim::make_instruments(instruments, 600))),
        server_(io_, options, tape_) {
    server_.start();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Exchanges() { stop(); }
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;
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
  Running(Exchanges& exchanges, const Folder& folder, Duration interval = seconds(1)) {
    const std::string ca = folder / "ca.pem";
    std::ofstream(ca, std::ios::binary) << exchanges.server().ca_pem();
    DaemonOptions options;
    std::vector<ConfigError> errors;
    options.config = parse_config(exchanges.server().config_toml(), "simulated",
                                  simulated_markets(exchanges.tape().instruments()), errors);
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

std::function<bool(const Row&)> live_after(Timestamp t) {
  return [t](const Row& row) { return row.status == BarStatus::live && row.time > t; };
}

std::string complaints(const Comparison& comparison) {
  std::string text;
  for (const std::string& line : comparison.disagreements) text += line + "\n";
  return text;
}
}  // namespace

TEST_CASE("rows equal the tape; cut connections make gaps, not wrong numbers; a restart goes on", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(6);
  {
    Running daemon(exchanges, folder);
    REQUIRE(daemon.until(live_after({})));
    exchanges.drop_connections();
    const Timestamp cut = daemon.newest();
    // Connections come back after a second or two; ids say what was missed.
    REQUIRE(daemon.until([&](const Row& row) { return row.time > cut && row.status == BarStatus::gap; }));
    REQUIRE(daemon.until([&](const Row& row) { return row.time > cut && row.missing.value_or(0) > 0; }));
    REQUIRE(daemon.until(live_after(daemon.newest())));
    CHECK(daemon.stop() == 0);
    const auto rows = daemon.rows();
    CHECK(std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.status == BarStatus::partial; }));
  }
  {
    Running daemon(exchanges, folder);
    const Timestamp before = wall_now();
    REQUIRE(daemon.until(live_after(before)));
    CHECK(daemon.stop() == 0);
  }
  exchanges.stop();
  CHECK(exchanges.server().stats().limit_violations == 0);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(result.instruments == 6);
  CHECK(result.live > 6);
}

TEST_CASE("300 instruments over three markets: within the limits, every one has its rows", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(300);
  Running daemon(exchanges, folder);
  REQUIRE(daemon.until(live_after(wall_now())));
  REQUIRE(daemon.until(live_after(daemon.newest())));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  CHECK(exchanges.server().stats().limit_violations == 0);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(result.instruments == 300);
}

TEST_CASE("an exchange that closes connections at their age: gaps are marked, the daemon goes on", "[daemon]") {
  const Folder folder;
  sim::ServerOptions options;
  options.lifetime = seconds(3);
  options.ping_every = milliseconds(500);
  Exchanges exchanges(3, options);
  Running daemon(exchanges, folder);
  REQUIRE(daemon.until([](const Row& row) { return row.status == BarStatus::gap; }));
  REQUIRE(daemon.until(live_after(daemon.newest())));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
}

TEST_CASE("an instrument list that can't be had any more: the last good one serves", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(3);
  {
    Running daemon(exchanges, folder);
    REQUIRE(daemon.until(live_after({})));
    daemon.stop();
  }
  std::size_t lists = 0;
  for (const auto& entry : fs::directory_iterator(folder / "data")) {
    if (entry.path().filename().string().starts_with("instruments-")) ++lists;
  }
  CHECK(lists == 3);
}

TEST_CASE("files of another interval are refused before anything starts; foreign ones are left alone", "[daemon]") {
  const Folder folder;
  Exchanges exchanges(3);
  fs::create_directories(folder / "data");
  SECTION("foreign") {
    const std::string day = format_day(wall_now());
    const std::string theirs = folder / ("data/cvd-" + day + ".csv").c_str();
    std::ofstream(theirs) << "a,b\n1,2\n";
    Running daemon(exchanges, folder);
    REQUIRE(daemon.until(live_after({})));
    daemon.stop();
    CHECK(fs::file_size(theirs) == 8);
    CHECK(fs::exists(folder / ("data/cvd-" + day + ".1.csv").c_str()));
  }
  SECTION("interval") {
    Row row;
    row.exchange = "binance";
    row.symbol = "BTCUSDT";
    std::string text = std::string(csv_header()) + "\n";
    for (int i = 0; i < 2; ++i) {
      row.time = {1'763'675'700'000'000 + i * 1'000'000};
      append_row(text, row);
    }
    std::ofstream(folder / "data/cvd-2025-11-20.csv") << text;
    CHECK_THROWS_AS(Running(exchanges, folder, seconds(60)), std::runtime_error);
  }
  SECTION("a second daemon") {
    Running daemon(exchanges, folder);
    CHECK_THROWS_AS(Running(exchanges, folder), std::runtime_error);
  }
}
