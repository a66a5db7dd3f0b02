#include "json.hpp"

#include <algorithm>
#include <cstring>

namespace cvdd::json {

namespace {
bool is_number(std::string_view s) {
  std::size_t i = 0;
  auto digits = [&] {
    std::size_t start = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
    return i - start;
  };
  if (i < s.size() && s[i] == '-') ++i;
  std::size_t start = i;
  std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && s[start] == '0')) return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == s.size();
}

Scalar::Kind kind_of_token(std::string_view token) {
  if (token == "true" || token == "false") return Scalar::Kind::boolean;
  if (token == "null") return Scalar::Kind::null;
  return is_number(token) ? Scalar::Kind::number : Scalar::Kind::absent;
}
}  // namespace

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view space = " \t\r\n";
  auto first = s.find_first_not_of(space);
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(space) - first + 1);
}

bool Reader::open(std::string_view text, ondemand::document& document) {
  std::size_t need = text.size() + simdjson::SIMDJSON_PADDING;
  if (buffer.size() < need) buffer.resize(need);
  if (!text.empty()) std::memcpy(buffer.data(), text.data(), text.size());
  std::memset(buffer.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  return parser.iterate(buffer.data(), text.size(), buffer.size()).get(document) == simdjson::SUCCESS;
}

bool at_end(ondemand::document& document) { return document.current_location().error() == simdjson::OUT_OF_BOUNDS; }

Refusal read_other(ondemand::document& document, std::string_view message) {
  std::string_view text = trimmed(message);
  if (text.starts_with('[')) {
    ondemand::value value;
    bool whole = document.get_value().get(value) == simdjson::SUCCESS && skip(value, 0) && at_end(document);
    return whole ? Refusal::not_understood : Refusal::not_json;
  }
  std::string_view string;
  if (text.starts_with('"') && document.get_string().get(string) == simdjson::SUCCESS && at_end(document)) {
    return Refusal::not_understood;
  }
  return kind_of_token(text) == Scalar::Kind::absent ? Refusal::not_json : Refusal::not_understood;
}

namespace {
// False: found, or no JSON.
bool look_for(ondemand::value value, unsigned depth, std::span<const std::string_view> keys, std::string& found) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type == ondemand::json_type::array) {
    return each_item(value, depth, [&](ondemand::value item) { return look_for(item, depth + 1, keys, found); });
  }
  if (type != ondemand::json_type::object) return skip(value, depth);
  return each_field(value, depth, [&](std::string_view key, ondemand::value field) {
    const bool wanted = std::ranges::find(keys, key) != keys.end();
    if (!wanted) return look_for(field, depth + 1, keys, found);
    Scalar text;
    if (!read(field, depth + 1, text)) return false;
    found = text.is_string() ? text.text : std::string_view();
    return found.empty();
  });
}
}  // namespace

std::string first_string(std::string_view message, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const std::string plain = "\"" + std::string(key) + "\":\"";
    const auto at = message.find(plain);
    if (at == message.npos) continue;
    const auto begin = at + plain.size();
    const std::string_view text = message.substr(begin, message.find('"', begin) - begin);
    if (text.find('\\') == text.npos) return std::string(text);
    break;
  }
  Reader reader;
  ondemand::document document;
  ondemand::value value;
  std::string found;
  if (!reader.open(message, document) || document.get_value().get(value) != simdjson::SUCCESS) return found;
  (void)look_for(value, 0, {keys.begin(), keys.size()}, found);
  return found;
}

std::string first_string_if(std::string_view message, std::initializer_list<std::string_view> marks,
                            std::initializer_list<std::string_view> keys) {
  const bool marked = std::ranges::any_of(marks, [&](auto mark) { return message.find(mark) != message.npos; });
  return marked ? first_string(message, keys) : std::string();
}

Scalar::Kind kind_of(ondemand::value value) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return Scalar::Kind::absent;
  switch (type) {
    case ondemand::json_type::string:
      return Scalar::Kind::string;
    case ondemand::json_type::object:
      return Scalar::Kind::object;
    case ondemand::json_type::array:
      return Scalar::Kind::array;
    default:
      return kind_of_token(trimmed(value.raw_json_token()));
  }
}

bool read_strings(ondemand::value value, unsigned depth, std::vector<std::string>& out) {
  return each_item(value, depth, [&](ondemand::value item) {
    Scalar string;
    if (!read(item, depth + 1, string)) return false;
    if (string.is_string()) out.emplace_back(string.text);
    return true;
  });
}

namespace {
bool find_strings(ondemand::value value, unsigned depth, std::span<const std::string_view> keys,
                  std::vector<std::string>& out) {
  if (keys.empty()) return read_strings(value, depth, out);
  return each_field(value, depth, [&](std::string_view key, ondemand::value field) {
    return key == keys[0] ? find_strings(field, depth + 1, keys.subspan(1), out) : skip(field, depth + 1);
  });
}
}  // namespace

std::vector<std::string> strings_at(std::string_view message, std::span<const std::string_view> keys) {
  Reader reader;
  ondemand::document document;
  ondemand::value value;
  std::vector<std::string> out;
  if (!reader.open(message, document) || document.get_value().get(value) != simdjson::SUCCESS ||
      !find_strings(value, 0, keys, out)) {
    out.clear();
  }
  return out;
}

bool skip(ondemand::value value, unsigned depth) {
  Scalar ignored;
  return read(value, depth, ignored);
}

// simdjson alone would step over what it is not asked for without looking at it.
bool read(ondemand::value value, unsigned depth, Scalar& out) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case ondemand::json_type::string:
      out.kind = Scalar::Kind::string;
      return value.get_string().get(out.text) == simdjson::SUCCESS;
    case ondemand::json_type::object: {
      out.kind = Scalar::Kind::object;
      return each_field(value, depth, [&](std::string_view, ondemand::value field) { return skip(field, depth + 1); });
    }
    case ondemand::json_type::array: {
      out.kind = Scalar::Kind::array;
      return each_item(value, depth, [&](ondemand::value item) { return skip(item, depth + 1); });
    }
    default:
      out.text = trimmed(value.raw_json_token());
      out.kind = kind_of_token(out.text);
      return out.present();
  }
}

}  // namespace cvdd::json
