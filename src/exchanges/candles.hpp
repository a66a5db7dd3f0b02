// Candles as most exchanges send them: rows of values, newest or oldest first, with one volume in the exchange's size
// unit and no word of who took it. Used by the exchanges' files alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/outcome.hpp"
#include "json.hpp"

namespace cvdd::candles {

using Cells = std::vector<std::vector<json::Scalar>>;
// An array of plain values, behind those that are there.
[[nodiscard]] bool read_row(json::ondemand::value value, unsigned depth, std::vector<json::Scalar>& out);
// An array of arrays of plain values; what is none becomes an empty row. False if it is no JSON.
[[nodiscard]] bool read_cells(json::ondemand::value value, unsigned depth, Cells& out);

// Where a row has what, and in which unit its time is.
struct Columns {
  std::size_t time = 0, open = 1, high = 2, low = 3, close = 4, volume = 5;
  std::int64_t time_unit_us = 1'000;
  // The same volume in base units, or quote units of inverse contracts: what holds if the contract's size was another
  // then. 0: there is none.
  std::size_t units = 0;
  std::size_t fills = 0;   // how many there were; 0: rows don't tell
  std::size_t closed = 0;  // "0" there: the bar still runs, and the row is left out. 0: rows don't tell
};
// Oldest first. Base volume, or quote volume of inverse contracts; numbers that went through binary floating point are
// rounded to 8 decimals. The reason if a row is no candle.
[[nodiscard]] Outcome<std::vector<Candle>> read(const Cells& rows, const Columns& columns,
                                                const Instrument& instrument);

// What such candles can be compared with.
consteval CandleFacts facts(Market market) {
  return {false, market != Market::inverse, market == Market::inverse, false};
}

}  // namespace cvdd::candles
