#include "load_config.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

namespace {
std::optional<std::string> read_file(const std::string& path, std::vector<std::string>& errors) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  if (in) all << in.rdbuf();
  if (!in || in.bad()) {
    errors.push_back(fmt::format("{}: can't be read: {}", path, std::strerror(errno)));
    return std::nullopt;
  }
  return all.str();
}
}  // namespace

KnownMarkets known_markets() {
  KnownMarkets known;
  for (const Exchange* exchange : all_exchanges()) {
    known.markets.emplace_back(std::string(exchange->name), exchange->market);
    const std::string name(exchange->name);
    const bool listed =
        std::find(known.with_candles.begin(), known.with_candles.end(), name) != known.with_candles.end();
    if (exchange->candle_facts().takers && !listed) known.with_candles.push_back(name);
  }
  return known;
}

std::optional<LoadedConfig> load_config(const std::string& file, std::vector<std::string>& errors) {
  const auto text = read_file(file, errors);
  if (!text) return std::nullopt;
  LoadedConfig loaded;
  std::vector<ConfigError> found;
  loaded.config = parse_config(*text, file, known_markets(), found);
  resolve_paths(loaded.config, file);
  if (const auto symbols = read_file(loaded.config.symbols_file, errors)) {
    loaded.symbols = parse_symbols(*symbols, loaded.config.symbols_file, known_markets(), found);
  }
  for (const ConfigError& error : found) errors.push_back(to_string(error));
  return errors.empty() ? std::optional(std::move(loaded)) : std::nullopt;
}

bool shows_secrets(const Config& config, const std::string& file) {
  struct stat status {};
  const bool any = !config.http_token.empty() || config.proxy.find('@') != std::string::npos;
  return any && ::stat(file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

}  // namespace cvdd
