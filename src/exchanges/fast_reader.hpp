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

class Cursor {
 public:
  // Nothing can be taken from a text shorter than one look.
  explicit Cursor(std::string_view text)
      : p_(text.data()), begin_(p_), end_(p_ + text.size()), good_(text.size() >= look) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return p_ == end_; }

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
    constexpr std::uint64_t tens[] = {1,
                                      10,
                                      100,
                                      1'000,
                                      10'000,
                                      100'000,
                                      1'000'000,
                                      10'000'000,
                                      100'000'000,
                                      1'000'000'000,
                                      10'000'000'000,
                                      100'000'000'000,
                                      1'000'000'000'000,
                                      10'000'000'000'000,
                                      100'000'000'000'000,
                                      1'000'000'000'000'000,
                                      10'000'000'000'000'000};
    out = Decimal(
        static_cast<Int128>(value(text.substr(0, whole)) * tens[fraction] + value(text.substr(whole + 1, fraction))),
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
    if (!good_) return 0;
    const auto left = static_cast<std::size_t>(end_ - p_);
    if (left >= size) return test(p_);
    return left == 0 ? 0 : test(end_ - size) >> (size - left);
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
  [[nodiscard]] std::uint32_t digits() const {
    return next<16>([](const char* at) {
      return sixteen(at, [](__m128i x) {
        return _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
      });
    });
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
  [[nodiscard]] std::uint32_t zeros() const {
    return next_by_1<16>([](char c) { return c == '0'; });
  }
#endif

  // Of at most 16 digits.
  [[nodiscard]] std::uint64_t value(std::string_view text) const {
    // The last eight and the eight before them, read together; what is no part of the text counts as zeros.
    const auto eight = [](const char* end, unsigned count) {
      std::uint64_t v = 0;
      std::memcpy(&v, end - 8, 8);
      // The text's first digits lie low: shifted out from below is what lies before it.
      v = count == 0 ? 0 : (v ^ 0x3030303030303030) & (~std::uint64_t{0} << (64 - 8 * count));
      v = v * 10 + (v >> 8U);
      return ((v & 0x000000FF000000FF) * 0x000F424000000064 + ((v >> 16U) & 0x000000FF000000FF) * 0x0000271000000001) >>
             32U;
    };
    static_assert(std::endian::native == std::endian::little);
    const auto size = static_cast<unsigned>(text.size());
    const char* const end = text.data() + size;
    const unsigned low = size < 8 ? size : 8;
    return eight(end, low) + (size > 8 ? eight(end - 8, size - 8) * 100'000'000 : 0);
  }

  const char* p_;
  const char *const begin_, *const end_;
  bool good_;
};

}  // namespace cvdd::plain
