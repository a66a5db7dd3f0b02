// What `cvdd init` writes: config/cvdd.toml and config/symbols.toml, taken into the program when it is built.
#pragma once

#include <string_view>

namespace cvdd {

extern const std::string_view starter_config, starter_symbols;

}  // namespace cvdd
