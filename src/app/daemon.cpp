#include "cvdd/app/daemon.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "cvdd/app/engine.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::minutes status_every{10};
// A peer that does not say goodbye must not hold us up.
constexpr std::chrono::milliseconds goodbye_max{700};
}  // namespace

struct Daemon::State {
  explicit State(DaemonOptions o)
      : handle_signals(o.handle_signals),
        io(1),
        timer(io),
        clock(make_system_clock(io.get_executor())),
        files(make_file_sink()),
        tls(make_tls_context(o.config.ca_file)),
        engine({std::move(o.config), std::move(o.symbols), std::move(o.on_rows)},
               {io.get_executor(), clock.get(), files.get(), [this] { return make_transport(io.get_executor(), tls); },
                [this] { return make_http_get(io.get_executor(), tls); }}) {}

  bool handle_signals;
  asio::io_context io;
  asio::steady_timer timer;
  std::unique_ptr<Clock> clock;
  std::unique_ptr<FileSink> files;
  std::shared_ptr<TlsContext> tls;
  Engine engine;
  bool stopping = false;

  void begin_stop();
  void report();
};

Daemon::Daemon(DaemonOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  State& s = *state_;
  // A file at its size limit and a peer that is gone are errors of a call, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  s.engine.aggregator().start();
  s.engine.start();
  asio::signal_set signals(s.io);
  if (s.handle_signals) {
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
  s.engine.aggregator().stop();
  const AggregatorStats& stats = s.engine.aggregator().stats();
  spdlog::info("stopped rows={} revisions={}", stats.rows.load(), stats.revisions.load());
  return 0;
}

void Daemon::stop() {
  asio::post(state_->io, [s = state_.get()] { s->begin_stop(); });
}

void Daemon::State::begin_stop() {
  if (stopping) return;
  stopping = true;
  engine.stop();
  timer.expires_after(goodbye_max);
  timer.async_wait([this](const boost::system::error_code&) { io.stop(); });
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
