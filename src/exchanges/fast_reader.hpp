// The short way through a message whose shape is known to the letter: a cursor that takes known text, plain strings,
// whole numbers and decimals, 32 bytes at a look, without branches that depend on their lengths. It fails at the first
// surprise, and then simdjson reads the message: the short way decides nothing that the long one would decide
// differently, and a test of each exchange holds the two against each other.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "cvdd/base/decimal.hpp"
#include "digits.hpp"

// In front of a function that reads by the short way: everything it calls becomes a part of it, and it is translated
// twice, for every x86-64 and for those of the last ten years, of which the one that fits is taken when the program
// starts. Not under sanitizers, which are not ready by then.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CVDD_FAST_PATH [[gnu::target_clones("arch=x86-64-v3", "default"), gnu::flatten]]
#else
#define CVDD_FAST_PATH
#endif

namespace cvdd::plain {

// A key as it stands in front of its value: "px": with its quotes and its colon.
struct Key {
  static constexpr std::size_t room = 32, name_max = room - 4;
  char text[room] = {};
  std::uint32_t size = 0;
  std::uint32_t bits = 0;  // one for each of its bytes
  constexpr Key() = default;
  // Of a name of at most `name_max` characters.
  constexpr explicit Key(std::string_view name) {
    text[size++] = '"';
    for (const char c : name) text[size++] = c;
    text[size++] = '"';
    text[size++] = ':';
    bits = (std::uint32_t{1} << size) - 1;
  }
  [[nodiscard]] std::string_view name() const { return {text + 1, size - 3}; }
};

class Cursor {
 public:
  // Nothing can be taken from a text shorter than one look.
  explicit Cursor(std::string_view text)
      : p_(text.data()), begin_(p_), end_(p_ + text.size()), good_(text.size() >= look) {}

  // How many bytes of the message stand in front of this one.
  [[nodiscard]] std::size_t offset_of(const char* at) const { return static_cast<std::size_t>(at - begin_); }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return p_ == end_; }

  // Tokens, one by one. Each says whether it is there, and goes on behind it.
  [[nodiscard]] char next() const { return p_ != end_ ? *p_ : '\0'; }
  [[nodiscard]] bool take(char c) {
    const bool there = p_ != end_ && *p_ == c;
    p_ += there ? 1 : 0;
    return there;
  }
  [[nodiscard]] bool take(const Key& key) {
    if (!starts_with(key)) return false;
    p_ += key.size;
    return true;
  }
  // Printable ASCII without backslashes, at most 63 characters.
  [[nodiscard]] bool take_string(std::string_view& out) {
    if (!take('"')) return false;
    const char* const begin = p_;
    std::uint32_t stop = stops();
    if (stop == 0) {
      if (end_ - p_ < static_cast<std::ptrdiff_t>(look)) return false;
      p_ += look;
      stop = stops();
    }
    p_ += first(stop);
    if (stop == 0 || *p_ != '"') return false;
    out = std::string_view(begin, static_cast<std::size_t>(p_ - begin));
    ++p_;
    return true;
  }
  // Digits without a zero before them, and perhaps a point and more of them, at most 31 characters.
  [[nodiscard]] bool take_number(std::string_view& out) {
    const std::uint32_t others = ~digits32();
    const unsigned whole = first(others);
    if (whole == 0 || whole >= look || (*p_ == '0' && whole > 1)) return false;
    unsigned length = whole;
    if (p_ + whole != end_ && p_[whole] == '.') {
      length = first(others & (others - 1));
      if (length >= look || length == whole + 1) return false;
    }
    out = take(length);
    return true;
  }
  // The same behind a minus.
  [[nodiscard]] bool take_negative(std::string_view& out) {
    if (!take('-') || !take_number(out)) return false;
    out = std::string_view(out.data() - 1, out.size() + 1);
    return true;
  }
  [[nodiscard]] bool take_literal(std::string_view& out) {
    for (const std::string_view literal :
         {std::string_view("false"), std::string_view("true"), std::string_view("null")}) {
      if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(literal)) continue;
      out = take(static_cast<unsigned>(literal.size()));
      return true;
    }
    return false;
  }

  // Goes on behind `text` (its closing zero does not count), or stays and says so.
  template <std::size_t size>
  bool skip(const char (&text)[size]) {
    if (!next_is(text)) return false;
    p_ += size - 1;
    return true;
  }
  template <std::size_t size>
  [[nodiscard]] bool next_is(const char (&text)[size]) const {
    return good_ && end_ - p_ >= static_cast<std::ptrdiff_t>(size - 1) && std::memcmp(p_, text, size - 1) == 0;
  }
  template <std::size_t size>
  Cursor& expect(const char (&text)[size]) {
    good_ = skip(text);
    return *this;
  }
  // Up to a quote, which stays: printable ASCII without backslashes, at most 31 characters.
  Cursor& string(std::string_view& out) {
    const unsigned length = first(stops());
    good_ = good_ && length < look && p_ + length < end_ && p_[length] == '"';
    if (good_) out = take(length);
    return *this;
  }
  // 1 to 16 digits, without a zero before them.
  Cursor& number(std::uint64_t& out) {
    const unsigned length = whole_number();
    if (good_) out = value(take(length));
    return *this;
  }
  Cursor& skip_number() {
    const unsigned length = whole_number();
    if (good_) p_ += length;
    return *this;
  }
  // 1 to 14 digits, a point and more of them, 15 characters in all, or no point; as parse_decimal.
  Cursor& decimal(Decimal& out) {
    const std::uint32_t others = ~digits() & 0xFFFF;
    const unsigned whole = first(others);
    good_ = good_ && p_ - begin_ >= before && whole > 0 && whole < 16 && whole < static_cast<std::size_t>(end_ - p_) &&
            (*p_ != '0' || whole == 1);
    if (!good_) return *this;
    if (p_[whole] != '.') {
      out = Decimal(value(take(whole)), 0);
      return *this;
    }
    const unsigned length = first(others & (others - 1));
    // Where the zeros at the end begin.
    const std::uint32_t kept = ~zeros() & ((std::uint32_t{1} << (length & 31U)) - 1);
    const unsigned last = 31U - static_cast<unsigned>(std::countl_zero(kept | 1U));
    const unsigned fraction = last > whole ? last - whole : 0;
    good_ = length > whole + 1 && length < 16 && length <= static_cast<std::size_t>(end_ - p_);
    if (!good_) return *this;
    const std::string_view text = take(length);
    out = Decimal(static_cast<Int128>(value(text.substr(0, whole)) * powers_of_ten[fraction] +
                                      value(text.substr(whole + 1, fraction))),
                  fraction);
    return *this;
  }
  Cursor& boolean(bool& out) {
    out = next_is("true");
    good_ = out ? skip("true") : skip("false");
    return *this;
  }

 private:
  static constexpr unsigned look = 32;
  static constexpr std::ptrdiff_t before = 8;  // numbers are read from their ends, eight bytes at a time

  // A bit for each of the next `size` bytes; those behind the end are 0. What lies before `p_` is looked at instead.
  template <unsigned size, class Test>
  [[nodiscard]] std::uint32_t next(Test test) const {
    const auto left = static_cast<std::size_t>(end_ - p_);
    if (left >= size) [[likely]]
      return test(p_);
    return left == 0 || !good_ ? 0 : test(end_ - size) >> (size - left);
  }
  [[nodiscard]] unsigned whole_number() {
    const unsigned length = first(~digits());
    good_ = good_ && p_ - begin_ >= before && length > 0 && length <= 16 &&
            length <= static_cast<std::size_t>(end_ - p_) && (*p_ != '0' || length == 1) &&
            (length < 16 || p_ + 16 == end_ || p_[16] < '0' || p_[16] > '9');
    return length;
  }
  [[nodiscard]] static unsigned first(std::uint32_t bits) { return static_cast<unsigned>(std::countr_zero(bits)); }
  std::string_view take(unsigned length) {
    const std::string_view out(p_, length);
    p_ += length;
    return out;
  }
#ifdef __SSE2__
  template <class Mask>
  [[nodiscard]] static std::uint32_t sixteen(const char* at, Mask mask) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(mask(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)))));
  }
  [[nodiscard]] std::uint32_t stops() const {
    return next<look>([](const char* at) {
      const auto mask = [](__m128i x) {
        const __m128i quotes = _mm_cmpeq_epi8(x, _mm_set1_epi8('"')), slashes = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
        return _mm_or_si128(_mm_or_si128(quotes, slashes), _mm_cmplt_epi8(x, _mm_set1_epi8(' ')));
      };
      return sixteen(at, mask) | sixteen(at + 16, mask) << 16U;
    });
  }
  [[nodiscard]] static __m128i are_digits(__m128i x) {
    return _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
  }
  [[nodiscard]] std::uint32_t digits() const {
    return next<16>([](const char* at) { return sixteen(at, are_digits); });
  }
  [[nodiscard]] std::uint32_t digits32() const {
    return next<look>([](const char* at) { return sixteen(at, are_digits) | sixteen(at + 16, are_digits) << 16U; });
  }
  [[nodiscard]] bool starts_with(const Key& key) const {
    if (end_ - p_ < static_cast<std::ptrdiff_t>(Key::room)) return starts_slowly_with(key);
    const auto same = [&](unsigned from) {
      const __m128i want = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key.text + from));
      return sixteen(p_ + from, [&](__m128i x) { return _mm_cmpeq_epi8(x, want); });
    };
    const std::uint32_t equal = same(0) | same(16) << 16U;
    return (equal & key.bits) == key.bits && key.size != 0;
  }
  [[nodiscard]] std::uint32_t zeros() const {
    return next<16>(
        [](const char* at) { return sixteen(at, [](__m128i x) { return _mm_cmpeq_epi8(x, _mm_set1_epi8('0')); }); });
  }
#else
  template <unsigned size, class Is>
  [[nodiscard]] std::uint32_t next_by_1(Is is) const {
    return next<size>([&](const char* at) {
      std::uint32_t bits = 0;
      for (unsigned i = 0; i < size; ++i) bits |= static_cast<std::uint32_t>(is(at[i])) << i;
      return bits;
    });
  }
  [[nodiscard]] std::uint32_t stops() const {
    return next_by_1<look>([](char c) { return c == '"' || c == '\\' || static_cast<signed char>(c) < ' '; });
  }
  [[nodiscard]] std::uint32_t digits() const {
    return next_by_1<16>([](char c) { return c >= '0' && c <= '9'; });
  }
  [[nodiscard]] std::uint32_t digits32() const {
    return next_by_1<look>([](char c) { return c >= '0' && c <= '9'; });
  }
  [[nodiscard]] std::uint32_t zeros() const {
    return next_by_1<16>([](char c) { return c == '0'; });
  }
  [[nodiscard]] bool starts_with(const Key& key) const { return starts_slowly_with(key); }
#endif
  [[nodiscard]] bool starts_slowly_with(const Key& key) const {
    return key.size != 0 && end_ - p_ >= static_cast<std::ptrdiff_t>(key.size) &&
           std::memcmp(p_, key.text, key.size) == 0;
  }

  const char* p_;
  const char *const begin_, *const end_;
  bool good_;
};

}  // namespace cvdd::plain
