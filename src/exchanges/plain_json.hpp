// The short way through JSON that is written as exchanges write it: no white space, no escapes, ASCII, numbers of
// digits and one point. The functions are those of json.hpp for a value of this kind. They fail at the first surprise,
// and then simdjson reads the message: both ways give the same Scalars to the same code, and tests hold the two against
// each other. Used by json.hpp alone.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "fast_reader.hpp"
#include "slots.hpp"

namespace cvdd::json {

// The value that comes next. All values of a message share its cursor, so they are read in the order in which they
// stand.
struct Plain {
  plain::Cursor* at;
};

[[nodiscard]] inline Scalar::Kind kind_of(Plain value) {
  switch (value.at->next()) {
    case '"':
      return Scalar::Kind::string;
    case '{':
      return Scalar::Kind::object;
    case '[':
      return Scalar::Kind::array;
    case 't':
    case 'f':
      return Scalar::Kind::boolean;
    case 'n':
      return Scalar::Kind::null;
    default:
      return Scalar::Kind::number;
  }
}
[[nodiscard]] inline bool is_array(Plain value) { return value.at->next() == '['; }

[[nodiscard]] inline bool skip(Plain value, unsigned depth);

// The keys that one kind of object had so far, and which came after which: exchanges keep to an order, though each and
// each of its markets has its own, and one look says that the next key is the one that was expected. A thread has its
// own for each kind.
class KeyMemory {
 public:
  struct alignas(64) Known {
    plain::Key key;
    std::uint8_t next = 0;  // what came after it
    std::uint8_t slot = 0;  // its place in a table
  };

  // `on_field(known)` for every field, to read its value; `slot_of(key)` finds a new key's place. False: a surprise.
  template <class SlotOf, class OnField>
  [[nodiscard]] bool each_field(Plain value, unsigned depth, SlotOf&& slot_of, OnField&& on_field) {
    plain::Cursor& at = *value.at;
    if (depth >= depth_max || !at.take('{')) return false;
    if (at.take('}')) return true;
    Known* before = &known_[0];
    do {
      Known* found = &known_[before->next];
      if (!at.take(found->key)) {
        found = look_for(at, slot_of);
        if (found == nullptr) return false;
        before->next = static_cast<std::uint8_t>(found - known_.data());
      }
      if (!on_field(*found)) return false;
      before = found;
    } while (at.take(','));
    return at.take('}');
  }

 private:
  template <class SlotOf>
  [[gnu::noinline]] Known* look_for(plain::Cursor& at, SlotOf& slot_of) {
    for (std::size_t i = 1; i < count_; ++i) {
      if (at.take(known_[i].key)) return &known_[i];
    }
    std::string_view name;
    if (!at.take_string(name) || !at.take(':') || name.size() > plain::Key::name_max) return nullptr;
    if (count_ == known_.size()) count_ = 1;  // so many are no exchange's: whatever they were, begin anew
    Known& fresh = known_[count_++];
    fresh = {plain::Key(name), 0, static_cast<std::uint8_t>(slot_of(name))};
    return &fresh;
  }

  std::array<Known, 33> known_{};  // the first stands in front of all fields
  std::size_t count_ = 1;
};

// `on_field(key, value)` for every field; the key is good until its value is read. A value that is no object is a
// surprise.
template <class OnField>
[[nodiscard]] bool each_field(Plain value, unsigned depth, OnField&& on_field) {
  thread_local KeyMemory memory;
  return memory.each_field(
      value, depth, [](std::string_view) { return 0; },
      [&](const KeyMemory::Known& known) { return on_field(known.key.name(), value); });
}

// `on_item(value)` for every element; a value that is no array is a surprise.
template <class OnItem>
[[nodiscard]] bool each_item(Plain value, unsigned depth, OnItem&& on_item) {
  plain::Cursor& at = *value.at;
  if (depth >= depth_max || !at.take('[')) return false;
  if (at.take(']')) return true;
  do {
    if (!on_item(value)) return false;
  } while (at.take(','));
  return at.take(']');
}

[[nodiscard]] inline bool skip_fields(Plain value, unsigned depth) {
  plain::Cursor& at = *value.at;
  if (depth >= depth_max || !at.take('{')) return false;
  if (at.take('}')) return true;
  do {
    std::string_view key;
    if (!at.take_string(key) || !at.take(':') || !skip(value, depth + 1)) return false;
  } while (at.take(','));
  return at.take('}');
}

// What is rare: a negative number, a literal, an object or an array, walked.
[[nodiscard]] inline bool read_rare(Plain value, unsigned depth, Scalar& out) {
  out.kind = kind_of(value);
  if (out.kind == Scalar::Kind::object) return skip_fields(value, depth);
  if (out.kind == Scalar::Kind::array) {
    return each_item(value, depth, [depth](Plain item) { return skip(item, depth + 1); });
  }
  if (out.kind == Scalar::Kind::number) return value.at->take_negative(out.text);
  return value.at->take_literal(out.text);
}

// Most are strings or numbers.
[[nodiscard]] inline bool read(Plain value, unsigned depth, Scalar& out) {
  out = {};
  const char c = value.at->next();
  if (c == '"') {
    out.kind = Scalar::Kind::string;
    if (!value.at->take_string(out.text)) return false;
  } else if (c >= '0' && c <= '9') {
    out.kind = Scalar::Kind::number;
    if (!value.at->take_number(out.text)) return false;
  } else {
    return read_rare(value, depth, out);
  }
  out.roomy = value.at->offset_of(out.text.data()) >= 16;
  return true;
}
[[nodiscard]] inline bool skip(Plain value, unsigned depth) {
  Scalar ignored;
  return read(value, depth, ignored);
}

// The values of an array, into its columns; what stands behind the last is walked.
template <const auto& columns, class Text>
[[nodiscard]] bool read_columns(Text value, unsigned depth, RowOf<columns>& out) {
  std::size_t i = 0;
  return each_item(value, depth, [&](Text item) {
    Scalar nobody;
    return read(item, depth + 1, i < std::size(columns) ? out.*columns[i++] : nobody);
  });
}

template <const auto& slots>
requires are_columns<slots>
[[nodiscard]] bool read_fields(Plain value, unsigned depth, RowOf<slots>& out) {
  return read_columns<slots>(value, depth, out);
}
template <const auto& slots>
requires(!are_columns<slots>) [[nodiscard]] bool read_fields(Plain value, unsigned depth, RowOf<slots>& out) {
  thread_local KeyMemory memory;
  constexpr auto slot_of = [](std::string_view key) {
    std::size_t i = 0;
    while (i < std::size(slots) && slots[i].name != key) ++i;
    return i;
  };
  return memory.each_field(value, depth, slot_of, [&](const KeyMemory::Known& key) {
    if (key.slot == std::size(slots)) return skip(value, depth + 1);
    return read(value, depth + 1, out.*slots[key.slot].member);
  });
}

}  // namespace cvdd::json
