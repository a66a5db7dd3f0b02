// cvdd-engine doctor and check: what is wrong, where, and what to do about it.
#include <fmt/format.h>

#include "broker.hpp"
#include "checkpoint.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/engine/commands.hpp"
#include "cvdd/engine/store.hpp"
#include "stop.hpp"
#include "wall.hpp"

namespace cvdd::engine {

namespace {
class Findings {
 public:
  void good(const std::string& what) { fmt::print("ok      {}\n", what); }
  void bad(const std::string& what) {
    ++bad_;
    fmt::print("WRONG   {}\n", what);
  }
  void note(const std::string& what) { fmt::print("note    {}\n", what); }
  [[nodiscard]] int status() const { return bad_ == 0 ? 0 : 1; }

 private:
  int bad_ = 0;
};

// What is known of this machine before anybody else is asked.
struct Here {
  bool collects = false;           // there are files of rows
  std::uint64_t acknowledged = 0;  // the highest number in the stream, as the checkpoint has it
};

Here look_at_files(const EngineConfig& config, Findings& findings) {
  try {
    const auto files = list_sources(config.data_dir);
    if (files.empty()) {
      findings.note(fmt::format("{}: no files of rows; only a collector's machine has them", config.data_dir));
      return {};
    }
    bool damaged = false;
    std::uint64_t waiting = 0;
    const CheckpointFile file(config.checkpoint);
    const auto checkpoint = file.read(damaged);
    if (damaged)
      findings.bad(config.checkpoint + ": is damaged: ship will publish everything again; no row is lost by that");
    for (const SourceFile& one : files) {
      const auto known = checkpoint ? checkpoint->files.find(one.name) : Positions::const_iterator{};
      const std::uint64_t done = checkpoint && known != checkpoint->files.end() ? known->second.offset : 0;
      if (one.packing == Packing::none) waiting += one.size - std::min(one.size, done);
    }
    findings.good(fmt::format("{}: {} files, {} bytes not acknowledged yet", config.data_dir, files.size(), waiting));
    return {true, checkpoint ? checkpoint->last_sequence : 0};
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    // ship runs and holds the lock: its own metrics tell of its lag.
    if (text.find("another cvdd-engine ship") != text.npos) {
      findings.good("ship is running here; its metrics are at " + config.ship_listen);
      return {true, 0};
    }
    findings.note(text);
    return {};
  }
}

void look_at_broker(const EngineConfig& config, const Here& here, Findings& findings) {
  if (!broker_built()) return findings.note("built without NATS: ship and sink are not there, load is");
  try {
    const auto broker = connect_broker(config.nats, "cvdd-engine doctor");
    findings.good("broker: connected to " + broker->server());
    const StreamFacts stream = broker->stream();
    findings.good(fmt::format("stream {}: {} messages, {} to {}, {} of {} replicas current", config.nats.stream,
                              stream.messages, stream.first_sequence, stream.last_sequence, stream.replicas_now,
                              stream.replicas));
    if (here.collects) {
      broker->try_to_publish();
      findings.good("this user may publish rows");
    }
    if (stream.replicas_now < stream.replicas) findings.bad("stream: replicas are missing: look after those nodes");
    if (stream.replicas < 3)
      findings.note("stream: fewer than 3 replicas: one node lost is rows lost until ship --from");
    if (stream.last_sequence < here.acknowledged) {
      findings.bad(fmt::format(
          "stream: ends at {}, and had acknowledged {}: rows were lost; publish them again with ship --from DAY",
          stream.last_sequence, here.acknowledged));
    }
    const ConsumerFacts consumer = broker->consumer(config.consumer);
    const std::string lag =
        fmt::format("consumer {}: {} messages wait, {} are with workers, {} came more than once", config.consumer,
                    consumer.pending, consumer.unacknowledged, consumer.redelivered);
    consumer.pending > 100'000 ? findings.bad(lag + "; is a sink running, and is the database fast enough?")
                               : findings.good(lag);
  } catch (const BrokerError& error) {
    const std::string text = error.what();
    if (error.kind == BrokerError::Kind::no_stream && text.starts_with("consumer")) {
      findings.note(text + ": no sink has ever run against it");
    } else if (error.kind == BrokerError::Kind::refused && text.starts_with("consumer") && here.collects) {
      findings.note(text + ": only sinks need that");
    } else if (error.kind == BrokerError::Kind::no_stream) {
      findings.bad(text + ": make it, or let ship make it: [nats] create_stream = true");
    } else {
      findings.bad(text);
    }
  }
}

void look_at_store(const EngineConfig& config, Findings& findings) {
  try {
    const auto store = make_store(parse_store_url(config.sink_to), {.durable = true, .ca_file = config.sink_ca_file});
    store->open();
    findings.good(fmt::format("{}: {}", parse_store_url(config.sink_to).shown, store->about()));
    const std::uint64_t rejected = store->rejected_count();
    if (rejected > 0)
      findings.bad(fmt::format("{} rows are in the table `rejected`: read their reason there", rejected));
    const auto found = store->contradictions(wall_now() - seconds(30 * 86'400), 20);
    for (const Contradiction& c : found) {
      findings.bad(fmt::format("{} {} {} {}: {} and {} both say live: {}", c.time, c.exchange, c.market, c.symbol,
                               c.collector, c.other_collector, c.what));
    }
    if (found.empty()) findings.good("no two collectors contradict each other (30 days)");
  } catch (const StoreError& error) {
    findings.bad(error.what());
  }
}
}  // namespace

int check_command(const std::string& file) {
  if (!load_engine_config(file)) return 2;
  fmt::print("{}: good\n", file);
  return 0;
}

int doctor_command(const std::string& file) {
  const auto config = load_engine_config(file);
  if (!config) return 2;
  Findings findings;
  const Here here = look_at_files(*config, findings);
  look_at_broker(*config, here, findings);
  look_at_store(*config, findings);
  return findings.status();
}

}  // namespace cvdd::engine
