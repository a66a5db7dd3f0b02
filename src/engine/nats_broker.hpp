// The broker by libnats; only where the library is.
#pragma once

#include "broker.hpp"

namespace cvdd::engine {
[[nodiscard]] std::unique_ptr<Broker> connect_nats(const NatsConfig& config, const std::string& name);
}  // namespace cvdd::engine
