// What Kraken Futures tells beside trades. Used by its file alone.
#pragma once

#include <string_view>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd::kraken_futures {

// Reads a message of the feed "ticker". `out` tells what was refused.
void read_ticker(std::string_view message, const SymbolTable& symbols, Parsed& out);

}  // namespace cvdd::kraken_futures
