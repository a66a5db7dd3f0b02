#include "load_config.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cvdd/base/printable.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/system/logging.hpp"

namespace cvdd {

namespace {
constexpr std::size_t read_max = (std::size_t{16} << 20) + 1;  // more is said to be too long, whatever it is

// What to do about a file that can't be read; empty: nothing that we know of.
std::string way_out(const std::string& path, int error) {
  if (error == EACCES && ::geteuid() != 0) return "; it is not for everybody, as it may hold a token: try with sudo";
  if (error != ENOENT) return "";
  std::error_code ignored;
  const std::string fresh = "/usr/share/cvdd/" + std::filesystem::path(path).filename().string();
  if (std::filesystem::exists(fresh, ignored)) return fmt::format("; a fresh one is {}", fresh);
  return "; `cvdd init DIR` writes a fresh one";
}

std::optional<std::string> read_file(const std::string& path, std::vector<std::string>& errors) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    errors.push_back(fmt::format("{}: is a folder, expected a file{}", path,
                                 std::filesystem::exists(path + "/cvdd.toml", ignored)
                                     ? fmt::format("; did you mean {}/cvdd.toml?", path)
                                     : std::string()));
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string all, piece(64 * 1024, '\0');
  while (in && all.size() < read_max) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    all.append(piece, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad()) {
    const int error = errno != 0 ? errno : EIO;
    errors.push_back(fmt::format("{}: can't be read: {}{}", path, std::strerror(error), way_out(path, error)));
    return std::nullopt;
  }
  return all;
}

std::optional<Config> read_config(const std::string& file, std::vector<std::string>& errors,
                                  std::vector<ConfigError>& found) {
  const auto text = read_file(file, errors);
  if (!text) return std::nullopt;
  Config config = parse_config(*text, file, known_markets(), found);
  const std::string home = home_folder();
  for (const auto& [key, path] : {std::pair("data_dir", &config.data_dir),
                                  {"symbols_file", &config.symbols_file},
                                  {"net.ca_file", &config.ca_file}}) {
    if (home.empty() && path->starts_with('~')) {
      found.push_back({file, config.lines[key], key, "there is no home folder here; write the whole path", 0});
    }
  }
  resolve_paths(config, file, home);
  return config;
}
}  // namespace

std::string home_folder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return home;
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr && user->pw_dir != nullptr && *user->pw_dir == '/' ? user->pw_dir : "";
}

std::optional<std::string> find_config(const std::string& given) {
  const std::string home = home_folder();
  if (!given.empty()) return expand_home(given, home);
  for (const std::string& place : config_places(home)) {
    std::error_code ignored;
    if (std::filesystem::exists(place, ignored)) return place;
  }
  return std::nullopt;
}

std::string no_config_found() {
  return fmt::format("no configuration: there is no {}; name one with --config, or make one with `cvdd init DIR`",
                     fmt::join(config_places(home_folder()), ", no "));
}

KnownMarkets known_markets() {
  KnownMarkets known;
  for (const Exchange* exchange : all_exchanges()) {
    known.markets.emplace_back(std::string(exchange->name), exchange->market);
    known.context[known.markets.back()] = exchange->beside_trades();
    const std::string name(exchange->name);
    const bool listed =
        std::find(known.with_candles.begin(), known.with_candles.end(), name) != known.with_candles.end();
    if (exchange->candle_facts().takers && !listed) known.with_candles.push_back(name);
  }
  return known;
}

std::optional<LoadedConfig> load_config(const std::string& file, std::vector<std::string>& errors) {
  std::vector<ConfigError> found;
  auto config = read_config(file, errors, found);
  if (!config) return std::nullopt;
  LoadedConfig loaded{std::move(*config), {}};
  if (const auto symbols = read_file(loaded.config.symbols_file, errors)) {
    loaded.symbols = parse_symbols(*symbols, loaded.config.symbols_file, known_markets(), found);
  }
  for (const ConfigError& error : found) errors.push_back(to_string(error));
  return errors.empty() ? std::optional(std::move(loaded)) : std::nullopt;
}

std::optional<Config> load_config_alone(const std::string& file, std::vector<std::string>& errors) {
  std::vector<ConfigError> found;
  auto config = read_config(file, errors, found);
  for (const ConfigError& error : found) errors.push_back(to_string(error));
  return errors.empty() ? std::move(config) : std::nullopt;
}

std::optional<HelpfulConfig> config_that_helps(const std::string& given) {
  const auto file = find_config(given);
  if (!file) return HelpfulConfig{};
  std::vector<std::string> errors;
  auto config = load_config_alone(*file, errors);
  for (const std::string& error : errors) print_error(error);
  if (!config) return given.empty() ? std::optional(HelpfulConfig{}) : std::nullopt;
  if (given.empty()) fmt::print(stderr, "configuration: {}\n", printable(*file, 500));
  return HelpfulConfig{*file, std::move(*config)};
}

std::optional<FoundConfig> find_and_load(const std::string& given) {
  const auto file = find_config(given);
  if (!file) {
    print_error("cvdd: " + no_config_found());
    return std::nullopt;
  }
  std::vector<std::string> errors;
  auto loaded = load_config(*file, errors);
  for (const std::string& error : errors) print_error(error);
  if (!loaded) return std::nullopt;
  return FoundConfig{*file, std::move(*loaded)};
}

std::size_t names_in(const SymbolList& list) {
  std::size_t names = 0;
  for (const auto& [where, wanted] : list.wanted) names += wanted.size();
  return names;
}

}  // namespace cvdd
