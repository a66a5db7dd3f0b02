// What a JSON value is, and tables that say where the fields of an object go, or the values of an array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace cvdd::json {

struct Scalar {
  enum class Kind : std::uint8_t { absent, string, number, boolean, null, object, array };
  Kind kind = Kind::absent;
  bool roomy = false;     // sixteen bytes in front of the text can be looked at, whatever they are
  std::string_view text;  // unescaped string, or the raw token of a number or literal; good until the next message

  [[nodiscard]] bool present() const { return kind != Kind::absent; }
  [[nodiscard]] bool is(Kind k) const { return kind == k; }
  [[nodiscard]] bool is_string() const { return kind == Kind::string; }
  [[nodiscard]] bool is_string(std::string_view s) const { return kind == Kind::string && text == s; }
  [[nodiscard]] bool is_true() const { return kind == Kind::boolean && text == "true"; }
};

// Where a field goes. Of a repeated field the last one holds.
template <class T>
struct Slot {
  std::string_view name;
  Scalar T::*member;
};

// Whose fields a table of slots tells; or, where rows are arrays, a table of columns: where its values go, one by one.
template <class T, std::size_t N>
T row_of(const Slot<T> (&slots)[N]);
template <class T, std::size_t N>
T row_of(Scalar T::*const (&columns)[N]);
template <const auto& slots>
using RowOf = decltype(row_of(slots));
template <const auto& slots>
inline constexpr bool are_columns = std::is_member_object_pointer_v<std::remove_cvref_t<decltype(slots[0])>>;

// Deeper than anything an exchange sends; bounds the recursion.
inline constexpr unsigned depth_max = 32;

}  // namespace cvdd::json
