// Asks a running daemon by its HTTP API.
#pragma once

#include <optional>
#include <string>

#include "status_table.hpp"

namespace cvdd {

// Empty, with the reason, if it can't be reached or is no cvdd. Takes up to twenty seconds.
[[nodiscard]] std::optional<StatusModel> ask_status(const std::string& listen, const std::string& token,
                                                    std::string& error);

// {"health": …, "instruments": […], "groups": […]}: what the API says, in ASCII, without the sparklines. Empty, with
// the reason, as above; `ready` tells what the health says.
[[nodiscard]] std::optional<std::string> ask_status_json(const std::string& listen, const std::string& token,
                                                         bool& ready, std::string& error);

// Whether both threads of the daemon do their rounds; else `error` tells. Needs no token.
[[nodiscard]] bool ask_alive(const std::string& listen, std::string& error);

// JSON with every character beyond ASCII as \u….
[[nodiscard]] std::string ascii_json(std::string_view json);

}  // namespace cvdd
