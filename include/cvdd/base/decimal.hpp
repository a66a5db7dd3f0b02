// Exact decimal numbers: an integer mantissa and a decimal scale, value = mantissa / 10^scale.
// Everything that is a price, a size or a sum of sizes is one of these; binary floating point never is.
// Pure values; any thread. Overflow is reported as an empty optional, never wrapped.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cvdd {

__extension__ typedef __int128 Int128;

// Largest scale a Decimal can have: the product of two parsed numbers (18 + 18).
inline constexpr unsigned decimal_scale_max = 36;

struct Decimal {
  Int128 mantissa = 0;
  std::uint8_t scale = 0;  // digits after the point, 0 … decimal_scale_max

  constexpr Decimal() = default;
  constexpr Decimal(Int128 m, unsigned s) : mantissa(m), scale(static_cast<std::uint8_t>(s)) {}

  [[nodiscard]] constexpr bool is_zero() const { return mantissa == 0; }
  [[nodiscard]] constexpr bool is_positive() const { return mantissa > 0; }
  [[nodiscard]] constexpr bool is_negative() const { return mantissa < 0; }
};

// Reads "12", "-0.50", "1.8E-4" exactly. `digits_max` bounds the significant digits after trailing zeros are cut;
// more, or more than 18 digits after the point, is refused (empty), as is anything that is not one JSON number.
// Trailing zeros are cut, so equal numbers have equal mantissa and scale.
[[nodiscard]] std::optional<Decimal> parse_decimal(std::string_view text, unsigned digits_max = 18);

// Digits alone, up to 2^63 - 1: "0012" is 12. Empty if there is anything else, or nothing.
[[nodiscard]] std::optional<std::uint64_t> parse_digits(std::string_view text);

// As parse_decimal, for what cvdd itself printed: sums of up to 38 digits and 36 decimals.
[[nodiscard]] std::optional<Decimal> parse_sum(std::string_view text);

// Plain digits: no exponent, no trailing zeros, no "-0". parse_sum(to_string(x)) == x.
[[nodiscard]] std::string to_string(const Decimal& value);
void append_to(std::string& out, const Decimal& value);

[[nodiscard]] std::optional<Decimal> add(const Decimal& a, const Decimal& b);
[[nodiscard]] std::optional<Decimal> subtract(const Decimal& a, const Decimal& b);
[[nodiscard]] std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);

// a ÷ b rounded half-even to `decimals` places; empty if b is zero or an intermediate does not fit 128 bits.
[[nodiscard]] std::optional<Decimal> divide_half_even(const Decimal& a, const Decimal& b, unsigned decimals);

[[nodiscard]] Decimal negate(const Decimal& a);

// Cuts trailing zeros of the mantissa while the scale allows it.
[[nodiscard]] Decimal normalized(Decimal a);

// Compares values, not representations: 1.0 equals 1.00.
[[nodiscard]] std::strong_ordering compare(const Decimal& a, const Decimal& b);
inline bool operator==(const Decimal& a, const Decimal& b) { return compare(a, b) == 0; }
inline std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) { return compare(a, b); }

}  // namespace cvdd
