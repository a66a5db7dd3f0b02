// Bars that were made again of the exchange's trades: whether these are all of them, and whom to believe where the
// exchange's candle says something else. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Whether a page of history has every one of these ids. `trades`: in the order of their ids.
[[nodiscard]] bool holds_all(std::span<const Trade> trades, std::span<const std::uint64_t> ids);

// Puts the newer trades of a page behind `trades`; false, and nothing is done, if ids do not go on from one to the
// next. Both in the order of their ids, which are a sequence; the page may begin with some that are there.
[[nodiscard]] bool put_behind(std::span<const Trade> page, std::vector<Trade>& trades);
// Puts the older trades of a page in front of `trades`; how many there were. Empty: the two do not touch, so there may
// be others between. Both oldest first, of one instrument whose ids have no order.
[[nodiscard]] std::optional<std::size_t> put_before(std::span<const Trade> page, std::vector<Trade>& trades);

// What the exchange's candles say of the sums of its trades; silent: there is no candle for some of them.
enum class Figures : std::uint8_t { agree, silent, differ };

// Bars as history has them, beside what the rows say.
struct Remade {
  Figures figures = Figures::silent;
  bool same = false;           // the rows say what history's trades say
  bool refuted = false;        // figures have said of the rows that they are wrong
  bool unit_in_doubt = false;  // a contract's size may have been another then
  bool numbered = false;       // history shows by numbers of its own that it lacks none
};

// Whether the bars may be called whole as history has them. What figures refuted, or what may be of another unit, is
// believed to figures alone, but where nothing else than trades can be right: ids have an order or history has numbers
// of its own, no contracts are counted, and rows and history say the same.
[[nodiscard]] bool believed(const Remade& remade, const Instrument& instrument);

}  // namespace cvdd
