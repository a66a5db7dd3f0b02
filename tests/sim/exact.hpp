// Exact decimals of the judges: integers with a scale, summed and compared by arithmetic of their own.
#pragma once

#include <optional>
#include <string_view>

#include "cvdd/base/decimal.hpp"

namespace cvdd::simtest {

// mantissa / 10^scale, without trailing zeros: equal numbers are equal members. Sums of a run stay far below 10^38.
struct Exact {
  Int128 mantissa = 0;
  unsigned scale = 0;
  friend bool operator==(const Exact&, const Exact&) = default;
};
[[nodiscard]] Exact exact(Int128 mantissa, unsigned scale);
// As files print it: no exponent, no superfluous zero before or behind, no "-0", at most 38 digits; empty if it is not.
[[nodiscard]] std::optional<Exact> read_exact(std::string_view text);
[[nodiscard]] Exact operator+(const Exact& a, const Exact& b);
[[nodiscard]] Exact operator-(const Exact& a, const Exact& b);
[[nodiscard]] bool operator<(const Exact& a, const Exact& b);

}  // namespace cvdd::simtest
