// Configuration and symbol list from disk, checked as a whole. Start-up only.
#pragma once

#include "cvdd/core/config.hpp"
#include "cvdd/ops/commands.hpp"

namespace cvdd {

struct LoadedConfig {
  Config config;       // paths absolute
  SymbolList symbols;
};

[[nodiscard]] KnownMarkets known_markets();

}  // namespace cvdd
