// Single messages with the parse that other public projects assert. They are read where they lie and never copied.
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "source_dir.hpp"

using namespace cvdd;

namespace {

std::filesystem::path golden_file() {
  const char* shared = std::getenv("CVDD_SHARED");
  std::filesystem::path root =
      shared && *shared ? std::filesystem::path(shared) : std::filesystem::path(source_dir()) / ".." / "shared";
  return root / "recordings" / "golden.jsonl";
}

// A field's text, whether the file holds it as a string or as a number; empty if null or absent.
std::string text_of(simdjson::dom::element object, const char* key) {
  simdjson::dom::element value;
  std::string_view string;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return {};
  return value.get(string) == simdjson::SUCCESS ? std::string(string) : simdjson::minify(value);
}

// The file names its markets in its own words; "auto": the instrument tells.
bool may_be(std::string_view name, Market market) {
  if (name == "auto") return true;
  if (name == "perpetual") return market == Market::linear || market == Market::inverse;
  if (name == "usdm") return market == Market::linear;
  if (name == "coinm") return market == Market::inverse;
  return name == name_of(market);
}

// Contracts whose size is on no list here, as their exchange listed them in those days.
const std::map<std::string, std::pair<Market, Decimal>> contracts{
    {"BTC-USDT-SWAP", {Market::linear, {1, 2}}},           // ctVal 0.01 BTC
    {"BTC-USD-SWAP", {Market::inverse, {100, 0}}},         // ctVal 100 USD
    {"FIL-USD-220325", {Market::inverse, {10, 0}}},        // ctVal 10 USD
    {"BTC-USD-211224-56000-C", {Market::option, {1, 1}}},  // ctVal 1 BTC, ctMult 0.1
    {"ETHH21", {Market::linear, {1, 0}}},                  // 1 ETH, in XBT
};

// The instrument the message speaks of, by its exchange's own rules or from the table.
std::optional<Instrument> instrument_in(const Exchange& exchange, const std::string& message) {
  const std::string symbol = exchange.symbol_of(message);
  Instrument instrument;
  if (exchange.assume_instrument(symbol, {}, instrument)) return instrument;
  const auto known = contracts.find(symbol);
  if (known == contracts.end() || known->second.first != exchange.market) return std::nullopt;
  instrument.exchange = exchange.name;
  instrument.market = exchange.market;
  instrument.symbol = symbol;
  instrument.contract_size = known->second.second;
  return instrument;
}

bool within(const Decimal& got, const std::string& expected, bool rounded) {
  // Of an infinite quotient as many digits as we can read.
  const auto point = expected.find('.');
  auto want = parse_sum(rounded && point != expected.npos ? expected.substr(0, point + 25) : expected);
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
    const auto contracts_told = parse_sum(v);
    // Where the size is not in contracts, how many they were is of no use to us.
    if (trade.instrument->contract_size == Decimal{1, 0}) return contracts_told.has_value();
    const auto units = contracts_told ? multiply(*contracts_told, trade.instrument->contract_size) : std::nullopt;
    return units && *units == (inverse ? trade.quote : trade.base);
  });
  field("time_ms", [&](const std::string& v) { return std::to_string(trade.time.us / 1000) == v; });
  field("trade_id", [&](const std::string& v) {
    return (trade.name.empty() ? std::to_string(trade.id) : std::string(trade.name.view())) == v;
  });
  return checks;
}

// Wire format: the file has some messages printed prettily.
std::string minified(const std::string& message) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  return parser.parse(message).get(root) == simdjson::SUCCESS ? simdjson::minify(root) : message;
}

// Checks done; empty: no market of the exchange knows the message's instrument.
std::optional<unsigned> check_line(simdjson::dom::element golden) {
  const std::string message = text_of(golden, "msg");
  const bool must_fail = !text_of(golden, "error").empty();
  for (const Exchange* exchange : all_exchanges()) {
    if (exchange->name != text_of(golden, "exchange") || !may_be(text_of(golden, "market"), exchange->market)) continue;
    const auto instrument = instrument_in(*exchange, minified(message));
    if (!instrument && !must_fail) continue;
    SymbolTable symbols;
    if (instrument) symbols.emplace(instrument->symbol, &*instrument);
    Parsed out;
    exchange->parse(message, symbols, out);
    INFO(text_of(golden, "source") << "\n" << message << "\nrefusal: " << name_of(out.refusal));
    simdjson::dom::array expect;
    if (must_fail || golden["expect"].get(expect) != simdjson::SUCCESS) {
      CHECK(out.trades.empty());
      return 1;
    }
    REQUIRE(out.trades.size() == expect.size());
    unsigned checks = 0;
    for (std::size_t i = 0; i < out.trades.size(); ++i) checks += check_trade(out.trades[i], expect.at(i).value());
    return checks;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("golden: single messages read as other projects read them") {
  std::ifstream file(golden_file());
  if (!file) {
    WARN("SKIPPED: no golden messages at " << golden_file() << "; set CVDD_SHARED to their directory");
    return;
  }
  simdjson::dom::parser parser;
  std::map<std::string, std::pair<unsigned, unsigned>> done;  // messages, fields
  for (std::string line; std::getline(file, line);) {
    simdjson::dom::element golden;
    REQUIRE(parser.parse(line).get(golden) == simdjson::SUCCESS);
    const std::string exchange = text_of(golden, "exchange");
    const bool ours = std::any_of(all_exchanges().begin(), all_exchanges().end(),
                                  [&](const Exchange* e) { return e->name == exchange; });
    if (!ours) continue;
    const auto checks = check_line(golden);
    INFO(line);
    REQUIRE(checks);
    ++done[exchange].first;
    done[exchange].second += *checks;
  }
  for (const Exchange* exchange : all_exchanges()) CHECK(done[std::string(exchange->name)].first > 0);
  for (const auto& [exchange, counts] : done) {
    std::cout << "golden: " << counts.first << " " << exchange << " messages, " << counts.second << " fields checked\n";
  }
}
