#include "attack/victim.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "attack/http.hpp"
#include "cvdd/sim/protocol.hpp"

namespace cvdd::attack {

namespace {
bool of_the_hostile(const std::string& line) {
  return line.find("exchange=\"binance\",market=\"spot\"") != std::string::npos;
}

std::string until_written(const std::string& path, const std::string& what) {
  for (int i = 0; i < 300; ++i) {
    std::string text = text_of_file(path);
    if (text.find(what) != std::string::npos) return text;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw std::runtime_error(path + ": nothing came of it: " + text_of_file(path));
}
}  // namespace

double p99_between(const Seen& from, const Seen& to) {
  double all = 0, before = 0, begin = 0;
  std::map<double, double> more;
  for (const auto& [end, count] : to.latency) {
    const auto old = from.latency.find(end);
    more[end] = count - (old == from.latency.end() ? 0 : old->second);
    all = std::max(all, more[end]);
  }
  if (all <= 0) return 0;
  for (const auto& [end, count] : more) {
    // Evenly within its bucket.
    if (count >= all * 0.99) return begin + (end - begin) * (all * 0.99 - before) / std::max(1.0, count - before);
    before = count;
    begin = end;
  }
  return begin;
}

Victim::Victim(const VictimOptions& options) : options_(options) {
  std::string name = (std::filesystem::temp_directory_path() / "cvdd-attack-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  const std::string ca = folder_ / "ca.pem", told = folder_ / "simulate.log";
  simulated_ = std::make_unique<Process>(
      std::vector<std::string>{options.cvdd, "simulate", "--listen", fmt::format("127.0.0.1:{}", free_port()),
                               "--ca-out", ca, "--instruments", std::to_string(options.instruments),
                               "--trades-per-minute", std::to_string(options.trades_per_minute)},
      told, other_processor);
  std::string exchanges = until_written(told, "[exchange.okx.inverse]");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  exchanges = text_of_file(told);
  exchanges.erase(0, exchanges.find("[exchange"));
  if (const auto log = exchanges.find("\n20"); log != std::string::npos) exchanges.resize(log);
  if (options.hostile_ca != nullptr) std::ofstream(ca, std::ios::app) << options.hostile_ca->certificate_pem();
  write_config(exchanges);
  daemon_ = std::make_unique<Process>(
      std::vector<std::string>{options.cvdd, "run", "--config", (folder_ / "cvdd.toml").string()},
      (folder_ / "cvdd.log").string(), daemon_processor);
  wait_until_ready();
}

Victim::~Victim() {
  daemon_.reset();
  simulated_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Victim::write_config(const std::string& exchanges) {
  port_ = free_port();
  std::string text = exchanges;
  if (options_.hostile != nullptr) {
    const std::string own = "[exchange.binance.spot]";
    const auto begin = text.find(own);
    const auto end = text.find("[exchange", begin + own.size());
    text.replace(begin, end - begin,
                 fmt::format("{0}\nws = [\"wss://127.0.0.1:{1}\"]\nrest = [\"https://127.0.0.1:{1}\"]\n\n", own,
                             options_.hostile->port()));
  }
  std::ofstream(folder_ / "cvdd.toml") << fmt::format(
      "data_dir = \"data\"\ninterval = \"{}\"\nclose_delay = \"1s\"\n[http]\nlisten = \"127.0.0.1:{}\"\ntoken = "
      "\"{}\"\n"
      "instrument_metrics = \"on\"\n[net]\nca_file = \"ca.pem\"\n{}",
      options_.interval, port_, options_.token, text);
  std::map<std::string, std::map<std::string, std::string>> names;
  for (const auto& what : sim::make_instruments_everywhere(options_.instruments, 60)) {
    names[what.instrument.exchange][std::string(name_of(what.instrument.market))] +=
        "\"" + what.instrument.symbol + "\", ";
  }
  std::ofstream symbols(folder_ / "symbols.toml");
  for (const auto& [exchange, markets] : names) {
    symbols << "[" << exchange << "]\n";
    for (const auto& [market, list] : markets) symbols << market << " = [" << list << "]\n";
  }
}

void Victim::wait_until_ready() const {
  const std::size_t hostile = options_.hostile == nullptr ? 0 : 1;
  for (int i = 0; i < 600; ++i) {
    int status = 0;
    const std::string health = options_.token.empty() ? get(port_, "/api/v1/health", status) : std::string();
    if (status == 200 && hostile == 0 && health.find("\"reasons\":[]") != std::string::npos) return;
    if (hostile > 0 || !options_.token.empty()) {
      // The hostile one may never be ready.
      (void)get(port_, "/healthz", status);
      if (status == 200) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        return;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw std::runtime_error("the daemon does not become ready: " + log());
}

Seen Victim::look() const {
  Seen out;
  int status = 0;
  std::string text;
  for (int tries = 0; status != 200 && tries < 20; ++tries) text = get(port_, "/metrics", status);
  if (status != 200) throw std::runtime_error("no metrics: " + std::to_string(status));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const double value = std::strtod(line.c_str() + line.rfind(' ') + 1, nullptr);
    if (line.starts_with("cvdd_late_trades_total ")) out.late = value;
    if (line.starts_with("cvdd_revisions_total ")) out.revisions = value;
    if (line.starts_with("process_cpu_seconds_total ")) out.cpu_seconds = value;
    if (of_the_hostile(line)) continue;
    if (line.starts_with("cvdd_trades_total{")) out.trades += value;
    const auto end = line.find("le=\"");
    if (!line.starts_with("cvdd_event_to_receipt_seconds_bucket{") || end == line.npos) continue;
    const std::string le = line.substr(end + 4);
    out.latency[le.starts_with("+Inf") ? 60.0 : std::strtod(le.c_str(), nullptr)] += value;
  }
  out.at = std::chrono::steady_clock::now();
  return out;
}

std::string Victim::bars_target() const {
  const auto all = sim::make_instruments_everywhere(options_.instruments, 60);
  const Instrument& one = all.back().instrument;
  return fmt::format("/api/v1/bars?exchange={}&market={}&symbol={}", one.exchange, name_of(one.market), one.symbol);
}

Watcher::Watcher(Victim& victim) : victim_(victim) {
  rss_before = rss_most = victim.process().rss_mib();
  thread_ = std::thread([this] { watch(); });
}

void Watcher::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Watcher::watch() {
  while (!stopping_) {
    const auto begin = std::chrono::steady_clock::now();
    int status = 0;
    (void)get(victim_.port(), "/healthz", status);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    ++asked;
    answered += status == 200 ? 1U : 0U;
    slowest = std::max(slowest, took);
    rss_most = std::max(rss_most, victim_.process().rss_mib());
    std::this_thread::sleep_until(begin + std::chrono::milliseconds(100));
  }
}

}  // namespace cvdd::attack
