// Private to the configuration files: reads a TOML document and collects every mistake with its line.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/config/config.hpp"

namespace cvdd {

class TomlReader {
 public:
  TomlReader(std::string_view text, const std::string& file, std::vector<ConfigError>& errors);
  // Sorts the errors it found by line.
  ~TomlReader();
  TomlReader(const TomlReader&) = delete;
  TomlReader& operator=(const TomlReader&) = delete;
  // Exchanges and markets are named within this key from now on: "exchange".
  void within(const std::string& key) { within_ = key; }
  [[nodiscard]] const toml::table& table() const { return table_; }
  // Where keys stand that somebody may have to speak of later.
  void note_line(const std::string& key, const toml::node& node) { lines_[key] = node.source().begin.line; }
  [[nodiscard]] const std::map<std::string, std::uint32_t>& lines() const { return lines_; }

  void error(const toml::node& node, const std::string& key, const std::string& message);
  // Names the key and the nearest of `known` keys.
  void unknown_key(const toml::node& node, const std::string& key, std::string_view name,
                   const std::vector<std::string>& known);

  // A value of its type and rules into `out`; anything else is an error, and `out` stays.
  void text(const toml::node& node, const std::string& key, std::string& out);
  // A path, which may begin with "~/", though not with "~somebody".
  void path(const toml::node& node, const std::string& key, std::string& out);
  void choice(const toml::node& node, const std::string& key, const std::vector<std::string>& choices,
              std::string& out);
  void duration(const toml::node& node, const std::string& key, Duration& out);
  void urls(const toml::node& node, const std::string& key, std::string_view scheme, std::vector<std::string>& out);

  bool known_exchange(const std::string& name, const KnownMarkets& known, const toml::node& node);
  std::optional<Market> known_market(const std::string& exchange, const std::string& market, const KnownMarkets& known,
                                     const toml::node& node);

 private:
  std::string file_;
  std::vector<ConfigError>& errors_;
  const std::ptrdiff_t begin_;  // of our own errors
  std::string within_;
  std::map<std::string, std::uint32_t> lines_;
  toml::table table_;
};

}  // namespace cvdd
