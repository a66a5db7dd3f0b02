// From JSON fields to the values of a trade or an instrument. Shared by the exchanges' files, used by them alone.
#pragma once

#include <cstdint>
#include <optional>
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

// One row of a message: of the instrument that it names, or else of the one that the message as a whole is about.
// `read(instrument, trade)` makes the trade. Asked for only when the row is refused: `time()`, the row's own, if it can
// be read, and `topic()`, the message's instrument, or nullptr.
template <class Read, class Time, class Topic>
void take_row(const Scalar& symbol, const SymbolTable& symbols, Parsed& out, Read&& read, Time&& time, Topic&& topic) {
  const auto refuse = [&](Refusal why, const Instrument* of) { out.refuse(why, of, time().value_or(Timestamp{})); };
  if (!symbol.is_string()) return refuse(Refusal::bad_field, topic());
  const auto found = symbols.find(symbol.text);
  if (found == symbols.end() || found->second == nullptr) {
    const Instrument* const of = topic();
    return of != nullptr ? refuse(Refusal::unknown_symbol, of) : out.refuse(Refusal::unknown_symbol);
  }
  Trade trade;
  const Refusal refusal = read(*found->second, trade);
  if (refusal != Refusal::none) return refuse(refusal, found->second);
  out.trades.push_back(trade);
}
// A message of trades without a row: nothing, if its list is there and empty.
void take_none(const Scalar& list, const Instrument* topic, Parsed& out);
// The instrument of this symbol, if it is wanted.
[[nodiscard]] const Instrument* wanted(const SymbolTable& symbols, std::string_view symbol);

// One row of a history: a trade, or one that is left out.
void take_past(HistoryPage& out, const Trade& trade, Refusal refusal, std::optional<std::uint64_t> id,
               std::optional<Timestamp> time);
// As HistoryPage wants them, whatever order they came in: `newest_first` is the usual one.
void put_in_order(HistoryPage& page, bool newest_first);

}  // namespace cvdd::fields
