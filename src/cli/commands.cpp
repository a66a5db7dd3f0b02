#include "commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cvdd/base/counted.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/config/group_members.hpp"
#include "cvdd/config/listen_address.hpp"
#include "cvdd/daemon/replay.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"
#include "cvdd/system/logging.hpp"
#include "exchange_lists.hpp"
#include "load_config.hpp"
#include "surroundings.hpp"

namespace cvdd {

namespace asio = boost::asio;

namespace {
// Asks the exchanges whether they have what the list wants. Returns the exit status.
int check_online(const LoadedConfig& loaded) {
  std::vector<ExchangeList> lists;
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
  for (const std::string& trouble : troubles_of(lists)) {
    print_error(trouble);
    status = 1;
  }
  for (const ExchangeList& list : lists) {
    if (!list.error.empty()) continue;
    const auto name = fmt::format("{} {}", list.exchange->name, name_of(list.exchange->market));
    fmt::print("{}: {}\n", name, counted(select_instruments(list.wanted, list.instruments).found.size(), "instrument"));
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
  const LoadedConfig& loaded = checked->loaded;
  const std::vector<Finding> findings = look_around(checked->file, loaded.config);
  const bool stops = std::ranges::any_of(findings, &Finding::stops);
  for (const Finding& finding : findings) print_error(to_string(finding.error));
  if (stops) return 2;
  if (const auto idle = members_not_wanted(loaded.symbols); !idle.empty()) {
    fmt::print("{}: a group sums only what the list collects, which these members are not: {}\n",
               loaded.config.symbols_file, fmt::join(idle, "; "));
    std::fflush(stdout);
  }
  // The last word is the verdict.
  const int status = online ? check_online(loaded) : 0;
  if (status == 0) {
    fmt::print("{}: good; {}: good, {}\n", checked->file, loaded.config.symbols_file,
               counted(names_in(loaded.symbols), "name"));
  }
  return status;
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
  fmt::print(
      "# simulated exchanges on {}:{}; give a daemon these lines, and ca_file under [net]\n"
      "# the certificate authority is a new one at each start{}\n{}",
      server_options.address, server.port(), options.ca_out.empty() ? ": have it written with --ca-out" : "",
      server.config_toml());
  std::fflush(stdout);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) server.stop();
  });
  io.run();
  return 0;
}

std::string wrong_replay(const ReplayCommand& command) {
  if (command.exchange.empty()) {
    for (const std::string& path : command.recordings) {
      if (!is_capture(path)) {
        return fmt::format("{} is no capture of cvdd: --exchange is required, with --instruments", path);
      }
    }
    const bool more = !command.instruments.empty() || command.interval.us != 0;
    return more ? "a capture tells instruments and interval itself: leave --instruments and --interval out" : "";
  }
  std::vector<std::string> names;
  for (const Exchange* exchange : all_exchanges()) {
    if (names.empty() || names.back() != exchange->name) names.emplace_back(exchange->name);
  }
  for (const std::string& path : command.recordings) {
    if (is_capture(path))
      return fmt::format("{} is a capture of cvdd, which tells its exchange itself: leave --exchange out", path);
  }
  if (std::ranges::find(names, command.exchange) != names.end()) return "";
  return fmt::format("no exchange {}; there are: {}", command.exchange, fmt::join(names, ", "));
}

int replay_command(const ReplayCommand& command) {
  ReplayOptions options;
  options.exchange = command.exchange;
  options.market = command.market;
  options.instruments = command.instruments;
  options.out_dir = command.out;
  options.recordings = command.recordings;
  if (command.interval.us != 0) options.interval = command.interval;
  try {
    if (const std::string wrong = wrong_replay(command); !wrong.empty()) {
      print_error("cvdd replay: " + wrong);
      return 2;
    }
    const ReplaySummary summary = replay(options);
    fmt::print(stderr, "{}\n", summary_line(summary));
    return 0;
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "cvdd replay: {}\n", error.what());
    return 1;
  }
}

}  // namespace cvdd
