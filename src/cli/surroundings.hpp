// What a configuration refers to: whether it is there, may be used, and shows to nobody what it should not.
#pragma once

#include <string>
#include <vector>

#include "cvdd/config/config.hpp"

namespace cvdd {

struct Finding {
  ConfigError error;
  bool stops = false;  // the daemon would not start, or write nothing; else somebody should look at it
};

// Of the configuration read from `file`, its paths resolved, as the present user may use them. Touches no network and
// changes nothing.
[[nodiscard]] std::vector<Finding> look_around(const std::string& file, const Config& config);

// Whether everybody on this machine can read a token or a password in it.
[[nodiscard]] bool shows_secrets(const Config& config, const std::string& file);

}  // namespace cvdd
