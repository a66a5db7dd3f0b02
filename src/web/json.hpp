// JSON text of what the API tells (docs/http.md). Pure: appends to a string.
#pragma once

#include <string>
#include <string_view>

#include "board.hpp"
#include "cvdd/feed/feed_status.hpp"
#include "cvdd/ledger/open_bar.hpp"

namespace cvdd::web {

inline constexpr std::size_t reason_max = 500;  // of an exchange's own words
// With its quotes; control characters escaped, and bytes that are no UTF-8 replaced.
void append_text(std::string& out, std::string_view text);
// "2026-11-20T20:59:07.123Z" with its quotes; null for 0.
void append_moment(std::string& out, Timestamp t);
// A string with the exact number, or null.
void append_decimal(std::string& out, const std::optional<Decimal>& value);

// "exchange":…,"market":…,"symbol":…
void append_name(std::string& out, std::string_view exchange, Market market, std::string_view symbol);
// The 25 columns of a row as an array; or, short, those that not all rows of an instrument share.
void append_row_json(std::string& out, const Row& row, bool short_form);
[[nodiscard]] std::string_view short_columns();  // as a JSON array

// Which CVD a sparkline shows.
enum class Spark : std::uint8_t { none, base, quote };
[[nodiscard]] std::optional<Spark> spark_from(std::string_view text);  // "0", "base", "quote"
// One instrument of /api/v1/instruments. `open`, `track`: may be null.
void append_instrument(std::string& out, const InstrumentState& state, Timestamp since, const OpenBar* open,
                       const Board::Track* track, Timestamp now, Duration interval, Spark spark);
// One of the stream's.
void append_open(std::string& out, const InstrumentState& state, Timestamp since, const OpenBar* open);

}  // namespace cvdd::web
