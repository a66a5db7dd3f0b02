// The durable consumer that all sinks share, and what it hands out. Only where libnats is.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "broker.hpp"
#include "nats_handles.hpp"

namespace cvdd::engine::nats {

// Made if it is not there. Throws BrokerError, as the others do.
[[nodiscard]] Subscription subscribe(jsCtx* js, const std::string& stream, const std::string& consumer);
// Up to `most` messages; fewer, or none, after `patience`.
[[nodiscard]] std::vector<std::unique_ptr<InMessage>> fetch(natsSubscription* from, const std::string& stream, int most,
                                                            std::chrono::milliseconds patience);
[[nodiscard]] ConsumerFacts consumer_facts(jsCtx* js, const std::string& stream, const std::string& name);

}  // namespace cvdd::engine::nats
