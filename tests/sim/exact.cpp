#include "sim/exact.hpp"

#include <algorithm>

namespace cvdd::simtest {

namespace {
Int128 at_scale(const Exact& value, unsigned scale) {
  Int128 mantissa = value.mantissa;
  for (unsigned s = value.scale; s < scale; ++s) mantissa *= 10;
  return mantissa;
}
}  // namespace

Exact exact(Int128 mantissa, unsigned scale) {
  while (scale > 0 && mantissa % 10 == 0) {
    mantissa /= 10;
    --scale;
  }
  return {mantissa, scale};
}

std::optional<Exact> read_exact(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || !digits(whole) || !digits(fraction) || whole.size() + fraction.size() > 38) return std::nullopt;
  if (whole.size() > 1 && whole.front() == '0') return std::nullopt;
  if (point != text.npos && (fraction.empty() || fraction.back() == '0')) return std::nullopt;
  Int128 mantissa = 0;
  for (const std::string_view part : {whole, fraction}) {
    for (const char c : part) mantissa = mantissa * 10 + (c - '0');
  }
  if (negative && mantissa == 0) return std::nullopt;
  return Exact{negative ? -mantissa : mantissa, static_cast<unsigned>(fraction.size())};
}

Exact operator+(const Exact& a, const Exact& b) {
  const unsigned scale = std::max(a.scale, b.scale);
  return exact(at_scale(a, scale) + at_scale(b, scale), scale);
}

Exact operator-(const Exact& a, const Exact& b) { return a + Exact{-b.mantissa, b.scale}; }

bool operator<(const Exact& a, const Exact& b) {
  const unsigned scale = std::max(a.scale, b.scale);
  return at_scale(a, scale) < at_scale(b, scale);
}

}  // namespace cvdd::simtest
