#include "broker.hpp"

#include "nats_broker.hpp"

namespace cvdd::engine {

bool broker_built() { return CVDD_WITH_NATS; }

std::unique_ptr<Broker> connect_broker([[maybe_unused]] const NatsConfig& config,
                                       [[maybe_unused]] const std::string& name) {
#if CVDD_WITH_NATS
  return connect_nats(config, name);
#else
  throw BrokerError(BrokerError::Kind::refused,
                    "this cvdd-engine was built without NATS; install libnats-dev and build it again");
#endif
}

}  // namespace cvdd::engine
