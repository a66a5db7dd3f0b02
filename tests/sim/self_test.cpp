#include <fmt/format.h>

#include "sim/row_reader.hpp"
#include "sim/storms.hpp"
#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

namespace {
constexpr std::string_view good_row =
    "2025-11-20T21:56:00Z,binance,linear,BTCUSDT,0,live,100.5,101,100,100.25,3,1,1.5,0.25,150.75,25,1.25,125.75,1.25,"
    "125.75,0,0,7,9,0";

struct Planted {
  std::string_view from, to, expected;  // in the good row; what the reader says of it
};
constexpr Planted planted_in_rows[] = {
    {"", "", ""},
    {"live", "alive", "bad status"},
    {"21:56:00Z", "24:56:00Z", "bad time"},
    {"2025-11-20", "2025-02-29", "bad time"},
    {"T21", " 21", "bad time"},
    {",1.5,", ",1.50,", "bad buy_base"},
    {",1.5,", ",01.5,", "bad buy_base"},
    {",1.5,", ",1.5e0,", "bad buy_base"},
    {",0,0,7", ",-0,0,7", "bad other_base"},
    {",0,0,7", ",-1,0,7", "a volume is negative"},
    {",1.25,125.75,1.25", ",1.26,125.75,1.25", "delta_base is not buy_base - sell_base"},
    {"100.5,101", "102,101", "a price is beyond high and low"},
    {"100.5,101", ",101", "some prices are empty"},
    {",7,9,0", ",7,,0", "one id is empty"},
    {",7,9,0", ",,,0", "trades without ids"},
    {",7,9,0", ",7,9,?", "whole, and something is missing"},
    {",7,9,0", ",7,9", "bad last_id"},
    {",7,9,0", ",7,9,0,", "more than 25 columns"},
    {",7,9,0", ",7,9, 0", "bad missing"},
    {"linear", "futures", "bad market"},
    {",0,live", ",00,live", "bad rev"},
};

bool reader_sees_all() {
  bool good = true;
  for (const Planted& planted : planted_in_rows) {
    std::string row(good_row), why;
    if (!planted.from.empty()) row.replace(row.find(planted.from), planted.from.size(), planted.to);
    const bool read = read_row(row, why).has_value();
    if (read == planted.expected.empty() && why == planted.expected) continue;
    fmt::print("  self-test: \"{}\" expected, \"{}\" said of: {}\n", planted.expected, why, row);
    good = false;
  }
  return good;
}

// A bar of three trades, told rightly and wrongly.
bool figures_see_all() {
  sim::TapeInstrument of = sim::make_instrument(Market::linear, 0, 60);
  of.price_decimals = 2;
  of.size_decimals = 3;
  of.instrument.contract_size = Decimal(1, 0);
  of.numbering = sim::Numbering::aggregates;
  std::vector<sim::TapeTrade> trades(3);
  trades[0] = {{}, 7, 70, 71, 10'050, 500, false, false};
  trades[1] = {{}, 8, 72, 72, 10'100, 1'000, false, false};
  trades[2] = {{}, 9, 73, 73, 10'000, 250, true, false};
  std::string why;
  const std::string right =
      "2025-11-20T21:56:00Z,binance,linear,BTCUSDT,0,live,100.5,101,100,100,3,1,1.5,0.25,151.25,25,1.25,126.25,1.25,"
      "126.25,0,0,7,9,0";
  const auto row = read_row(right, why);
  if (!row) return false;
  ReadRow flipped = *row, more = *row;
  std::swap(flipped.buys, flipped.sells);
  more.sell_base = more.sell_base + exact(1, 12);
  const std::span<const sim::TapeTrade> all(trades);
  return difference(*row, of, all).empty() && difference(*row, of, all.first(2)) == "fills" &&
         difference(flipped, of, all) == "fills" && difference(more, of, all) == "base volume" &&
         !lacks(*row, of, all) && lacks(flipped, of, all) && exceeds(*row, of, all.last(2)) && exceeds(more, of, all) &&
         !exceeds(*row, of, all);
}
}  // namespace

bool test_judges() {
  const bool good = reader_sees_all() && figures_see_all();
  fmt::print("judges: what was planted is {}\n", good ? "seen" : "NOT SEEN");
  return good;
}

}  // namespace cvdd::simtest
