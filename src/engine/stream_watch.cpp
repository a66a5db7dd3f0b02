#include "stream_watch.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace cvdd::engine {

namespace {
constexpr const char* missing_help = "1 while there is no stream of this name";
}  // namespace

bool StreamWatch::look(Broker& broker) {
  const auto now = std::chrono::steady_clock::now();
  if (looked_.time_since_epoch().count() != 0 && now - looked_ < std::chrono::seconds(30)) return false;
  looked_ = now;
  try {
    return take(broker.stream());
  } catch (const BrokerError& error) {
    if (error.kind == BrokerError::Kind::no_stream) return missing(broker);
    if (error.kind == BrokerError::Kind::no_jetstream) {
      complain(error.what());
    } else {
      // A user without the right to ask may publish all the same.
      spdlog::debug("the stream can't be looked at: {}", error.what());
    }
    return false;
  }
}

bool StreamWatch::missing(Broker& broker) {
  metrics_.set("stream_missing", missing_help, 1);
  if (!config_.create_stream) {
    complain(fmt::format(
        "there is no stream {} on {}: make it, or say create_stream = true under [nats]; then publish again "
        "with \"cvdd-engine ship --from DAY\" what it has lost",
        config_.stream, broker.server()));
    return false;
  }
  try {
    broker.create_stream();
    spdlog::info("stream {} was made with {} replicas", config_.stream, config_.replicas);
    return take(broker.stream());
  } catch (const BrokerError& failure) {
    complain(failure.what());
    looked_ -= std::chrono::seconds(28);  // again soon
    return false;
  }
}

// One that was deleted and made again, or that has lost what it acknowledged, says so by its date and its numbers.
bool StreamWatch::take(const StreamFacts& facts) {
  metrics_.set("stream_missing", missing_help, 0);
  metrics_.set("stream_replicas_missing", "Copies of the stream that are not there or not current",
               static_cast<double>(facts.replicas - facts.replicas_now));
  const bool other = checkpoint_.stream_created != 0 && checkpoint_.stream_created != facts.created;
  const bool behind = !other && facts.last_sequence < checkpoint_.last_sequence;
  if (other || behind) {
    metrics_.add("stream_losses_total", "Times that the stream turned out to have lost rows that it had acknowledged");
    complain(fmt::format(
        "stream {} {}: rows that were acknowledged are not in it any more; stop this, and publish them again "
        "with \"cvdd-engine ship --from DAY\"",
        config_.stream,
        other ? "is not the one that rows were published to before"
              : fmt::format("ends at {}, and has acknowledged {}", facts.last_sequence, checkpoint_.last_sequence)));
  }
  if (checkpoint_.stream_created == facts.created && !behind) return false;
  checkpoint_.stream_created = facts.created;
  checkpoint_.last_sequence = facts.last_sequence;
  return true;
}

}  // namespace cvdd::engine
