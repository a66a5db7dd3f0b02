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
// The configuration without the symbol list, for who only asks.
[[nodiscard]] std::optional<Config> load_config_alone(const std::string& file, std::vector<std::string>& errors);

// Of the user who runs this; empty: nobody knows.
[[nodiscard]] std::string home_folder();

// The file that was given (--config; "~/" is expanded), or the first there is where one is looked for. Empty: there is
// none.
[[nodiscard]] std::optional<std::string> find_config(const std::string& given);
// … and what to do then, for standard error.
[[nodiscard]] std::string no_config_found();

// For commands to which a configuration is a help. One that was given must be good (empty: what is wrong was told); one
// that is found is named, and if it is not good, what is wrong is told and the defaults hold.
struct HelpfulConfig {
  std::string file;  // empty: none, or not a good one
  Config config;
};
[[nodiscard]] std::optional<HelpfulConfig> config_that_helps(const std::string& given);

// The configuration that was given or is found, and its symbol list. Empty: what is wrong was told on standard error.
struct FoundConfig {
  std::string file;
  LoadedConfig loaded;
};
[[nodiscard]] std::optional<FoundConfig> find_and_load(const std::string& given);

[[nodiscard]] std::size_t names_in(const SymbolList& list);

[[nodiscard]] KnownMarkets known_markets();

}  // namespace cvdd
