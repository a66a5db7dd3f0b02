#include "engine_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "cvdd/config/listen_address.hpp"
#include "cvdd/config/toml_reader.hpp"
#include "cvdd/engine/store.hpp"
#include "stop.hpp"

namespace cvdd::engine {

namespace {
using Setter = std::function<void(TomlReader&, const toml::node&, const std::string& key)>;
using Keys = std::vector<std::pair<std::string, Setter>>;

void read_table(TomlReader& reader, const toml::table& table, const std::string& prefix, const Keys& keys) {
  std::vector<std::string> names;
  for (const auto& k : keys) names.push_back(k.first);
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto known = std::find(names.begin(), names.end(), std::string(name.str()));
    if (known == names.end()) {
      reader.unknown_key(node, key, name.str(), names);
    } else {
      keys[static_cast<std::size_t>(known - names.begin())].second(reader, node, key);
    }
  }
}

Setter table_of(Keys keys) {
  return [keys = std::move(keys)](TomlReader& r, const toml::node& n, const std::string& k) {
    const auto* table = n.as_table();
    if (table == nullptr) return r.error(n, k, "expected a table, [" + k + "]");
    read_table(r, *table, k + ".", keys);
  };
}
Setter text_into(std::string& out) {
  return [&out](TomlReader& r, const toml::node& n, const std::string& k) { r.text(n, k, out); };
}
Setter name_into(std::string& out) {
  return [&out](TomlReader& r, const toml::node& n, const std::string& k) {
    r.text(n, k, out);
    const bool plain = std::all_of(out.begin(), out.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (out.empty() || out.size() > 32 || !plain) r.error(n, k, "expected up to 32 letters, digits, \"-\" and \"_\"");
  };
}
Setter number_into(std::uint32_t& out, std::int64_t least, std::int64_t most) {
  return [&out, least, most](TomlReader& r, const toml::node& n, const std::string& k) {
    const auto value = n.value<std::int64_t>();
    if (!n.is_integer() || !value || *value < least || *value > most) {
      return r.error(n, k, fmt::format("expected a number from {} to {}", least, most));
    }
    out = static_cast<std::uint32_t>(*value);
  };
}
Setter duration_into(Duration& out, Duration least, Duration most, const char* expected) {
  return [&out, least, most, expected](TomlReader& r, const toml::node& n, const std::string& k) {
    Duration d = out;
    r.duration(n, k, d);
    if (d < least || d > most) return r.error(n, k, expected);
    out = d;
  };
}
Setter listen_into(std::string& out) {
  return [&out](TomlReader& r, const toml::node& n, const std::string& k) {
    r.text(n, k, out);
    std::string host;
    std::uint16_t port = 0;
    if (!out.empty() && (!split_address(out, host, port) || port == 0)) {
      r.error(n, k, "expected \"address:port\", such as \"127.0.0.1:9481\", or \"\" for none");
    }
  };
}

void read_servers(TomlReader& r, const toml::node& n, const std::string& k, std::vector<std::string>& out) {
  const char* const expected =
      "expected a list such as [\"nats://127.0.0.1:4222\"] or [\"tls://nats-1.example.org:4222\", …]";
  const auto* list = n.as_array();
  if (list == nullptr || list->empty()) return r.error(n, k, expected);
  out.clear();
  for (const toml::node& one : *list) {
    const std::string url = one.value<std::string>().value_or("");
    const bool known = url.starts_with("nats://") || url.starts_with("tls://");
    // User and password have keys of their own, so that an address can be shown.
    if (!known || url.find('@') != url.npos || url.find_first_of(" ,") != url.npos || url.size() < 8) {
      r.error(one, k, expected);
    }
    out.push_back(url);
  }
  const bool tls = out.front().starts_with("tls://");
  if (!std::all_of(out.begin(), out.end(), [&](const auto& u) { return u.starts_with("tls://") == tls; })) {
    r.error(n, k, "either all of them are tls:// or none is");
  }
}

void read_store(TomlReader& r, const toml::node& n, const std::string& k, std::string& out) {
  r.text(n, k, out);
  try {
    (void)parse_store_url(out);
  } catch (const std::invalid_argument& error) {
    r.error(n, k, error.what());
  }
}

void read_collector(TomlReader& r, const toml::node& n, const std::string& k, std::string& out) {
  r.text(n, k, out);
  try {
    (void)collector_name(out);
  } catch (const std::invalid_argument&) {
    r.error(n, k, "expected up to 100 letters, digits, \"-\", \"_\" and \".\", or \"\" for this host's name");
  }
}

Keys keys_of(EngineConfig& c) {
  using R = TomlReader&;
  using N = const toml::node&;
  using K = const std::string&;
  const Keys nats{{"servers", [&c](R r, N n, K k) { read_servers(r, n, k, c.nats.servers); }},
                  {"stream", name_into(c.nats.stream)},
                  {"user", text_into(c.nats.user)},
                  {"password", text_into(c.nats.password)},
                  {"credentials", text_into(c.nats.credentials)},
                  {"ca_file", text_into(c.nats.ca_file)},
                  {"certificate", text_into(c.nats.certificate)},
                  {"key", text_into(c.nats.key)},
                  {"create_stream",
                   [&c](R r, N n, K k) {
                     const auto value = n.value<bool>();
                     if (!n.is_boolean() || !value) return r.error(n, k, "expected true or false");
                     c.nats.create_stream = *value;
                   }},
                  {"replicas", number_into(c.nats.replicas, 1, 5)},
                  {"max_age", duration_into(c.nats.max_age, seconds(3'600), seconds(86'400 * 366),
                                            "expected 1h to 366d, such as \"7d\"")},
                  {"duplicates", duration_into(c.nats.duplicates, seconds(60), seconds(86'400),
                                               "expected 1m to 24h, such as \"1h\"")}};
  return {{"data_dir", text_into(c.data_dir)},
          {"collector", [&c](R r, N n, K k) { read_collector(r, n, k, c.collector); }},
          {"interval",
           duration_into(c.interval, seconds(1), seconds(86'400), "expected the collector's own, such as \"1m\"")},
          {"nats", table_of(nats)},
          {"ship", table_of({{"checkpoint", text_into(c.checkpoint)}, {"listen", listen_into(c.ship_listen)}})},
          {"sink", table_of({{"to", [&c](R r, N n, K k) { read_store(r, n, k, c.sink_to); }},
                             {"ca_file", text_into(c.sink_ca_file)},
                             {"consumer", name_into(c.consumer)},
                             {"workers", number_into(c.workers, 1, 64)},
                             {"listen", listen_into(c.sink_listen)}})},
          {"log", table_of({{"level", [&c](R r, N n, K k) {
                               r.choice(n, k, {"trace", "debug", "info", "warn", "error"}, c.log_level);
                             }}})}};
}
}  // namespace

EngineConfig parse_engine_config(std::string_view text, const std::string& file, std::vector<ConfigError>& errors) {
  EngineConfig config;
  TomlReader reader(text, file, errors);
  read_table(reader, reader.table(), "", keys_of(config));
  return config;
}

void resolve_engine_paths(EngineConfig& config, const std::string& file, const std::string& home) {
  const auto slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash == 0 ? 1 : slash);
  NatsConfig& nats = config.nats;
  for (std::string* path : {&config.data_dir, &config.checkpoint, &config.sink_ca_file, &nats.credentials,
                            &nats.ca_file, &nats.certificate, &nats.key}) {
    *path = expand_home(*path, home);
    if (!path->empty() && path->front() != '/') *path = folder + "/" + *path;
  }
  if (config.sink_to.starts_with("sqlite:")) {
    const std::string path = expand_home(config.sink_to.substr(7), home);
    config.sink_to = "sqlite:" + (path.starts_with('/') ? path : folder + "/" + path);
  }
}

std::vector<std::string> secrets_in(const EngineConfig& config) {
  std::vector<std::string> secrets = parse_store_url(config.sink_to).secrets;
  if (!config.nats.password.empty()) secrets.push_back(config.nats.password);
  return secrets;
}

std::optional<EngineConfig> load_engine_config(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream all;
  if (in) all << in.rdbuf();
  if (!in || in.bad()) {
    fmt::print(stderr, "{}: can't be read: {}\n", file, std::strerror(errno));
    return std::nullopt;
  }
  std::vector<ConfigError> errors;
  EngineConfig config = parse_engine_config(all.str(), file, errors);
  for (const ConfigError& error : errors) fmt::print(stderr, "{}\n", to_string(error));
  if (!errors.empty()) return std::nullopt;
  const char* home = std::getenv("HOME");
  resolve_engine_paths(config, file, home == nullptr ? "" : home);
  return config;
}

}  // namespace cvdd::engine
