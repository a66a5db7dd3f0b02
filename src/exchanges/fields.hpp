// From JSON fields to the values of a trade or an instrument. Shared by the exchanges' files, used by them alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/core/types.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "json.hpp"

namespace cvdd::fields {

using json::Scalar;
using Kind = Scalar::Kind;

[[nodiscard]] inline bool is_decimal_kind(const Scalar& field) {
  return field.is(Kind::string) || field.is(Kind::number);
}
// Price or size; empty if it is none or has too many digits.
[[nodiscard]] std::optional<Decimal> decimal(const Scalar& field);
// A whole number up to 2^63 - 1, written as a number or as a string.
[[nodiscard]] std::optional<std::uint64_t> integer(const Scalar& field);
// … as a number only.
[[nodiscard]] std::optional<std::uint64_t> number(const Scalar& field);
// A string, or empty.
[[nodiscard]] std::string_view text(const Scalar& field);
// Milliseconds since 1970, as number or string; empty if 0 or after 2250.
[[nodiscard]] std::optional<Timestamp> milliseconds_since_1970(const Scalar& field);
[[nodiscard]] std::optional<Aggressor> aggressor(const Scalar& field, std::string_view buy, std::string_view sell);

// Price and size of a trade whose instrument is known, and from them base and quote.
[[nodiscard]] Refusal read_volume(const Scalar& price, const Scalar& size, Trade& trade);
// Base and quote from price and `size`, by market and contract size (docs/exchanges.md); false if they don't fit.
// Inverse: quote = size × contract size, base = quote ÷ price, half-even to 12 decimals.
// Else: base = size × contract size, quote = base × price.
[[nodiscard]] bool convert(Trade& trade, const Decimal& size);

// No CSV field is quoted: a symbol that would need it cannot be used.
[[nodiscard]] bool usable_symbol(const Scalar& field);
// Percent-encoded for a query.
void append_encoded(std::string& out, std::string_view text);
// As the inside of a JSON string.
void append_escaped(std::string& out, std::string_view text);

// What a history's page may hold: the reason why not, if one of its rows can't be used.
[[nodiscard]] std::string row_error(std::size_t row, Refusal refusal);

// Appends a trade, or counts the row as refused.
void take(Parsed& out, const Trade& trade, Refusal refusal);

}  // namespace cvdd::fields
