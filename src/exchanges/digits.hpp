// Short numbers out of their digits, without a branch for each. They look at bytes in front of the text, so there must
// be some: sixteen that may be read, whatever they are.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cvdd::plain {

// The number that at most 16 digits are; what lies in front of them is looked at, and counts as zeros.
[[nodiscard]] inline std::uint64_t value(std::string_view text) {
  // The last eight and the eight before them, read together.
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
inline constexpr std::array<std::uint64_t, 17> powers_of_ten = [] {
  std::array<std::uint64_t, 17> out{1};
  for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] * 10;
  return out;
}();

// A bit for each of the sixteen bytes in front of `end`, the last one highest: is it a digit, is it a zero?
#ifdef __SSE2__
[[nodiscard]] inline std::uint32_t digits_before(const char* end) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(end - 16));
  const __m128i are =
      _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(are));
}
[[nodiscard]] inline std::uint32_t zeros_before(const char* end) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(end - 16));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('0'))));
}
#else
template <class Is>
[[nodiscard]] std::uint32_t sixteen_before(const char* end, Is is) {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < 16; ++i) bits |= static_cast<std::uint32_t>(is(end[static_cast<int>(i) - 16])) << i;
  return bits;
}
[[nodiscard]] inline std::uint32_t digits_before(const char* end) {
  return sixteen_before(end, [](char c) { return c >= '0' && c <= '9'; });
}
[[nodiscard]] inline std::uint32_t zeros_before(const char* end) {
  return sixteen_before(end, [](char c) { return c == '0'; });
}
#endif

}  // namespace cvdd::plain
