#include "commands.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cvdd/base/printable.hpp"
#include "cvdd/config/listen_address.hpp"
#include "cvdd/daemon/daemon.hpp"
#include "cvdd/daemon/engine.hpp"
#include "cvdd/daemon/replay.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"
#include "cvdd/system/logging.hpp"
#include "cvdd/system/systemd.hpp"
#include "cvdd/web/web_server.hpp"
#include "exchange_lists.hpp"
#include "load_config.hpp"

namespace cvdd {

namespace {
struct Found {
  std::string file;
  LoadedConfig loaded;
};

// The configuration that was given or is found, and its symbol list. Empty: what is wrong was told.
std::optional<Found> find_and_load(const std::string& given) {
  const auto file = find_config(given);
  if (!file) {
    print_error("cvdd: " + no_config_found());
    return std::nullopt;
  }
  std::vector<std::string> errors;
  auto loaded = load_config(*file, errors);
  for (const std::string& error : errors) print_error(error);
  if (!loaded) return std::nullopt;
  return Found{*file, std::move(*loaded)};
}

std::size_t names_in(const SymbolList& list) {
  std::size_t names = 0;
  for (const auto& [where, wanted] : list.wanted) names += wanted.size();
  return names;
}

std::string whole_path(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::absolute(path, error).lexically_normal();
  return error ? path : whole.string();
}
}  // namespace

int run_command(const std::string& given) {
  auto found = find_and_load(given);
  if (!found) return 2;
  const std::string config_file = found->file;
  const LoadedConfig* const loaded = &found->loaded;
  std::vector<std::string> secrets = secrets_of(loaded->config.proxy);
  if (!loaded->config.http_token.empty()) secrets.push_back(loaded->config.http_token);
  start_logging(loaded->config.log_level, std::move(secrets));
  spdlog::info("cvdd {} starts config={} symbols={} names={} data_dir={}", CVDD_VERSION, whole_path(config_file),
               whole_path(loaded->config.symbols_file), names_in(loaded->symbols), whole_path(loaded->config.data_dir));
  if (shows_secrets(loaded->config, config_file)) {
    spdlog::warn("others can read a file that holds a token or a password: chmod 640 file={}", config_file);
  }
  Systemd systemd;
  DaemonOptions options;
  options.config = loaded->config;
  options.symbols = loaded->symbols;
  options.watched_files = {config_file, loaded->config.symbols_file};
  options.reload = [config_file, &systemd] {
    systemd.reloading();
    Reloaded now;
    if (auto again = load_config(config_file, now.errors)) {
      now.config = std::move(again->config);
      now.symbols = std::move(again->symbols);
    }
    systemd.reloaded();
    return now;
  };
  options.on_config = [](const Config& config) { set_log_level(config.log_level); };
  options.on_tick = [&systemd](const Health& health) { systemd.tick(making_progress(health), status_line(health)); };
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<WebServer> web;  // goes before the daemon that it tells of, also when that throws
  options.on_stopping = [&systemd, &web] {
    systemd.stopping();
    if (web) web->stop();
  };
  if (!loaded->config.http_listen.empty()) {
    options.on_begin = [&web, &config = loaded->config](const asio::any_io_executor& executor, Engine& engine) {
      // Collecting is what we are for: without a page it goes on.
      try {
        web = std::make_unique<WebServer>(executor, engine,
                                          WebServer::Settings{config.http_listen, config.http_token, config.http_hosts,
                                                              config.instrument_metrics, std::chrono::seconds(10)});
      } catch (const std::runtime_error& error) {
        return spdlog::error("no page, API and metrics: {}", error.what());
      }
      web->start();
      spdlog::info("page, API and metrics are served at=http://{}/", config.http_listen);
    };
  }
  try {
    daemon = std::make_unique<Daemon>(std::move(options));
  } catch (const std::runtime_error& error) {
    print_error(std::string("cvdd: ") + error.what());
    return dynamic_cast<const WrongConfiguration*>(&error) != nullptr ? 2 : 1;
  }
  const int status = daemon->run();
  web.reset();
  return status;
}

namespace {
// Asks the exchanges whether they have what the list wants. Returns the exit status.
int check_online(const LoadedConfig& loaded) {
  std::vector<MarketList> lists;
  for (const auto& [where, wanted] : loaded.symbols.wanted) {
    if (!wanted.empty()) lists.push_back({find_exchange(where.first, where.second), wanted, {}, {}});
  }
  try {
    fetch_lists(loaded.config, lists);
  } catch (const std::runtime_error& error) {
    print_error(error.what());
    return 2;
  }
  int status = 0;
  std::vector<ConfigError> unknown;
  for (const MarketList& list : lists) {
    const auto name = fmt::format("{} {}", list.exchange->name, name_of(list.exchange->market));
    if (!list.error.empty()) {
      print_error(fmt::format("{}: can't be asked: {}", name, list.error));
      status = std::max(status, 1);
      continue;
    }
    fmt::print("{}: {} instruments\n", name, select_instruments(list.wanted, list.instruments).found.size());
    for (ConfigError& error : unknown_names(loaded.config.symbols_file, loaded.symbols, list)) {
      unknown.push_back(std::move(error));
    }
  }
  std::ranges::stable_sort(unknown, {}, &ConfigError::line);
  for (const ConfigError& error : unknown) print_error(to_string(error));
  return unknown.empty() ? status : 2;
}
}  // namespace

int check_command(const std::string& given, bool online) {
  const auto checked = find_and_load(given);
  if (!checked) return 2;
  const std::string& config_file = checked->file;
  const LoadedConfig& loaded = checked->loaded;
  fmt::print("{}: good; {}: good, {} names\n", config_file, loaded.config.symbols_file, names_in(loaded.symbols));
  if (shows_secrets(loaded.config, config_file)) {
    fmt::print(stderr, "{}: others can read the token or password in it: chmod 640\n", config_file);
  }
  return online ? check_online(loaded) : 0;
}

int simulate_command(const SimulateOptions& options) {
  start_logging("info");
  sim::ServerOptions server_options;
  if (!split_address(options.listen, server_options.address, server_options.port)) {
    fmt::print(stderr, "--listen {}: not an address and port; expected 127.0.0.1:9443\n", options.listen);
    return 2;
  }
  server_options.recordings = options.recordings;
  server_options.instruments_files = options.instruments_files;
  server_options.recording_speed = options.speed;
  const Timestamp start{
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
  std::shared_ptr<sim::Tape> tape;
  if (options.recordings.empty()) {
    tape = std::make_shared<sim::Tape>(
        options.seed, start, sim::make_instruments_everywhere(options.instruments, options.trades_per_minute));
  }
  asio::io_context io(1);
  sim::Server server(io, server_options, tape);
  if (!options.ca_out.empty()) {
    std::ofstream out(options.ca_out, std::ios::binary);
    out << server.ca_pem();
    if (!out.flush()) {
      fmt::print(stderr, "--ca-out {}: can't be written\n", options.ca_out);
      return 2;
    }
  }
  server.start();
  fmt::print("# simulated exchanges on {}:{}; give a daemon these lines, and ca_file under [net]\n{}",
             server_options.address, server.port(), server.config_toml());
  std::fflush(stdout);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) server.stop();
  });
  io.run();
  return 0;
}

int replay_command(const ReplayCommand& command) {
  ReplayOptions options;
  options.exchange = command.exchange;
  options.market = command.market;
  options.instruments = command.instruments;
  options.out_dir = command.out;
  options.recordings = command.recordings;
  options.interval = command.interval;
  try {
    const ReplaySummary summary = replay(options);
    fmt::print(stderr, "{}\n", summary_line(summary));
    return 0;
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "cvdd replay: {}\n", error.what());
    return 1;
  }
}

}  // namespace cvdd
