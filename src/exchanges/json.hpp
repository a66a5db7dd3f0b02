// Reading exchanges' JSON with simdjson's On-Demand parser. Every message is walked to its end, so that nothing is
// taken from a broken one, and numbers stay the digits they were. What reads a value here reads a plain one too
// (plain_json.hpp), so code that is a template of the value serves both ways. Used by the exchanges' files alone.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cvdd/exchanges/exchange.hpp"
#include "plain_json.hpp"
#include "slots.hpp"

namespace cvdd::json {

namespace ondemand = simdjson::ondemand;
using Value = ondemand::value;

// simdjson reads past the end of its input: messages are copied into a buffer with room for that. Kept between
// messages, so that nothing is allocated for each; what is read from it lives until the next message.
struct Reader {
  ondemand::parser parser;
  std::vector<char> buffer;
  [[nodiscard]] bool open(std::string_view text, ondemand::document& document);
};

[[nodiscard]] std::string_view trimmed(std::string_view text);
// After the outermost value has been read: is there nothing behind it?
[[nodiscard]] bool at_end(ondemand::document& document);
// What is not an object: whole, but nothing we know (not_understood), or broken (not_json)?
[[nodiscard]] Refusal read_other(ondemand::document& document, std::string_view message);

// Reads any value to its end; false if it is not JSON. Of objects and arrays `out` tells the kind alone.
[[nodiscard]] bool read(ondemand::value value, unsigned depth, Scalar& out);
[[nodiscard]] bool skip(ondemand::value value, unsigned depth);
[[nodiscard]] Scalar::Kind kind_of(ondemand::value value);  // absent: it is no JSON
[[nodiscard]] inline bool is_array(ondemand::value value) { return kind_of(value) == Scalar::Kind::array; }

// The first string under one of these keys, at any depth, unescaped; empty if there is none. Quick where nothing is
// escaped; for what has no other need to be read.
[[nodiscard]] std::string first_string(std::string_view message, std::initializer_list<std::string_view> keys);
// … of a message that has one of these marks in it; empty if it has none.
[[nodiscard]] std::string first_string_if(std::string_view message, std::initializer_list<std::string_view> marks,
                                          std::initializer_list<std::string_view> keys);

// `on_field(key, value)` for every field; it reads the value to its end and returns false if that is no JSON.
template <class OnField>
[[nodiscard]] bool each_field(ondemand::object object, OnField&& on_field) {
  for (auto entry : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    if (!on_field(key, field.value())) return false;
  }
  return true;
}

// The same for a value that should be an object; one that is not is walked, and there are no fields.
template <class OnField>
[[nodiscard]] bool each_field(ondemand::value value, unsigned depth, OnField&& on_field) {
  ondemand::json_type type{};
  ondemand::object object;
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type != ondemand::json_type::object) return skip(value, depth);
  return depth < depth_max && value.get_object().get(object) == simdjson::SUCCESS && each_field(object, on_field);
}

// `on_item(value)` for every element of what should be an array; one that is not is walked, and there are no items.
template <class OnItem>
[[nodiscard]] bool each_item(ondemand::value value, unsigned depth, OnItem&& on_item) {
  ondemand::json_type type{};
  ondemand::array array;
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type != ondemand::json_type::array) return skip(value, depth);
  if (depth >= depth_max || value.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto element : array) {
    ondemand::value item;
    if (element.get(item) != simdjson::SUCCESS || !on_item(item)) return false;
  }
  return true;
}

// One field of an object: into the slot of its name, if there is one.
template <const auto& slots, class Text>
[[nodiscard]] bool read_field(std::string_view key, Text value, unsigned depth, RowOf<slots>& out) {
  Scalar nobody;
  Scalar* field = &nobody;
  // Names are known to the compiler one by one, which makes comparing cheap.
  const auto look = [&]<std::size_t i>() {
    constexpr std::string_view name = slots[i].name;
    if (key.size() != name.size() || std::memcmp(key.data(), name.data(), name.size()) != 0) return false;
    field = &(out.*slots[i].member);
    return true;
  };
  [&]<std::size_t... i>(std::index_sequence<i...>) { (void)(look.template operator()<i>() || ...); }
  (std::make_index_sequence<std::size(slots)>());
  *field = Scalar{};
  return read(value, depth, *field);
}

template <const auto& slots>
requires are_columns<slots>
[[nodiscard]] bool read_fields(Value value, unsigned depth, RowOf<slots>& out) {
  return read_columns<slots>(value, depth, out);
}
template <const auto& slots>
requires(!are_columns<slots>) [[nodiscard]] bool read_fields(Value value, unsigned depth, RowOf<slots>& out) {
  return each_field(value, depth,
                    [&](std::string_view key, Value field) { return read_field<slots>(key, field, depth + 1, out); });
}

// The strings of an array; whatever else is in it is walked.
[[nodiscard]] bool read_strings(ondemand::value value, unsigned depth, std::vector<std::string>& out);
// The strings of the array that lies under these keys, each within the one before it; none if it is not there.
[[nodiscard]] std::vector<std::string> strings_at(std::string_view message, std::span<const std::string_view> keys);

// A text that should be one object and nothing else: `on_field` as in each_field.
template <class OnField>
[[nodiscard]] Refusal read_message(Reader& reader, std::string_view text, OnField&& on_field) {
  ondemand::document document;
  ondemand::object object;
  if (!reader.open(text, document)) return Refusal::not_json;
  if (!trimmed(text).starts_with('{')) return read_other(document, text);
  if (document.get_object().get(object) != simdjson::SUCCESS) return Refusal::not_json;
  if (!each_field(object, on_field) || !at_end(document)) return Refusal::not_json;
  return Refusal::none;
}

}  // namespace cvdd::json
