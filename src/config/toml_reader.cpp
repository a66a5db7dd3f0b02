#include "cvdd/config/toml_reader.hpp"

#include <algorithm>

#include "cvdd/config/spellings.hpp"

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

namespace {
constexpr std::size_t file_max = std::size_t{16} << 20, parts_max = 16, nested_max = 32;

// Where the text nests deeper than any configuration does: the parser follows it by calling itself, until its stack
// ends. Strings and comments hold what they like.
class NestingCheck {
 public:
  explicit NestingCheck(std::string_view text) : text_(text) {}
  // Empty: good. Otherwise what is wrong, in line().
  [[nodiscard]] std::string complaint() {
    if (text_.size() > file_max) return "the file is longer than 16 MiB";
    std::size_t dots = 0, nested = 0;
    for (at_ = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
      } else if (c == '.') {
        if (++dots >= parts_max) return "a key of more than 16 parts";
      } else if (c == '[' || c == '{') {
        dots = 0;
        if (++nested > nested_max) return "more than 32 brackets within each other";
      } else if (c == ']' || c == '}') {
        nested -= nested > 0 ? 1 : 0;
      } else if (c == '\n' || c == '=' || c == ',') {
        dots = 0;
      }
    }
    return {};
  }
  [[nodiscard]] std::size_t line() const {
    return 1 + static_cast<std::size_t>(std::ranges::count(text_.substr(0, std::min(at_, text_.size())), '\n'));
  }

 private:
  // From the opening quote to the closing one. One that is missing ends with the line: the parser will tell.
  void skip_string(char quote) {
    const std::string three(3, quote);
    if (text_.substr(at_, 3) == three) {
      std::size_t end = at_ + 3;
      while ((end = text_.find(three, end)) != text_.npos && quote == '"' && text_[end - 1] == '\\') ++end;
      at_ = end == text_.npos ? text_.size() : end + 2;
      return;
    }
    for (++at_; at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n'; ++at_) {
      if (quote == '"' && text_[at_] == '\\') ++at_;
    }
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

// What is meant, where the parser's words don't tell.
std::string hint_for(std::string_view text, std::size_t line, std::string_view description) {
  for (; line > 1 && text.find('\n') != text.npos; --line) text.remove_prefix(text.find('\n') + 1);
  text = text.substr(0, text.find('\n'));
  text = text.substr(std::min(text.find_first_not_of(" \t["), text.size()));
  if (text.starts_with("group.") && text.find_first_of("\"'") == text.npos) {
    const std::string_view name = text.substr(6, text.find(']') == text.npos ? text.npos : text.find(']') - 6);
    if (std::ranges::any_of(name,
                            [](char c) { return std::string_view(" ./&+:%").find(c) != std::string_view::npos; })) {
      return "; such a name needs quotes: [group.\"" + std::string(name.substr(0, 40)) + "\"]";
    }
  }
  const bool bare = description.find("integer") != text.npos || description.find("floating") != text.npos;
  return bare ? "; text and durations need quotes" : "";
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
  NestingCheck nesting(text);
  if (const std::string wrong = nesting.complaint(); !wrong.empty()) {
    errors_.push_back({file_, static_cast<decltype(ConfigError::line)>(nesting.line()), "", wrong, 0});
    return;
  }
  try {
    table_ = toml::parse(text, file);
  } catch (const toml::parse_error& broken) {
    const std::string description(broken.description());
    errors_.push_back({file_, broken.source().begin.line, "",
                       "not TOML: " + description + hint_for(text, broken.source().begin.line, description),
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

void TomlReader::path(const toml::node& node, const std::string& key, std::string& out) {
  std::string given;
  text(node, key, given);
  if (given.size() > 1 && given[0] == '~' && given[1] != '/') {
    return error(node, key, "'" + given + "': only one's own home is known, as ~/; write the whole path");
  }
  if (node.is_string()) out = given;
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
  std::string meant;
  for (const Market m : markets_called(market)) {
    if (std::find(names.begin(), names.end(), name_of(m)) == names.end()) continue;
    meant += (meant.empty() ? "'" : " or '") + std::string(name_of(m)) + "'" +
             (m == Market::linear    ? " (margined in USDT or USDC)"
              : m == Market::inverse ? " (margined in the coin)"
                                     : "");
  }
  error(node, (within_.empty() ? "" : within_ + ".") + exchange + "." + market,
        "unknown market of " + exchange + ", " +
            (meant.empty() ? "expected one of: " + join(names) : "did you mean " + meant + "?"));
  return std::nullopt;
}

}  // namespace cvdd
