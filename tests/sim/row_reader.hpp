// Rows as a reader of the CSV contract (docs/csv.md) reads them, by code of its own: nothing of how the daemon writes
// or reads rows is used here. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"
#include "sim/exact.hpp"

namespace cvdd::simtest {

enum class Status : std::uint8_t { live, partial, gap, repaired, history };
inline constexpr std::size_t statuses = 5;
[[nodiscard]] std::string_view name_of(Status status);

struct ReadRow {
  std::string text;  // the line
  Timestamp time;    // begin of the bar
  std::string exchange, symbol;
  Market market = Market::spot;
  std::uint32_t rev = 0;
  Status status = Status::gap;
  std::optional<Exact> open, high, low, close;  // all or none
  std::uint64_t buys = 0, sells = 0;            // fills
  Exact buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote, cvd_base, cvd_quote, other_base,
      other_quote;
  std::string first_id, last_id;         // both or none
  std::optional<std::uint64_t> missing;  // empty: "?"
  // What it claims to be all of.
  [[nodiscard]] bool whole() const { return status == Status::live || status == Status::repaired; }
};

// The first line of every file.
[[nodiscard]] std::string_view header_of_contract();
// One line without its newline. Empty, and `why`, if it is no row, or contradicts itself.
[[nodiscard]] std::optional<ReadRow> read_row(std::string_view line, std::string& why);

}  // namespace cvdd::simtest
