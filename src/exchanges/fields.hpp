// From JSON fields to the values of a trade or an instrument. Shared by the exchanges' files, used by them alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"
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
// "2014-11-07T08:19:27.028459Z", or "…+00:00", to the microsecond; further digits are cut. From 1971 to 2250.
[[nodiscard]] std::optional<Timestamp> iso_time(const Scalar& field);
// "20f43950-d8dd-5b31-9112-a178eb6023af": the id as 128 bits, and as it is written; false if it is none.
[[nodiscard]] bool read_uuid(std::string_view text, Trade& trade);
[[nodiscard]] std::optional<Aggressor> aggressor(const Scalar& field, std::string_view buy, std::string_view sell);

// What every trade has but price and size.
inline void set(Trade& trade, const Instrument& instrument, Timestamp time, std::uint64_t id, Aggressor aggressor,
                Series series = Series::single) {
  trade.instrument = &instrument;
  trade.time = time;
  trade.id = id;
  trade.aggressor = aggressor;
  trade.series = series;
}
// Price and size of a trade whose instrument is known, and from them base and quote.
[[nodiscard]] Refusal read_volume(const Scalar& price, const Scalar& size, Trade& trade);
// Base and quote from price and `size`, by market and contract size (docs/exchanges.md); false if they don't fit.
// Inverse: quote = size × contract size, base = quote ÷ price, half-even to 12 decimals.
// Else: base = size × contract size, quote = base × price.
[[nodiscard]] bool convert(Trade& trade, const Decimal& size);

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
