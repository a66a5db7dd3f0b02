// Configuration and symbol list from disk, checked as a whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "cvdd/config/config.hpp"

namespace cvdd {

struct LoadedConfig {
  Config config;  // paths absolute
  SymbolList symbols;
};

// Empty if anything is wrong; every mistake in both files is one line in `errors`.
[[nodiscard]] std::optional<LoadedConfig> load_config(const std::string& file, std::vector<std::string>& errors);

// Whether everybody on this machine can read a token or a password in it.
[[nodiscard]] bool shows_secrets(const Config& config, const std::string& file);

[[nodiscard]] KnownMarkets known_markets();

}  // namespace cvdd
