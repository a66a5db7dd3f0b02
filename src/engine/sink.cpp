// cvdd-engine sink: from the stream into a store. N workers share one durable consumer, each with a connection to the
// broker and one to the database; what a batch held is acknowledged when it is committed, and comes again if it is not.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <future>
#include <mutex>
#include <thread>

#include "broker.hpp"
#include "cvdd/base/backoff.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/engine/commands.hpp"
#include "cvdd/system/logging.hpp"
#include "cvdd/system/systemd.hpp"
#include "loader.hpp"
#include "metrics.hpp"
#include "stop.hpp"
#include "wall.hpp"

namespace cvdd::engine {

namespace {
using Time = std::chrono::steady_clock::time_point;
constexpr int batch_most = 1'000;  // messages in memory of a worker, at most
constexpr std::size_t text_max = 4'096;

struct Shared {
  Shared(const EngineConfig& from, Metrics& told) : config(from), metrics(told) {}
  const EngineConfig& config;
  Metrics& metrics;
  std::atomic<std::uint64_t> rows{0}, parked{0};
  std::atomic<std::int64_t> newest_us{0};
  std::mutex mutex;
  std::string trouble;      // the newest; "": none
  std::vector<Time> alive;  // by worker: when it last got round
  void say(const std::string& what) {
    const std::scoped_lock lock(mutex);
    if (!what.empty() && what != trouble) spdlog::error("{}", what);
    trouble = what;
  }
};

std::optional<StoreRow> row_of(const InMessage& message, std::string& reason) {
  const auto kind = message.kind.empty() ? RowKind::cvd : row_kind_from(message.kind);
  if (!kind) {
    reason = "of a kind that this version does not know: upgrade cvdd-engine";
  } else if (!is_collector_name(message.collector)) {
    reason = "no header Cvdd-Collector says whose it is";
  } else {
    return store_row_from(message.collector, message.body, reason, *kind);
  }
  return std::nullopt;
}

class Worker {
 public:
  Worker(Shared& shared, std::size_t number)
      : shared_(shared),
        number_(number),
        store_(make_store(parse_store_url(shared.config.sink_to),
                          {.durable = true, .ca_file = shared.config.sink_ca_file})) {}

  void run() {
    Backoff backoff(milliseconds(250), seconds(5), number_ + 1);
    while (!stop_flag()) {
      alive();
      try {
        round();
        backoff.reset();
        continue;
      } catch (const BrokerError& error) {
        shared_.say(error.what());
        subscribed_ = false;
        if (broker_ && broker_->closed()) broker_.reset();
      } catch (const StoreError& error) {
        shared_.say(error.what());
      }
      shared_.metrics.add("sink_failures_total", "Rounds of a worker that ended with an error of broker or database");
      wait_or_stop(std::chrono::milliseconds(backoff.next().us / 1'000));
    }
    // What is not committed comes again, to whoever asks next.
  }

 private:
  void alive() {
    const std::scoped_lock lock(shared_.mutex);
    shared_.alive[number_] = std::chrono::steady_clock::now();
  }

  void round() {
    store_->open();  // first, so that nothing is fetched that can't be stored
    if (!broker_) {
      broker_ = connect_broker(shared_.config.nats, "cvdd-engine sink " + shared_.config.consumer);
      spdlog::info("worker={} connected server={}", number_, broker_->server());
      subscribed_ = false;
    }
    if (!subscribed_) {
      broker_->subscribe(shared_.config.consumer);
      subscribed_ = true;
      looked_ = std::chrono::steady_clock::now();
    }
    if (messages_.empty()) messages_ = broker_->fetch(batch_most, std::chrono::milliseconds(500));
    if (!messages_.empty()) store();
    look_at_consumer();
    if (number_ == 0) look_at_store();
  }

  // Is the consumer still there, and how much waits?
  void look_at_consumer() {
    const Time now = std::chrono::steady_clock::now();
    if (now - looked_ < std::chrono::seconds(5)) return;
    looked_ = now;
    const ConsumerFacts facts = broker_->consumer(shared_.config.consumer);
    shared_.metrics.set("sink_pending_messages", "Messages of the stream that are not in the database yet",
                        static_cast<double>(facts.pending + facts.unacknowledged));
    if (facts.pending == 0) shared_.say("");
  }

  void store() {
    std::vector<StoreRow> rows;
    std::vector<Rejected> rejected;
    std::string reason;
    for (const auto& message : messages_) {
      reason.clear();
      if (auto row = row_of(*message, reason)) {
        rows.push_back(std::move(*row));
        continue;
      }
      rejected.push_back({"stream " + shared_.config.nats.stream,
                          fmt::format("seq:{} {}", message->sequence, printable(message->subject, 200)), reason,
                          printable(message->body, text_max)});
      spdlog::warn("message {} {}: {}: kept in the table `rejected`", message->sequence,
                   printable(message->subject, 100), reason);
    }
    const std::uint64_t refused = write_isolating(*store_, {.rows = rows, .rejected = rejected});
    if (refused > 0) spdlog::warn("the database refused {} rows: see its table `rejected`", refused);
    for (const auto& message : messages_) message->acknowledge();
    messages_.clear();
    count(rows, rejected.size() + refused);
  }

  void count(const std::vector<StoreRow>& rows, std::uint64_t parked) {
    shared_.rows += rows.size();
    shared_.parked += parked;
    std::int64_t newest = shared_.newest_us;
    for (const StoreRow& row : rows) newest = std::max(newest, row.row.time.us);
    if (newest > shared_.newest_us) shared_.newest_us = newest;
    shared_.metrics.set("sink_rows", "Rows committed since the start", static_cast<double>(shared_.rows));
    shared_.metrics.set("sink_parked", "Messages kept in the table `rejected` since the start",
                        static_cast<double>(shared_.parked));
    shared_.metrics.set("sink_newest_bar_timestamp_seconds", "Start of the newest bar that was committed",
                        static_cast<double>(newest) / 1e6);
    shared_.say("");
  }

  // Once a minute, where that is quick: do collectors contradict each other? It is never more than a fiftieth of the
  // time, and what goes wrong with it keeps no row from its place.
  void look_at_store() {
    const Time begun = std::chrono::steady_clock::now();
    if (begun < compare_not_before_) return;
    try {
      compare();
      const Time now = std::chrono::steady_clock::now();
      compare_not_before_ = now + std::max<Time::duration>(std::chrono::seconds(60), 50 * (now - begun));
    } catch (const StoreError& error) {
      spdlog::warn("collectors can't be compared: {}", error.what());
      compare_not_before_ = std::chrono::steady_clock::now() + std::chrono::minutes(10);
    }
  }

  void compare() {
    const auto found = store_->contradictions(wall_now() - seconds(6 * 3'600), 1'000);
    shared_.metrics.set("contradictions",
                        "Bars of the last six hours that two collectors call live and do not agree about",
                        static_cast<double>(found.size()));
    for (std::size_t i = 0; i < found.size() && i < 3; ++i) {
      spdlog::error("collectors contradict each other: {} {} {} {}: {} and {}: {}", found[i].time, found[i].exchange,
                    found[i].market, found[i].symbol, found[i].collector, found[i].other_collector, found[i].what);
    }
  }

  Shared& shared_;
  std::size_t number_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Broker> broker_;
  bool subscribed_ = false;
  std::vector<std::unique_ptr<InMessage>> messages_;  // fetched and not committed
  Time looked_{}, compare_not_before_{};
};

std::string status_of(Shared& shared) {
  const std::scoped_lock lock(shared.mutex);
  return fmt::format("{} rows, {} parked{}{}", shared.rows.load(), shared.parked.load(),
                     shared.trouble.empty() ? "" : "; ", shared.trouble.substr(0, 200));
}

// A database may take two minutes over a statement before it is given up.
bool making_progress(Shared& shared) {
  const std::scoped_lock lock(shared.mutex);
  const Time now = std::chrono::steady_clock::now();
  return std::all_of(shared.alive.begin(), shared.alive.end(),
                     [&](Time at) { return now - at < std::chrono::minutes(4); });
}

// What only another configuration mends is said before any worker begins (throws StoreError then). Bringing the tables
// of an earlier version up may take many minutes, in which the service is well.
void open_first(Shared& shared, Systemd& systemd) {
  auto opened = std::async(std::launch::async, [&] {
    make_store(parse_store_url(shared.config.sink_to), {.durable = true, .ca_file = shared.config.sink_ca_file})
        ->open();
  });
  for (int i = 0; opened.wait_for(std::chrono::seconds(1)) != std::future_status::ready; ++i) {
    if (i >= 15) systemd.tick(true, "the database is being opened, its tables perhaps brought to this version");
  }
  try {
    opened.get();
  } catch (const StoreError& error) {
    if (error.kind == StoreError::Kind::permanent) throw;
    shared.say(error.what());
  }
}
}  // namespace

int sink_command(const ServiceCommand& command) {
  const auto config = load_engine_config(command.config);
  if (!config) return 2;
  if (!broker_built()) {
    fmt::print(stderr,
               "cvdd-engine sink: this cvdd-engine was built without NATS; install libnats-dev and build it again\n");
    return 2;
  }
  start_logging(config->log_level, secrets_in(*config));
  (void)stop_flag();
  try {
    Metrics metrics(config->sink_listen);
    Shared shared(*config, metrics);
    shared.alive.assign(config->workers, std::chrono::steady_clock::now());
    Systemd systemd;
    open_first(shared, systemd);
    spdlog::info("from stream={} consumer={} into {} with {} workers", config->nats.stream, config->consumer,
                 parse_store_url(config->sink_to).shown, config->workers);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < config->workers; ++i) {
      threads.emplace_back([&shared, i] { Worker(shared, i).run(); });
    }
    while (!stop_flag()) {
      systemd.tick(making_progress(shared), status_of(shared));
      wait_or_stop(std::chrono::seconds(1));
    }
    systemd.stopping();
    for (std::thread& thread : threads) thread.join();
    spdlog::info("{}", status_of(shared));
    return 0;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return 2;
  }
}

}  // namespace cvdd::engine
