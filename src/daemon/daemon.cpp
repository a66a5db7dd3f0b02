#include "cvdd/daemon/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <random>

#include "cvdd/daemon/engine.hpp"
#include "cvdd/system/logging.hpp"
#include "file_watch.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::minutes status_every{10};
// A peer that does not say goodbye must not hold us up.
constexpr std::chrono::milliseconds goodbye_max{700};

// As many open files as we may have: the limit that counts is the hard one.
void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) spdlog::warn("the limit of open files can't be raised");
}

bool counts_flow(const Config& config) {
  return !config.size_buckets.empty() || std::ranges::any_of(config.exchanges, [](const auto& exchange) {
    return exchange.second.size_buckets && !exchange.second.size_buckets->empty();
  });
}

std::shared_ptr<NetContext> configured_net(const Config& config) {
  try {
    return make_net_context({config.ca_file, config.proxy, std::chrono::milliseconds(config.coalesce.us / 1'000)});
  } catch (const std::runtime_error& error) {
    throw WrongConfiguration(error.what());
  }
}
}  // namespace

struct Daemon::State {
  explicit State(DaemonOptions o)
      : handle_signals(o.handle_signals),
        config(o.config),
        reload(std::move(o.reload)),
        on_config(std::move(o.on_config)),
        on_tick(std::move(o.on_tick)),
        on_stopping(std::move(o.on_stopping)),
        on_begin(std::move(o.on_begin)),
        io(1),
        watch(io.get_executor(), std::move(o.watched_files), [this] { reload_files("a file was saved"); }),
        timer(io),
        clock(make_system_clock(io.get_executor())),
        files(make_file_sink()),
        tls(configured_net(o.config)),
        engine({std::move(o.config), std::move(o.symbols), std::move(o.on_rows)},
               {io.get_executor(), clock.get(), files.get(), [this] { return make_transport(io.get_executor(), tls); },
                [this] { return make_http_get(io.get_executor(), tls); }, true,
                [this](std::function<void()> work) { return do_beside(std::move(work)); }}) {}

  asio::awaitable<void> do_beside(std::function<void()> work) {
    auto done = [work = std::move(work)]() -> asio::awaitable<void> {
      work();
      co_return;
    };
    co_await asio::co_spawn(beside, std::move(done), asio::use_awaitable);
  }

  bool handle_signals;
  Config config;
  std::function<Reloaded()> reload;
  std::function<void(const Config&)> on_config;
  std::function<void(const Health&)> on_tick;
  std::function<void()> on_stopping;
  std::function<void(const asio::any_io_executor&, Engine&)> on_begin;
  asio::io_context io;
  FileWatcher watch;
  asio::steady_timer timer, ticker{io};
  std::unique_ptr<Clock> clock;
  std::unique_ptr<FileSink> files;
  std::shared_ptr<NetContext> tls;
  Engine engine;
  bool stopping = false, all_live = false;
  const std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  void begin_stop();
  void report();
  void tick();
  void wait_for_signal();
  void reload_files(const char* why);
  asio::signal_set signals{io};
  // Goes first: what it works on belongs to coroutines that go with the rest.
  asio::thread_pool beside{1};
};

Daemon::Daemon(DaemonOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  State& s = *state_;
  // A file at its size limit and a peer that is gone are errors of a call, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  raise_open_files();
  if (s.on_begin) s.on_begin(s.io.get_executor(), s.engine);
  s.engine.aggregator().start();
  s.engine.start();
  if (s.handle_signals) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) s.signals.add(signal);
    s.wait_for_signal();
  }
  s.watch.start();
  s.report();
  s.tick();
  s.io.run();
  s.engine.aggregator().stop();
  s.engine.report();
  const AggregatorStats& stats = s.engine.aggregator().stats();
  const std::uint64_t made = stats.rows.load(), lost = stats.backlog_rows.load() + stats.refused_rows.load();
  // Rows of flow files wait for the disk as well, and are not among those that were made.
  const char* const on_disk = lost > 0 && counts_flow(s.engine.config()) ? "rows_at_least" : "rows";
  spdlog::info("stopped {}={} not_written={} revisions={}", on_disk, made - std::min(made, lost), lost,
               stats.revisions.load());
  return lost == 0 ? 0 : 1;
}

const Engine& Daemon::engine() const { return state_->engine; }

void Daemon::stop() {
  asio::post(state_->io, [s = state_.get()] { s->begin_stop(); });
}

void Daemon::State::wait_for_signal() {
  signals.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload_files("SIGHUP");
      return wait_for_signal();
    }
    spdlog::info("stopping signal={}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    begin_stop();
  });
}

// Bad files change nothing: the running list stays.
void Daemon::State::reload_files(const char* why) {
  if (!reload || stopping) return;
  const Reloaded now = reload();
  // Each save has its answer: who makes the same mistake twice is told twice.
  for (const std::string& error : now.errors) log_answer(spdlog::level::err, error);
  if (!now.config) {
    log_answer(spdlog::level::err,
               fmt::format("nothing is changed: the files have errors errors={} why=\"{}\"", now.errors.size(), why));
    return;
  }
  for (const std::string& key : changes_that_need_a_restart(config, *now.config)) {
    log_answer(spdlog::level::warn, fmt::format("this change takes effect at the next start key={}", key));
  }
  config = *now.config;  // told once; the engine goes on with what it began with
  if (on_config) on_config(*now.config);
  spdlog::info("files read again why=\"{}\"", why);
  engine.want(now.symbols);
}

void Daemon::State::begin_stop() {
  if (stopping) return;
  stopping = true;
  if (on_stopping) on_stopping();
  watch.stop();
  ticker.cancel();
  engine.stop();
  timer.expires_after(goodbye_max);
  timer.async_wait([this](const boost::system::error_code&) { io.stop(); });
}

void Daemon::State::tick() {
  const Health health = engine.health();
  if (!all_live && health.instruments > 0 && health.live == health.instruments) {
    all_live = true;
    const auto passed = std::chrono::steady_clock::now() - began;
    spdlog::info("all {} instruments are live after {:.1f} s", health.live,
                 std::chrono::duration<double>(passed).count());
  }
  if (on_tick) on_tick(health);
  ticker.expires_after(std::chrono::seconds(1));
  ticker.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopping) tick();
  });
}

void Daemon::State::report() {
  timer.expires_after(status_every);
  timer.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping) return;
    engine.report();
    report();
  });
}

}  // namespace cvdd
