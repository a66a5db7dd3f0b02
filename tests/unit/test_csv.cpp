#include "catch.hpp"
#include "cvdd/ledger/csv_row.hpp"

using namespace cvdd;

TEST_CASE("a row is the contract's 25 columns, and is read back to the letter") {
  Row row;
  row.time = *parse_time("2026-11-20T20:59:00Z");
  row.exchange = "binance";
  row.market = Market::inverse;
  row.symbol = "BTCUSD_PERP";
  row.rev = 2;
  row.status = BarStatus::gap;
  row.open = row.high = row.low = row.close = parse_decimal("61804.80");
  row.buys = 3;
  row.buy_base = *parse_decimal("0.006471989231");
  row.buy_quote = *parse_decimal("400");
  row.delta_base = row.cvd_base = row.buy_base;
  row.delta_quote = row.buy_quote;
  row.cvd_quote = *parse_decimal("-12.5");
  row.first_id = row.last_id = "849714402";
  row.missing = std::nullopt;
  std::string text;
  append_row(text, row);
  CHECK(
      text ==
      "2026-11-20T20:59:00Z,binance,inverse,BTCUSD_PERP,2,gap,61804.8,61804.8,61804.8,61804.8,3,0,0.006471989231,0,400,"
      "0,0.006471989231,400,0.006471989231,-12.5,0,0,849714402,849714402,?\n");
  text.pop_back();
  const auto again = parse_row(text);
  REQUIRE(again.has_value());
  CHECK(again->cvd_quote == row.cvd_quote);
  CHECK(!again->missing.has_value());
}

TEST_CASE("a line that cvdd would not have written is not believed") {
  const std::string good = "2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,live,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0";
  REQUIRE(parse_row(good).has_value());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    INFO(good.substr(0, cut));
    CHECK_FALSE(parse_row(good.substr(0, cut)).has_value());
  }
  for (const char* line : {"2026-11-20T20:59:00Z,binance,spot,BTCUSDT,00,live,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0",
                           "2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,live,,,,,0,0,0.10,0,0,0,0,0,0,0,0,0,,,0",
                           "2026-11-20T24:59:00Z,binance,spot,BTCUSDT,0,live,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0",
                           "2026-02-30T20:59:00Z,binance,spot,BTCUSDT,0,live,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0",
                           "2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,good,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0",
                           "2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,live,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0,"}) {
    INFO(line);
    CHECK_FALSE(parse_row(line).has_value());
  }
}

TEST_CASE("times are UTC, from 1970 to 9999") {
  CHECK(format_time({0}) == "1970-01-01T00:00:00Z");
  CHECK(format_day(*parse_time("2024-02-29T23:59:59Z")) == "2024-02-29");
  CHECK(format_time(*parse_time("9999-12-31T23:59:59Z")) == "9999-12-31T23:59:59Z");
}
