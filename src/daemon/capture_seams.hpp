// The two seams to the network, with what goes through them captured. A market's; io thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cvdd/net/transport.hpp"
#include "cvdd/storage/capture.hpp"

namespace cvdd {

using MakeTransport = std::function<std::unique_ptr<Transport>()>;
using MakeHttpGet = std::function<std::unique_ptr<HttpGet>()>;

// `capture` must outlive all that they make.
[[nodiscard]] MakeTransport captured(MakeTransport make, Capture& capture, std::string exchange, Market market);
[[nodiscard]] MakeHttpGet captured(MakeHttpGet make, Capture& capture, std::string exchange, Market market);

}  // namespace cvdd
