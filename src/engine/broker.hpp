// One connection to NATS with JetStream, as ship and sink need it. Belongs to one thread; the library's own threads
// stay behind it. Calls return within seconds whatever the broker does (write deadline 1 s, requests 3 s).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine_config.hpp"

namespace cvdd::engine {

struct BrokerError : std::runtime_error {
  enum class Kind : std::uint8_t { unreachable, refused, no_jetstream, no_stream, other };
  BrokerError(Kind what, const std::string& text) : std::runtime_error(text), kind(what) {}
  Kind kind;
};

struct StreamFacts {
  std::int64_t created = 0;  // ns since the epoch: another stream of the same name has another
  std::uint64_t messages = 0, first_sequence = 0, last_sequence = 0, bytes = 0;
  std::int64_t replicas = 0, replicas_now = 0;
};
struct ConsumerFacts {
  std::uint64_t pending = 0, unacknowledged = 0, redelivered = 0;
};

// A message to publish; good until the next call.
struct OutMessage {
  std::string subject, id, collector, interval;
  std::string kind;  // of what stands beside the bars: "context", "flow"
  std::string body;
};
struct InAnswer {
  std::string token;  // the end of the reply subject
  std::string body;
  bool no_responders = false;
};

// A message that waits to be acknowledged.
class InMessage {
 public:
  virtual ~InMessage() = default;
  std::string subject, collector, kind, body;
  std::uint64_t sequence = 0, deliveries = 0;
  virtual void acknowledge() = 0;
};

class Broker {
 public:
  virtual ~Broker() = default;
  // The library connects again by itself; `false` while it tries.
  [[nodiscard]] virtual bool connected() const = 0;
  // It has given up: make another one.
  [[nodiscard]] virtual bool closed() const = 0;
  [[nodiscard]] virtual std::string server() const = 0;      // "nats://…" of the node, with its version
  [[nodiscard]] virtual std::string last_error() const = 0;  // what the server said, if it said something

  // Throw BrokerError.
  [[nodiscard]] virtual StreamFacts stream() = 0;
  virtual void create_stream() = 0;

  // Whether this user may publish rows; nothing is stored. Throws BrokerError if not, or if nobody answers.
  virtual void try_to_publish() = 0;

  // Hands the message over; the answer comes by next_answer, with `token`. False: it could not be handed over.
  [[nodiscard]] virtual bool publish(const OutMessage& message, const std::string& token) = 0;
  [[nodiscard]] virtual std::optional<InAnswer> next_answer(std::chrono::milliseconds patience) = 0;

  // The durable consumer that all sinks share: made if it is not there. Throws BrokerError.
  virtual void subscribe(const std::string& consumer) = 0;
  // Up to `most` messages; fewer, or none, after `patience`. Throws BrokerError if the consumer is gone.
  [[nodiscard]] virtual std::vector<std::unique_ptr<InMessage>> fetch(int most, std::chrono::milliseconds patience) = 0;
  [[nodiscard]] virtual ConsumerFacts consumer(const std::string& name) = 0;
};

// Connects, within some 5 s a server. Throws BrokerError.
[[nodiscard]] std::unique_ptr<Broker> connect_broker(const NatsConfig& config, const std::string& name);
[[nodiscard]] bool broker_built();

}  // namespace cvdd::engine
