// From JSON fields to the values of a trade or an instrument. Shared by the exchanges' files, used by them alone.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "digits.hpp"
#include "json.hpp"

namespace cvdd::fields {

using json::Scalar;
using Kind = Scalar::Kind;

[[nodiscard]] inline bool is_decimal_kind(const Scalar& field) {
  return field.is(Kind::string) || field.is(Kind::number);
}
// The whole number that the field's text is, if it is of 1 to 16 digits and roomy.
[[nodiscard]] inline std::optional<std::uint64_t> short_integer(const Scalar& field) {
  const std::size_t size = field.text.size();
  if (!field.roomy || size == 0 || size > 16) return std::nullopt;
  const std::uint32_t wanted = 0xFFFFU << (16 - size) & 0xFFFFU;
  if ((plain::digits_before(field.text.data() + size) & wanted) != wanted) return std::nullopt;
  return plain::value(field.text);
}
// The same of a decimal of at most 16 characters.
[[nodiscard]] inline std::optional<Decimal> short_decimal(const Scalar& field) {
  const std::string_view text = field.text;
  const std::size_t size = text.size();
  if (!field.roomy || size == 0 || size > 16) return std::nullopt;
  const char* const end = text.data() + size;
  const std::uint32_t others = ~plain::digits_before(end) & (0xFFFFU << (16 - size) & 0xFFFFU);
  if (others == 0) {
    if (text[0] == '0' && size > 1) return std::nullopt;
    return Decimal(plain::value(text), 0);
  }
  // The lowest is the first that is no digit.
  const auto at = static_cast<std::size_t>(std::countr_zero(others)) - (16 - size);
  if ((others & (others - 1)) != 0 || text[at] != '.' || at == 0 || at + 1 == size || (text[0] == '0' && at > 1)) {
    return std::nullopt;
  }
  const std::size_t after = size - at - 1;
  const auto zeros = static_cast<std::size_t>(std::countl_one(static_cast<std::uint16_t>(plain::zeros_before(end))));
  const std::size_t fraction = zeros < after ? after - zeros : 0;
  return Decimal(static_cast<Int128>(plain::value(text.substr(0, at)) * plain::powers_of_ten[fraction] +
                                     plain::value(text.substr(at + 1, fraction))),
                 static_cast<unsigned>(fraction));
}

// Price or size; empty if it is none or has too many digits.
[[nodiscard]] inline std::optional<Decimal> decimal(const Scalar& field) {
  const auto quick = short_decimal(field);
  return quick ? quick : parse_decimal(field.text);
}
// A whole number up to 2^63 - 1, written as a number or as a string.
[[nodiscard]] inline std::optional<std::uint64_t> integer(const Scalar& field) {
  if (!is_decimal_kind(field)) return std::nullopt;
  const auto quick = short_integer(field);
  return quick ? quick : parse_digits(field.text);
}
// … as a number only.
[[nodiscard]] inline std::optional<std::uint64_t> number(const Scalar& field) {
  return field.is(Kind::number) ? integer(field) : std::nullopt;
}
// A string, or empty.
[[nodiscard]] inline std::string_view text(const Scalar& field) {
  return field.is_string() ? field.text : std::string_view{};
}
// Milliseconds since 1970, as number or string; empty if 0 or after 2250.
[[nodiscard]] inline std::optional<Timestamp> milliseconds_since_1970(const Scalar& field) {
  constexpr std::uint64_t year_2250 = 8'835'984'000'000;
  const auto ms = integer(field);
  if (!ms || *ms == 0 || *ms > year_2250) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(*ms) * 1'000};
}
// Seconds since 1970 with a fraction, as number or string, to the microsecond; empty if 0 or after 2250.
[[nodiscard]] std::optional<Timestamp> seconds_since_1970(const Scalar& field);
// "2014-11-07T08:19:27.028459Z", or "…+00:00", to the microsecond; further digits are cut. From 1971 to 2250.
[[nodiscard]] std::optional<Timestamp> iso_time(const Scalar& field);
// "20f43950-d8dd-5b31-9112-a178eb6023af": the id as 128 bits, and as it is written; false if it is none.
[[nodiscard]] bool read_uuid(std::string_view text, Trade& trade);
[[nodiscard]] inline std::optional<Aggressor> aggressor(const Scalar& field, std::string_view buy,
                                                        std::string_view sell) {
  if (field.is_string(buy)) return Aggressor::buyer;
  if (field.is_string(sell)) return Aggressor::seller;
  return std::nullopt;
}

// What every trade has but price and size.
inline void set(Trade& trade, const Instrument& instrument, Timestamp time, std::uint64_t id, Aggressor aggressor,
                Series series = Series::single) {
  trade.instrument = &instrument;
  trade.time = time;
  trade.id = id;
  trade.aggressor = aggressor;
  trade.series = series;
}
// Base and quote from price and `size`, by market and contract size (docs/exchanges.md); false if they don't fit.
// Inverse: quote = size × contract size, base = quote ÷ price, half-even to 12 decimals.
// Else: base = size × contract size, quote = base × price.
[[nodiscard]] bool convert(Trade& trade, const Decimal& size);
// Price and size of a trade whose instrument is known, and from them base and quote.
[[nodiscard]] inline Refusal read_volume(const Scalar& price, const Scalar& size, Trade& trade) {
  if (!is_decimal_kind(price) || !is_decimal_kind(size)) return Refusal::bad_field;
  const auto p = decimal(price);
  const auto q = decimal(size);
  if (!p || !q || !p->is_positive() || !q->is_positive()) return Refusal::bad_number;
  trade.price = *p;
  return convert(trade, *q) ? Refusal::none : Refusal::overflow;
}

// No CSV field is quoted: a symbol that would need it cannot be used.
[[nodiscard]] bool usable_symbol(const Scalar& field);
// "BTC-USD" → an instrument of BTC and USD, whose sizes are base units; false if it is no such pair.
[[nodiscard]] bool assume_pair(std::string_view exchange, std::string_view symbol, char between, Instrument& out);
// As a JSON string.
[[nodiscard]] std::string in_quotes(std::string_view text);
// What answers call these instruments' subscriptions, each once, as JSON strings: "a","b".
[[nodiscard]] std::string quoted_topics(const DataChannel& channel, std::span<const Instrument* const> instruments);

// The instrument of this symbol, if it is wanted.
[[nodiscard]] const Instrument* wanted(const SymbolTable& symbols, std::string_view symbol);

// One row of a history: a trade, or one that is left out.
void take_past(HistoryPage& out, const Trade& trade, Refusal refusal, std::optional<std::uint64_t> id,
               std::optional<Timestamp> time);
// As HistoryPage wants them, whatever order they came in: `newest_first` is the usual one.
void put_in_order(HistoryPage& page, bool newest_first);

}  // namespace cvdd::fields
