// Single messages with the parse that other public projects assert. They are read where they lie and never copied.
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"

using namespace cvdd;

namespace {

std::filesystem::path golden_file() {
  const char* shared = std::getenv("CVDD_SHARED");
  std::filesystem::path root =
      shared && *shared ? std::filesystem::path(shared) : std::filesystem::path(CVDD_SOURCE_DIR) / ".." / "shared";
  return root / "recordings" / "golden.jsonl";
}

// A field's text, whether the file holds it as a string or as a number; empty if null or absent.
std::string text_of(simdjson::dom::element object, const char* key) {
  simdjson::dom::element value;
  std::string_view string;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return {};
  return value.get(string) == simdjson::SUCCESS ? std::string(string) : simdjson::minify(value);
}

Market market_of(std::string_view name) {
  if (name == "usdm") return Market::linear;
  return name == "coinm" ? Market::inverse : Market::spot;
}

// The symbol the message speaks of; the file says nothing about instruments beside it.
std::string symbol_in(simdjson::dom::parser& parser, const std::string& message) {
  simdjson::dom::element root;
  simdjson::dom::element data;
  std::string_view symbol;
  if (parser.parse(message).get(root) != simdjson::SUCCESS) return {};
  if (root["data"].get(data) != simdjson::SUCCESS) data = root;
  return data["s"].get(symbol) == simdjson::SUCCESS ? std::string(symbol) : std::string();
}

bool within(const Decimal& got, const std::string& expected, bool rounded) {
  auto want = parse_sum(expected);
  if (!want) return false;
  auto difference = subtract(got, *want);
  if (!difference) return false;
  Decimal size = difference->is_negative() ? negate(*difference) : *difference;
  return rounded ? size < Decimal{1, 9} : size.is_zero();
}

unsigned check_trade(const Trade& trade, simdjson::dom::element expect) {
  unsigned checks = 0;
  bool inverse = trade.instrument->market == Market::inverse;
  auto field = [&](const char* key, auto holds) {
    std::string want = text_of(expect, key);
    if (want.empty()) return;
    ++checks;
    INFO(key << " should be " << want);
    CHECK(holds(want));
  };
  field("symbol", [&](const std::string& v) { return trade.instrument->symbol == v; });
  field("side", [&](const std::string& v) {
    if (v == "unknown" || v == "none") return !trade.in_cvd || trade.placeholder;
    return trade.in_cvd && trade.aggressor == (v == "buy" ? Aggressor::buyer : Aggressor::seller);
  });
  field("price", [&](const std::string& v) { return within(trade.price, v, false); });
  field("quantity_base", [&](const std::string& v) { return within(trade.base, v, inverse); });
  field("quantity_quote", [&](const std::string& v) { return within(trade.quote, v, false); });
  field("contracts", [&](const std::string& v) {
    auto contracts = parse_sum(v);
    auto quote = contracts ? multiply(*contracts, trade.instrument->contract_size) : std::nullopt;
    return inverse && quote && *quote == trade.quote;
  });
  field("time_ms", [&](const std::string& v) { return std::to_string(trade.time.us / 1000) == v; });
  field("trade_id", [&](const std::string& v) { return std::to_string(trade.id) == v; });
  return checks;
}

unsigned check_line(simdjson::dom::element golden) {
  simdjson::dom::parser parser;
  std::string message = text_of(golden, "msg");
  Instrument instrument;
  instrument.exchange = "binance";
  instrument.market = market_of(text_of(golden, "market"));
  instrument.symbol = symbol_in(parser, message);
  if (instrument.market == Market::inverse) {
    instrument.contract_size = Decimal{instrument.symbol.starts_with("BTCUSD") ? 100 : 10, 0};
  }
  SymbolTable symbols{{instrument.symbol, &instrument}};
  Parsed out;
  const Exchange* exchange = find_exchange("binance", instrument.market);
  REQUIRE(exchange);
  exchange->parse(message, symbols, out);
  INFO(text_of(golden, "source") << "\n" << message << "\nrefusal: " << name_of(out.refusal));
  simdjson::dom::array expect;
  bool must_fail = !text_of(golden, "error").empty();
  if (must_fail || golden["expect"].get(expect) != simdjson::SUCCESS) {
    CHECK(out.trades.empty());
    return 1;
  }
  REQUIRE(out.trades.size() == expect.size());
  unsigned checks = 0;
  for (std::size_t i = 0; i < out.trades.size(); ++i) checks += check_trade(out.trades[i], expect.at(i).value());
  return checks;
}

}  // namespace

TEST_CASE("golden: binance messages read as other projects read them") {
  std::ifstream file(golden_file());
  if (!file) {
    WARN("SKIPPED: no golden messages at " << golden_file() << "; set CVDD_SHARED to their directory");
    return;
  }
  simdjson::dom::parser parser;
  unsigned messages = 0;
  unsigned checks = 0;
  for (std::string line; std::getline(file, line);) {
    simdjson::dom::element golden;
    REQUIRE(parser.parse(line).get(golden) == simdjson::SUCCESS);
    if (text_of(golden, "exchange") != "binance") continue;
    ++messages;
    checks += check_line(golden);
  }
  std::cout << "golden: " << messages << " binance messages, " << checks << " fields checked\n";
  CHECK(messages > 0);
  CHECK(checks > 0);
}
