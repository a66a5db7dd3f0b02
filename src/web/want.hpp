// What a client of the stream asks for, taken from its message. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "json.hpp"
#include "query.hpp"

namespace cvdd::web {

using InstrumentNames = std::set<InstrumentName, InstrumentName::Before>;

struct Want {
  InstrumentNames instruments;  // told of as they change
  Spark spark = Spark::none;    // in what is told of an instrument when it is new here
  bool rest = false;            // the others too, every few seconds, in short
  bool anew = false;            // all of `instruments` in full once more, not only those that were not wanted before
  static constexpr std::size_t instruments_max = 200;
  static constexpr std::size_t message_max = std::size_t{32} << 10;
};
// {"instruments": ["binance:spot:BTCUSDT"], "spark": "base", "rest": true, "anew": true}, each of which may be left
// out. Empty: `error` says what is wrong, and what is expected.
[[nodiscard]] std::optional<Want> parse_want(std::string_view text, std::string& error);

}  // namespace cvdd::web
