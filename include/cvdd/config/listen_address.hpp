// Where a server listens, as configuration and arguments say it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace cvdd {

// "host:port" → its parts; false if it is none.
[[nodiscard]] bool split_address(const std::string& text, std::string& host, std::uint16_t& port);

}  // namespace cvdd
