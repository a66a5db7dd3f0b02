#include "cvdd/app/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <stdexcept>

#include "cvdd/app/aggregator.hpp"
#include "cvdd/app/market.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::minutes status_every{10};

Timestamp wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}
}  // namespace

struct Daemon::State {
  explicit State(DaemonOptions o)
      : options(std::move(o)), files(make_file_sink()), store(*files, options.config.data_dir), io(1), timer(io) {}

  DaemonOptions options;
  std::unique_ptr<FileSink> files;
  CsvStore store;
  std::map<InstrumentKey, Row> restored;
  asio::io_context io;
  asio::steady_timer timer;
  std::unique_ptr<Aggregator> aggregator;
  std::map<std::string, TokenBucket> attempts;  // by exchange: limits are per IP
  std::vector<std::unique_ptr<MarketRunner>> markets;
  std::uint32_t instruments = 0;
  bool stopping = false;

  void make_aggregator();
  void make_markets();
  void begin_stop();
  void report();
};

Daemon::Daemon(DaemonOptions options) : state_(std::make_unique<State>(std::move(options))) {
  State& s = *state_;
  s.restored = s.store.open();
  const auto found = s.store.interval_found();
  if (found && *found < s.options.config.interval) {
    throw std::runtime_error(fmt::format(
        "{}: holds bars of {} s, but interval is {} s: one interval per data_dir; choose another data_dir",
        s.options.config.data_dir, found->us / 1'000'000, s.options.config.interval.us / 1'000'000));
  }
  for (const auto& [key, row] : s.restored) {
    if (bar_start(row.time, s.options.config.interval) != row.time) {
      throw std::runtime_error(fmt::format(
          "{}: {} {} has a bar that does not begin on a multiple of {} s: another interval was used here; choose another "
          "data_dir",
          s.options.config.data_dir, key.exchange, key.symbol, s.options.config.interval.us / 1'000'000));
    }
  }
  if (!s.restored.empty()) {
    spdlog::info("continuing after the files instruments={} data_dir={}", s.restored.size(), s.options.config.data_dir);
  }
}

Daemon::~Daemon() = default;

void Daemon::State::make_aggregator() {
  AggregatorOptions a;
  a.interval = options.config.interval;
  a.close_delay = options.config.close_delay;
  a.event_time = options.config.exchange_clock;
  a.now = wall_now;
  a.on_rows = options.on_rows;
  a.on_problem = [](const std::string& line) { spdlog::error("{}", line); };
  aggregator = std::make_unique<Aggregator>(std::move(a), store, restored);
}

void Daemon::State::make_markets() {
  const auto tls = make_tls_context(options.config.ca_file);
  for (const auto& [where, wanted] : options.symbols.wanted) {
    const Exchange* exchange = find_exchange(where.first, where.second);
    if (exchange == nullptr || wanted.empty()) continue;
    const auto& limits = exchange->limits;
    auto bucket = attempts.try_emplace(where.first, limits.connection_attempts, limits.connection_attempts_window);
    MarketContext context;
    context.executor = io.get_executor();
    context.tls = tls;
    context.now = wall_now;
    context.aggregator = aggregator.get();
    context.restored = &restored;
    context.attempts = &bucket.first->second;
    context.next_instrument_id = [this] { return instruments++; };
    context.cache_dir = options.config.data_dir;
    context.event_time = options.config.exchange_clock;
    const auto configured = options.config.exchanges.find(where);
    markets.push_back(std::make_unique<MarketRunner>(
        std::move(context), *exchange,
        configured == options.config.exchanges.end() ? ExchangeConfig{} : configured->second, wanted));
  }
}

int Daemon::run() {
  State& s = *state_;
  s.make_aggregator();
  s.make_markets();
  s.aggregator->start();
  const auto rethrow = [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  };
  for (const auto& market : s.markets) asio::co_spawn(s.io, market->run(), rethrow);
  asio::signal_set signals(s.io);
  if (s.options.handle_signals) {
    signals.add(SIGTERM);
    signals.add(SIGINT);
    signals.async_wait([&s](const boost::system::error_code& error, int signal) {
      if (error) return;
      spdlog::info("stopping signal={}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      s.begin_stop();
    });
  }
  s.report();
  s.io.run();
  s.aggregator->stop();
  spdlog::info("stopped rows={} revisions={}", s.aggregator->stats().rows.load(), s.aggregator->stats().revisions.load());
  return 0;
}

void Daemon::stop() {
  asio::post(state_->io, [s = state_.get()] { s->begin_stop(); });
}

void Daemon::State::begin_stop() {
  if (stopping) return;
  stopping = true;
  for (const auto& market : markets) market->stop();
  // A peer that does not say goodbye must not hold us up.
  timer.expires_after(std::chrono::milliseconds(700));
  timer.async_wait([this](const boost::system::error_code&) { io.stop(); });
}

void Daemon::State::report() {
  timer.expires_after(status_every);
  timer.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping) return;
    for (const auto& market : markets) {
      const IntakeCounters& c = market->counters();
      spdlog::info(
          "status market=\"{}\" instruments={} live={} messages={} trades={} duplicates={} refused={} holes={} missing={}",
          market->name(), market->instruments(), market->live_instruments(), c.messages, c.trades, c.duplicates,
          c.refused_total(), c.holes, c.missing);
    }
    report();
  });
}

}  // namespace cvdd
