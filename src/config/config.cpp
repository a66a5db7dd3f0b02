#include "cvdd/config/config.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "cvdd/base/letters.hpp"
#include "cvdd/config/toml_reader.hpp"

namespace cvdd {

namespace {
constexpr Duration day{86'400'000'000};

bool is_listen_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  return error == std::errc{} && stop == end && port > 0 && port < 65536;
}

bool is_proxy(const std::string& text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) return false;
  const auto at = text.rfind('@');
  const std::string address = text.substr(at == std::string::npos ? scheme.size() : at + 1);
  return is_listen_address(address) && address.find('/') == std::string::npos;
}

using Setter = std::function<void(TomlReader&, const toml::node&, const std::string& key)>;
using Keys = std::vector<std::pair<std::string, Setter>>;

void read_table(TomlReader& reader, const toml::table& table, const std::string& prefix, const Keys& keys) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    reader.note_line(key, node);
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.first == name.str(); });
    if (known != keys.end()) {
      known->second(reader, node, key);
      continue;
    }
    std::vector<std::string> names;
    for (const auto& k : keys) names.push_back(k.first);
    reader.unknown_key(node, key, name.str(), names);
  }
}

Setter path_into(std::string& out) {
  return [&out](TomlReader& r, const toml::node& n, const std::string& k) { r.path(n, k, out); };
}

Setter needed_path_into(std::string& out, const char* expected) {
  return [&out, expected](TomlReader& r, const toml::node& n, const std::string& k) {
    r.path(n, k, out);
    if (out.empty()) r.error(n, k, std::string("expected ") + expected);
  };
}

Setter table_of(Keys keys) {
  return [keys = std::move(keys)](TomlReader& r, const toml::node& n, const std::string& k) {
    if (const auto* table = n.as_table()) {
      read_table(r, *table, k + ".", keys);
    } else {
      r.error(n, k, "expected a table, [" + k + "]");
    }
  };
}

constexpr std::size_t buckets_max = 16;

void read_buckets(TomlReader& reader, const toml::node& node, const std::string& key, std::vector<Decimal>& out) {
  const auto* list = node.as_array();
  if (list == nullptr || list->size() > buckets_max) {
    return reader.error(node, key, "expected up to 16 sizes in a list, [\"1000\", \"10000\"]");
  }
  std::vector<Decimal> bounds;
  for (const toml::node& one : *list) {
    const auto bound = parse_decimal(one.value<std::string>().value_or(""));
    if (!bound || !bound->is_positive() || (!bounds.empty() && *bound <= bounds.back())) {
      return reader.error(one, key,
                          "expected sizes above 0 in quote units, in quotes, ascending: [\"1000\", \"10000\"]");
    }
    bounds.push_back(*bound);
  }
  out = std::move(bounds);
}

void read_exchanges(TomlReader& reader, const toml::node& node, const std::string& key, const KnownMarkets& known,
                    Config& config) {
  const auto* exchanges = node.as_table();
  if (exchanges == nullptr) return reader.error(node, key, "expected tables such as [exchange.NAME.spot]");
  reader.within(key);
  for (const auto& [name, markets] : *exchanges) {
    const std::string exchange = lower(name.str());
    if (!reader.known_exchange(exchange, known, markets)) continue;
    const auto* table = markets.as_table();
    if (table == nullptr) {
      reader.error(markets, key + "." + exchange, "expected tables such as [exchange." + exchange + ".spot]");
      continue;
    }
    for (const auto& [market_name, settings] : *table) {
      const auto market = reader.known_market(exchange, lower(market_name.str()), known, settings);
      if (!market) continue;
      ExchangeConfig& e = config.exchanges[{exchange, *market}];
      table_of(
          {{"ws", [&e](TomlReader& r, const toml::node& n, const std::string& k) { r.urls(n, k, "wss://", e.ws); }},
           {"rest",
            [&e](TomlReader& r, const toml::node& n, const std::string& k) { r.urls(n, k, "https://", e.rest); }},
           {"history_per_minute",
            [&e](TomlReader& r, const toml::node& n, const std::string& k) {
              const auto value = n.value<std::int64_t>();
              if (!n.is_integer() || !value || *value < 1 || *value > 100'000) {
                return r.error(n, k, "expected a number of requests from 1 to 100000");
              }
              e.history_per_minute = static_cast<std::uint32_t>(*value);
            }},
           {"redundancy",
            [&e](TomlReader& r, const toml::node& n, const std::string& k) {
              const auto value = n.value<std::int64_t>();
              if (!n.is_integer() || !value || *value < 1 || *value > 2) return r.error(n, k, "expected 1 or 2");
              e.redundancy = static_cast<std::uint32_t>(*value);
            }},
           {"instruments_per_connection",
            [&e](TomlReader& r, const toml::node& n, const std::string& k) {
              const auto value = n.value<std::int64_t>();
              if (!n.is_integer() || !value || *value < 1 || *value > 100'000) {
                return r.error(n, k, "expected a number of instruments from 1 to 100000");
              }
              e.instruments_per_connection = static_cast<std::uint32_t>(*value);
            }},
           {"size_buckets", [&e](TomlReader& r, const toml::node& n,
                                 const std::string& k) { read_buckets(r, n, k, e.size_buckets.emplace()); }},
           {"stream", [&e](TomlReader& r, const toml::node& n, const std::string& k) {
              r.choice(n, k, {"aggTrade", "trade"}, e.stream);
            }}})(reader, settings, key + "." + exchange + "." + lower(market_name.str()));
    }
  }
}

void read_shard(TomlReader& reader, const toml::node& node, const std::string& key, Shard& shard) {
  const toml::node* index_node = nullptr;
  const auto number = [](TomlReader& r, const toml::node& n, const std::string& k, std::uint32_t least,
                         const char* expected, std::uint32_t& out) {
    const auto value = n.value<std::int64_t>();
    if (!n.is_integer() || !value || *value < least || *value > shards_max) return r.error(n, k, expected);
    out = static_cast<std::uint32_t>(*value);
  };
  table_of({{"index",
             [&](TomlReader& r, const toml::node& n, const std::string& k) {
               index_node = &n;
               number(r, n, k, 0, "expected this collector's number, counted from 0", shard.index);
             }},
            {"count", [&](TomlReader& r, const toml::node& n, const std::string& k) {
               number(r, n, k, 1, "expected a number of shards from 1 to 1000", shard.count);
             }}})(reader, node, key);
  if (shard.index < shard.count) return;
  reader.error(index_node != nullptr ? *index_node : node, key + ".index",
               "expected 0 to " + std::to_string(shard.count - 1) + ", below count");
}

void read_capture(TomlReader& reader, const toml::node& node, const std::string& key, const KnownMarkets& known,
                  CaptureConfig& capture) {
  const auto exchanges = [&](TomlReader& r, const toml::node& n, const std::string& k) {
    const auto* names = n.as_array();
    if (names == nullptr) return r.error(n, k, "expected names in a list, [\"NAME\"]; [] are all");
    for (const toml::node& one : *names) {
      const std::string name = lower(one.value<std::string>().value_or(""));
      const bool there = std::any_of(known.markets.begin(), known.markets.end(),
                                     [&](const auto& market) { return market.first == name; });
      if (!there) {
        r.error(one, k, "expected names of exchanges, as the symbol list has them");
      } else {
        capture.exchanges.push_back(name);
      }
    }
  };
  table_of({{"dir", path_into(capture.dir)},
            {"exchanges", exchanges},
            {"rotate",
             [&](TomlReader& r, const toml::node& n, const std::string& k) {
               Duration d = capture.rotate;
               r.duration(n, k, d);
               if (d < seconds(60) || d > day || day.us % d.us != 0) {
                 return r.error(n, k, "expected 1m to 1d, in whole parts of a UTC day, such as \"15m\", \"1h\"");
               }
               capture.rotate = d;
             }},
            {"keep",
             [&](TomlReader& r, const toml::node& n, const std::string& k) {
               Duration d = capture.keep;
               r.duration(n, k, d);
               if (d < seconds(3'600)) return r.error(n, k, "expected \"1h\" or more");
               capture.keep = d;
             }},
            {"max_size", [&](TomlReader& r, const toml::node& n, const std::string& k) {
               const auto size = parse_size(n.value<std::string>().value_or(""));
               if (!size || *size < std::uint64_t{8} << 20) {
                 return r.error(n, k, "expected \"8MiB\" or more, such as \"20GiB\"");
               }
               capture.max_size = *size;
             }}})(reader, node, key);
}

// What needs no escaping in a header, a cookie or an address.
constexpr std::string_view token_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Keys keys_of(Config& c, const KnownMarkets& known) {
  return {
      {"data_dir", needed_path_into(c.data_dir, "a folder, such as \"data\"; \".\" is that of this file")},
      {"symbols_file", needed_path_into(c.symbols_file, "a file, such as \"symbols.toml\"")},
      {"interval",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         Duration d = c.interval;
         r.duration(n, k, d);
         if (d < seconds(1) || d > day || day.us % d.us != 0) {
           return r.error(n, k, "expected 1s to 1d, in whole parts of a UTC day, such as \"5s\", \"1m\", \"1h\"");
         }
         c.interval = d;
       }},
      {"close_delay",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         Duration d = c.close_delay;
         r.duration(n, k, d);
         if (d > seconds(60)) return r.error(n, k, "expected at most \"60s\"");
         c.close_delay = d;
       }},
      {"clock",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         std::string clock = "wall";
         r.choice(n, k, {"wall", "exchange"}, clock);
         c.exchange_clock = clock == "exchange";
       }},
      {"repair",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         std::string repair = "on";
         r.choice(n, k, {"on", "off"}, repair);
         c.repair = repair == "on";
       }},
      {"audit",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         std::string audit = "all";
         r.choice(n, k, {"sample", "all", "off"}, audit);
         c.audit = audit == "off" ? AuditMode::off : audit == "all" ? AuditMode::all : AuditMode::sample;
       }},
      {"proof_within",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         Duration d = c.proof_within;
         r.duration(n, k, d);
         if (d < seconds(60) || d > day) return r.error(n, k, "expected \"1m\" to \"1d\"");
         c.proof_within = d;
       }},
      {"proof_share",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         const std::int64_t share = n.value<std::int64_t>().value_or(0);
         if (!n.is_integer() || share < 1 || share > 90) return r.error(n, k, "expected 1 to 90, in per cent");
         c.proof_share = static_cast<std::uint32_t>(share);
       }},
      {"size_buckets",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) { read_buckets(r, n, k, c.size_buckets); }},
      {"sync",
       [&c](TomlReader& r, const toml::node& n, const std::string& k) {
         std::string sync = "bar";
         r.choice(n, k, {"bar", "off"}, sync);
         c.sync = sync == "bar";
       }},
      {"http", table_of({{"listen",
                          [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                            r.text(n, k, c.http_listen);
                            if (!c.http_listen.empty() && !is_listen_address(c.http_listen)) {
                              r.error(n, k, "expected \"address:port\", such as \"127.0.0.1:9480\", or \"\" for off");
                            }
                          }},
                         {"token",
                          [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                            r.text(n, k, c.http_token);
                            const bool plain = c.http_token.find_first_not_of(token_characters) == std::string::npos;
                            if (!c.http_token.empty() && (c.http_token.size() < 16 || !plain)) {
                              r.error(n, k, "expected at least 16 letters, digits, \"-\" or \"_\", or \"\" for none");
                            }
                          }},
                         {"hosts",
                          [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                            const auto* names = n.as_array();
                            if (names == nullptr)
                              return r.error(n, k, "expected names in a list, [\"cvdd.example.org\"]");
                            for (const toml::node& one : *names) {
                              std::string name = lower(one.value<std::string>().value_or(""));
                              if (name.empty() || name.find_first_of(":/ ") != std::string::npos) {
                                return r.error(one, k, "expected a host name without scheme and port");
                              }
                              c.http_hosts.push_back(std::move(name));
                            }
                          }},
                         {"required",
                          [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                            const auto value = n.value<bool>();
                            if (!n.is_boolean() || !value) return r.error(n, k, "expected true or false");
                            c.http_required = *value;
                          }},
                         {"instrument_metrics",
                          [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                            std::string answer = "off";
                            r.choice(n, k, {"on", "off"}, answer);
                            c.instrument_metrics = answer == "on";
                          }}})},
      {"log", table_of({{"level",
                         [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                           r.choice(n, k, {"trace", "debug", "info", "warn", "error"}, c.log_level);
                         }}})},
      {"net", table_of({{"ca_file", path_into(c.ca_file)},
                        {"coalesce",
                         [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                           Duration d = c.coalesce;
                           r.duration(n, k, d);
                           if (d > milliseconds(1'000)) return r.error(n, k, "expected at most \"1s\"");
                           c.coalesce = d;
                         }},
                        {"renew_after",
                         [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                           Duration d = c.renew_after;
                           r.duration(n, k, d);
                           if (d.us != 0 && d < seconds(60)) return r.error(n, k, "expected \"1m\" or more");
                           c.renew_after = d;
                         }},
                        {"renew_at",
                         [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                           std::string text;
                           r.text(n, k, text);
                           c.renew_at = parse_time_of_day(text);
                           if (!text.empty() && !c.renew_at) {
                             r.error(n, k, "expected a time of day in UTC, such as \"04:30\", or \"\"");
                           }
                         }},
                        {"proxy",
                         [&c](TomlReader& r, const toml::node& n, const std::string& k) {
                           r.text(n, k, c.proxy);
                           // The text may hold a password, so the message must not.
                           if (!c.proxy.empty() && !is_proxy(c.proxy)) {
                             r.error(n, k,
                                     "not a proxy address, expected \"http://host:port\" or "
                                     "\"http://user:password@host:port\"");
                           }
                         }}})},
      {"capture", [&c, &known](TomlReader& r, const toml::node& n,
                               const std::string& k) { read_capture(r, n, k, known, c.capture); }},
      {"shard", [&c](TomlReader& r, const toml::node& n, const std::string& k) { read_shard(r, n, k, c.shard); }},
      {"exchange",
       [&c, &known](TomlReader& r, const toml::node& n, const std::string& k) { read_exchanges(r, n, k, known, c); }},
  };
}
}  // namespace

std::string to_string(const ConfigError& error) {
  std::string out = error.file;
  if (error.line > 0) out += ":" + std::to_string(error.line);
  if (!error.key.empty()) out += ": " + error.key;
  out += ": " + error.message;
  return error.column > 0 ? out + " (column " + std::to_string(error.column) + ")" : out;
}

std::optional<Duration> parse_time_of_day(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hours = digit(0) * 10 + digit(1), minutes = digit(3) * 10 + digit(4);
  if (hours > 23 || minutes > 59) return std::nullopt;
  return seconds((hours * 60 + minutes) * 60);
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || n < 0 || text.empty() || text.front() == '-') return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (n == 0 && unit.empty()) return Duration{};  // of whatever unit
  constexpr std::pair<std::string_view, std::int64_t> units[] = {
      {"ms", 1'000}, {"s", 1'000'000}, {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
  for (const auto& [name, us] : units) {
    if (unit == name && n <= 100'000'000) return Duration{n * us};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || n > 1'000'000) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::pair<std::string_view, unsigned> units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (const auto& [name, bits] : units) {
    if (unit == name) return n << bits;
  }
  return std::nullopt;
}

Config parse_config(std::string_view text, const std::string& file, const KnownMarkets& known,
                    std::vector<ConfigError>& errors) {
  Config config;
  TomlReader reader(text, file, errors);
  read_table(reader, reader.table(), "", keys_of(config, known));
  config.lines = reader.lines();
  // What was made before a bar's end must be read before the bar is closed.
  config.coalesce = std::min(config.coalesce, milliseconds(config.close_delay.us / 2'000));
  return config;
}

std::string expand_home(const std::string& path, const std::string& home) {
  const bool ours = path == "~" || path.starts_with("~/");
  return ours && !home.empty() ? home + path.substr(1) : path;
}

void resolve_paths(Config& config, const std::string& config_file, const std::string& home) {
  const auto slash = config_file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : config_file.substr(0, slash == 0 ? 1 : slash);
  for (std::string* path : {&config.data_dir, &config.symbols_file, &config.ca_file, &config.capture.dir}) {
    *path = expand_home(*path, home);
    if (!path->empty() && path->front() != '/') *path = folder + "/" + *path;
  }
}

std::vector<std::string> config_places(const std::string& home) {
  std::vector<std::string> places{"./cvdd.toml"};
  if (!home.empty()) places.push_back(home + "/.config/cvdd/cvdd.toml");
  places.emplace_back("/etc/cvdd/cvdd.toml");
  return places;
}

std::vector<std::string> changes_that_need_a_restart(const Config& running, const Config& saved) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, bool same) {
    if (!same) keys.emplace_back(key);
  };
  compare("data_dir", running.data_dir == saved.data_dir);
  compare("symbols_file", running.symbols_file == saved.symbols_file);
  compare("interval", running.interval == saved.interval);
  compare("close_delay", running.close_delay == saved.close_delay);
  compare("clock", running.exchange_clock == saved.exchange_clock);
  compare("repair", running.repair == saved.repair);
  compare("audit", running.audit == saved.audit);
  compare("proof_within", running.proof_within == saved.proof_within);
  compare("proof_share", running.proof_share == saved.proof_share);
  compare("size_buckets", running.size_buckets == saved.size_buckets);
  compare("sync", running.sync == saved.sync);
  compare("http.listen", running.http_listen == saved.http_listen);
  compare("http.token", running.http_token == saved.http_token);
  compare("http.hosts", running.http_hosts == saved.http_hosts);
  compare("http.required", running.http_required == saved.http_required);
  compare("http.instrument_metrics", running.instrument_metrics == saved.instrument_metrics);
  compare("net.renew_after", running.renew_after == saved.renew_after);
  compare("net.coalesce", running.coalesce == saved.coalesce);
  compare("net.renew_at", running.renew_at == saved.renew_at);
  compare("net.ca_file", running.ca_file == saved.ca_file);
  compare("net.proxy", running.proxy == saved.proxy);
  compare("capture", running.capture == saved.capture);
  compare("shard", running.shard == saved.shard);
  for (const auto* both : {&running, &saved}) {
    for (const auto& [where, ignored] : both->exchanges) {
      const auto one = running.exchanges.find(where), other = saved.exchanges.find(where);
      const bool there = one != running.exchanges.end() && other != saved.exchanges.end();
      if (both == &saved && one != running.exchanges.end()) continue;  // looked at already
      const std::string key = "exchange." + where.first + "." + std::string(name_of(where.second));
      compare(key.c_str(), there && one->second == other->second);
    }
  }
  return keys;
}

}  // namespace cvdd
