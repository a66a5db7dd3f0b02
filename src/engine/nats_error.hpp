// What an error of libnats means, and what it asks of whom. Only where the library is.
#pragma once

#include <nats/nats.h>

#include <string>

#include "broker.hpp"

namespace cvdd::engine {

// `code`: JetStream's own, 0 if there is none.
[[nodiscard]] BrokerError nats_failure(const std::string& what, natsStatus status, int code = 0);
// Throws it, unless the status is good.
void nats_check(natsStatus status, const char* what);

}  // namespace cvdd::engine
