// The whole daemon against simulated exchanges on loopback, and a comparison of what it wrote with the tape.
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "commands.hpp"
#include "compare.hpp"
#include "cvdd/base/counted.hpp"
#include "cvdd/daemon/daemon.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"
#include "cvdd/system/logging.hpp"
#include "cvdd/web/web_server.hpp"
#include "demo_count.hpp"
#include "demo_folder.hpp"
#include "status_client.hpp"
#include "terminal.hpp"

namespace cvdd {

namespace {
namespace asio = boost::asio;

Timestamp wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// The simulated exchanges on a thread of their own.
class SimulatedExchanges {
 public:
  explicit SimulatedExchanges(std::shared_ptr<sim::Tape> tape)
      : io_(1), guard_(asio::make_work_guard(io_)), server_(io_, {}, std::move(tape)) {
    server_.start();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~SimulatedExchanges() { stop(); }
  void fall_mute_after(std::chrono::seconds time) {
    asio::post(io_, [this, time] {
      muting_.expires_after(time);
      muting_.async_wait([this](const boost::system::error_code& error) {
        if (!error) server_.fall_mute();
      });
    });
  }
  // From now on, every so often, all connections.
  void drop_every(std::chrono::seconds time) {
    asio::post(io_, [this, time] { drop(time); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      dropping_.cancel();
      muting_.cancel();
      server_.stop();
    });
    guard_.reset();
    thread_.join();
  }
  [[nodiscard]] const sim::Server& server() const { return server_; }

 private:
  void drop(std::chrono::seconds time) {
    dropping_.expires_after(time);
    dropping_.async_wait([this, time](const boost::system::error_code& error) {
      if (error) return;
      server_.drop_connections();
      drop(time);
    });
  }
  boost::asio::io_context io_;
  boost::asio::steady_timer dropping_{io_}, muting_{io_};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  sim::Server server_;
  std::thread thread_;
};

// Where it was wanted; or, when that is taken, on any port that is free.
std::unique_ptr<WebServer> serve_page(const asio::any_io_executor& executor, Engine& engine,
                                      const std::string& listen) {
  if (listen.empty()) return nullptr;
  try {
    return std::make_unique<WebServer>(executor, engine,
                                       WebServer::Settings{listen, "", {}, true, std::chrono::seconds(10)});
  } catch (const std::runtime_error&) {
    return std::make_unique<WebServer>(executor, engine,
                                       WebServer::Settings{"127.0.0.1:0", "", {}, true, std::chrono::seconds(10)});
  }
}

// On a terminal: the table of `cvdd status`, drawn anew every two seconds from what the page's server says.
class DemoTable {
 public:
  explicit DemoTable(LiveTable& place) : place_(place) {}
  ~DemoTable() { stop(); }
  DemoTable(const DemoTable&) = delete;
  DemoTable& operator=(const DemoTable&) = delete;
  void start(std::string listen) {
    thread_ = std::thread([this, listen = std::move(listen)] {
      StatusTable table;
      std::unique_lock lock(mutex_);
      while (!stopping_) {
        lock.unlock();
        std::string error;
        if (const auto model = ask_status(listen, "", error)) {
          const ScreenSize size = screen_size(stdout);
          place_.draw(table.draw(*model, size, size.rows > 0 ? size.rows : rows_usual));
        }
        lock.lock();
        woken_.wait_for(lock, std::chrono::seconds(2), [this] { return stopping_; });
      }
    });
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    woken_.notify_all();
    if (thread_.joinable()) thread_.join();
    place_.leave();
  }

 private:
  static constexpr std::size_t rows_usual = 20;
  LiveTable& place_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_ = false;
  std::thread thread_;
};

// The daemon of a demo that writes to `directory`, which is where the exchanges' certificate authority goes too.
DaemonOptions demo_daemon(const DemoOptions& options, const sim::Server& server, const std::filesystem::path& directory,
                          const std::vector<sim::TapeInstrument>& simulated) {
  const std::filesystem::path ca = directory / "simulated-ca.pem";
  std::ofstream(ca, std::ios::binary) << server.ca_pem();
  DaemonOptions out;
  std::vector<ConfigError> errors;
  out.config = parse_config(server.config_toml(), "simulated", simulated_markets(), errors);
  out.config.data_dir = directory.string();
  out.config.ca_file = ca.string();
  out.config.interval = options.interval;
  out.config.repair = options.repair;
  out.config.close_delay = std::min(seconds(1), Duration{options.interval.us / 2});
  for (const auto& s : simulated) {
    out.symbols.wanted[{s.instrument.exchange, s.instrument.market}].push_back(s.instrument.symbol);
  }
  out.symbols.groups = {
      {"BTC perpetuals", {{"*", "linear", "BASE=BTC PERPETUAL"}, {"*", "inverse", "BASE=BTC PERPETUAL"}}},
      {"BTC spot", {{"*", "spot", "BASE=BTC"}}}};
  return out;
}

// The log, beside a table only of what is wrong; it ends before what it writes to does.
class DemoLog {
 public:
  DemoLog(bool table, LiveTable& place) {
    if (table && is_terminal(stderr)) {
      start_logging("warn", {}, [&place](std::string_view lines) { place.print(lines); });
    } else {
      start_logging(table ? "warn" : "info");
    }
  }
  ~DemoLog() { stop_logging(); }
  DemoLog(const DemoLog&) = delete;
  DemoLog& operator=(const DemoLog&) = delete;
};

void tell_places(std::uint16_t port, std::size_t instruments, std::uint64_t seed, const DemoFolder& folder) {
  fmt::print(
      "# simulated exchanges: wss and https on 127.0.0.1:{}, {}, seed {}\n"
      "# rows are written to {}/latest.csv{}\n",
      port, counted(instruments, "instrument"), seed, folder.path().string(),
      folder.ours() ? ", which goes when the demo ends: keep it with --out" : "");
}

// Says what came of it. 1: a row is wrong, or an instrument has none.
int tell_comparison(const Comparison& result, std::size_t instruments) {
  for (const std::string& line : result.disagreements) fmt::print("# {}\n", line);
  const bool good = result.wrong == 0 && result.rows > 0;
  fmt::print("# {} compared with the simulated tape, {} of them whole, {}: {}\n", counted(result.rows, "bar"),
             result.live, counted(result.instruments, "instrument"),
             good ? "every row equals the tape" : counted(result.wrong, "wrong row"));
  if (result.instruments < instruments) {
    fmt::print("# without a row: {}\n", counted(instruments - result.instruments, "instrument"));
  }
  return good && result.instruments >= instruments ? 0 : 1;
}
}  // namespace

int demo_command(const DemoOptions& options) {
  // Rows are for pipes and files; people get a table, where there is a page that knows what to put into it.
  const bool table = is_terminal(stdout) && !options.rows && !options.quiet && !options.listen.empty();
  LiveTable place(stdout);
  const DemoLog log(table, place);
  if (const std::string wrong = wrong_demo_folder(options.out); !wrong.empty()) {
    print_error("cvdd demo: " + wrong);
    return 2;
  }
  const auto tape =
      std::make_shared<sim::Tape>(options.seed, wall_now() - seconds(60),
                                  sim::make_instruments_everywhere(options.instruments, options.trades_per_minute));
  std::vector<sim::TapeInstrument> simulated(tape->instruments().begin(), tape->instruments().end());
  SimulatedExchanges exchanges(tape);
  if (options.drop_every.us > 0) exchanges.drop_every(std::chrono::seconds(options.drop_every.us / 1'000'000));
  if (options.mute_after.us > 0) exchanges.fall_mute_after(std::chrono::seconds(options.mute_after.us / 1'000'000));
  const DemoFolder folder(options.out);
  const std::filesystem::path& directory = folder.path();
  DaemonOptions daemon_options = demo_daemon(options, exchanges.server(), directory, simulated);
  std::atomic<Daemon*> running{nullptr};
  DemoCount count(options.bars, simulated.size());  // aggregator thread
  const auto say = [&](const std::string& line) {
    if (!line.empty()) place.print("# " + line + "\n");
  };
  daemon_options.on_rows = [&](std::span<const Row> rows) {
    std::string text;
    for (const Row& row : rows) {
      count.add(row);
      if (!options.quiet && !table) append_row(text, row);
    }
    fmt::print("{}", text);
    std::fflush(stdout);
    say(count.waits());
    if (!count.done()) return;
    if (Daemon* it = running.load()) it->stop();
  };

  tell_places(exchanges.server().port(), simulated.size(), options.seed, folder);
  if (options.bars > 0) say(count.rule());
  if (!table) fmt::print("{}\n", csv_header());
  std::fflush(stdout);
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<WebServer> web;  // goes first, also when something throws
  DemoTable shown(place);
  daemon_options.on_begin = [&](const asio::any_io_executor& executor, Engine& engine) {
    web = serve_page(executor, engine, options.listen);
    if (!web) return;
    web->start();
    fmt::print("# the page: http://127.0.0.1:{}/{}\n", web->port(), table ? "; Ctrl-C ends the demo" : "");
    std::fflush(stdout);
    if (table) shown.start(fmt::format("127.0.0.1:{}", web->port()));
  };
  daemon_options.on_stopping = [&] {
    if (web) web->stop();
  };
  daemon = std::make_unique<Daemon>(std::move(daemon_options));
  running = daemon.get();
  const int status = daemon->run();
  running = nullptr;
  shown.stop();
  web.reset();
  exchanges.stop();

  if (options.bars == 0) return status;
  say(count.shortfall());
  const int wrong = tell_comparison(compare_with_tape(directory.string(), *tape, options.interval), simulated.size());
  return wrong != 0 ? wrong : status;
}

}  // namespace cvdd
