#include "cvdd/ops/load_config.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

namespace {
bool read_file(const std::string& path, std::string& text) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fmt::print(stderr, "{}: can't be read: {}\n", path, std::strerror(errno));
    return false;
  }
  std::stringstream all;
  all << in.rdbuf();
  text = all.str();
  return true;
}
}  // namespace

KnownMarkets known_markets() {
  KnownMarkets known;
  for (const Exchange* exchange : all_exchanges()) {
    known.markets.emplace_back(std::string(exchange->name), exchange->market);
  }
  return known;
}

bool load_config(const std::string& file, LoadedConfig& out) {
  std::vector<ConfigError> errors;
  std::string text;
  if (!read_file(file, text)) return false;
  out.config = parse_config(text, file, known_markets(), errors);
  resolve_paths(out.config, file);
  if (read_file(out.config.symbols_file, text)) {
    out.symbols = parse_symbols(text, out.config.symbols_file, known_markets(), errors);
  } else {
    for (const ConfigError& error : errors) fmt::print(stderr, "{}\n", to_string(error));
    return false;
  }
  for (const ConfigError& error : errors) fmt::print(stderr, "{}\n", to_string(error));
  return errors.empty();
}

bool split_address(const std::string& text, std::string& host, std::uint16_t& port) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc{} || stop != end) return false;
  host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return true;
}

}  // namespace cvdd
