// What a client of the stream asks for, taken from its message. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json.hpp"
#include "query.hpp"

namespace cvdd::web {

// A group: of the symbol list by its name, or instruments that somebody picked.
using GroupAsked = std::variant<std::string, std::vector<InstrumentName>>;
using InstrumentNames = std::set<InstrumentName, InstrumentName::Before>;

struct Want {
  InstrumentNames instruments;     // told of as they change
  std::vector<GroupAsked> groups;  // told of every second, if something changed
  Spark spark = Spark::none;       // in what is told of an instrument when it is new here
  bool rest = false;               // the others too, every few seconds, in short
  bool anew = false;               // all of `instruments` in full once more, not only those that were not wanted before
  static constexpr std::size_t instruments_max = 200, groups_max = 50, picked_max = 50;
  static constexpr std::size_t message_max = std::size_t{32} << 10;
};
// {"instruments": ["binance:spot:BTCUSDT"], "groups": ["btc", ["a:spot:X", "b:spot:X"]], "spark": "base", "rest": true,
// "anew": true}, each of which may be left out. Empty: `error` says what is wrong, and what is expected.
[[nodiscard]] std::optional<Want> parse_want(std::string_view text, std::string& error);

}  // namespace cvdd::web
