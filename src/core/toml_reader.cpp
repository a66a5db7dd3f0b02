#include "toml_reader.hpp"

#include <algorithm>

namespace cvdd {

namespace {
std::string join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string suggest(std::string_view name, const std::vector<std::string>& known) {
  const auto near = near_matches(name, known, 1);
  return near.empty() ? "expected one of: " + join(known) : "did you mean '" + near.front() + "'?";
}
}  // namespace

TomlReader::~TomlReader() {
  // In the order of the file, whatever the order in which the keys were looked at.
  std::stable_sort(errors_.begin() + begin_, errors_.end(), [](const ConfigError& a, const ConfigError& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
}

TomlReader::TomlReader(std::string_view text, const std::string& file, std::vector<ConfigError>& errors)
    : file_(file), errors_(errors), begin_(std::ssize(errors)) {
  try {
    table_ = toml::parse(text, file);
  } catch (const toml::parse_error& broken) {
    const std::string description(broken.description());
    const bool bare =
        description.find("integer") != std::string::npos || description.find("floating") != std::string::npos;
    errors_.push_back({file_, broken.source().begin.line, "",
                       "not TOML: " + description + (bare ? "; text and durations need quotes" : ""),
                       broken.source().begin.column});
  }
}

void TomlReader::error(const toml::node& node, const std::string& key, const std::string& message) {
  errors_.push_back({file_, node.source().begin.line, key, message, node.source().begin.column});
}

void TomlReader::unknown_key(const toml::node& node, const std::string& key, std::string_view name,
                             const std::vector<std::string>& known) {
  error(node, key, "unknown key, " + suggest(name, known));
}

void TomlReader::text(const toml::node& node, const std::string& key, std::string& out) {
  if (const auto value = node.value<std::string>(); node.is_string() && value) {
    out = *value;
  } else {
    error(node, key, "expected text in quotes");
  }
}

void TomlReader::choice(const toml::node& node, const std::string& key, const std::vector<std::string>& choices,
                        std::string& out) {
  const auto value = node.value<std::string>();
  if (node.is_string() && value && std::find(choices.begin(), choices.end(), *value) != choices.end()) {
    out = *value;
    return;
  }
  std::string list;
  for (const std::string& c : choices) list += (list.empty() ? "\"" : ", \"") + c + "\"";
  error(node, key,
        (node.is_string() ? "'" + *value + "' is none of the choices, expected one of: " : "expected one of: ") + list);
}

void TomlReader::duration(const toml::node& node, const std::string& key, Duration& out) {
  const auto value = node.value<std::string>();
  const auto parsed = node.is_string() && value ? parse_duration(*value) : std::nullopt;
  if (parsed) {
    out = *parsed;
  } else {
    error(node, key, "expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\"");
  }
}

void TomlReader::urls(const toml::node& node, const std::string& key, std::string_view scheme,
                      std::vector<std::string>& out) {
  const auto* array = node.as_array();
  const std::string expected = "expected a list such as [\"" + std::string(scheme) + "host:port\"]";
  if (array == nullptr || array->empty()) return error(node, key, expected);
  for (const auto& entry : *array) {
    const auto url = entry.value<std::string>();
    if (!entry.is_string() || !url) {
      error(entry, key, expected);
    } else if (!url->starts_with(scheme) || url->size() == scheme.size() ||
               url->find_first_of(" \t@?#") != std::string::npos) {
      error(entry, key,
            "'" + *url + "' is not an address that can be used, expected " + std::string(scheme) +
                "host, host:port or host:port/prefix");
    } else {
      out.push_back(*url);
    }
  }
}

bool TomlReader::known_exchange(const std::string& name, const KnownMarkets& known, const toml::node& node) {
  std::vector<std::string> names;
  for (const auto& [exchange, market] : known.markets) {
    if (exchange == name) return true;
    if (std::find(names.begin(), names.end(), exchange) == names.end()) names.push_back(exchange);
  }
  error(node, within_.empty() ? name : within_ + "." + name, "unknown exchange, " + suggest(name, names));
  return false;
}

std::optional<Market> TomlReader::known_market(const std::string& exchange, const std::string& market,
                                               const KnownMarkets& known, const toml::node& node) {
  std::vector<std::string> names;
  for (const auto& [e, m] : known.markets) {
    if (e != exchange) continue;
    if (name_of(m) == market) return m;
    names.emplace_back(name_of(m));
  }
  error(node, (within_.empty() ? "" : within_ + ".") + exchange + "." + market,
        "unknown market of " + exchange + ", expected one of: " + join(names));
  return std::nullopt;
}

}  // namespace cvdd
