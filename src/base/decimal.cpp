#include "cvdd/base/decimal.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace cvdd {

namespace {
__extension__ typedef unsigned __int128 UInt128;

constexpr std::size_t powers = 39;
constexpr std::array<Int128, powers> power_of_ten = [] {
  std::array<Int128, powers> p{};
  p[0] = 1;
  for (std::size_t i = 1; i < powers; ++i) p[i] = p[i - 1] * 10;
  return p;
}();

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The number that eight characters are, all at once: pairs, then fours, then eight. False if one is no digit.
bool eight_digits(const char* text, std::uint64_t& out) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t zeros = 0x3030303030303030, high = 0xF0F0F0F0F0F0F0F0;
  std::uint64_t v = 0;
  std::memcpy(&v, text, 8);
  if ((v & high) != zeros || ((v + 0x0606060606060606) & high) != zeros) return false;
  v -= zeros;
  v = v * 10 + (v >> 8);
  v = ((v & 0x000000FF000000FF) * 0x000F424000000064 + ((v >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >> 32;
  out = v;
  return true;
}

// As parse(), for what nearly all prices and sizes are: at most 17 characters, digits and perhaps a point.
// Empty: not one of these.
std::optional<Decimal> parse_short(std::string_view text, unsigned digits_max) {
  constexpr std::size_t size_max = 17;
  if (text.size() > size_max || text.empty() || digits_max < size_max) return std::nullopt;
  const char* const point = static_cast<const char*>(std::memchr(text.data(), '.', text.size()));
  std::string_view whole = text, fraction;
  if (point != nullptr) {
    whole = text.substr(0, static_cast<std::size_t>(point - text.data()));
    fraction = text.substr(whole.size() + 1);
    if (fraction.empty()) return std::nullopt;
    while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  }
  if (whole.empty() || (whole[0] == '0' && whole.size() > 1)) return std::nullopt;
  const auto a = parse_digits(whole);
  const auto b = fraction.empty() ? std::optional<std::uint64_t>(0) : parse_digits(fraction);
  if (!a || !b) return std::nullopt;
  const auto shift = static_cast<std::uint64_t>(power_of_ten[fraction.size()]);
  return Decimal(static_cast<Int128>(*a * shift + *b), static_cast<unsigned>(fraction.size()));
}

std::optional<Decimal> parse(std::string_view text, unsigned digits_max, unsigned scale_max) {
  std::size_t i = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++i;
  const std::size_t begin = i;
  Int128 mantissa = 0;
  int zeros = 0;  // trailing zeros not yet worth a multiplication
  int digits = 0, scale = 0;
  bool point = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (point || i == begin || i + 1 == text.size() || !is_digit(text[i + 1])) return std::nullopt;
      point = true;
      continue;
    }
    if (!is_digit(c)) break;
    if (point) ++scale;
    if (c == '0') {
      ++zeros;
      continue;
    }
    const int shift = digits == 0 ? 1 : zeros + 1;
    digits += shift;
    zeros = 0;
    if (digits > static_cast<int>(digits_max)) return std::nullopt;
    if (__builtin_mul_overflow(mantissa, power_of_ten[static_cast<std::size_t>(shift)], &mantissa) ||
        __builtin_add_overflow(mantissa, Int128{c - '0'}, &mantissa)) {
      return std::nullopt;
    }
  }
  if (i == begin) return std::nullopt;
  if (text[begin] == '0' && begin + 1 < text.size() && is_digit(text[begin + 1])) return std::nullopt;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    ++i;
    const bool minus = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (i == text.size() || text.size() - i > 3) return std::nullopt;
    int exponent = 0;
    for (; i < text.size(); ++i) {
      if (!is_digit(text[i])) return std::nullopt;
      exponent = exponent * 10 + (text[i] - '0');
    }
    if (exponent > 40) return std::nullopt;
    scale += minus ? exponent : -exponent;
  }
  if (mantissa == 0) return Decimal{};
  scale -= zeros;  // the zeros were never multiplied in
  if (scale < 0) {
    if (digits - scale > static_cast<int>(digits_max)) return std::nullopt;
    if (__builtin_mul_overflow(mantissa, power_of_ten[static_cast<std::size_t>(-scale)], &mantissa))
      return std::nullopt;
    scale = 0;
  }
  if (scale > static_cast<int>(scale_max)) return std::nullopt;
  return Decimal(negative ? -mantissa : mantissa, static_cast<unsigned>(scale));
}

// Both mantissas at the larger of the two scales.
bool align(const Decimal& a, const Decimal& b, Int128& x, Int128& y, unsigned& scale) {
  if (a.scale == b.scale) {
    x = a.mantissa;
    y = b.mantissa;
    scale = a.scale;
    return true;
  }
  scale = std::max(a.scale, b.scale);
  return !__builtin_mul_overflow(a.mantissa, power_of_ten[scale - a.scale], &x) &&
         !__builtin_mul_overflow(b.mantissa, power_of_ten[scale - b.scale], &y);
}

UInt128 magnitude(Int128 v) { return v < 0 ? UInt128{0} - static_cast<UInt128>(v) : static_cast<UInt128>(v); }
}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text, unsigned digits_max) {
  if (const auto simple = parse_short(text, digits_max)) return simple;
  return parse(text, std::min(digits_max, 38U), 18);
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
  std::uint64_t value = 0;
  while (text.size() >= 8) {
    std::uint64_t eight = 0;
    if (!eight_digits(text.data(), eight)) return std::nullopt;
    if (__builtin_mul_overflow(value, std::uint64_t{100'000'000}, &value) ||
        __builtin_add_overflow(value, eight, &value)) {
      return std::nullopt;
    }
    text.remove_prefix(8);
    if (text.empty()) return value <= limit ? std::optional(value) : std::nullopt;
  }
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (!is_digit(c) || __builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
      return std::nullopt;
    }
  }
  return value <= limit ? std::optional(value) : std::nullopt;
}

std::optional<Decimal> parse_sum(std::string_view text) { return parse(text, 39, decimal_scale_max); }

Decimal normalized(Decimal a) {
  // 128-bit divisions take ten times as long as those of 64 bits, which nearly all numbers fit.
  if (auto small = static_cast<std::int64_t>(a.mantissa); small == a.mantissa) {
    while (a.scale > 0 && small % 10 == 0) {
      small /= 10;
      --a.scale;
    }
    a.mantissa = small;
    return a;
  }
  while (a.scale > 0 && a.mantissa % 10 == 0) {
    a.mantissa /= 10;
    --a.scale;
  }
  return a;
}

void append_to(std::string& out, const Decimal& value) {
  const Decimal v = normalized(value);
  std::array<char, 48> digits{};
  std::size_t n = 0;
  UInt128 large = magnitude(v.mantissa);
  for (; large > std::numeric_limits<std::uint64_t>::max(); large /= 10) {
    digits[n++] = static_cast<char>('0' + static_cast<int>(large % 10));
  }
  for (auto rest = static_cast<std::uint64_t>(large); rest != 0 || n <= v.scale; rest /= 10) {
    digits[n++] = static_cast<char>('0' + static_cast<char>(rest % 10));
  }
  if (v.is_negative()) out += '-';
  for (std::size_t i = n; i-- > 0;) {
    out += digits[i];
    if (i == v.scale && i > 0) out += '.';
  }
}

std::string to_string(const Decimal& value) {
  std::string out;
  append_to(out, value);
  return out;
}

std::optional<Decimal> add(const Decimal& a, const Decimal& b) {
  Int128 x = 0, y = 0, sum = 0;
  unsigned scale = 0;
  if (align(a, b, x, y, scale) && !__builtin_add_overflow(x, y, &sum)) return Decimal(sum, scale);
  const Decimal p = normalized(a), q = normalized(b);
  if (!align(p, q, x, y, scale) || __builtin_add_overflow(x, y, &sum)) return std::nullopt;
  return Decimal(sum, scale);
}

Decimal negate(const Decimal& a) { return {-a.mantissa, a.scale}; }

std::optional<Decimal> subtract(const Decimal& a, const Decimal& b) { return add(a, negate(b)); }

std::optional<Decimal> multiply(const Decimal& a, const Decimal& b) {
  Int128 product = 0;
  const auto x = static_cast<std::int64_t>(a.mantissa), y = static_cast<std::int64_t>(b.mantissa);
  if (x == a.mantissa && y == b.mantissa && a.scale + b.scale <= static_cast<int>(decimal_scale_max)) {
    return Decimal(Int128{x} * y, static_cast<unsigned>(a.scale + b.scale));  // 64 times 64 bits: it fits
  }
  if (a.scale + b.scale <= static_cast<int>(decimal_scale_max) &&
      !__builtin_mul_overflow(a.mantissa, b.mantissa, &product)) {
    return Decimal(product, static_cast<unsigned>(a.scale + b.scale));
  }
  const Decimal p = normalized(a), q = normalized(b);
  if (p.scale + q.scale > static_cast<int>(decimal_scale_max) ||
      __builtin_mul_overflow(p.mantissa, q.mantissa, &product)) {
    return std::nullopt;
  }
  return Decimal(product, static_cast<unsigned>(p.scale + q.scale));
}

// Long division, one decimal digit at a time, so that no intermediate is larger than ten times the divisor.
std::optional<Decimal> divide_half_even(const Decimal& a, const Decimal& b, unsigned decimals) {
  if (b.is_zero() || decimals > decimal_scale_max) return std::nullopt;
  const bool negative = a.is_negative() != b.is_negative();
  UInt128 divisor = magnitude(b.mantissa), rest = magnitude(a.mantissa);
  constexpr UInt128 limit = static_cast<UInt128>(-1) / 20;
  // a / b = (am / bm) · 10^(bs - as); the digits wanted after the point shift by the difference of the scales.
  int shift = static_cast<int>(decimals) + b.scale - a.scale;
  for (; shift < 0; ++shift) {
    if (divisor > limit) return std::nullopt;
    divisor *= 10;
  }
  if (divisor > limit) return std::nullopt;
  UInt128 quotient = rest / divisor;
  rest %= divisor;
  for (; shift > 0; --shift) {
    rest *= 10;
    UInt128 next = 0;
    if (__builtin_mul_overflow(quotient, UInt128{10}, &next) ||
        __builtin_add_overflow(next, rest / divisor, &quotient)) {
      return std::nullopt;
    }
    rest %= divisor;
  }
  if (rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 == 1)) ++quotient;
  if (quotient > (static_cast<UInt128>(-1) >> 1)) return std::nullopt;
  const Int128 value = static_cast<Int128>(quotient);
  return normalized(Decimal(negative ? -value : value, decimals));
}

std::strong_ordering compare(const Decimal& a, const Decimal& b) {
  Int128 x = 0, y = 0;
  unsigned scale = 0;
  if (align(a, b, x, y, scale)) return x <=> y;
  const Decimal p = normalized(a), q = normalized(b);
  if (align(p, q, x, y, scale)) return x <=> y;
  // The scales are too far apart for 128 bits: the one that did not fit is the larger in magnitude.
  const int sign_p = p.is_negative() ? -1 : (p.is_positive() ? 1 : 0);
  const int sign_q = q.is_negative() ? -1 : (q.is_positive() ? 1 : 0);
  if (sign_p != sign_q) return sign_p <=> sign_q;
  const bool p_larger = p.scale < q.scale;
  return (p_larger == (sign_p > 0)) ? std::strong_ordering::greater : std::strong_ordering::less;
}

}  // namespace cvdd
