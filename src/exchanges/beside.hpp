// From JSON fields to what stands beside the trades: best prices, mark and funding, open interest, forced orders. Sizes
// are converted as those of trades are. Used by the exchanges' files alone.
#pragma once

#include <optional>

#include "channels.hpp"
#include "fields.hpp"

namespace cvdd::fields {

// Of a message that tells several kinds one that can't be read spoils no other: it is counted, and false.
[[nodiscard]] inline bool good(Refusal refusal, Parsed& out) {
  if (refusal != Refusal::none) out.refuse(refusal);
  return refusal == Refusal::none;
}
[[nodiscard]] inline Refusal first_of(Refusal one, Refusal other) { return one != Refusal::none ? one : other; }

// A price that may not be there: "", null and 0 say so. A reason if it is neither.
[[nodiscard]] Refusal read_price(const Scalar& field, std::optional<Decimal>& out);
// One side of the book: nobody is there without a price, or with a size of 0.
[[nodiscard]] Refusal read_side(const Scalar& price, const Scalar& size, const Instrument& instrument,
                                std::optional<Decimal>& out_price, std::optional<Decimal>& out_size);
// A rate that may be below 0, or not there (a dated contract has none).
[[nodiscard]] Refusal read_rate(const Scalar& field, std::optional<Decimal>& out);
// A moment that may not be there: "" and 0 say so.
[[nodiscard]] Refusal read_moment(const Scalar& field, std::optional<Timestamp>& out);
// Contracts that are open, each counted once; 0 is a number of them too.
[[nodiscard]] Refusal read_open(const Scalar& contracts, const Instrument& instrument, OpenInterest& out);
// Price and size of a forced order that was filled.
[[nodiscard]] Refusal read_filled(const Scalar& price, const Scalar& size, const Instrument& instrument,
                                  Liquidation& out);

// A row that tells all of an instrument but its forced orders; what an exchange does not tell is absent.
struct Ticker {
  Scalar symbol, time, bid, bid_size, ask, ask_size, mark, index, rate, applies, open;
};
[[nodiscard]] Refusal take_ticker(const Ticker& row, const Instrument& instrument, Parsed& out);

// A frame's values have its own time where their rows have none: the number under this key.
void date_by_frame(Parsed& out, std::string_view message, std::string_view key);

}  // namespace cvdd::fields

namespace cvdd {

namespace channels {
// A row of which several values may come, or none. `take(row, instrument, out)` adds them, if it refuses nothing. Of
// who is not wanted nothing is taken.
template <const auto& slots, auto take>
bool read_beside_row(json::Value value, unsigned depth, Rows& to) {
  json::RowOf<slots> row;
  if (!json::read_fields<slots>(value, depth, row)) return false;
  ++to.count;
  const Instrument* instrument = nullptr;
  if constexpr (requires { row.symbol; }) {
    if (!row.symbol.is_string()) return to.out.refuse(Refusal::bad_field), true;
    instrument = fields::wanted(to.symbols, row.symbol.text);
  } else {
    instrument = to.instrument();
  }
  if (instrument == nullptr) return to.out.ignored = true;
  const Refusal refusal = take(row, *instrument, to.out);
  if (refusal != Refusal::none) to.out.refuse(refusal);
  return true;
}
template <const auto& slots, auto take>
bool read_beside_rows(json::Value rows, unsigned depth, Rows& to) {
  return json::each_item(rows, depth,
                         [&](json::Value row) { return read_beside_row<slots, take>(row, depth + 1, to); });
}
}  // namespace channels

// How a channel of other data than trades is read: a list of rows, or one. There is no short way to it.
template <const auto& slots, auto take>
constexpr RowReader beside_rows{channels::read_beside_rows<slots, take>, nullptr};
template <const auto& slots, auto take>
constexpr RowReader beside_row{channels::read_beside_row<slots, take>, nullptr, json::Scalar::Kind::object};

}  // namespace cvdd
