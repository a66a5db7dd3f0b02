#include "rest.hpp"

#include <algorithm>

namespace cvdd::rest {

namespace {
using json::Scalar;

// What is looked for on the way through a body.
struct Target {
  std::string_view path;  // the rest of it, from where we are
  std::function<bool(json::Value, unsigned)> take;
};
using Targets = std::span<const Target>;

bool look(json::Value value, unsigned depth, Targets targets);

bool look_into(std::string_view key, json::Value field, unsigned depth, Targets targets) {
  std::vector<Target> within;
  for (const Target& target : targets) {
    const std::string_view first = target.path.substr(0, target.path.find('.'));
    if (first != key && first != "*") continue;
    if (first.size() == target.path.size()) return target.take(field, depth);
    within.push_back({target.path.substr(first.size() + 1), target.take});
  }
  return within.empty() ? json::skip(field, depth) : look(field, depth, within);
}

// Lists are looked through too: the last of their rows tells.
bool look(json::Value value, unsigned depth, Targets targets) {
  if (json::is_array(value)) {
    const auto of_elements = std::ranges::find(targets, std::string_view("[]"), &Target::path);
    return json::each_item(value, depth, [&](json::Value item) {
      return of_elements != targets.end() ? of_elements->take(item, depth + 1) : look(item, depth + 1, targets);
    });
  }
  return json::each_field(
      value, depth, [&](std::string_view key, json::Value field) { return look_into(key, field, depth + 1, targets); });
}

std::string reason(const Scalar& message, const Scalar& code) {
  std::string out(message.is_string() ? message.text : std::string_view());
  if (code.present()) out.append(" (code ").append(code.text).append(")");
  return out.empty() ? "an error without words" : out;
}

// The body is the list; an object says why there is none.
std::string read_bare(json::Reader& reader, std::string_view body, const OnRows& on_rows) {
  json::ondemand::document document;
  json::Value array;
  if (!json::trimmed(body).starts_with('[') || !reader.open(body, document) ||
      document.get_value().get(array) != simdjson::SUCCESS || !on_rows(array, 0) || !json::at_end(document)) {
    return "not a whole JSON array";
  }
  return {};
}
}  // namespace

Query& Query::add(std::string_view name, std::string_view value) {
  text_ += text_.find('?') == text_.npos ? '?' : '&';
  text_.append(name).append("=").append(encoded(value));
  return *this;
}

std::string Query::encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ':';
    if (plain) {
      out += c;
    } else {
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    }
  }
  return out;
}

std::string read(json::Reader& reader, std::string_view body, const Envelope& envelope, std::span<const Field> more,
                 const OnRows& on_rows) {
  const bool bare = on_rows && envelope.rows.empty(), named_freely = envelope.rows.ends_with('*');
  if (bare && !json::trimmed(body).starts_with('{')) return read_bare(reader, body, on_rows);
  Scalar code, message;
  bool found = false;
  std::vector<Target> targets;
  const auto want = [&](std::string_view path, Scalar& out) {
    if (!path.empty())
      targets.push_back({path, [&out](json::Value v, unsigned depth) {
                           out = {};
                           return json::read(v, depth, out);
                         }});
  };
  want(envelope.code, code);
  want(envelope.message, message);
  for (const Field& field : more) want(field.path, *field.out);
  if (on_rows && !bare) {
    targets.push_back({envelope.rows, [&](json::Value v, unsigned depth) {
                         const Scalar::Kind kind = json::kind_of(v);
                         found = found || kind == Scalar::Kind::array || (named_freely && kind == Scalar::Kind::object);
                         return on_rows(v, depth);
                       }});
  }
  const Refusal refusal = json::read_message(
      reader, body, [&](std::string_view key, json::Value v) { return look_into(key, v, 1, targets); });
  if (refusal != Refusal::none) return "not a whole JSON object";
  if (envelope.ok.empty() ? code.present() || (envelope.code.empty() && message.present()) : code.text != envelope.ok) {
    return reason(message, code);
  }
  if (bare) return "not a JSON array";
  if (on_rows && !found) {
    std::string_view name = envelope.rows;
    if (named_freely) name.remove_suffix(std::min<std::size_t>(name.size(), 2));
    return "no \"" + std::string(name.substr(name.rfind('.') + 1)) + "\" in the answer";
  }
  return {};
}

bool has_code(std::string_view body, const Envelope& envelope, std::initializer_list<std::string_view> codes) {
  json::Reader reader;
  Scalar code;
  const Field more[] = {{envelope.code, &code}};
  return read(reader, body, {}, more, {}).empty() && std::ranges::find(codes, code.text) != codes.end();
}

}  // namespace cvdd::rest
