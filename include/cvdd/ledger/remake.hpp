// Bars that were made again of the exchange's trades: whether these are all of them, and whom to believe where the
// exchange's candle says something else. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Whether a page of history has every one of these ids. `trades`: in the order of their ids.
[[nodiscard]] bool holds_all(std::span<const Trade> trades, std::span<const std::uint64_t> ids);

// What the exchange's candles say of the sums of its trades; silent: there is no candle for some of them.
enum class Figures : std::uint8_t { agree, silent, differ };

// Bars as history has them, beside what the rows say.
struct Remade {
  Figures figures = Figures::silent;
  bool same = false;           // the rows say what history's trades say
  bool refuted = false;        // figures have said of the rows that they are wrong
  bool unit_in_doubt = false;  // a contract's size may have been another then
};

// Whether the bars may be called whole as history has them. What figures refuted, or what may be of another unit, is
// believed to figures alone, but where nothing else than trades can be right: ids have an order, no contracts are
// counted, and rows and history say the same.
[[nodiscard]] bool believed(const Remade& remade, const Instrument& instrument);

}  // namespace cvdd
