// What `cvdd symbols` is asked and answers, and what `cvdd check --online` finds.
#include "catch.hpp"
#include "cli/commands.hpp"
#include "cli/exchange_lists.hpp"
#include "cli/load_config.hpp"

using namespace cvdd;
using Words = std::vector<std::string>;
using Markets = std::vector<Market>;

namespace {
SymbolsQuery asked(const Words& words) {
  std::string error;
  const auto query = parse_symbols_words(words, error);
  INFO(error);
  REQUIRE(query.has_value());
  return *query;
}
std::string refused(const Words& words) {
  std::string error;
  REQUIRE_FALSE(parse_symbols_words(words, error).has_value());
  return error;
}
Instrument listed(const char* symbol, bool trading = true) {
  Instrument i;
  i.exchange = "binance";
  i.market = Market::linear;
  i.symbol = symbol;
  i.base = "BTC";
  i.quote = "USDT";
  i.trading = trading;
  return i;
}
}  // namespace

TEST_CASE("symbols: exchange, market and pattern are told apart") {
  CHECK(asked({}).exchange.empty());
  CHECK(asked({"Binance"}).exchange == "binance");
  CHECK(asked({"binance", "usdm"}).markets == Markets{Market::linear});
  CHECK(asked({"binance", "perp", "BTC*"}).markets == Markets{Market::linear, Market::inverse});
  CHECK(asked({"binance", "perp", "BTC*"}).pattern == "BTC*");
  CHECK(asked({"binance", "pepe"}).pattern == "pepe");
  CHECK(asked({"PEPE"}).pattern == "PEPE");
  CHECK(asked({"*USDT"}).pattern == "*USDT");
  CHECK(asked({"perp", "BTC"}).markets == Markets{Market::linear, Market::inverse});
  CHECK(asked({"perp", "BTC"}).exchange.empty());
  CHECK(asked({"perp", "BTC"}).pattern == "BTC");
  CHECK(asked({"USDT"}).pattern == "USDT");  // and no market
  CHECK(asked({"USDT"}).markets.empty());
  CHECK(refused({"binanse"}).find("no exchange binanse; did you mean binance? there are: binance, ") == 0);
  CHECK(refused({"nowhere", "spot"}).find("no exchange nowhere; there are: binance") == 0);
  CHECK(refused({"binance", "spot", "BTC", "more"}).find("what is more for?") == 0);
  CHECK(refused({"binance", "spott", "BTC"}).find("what is BTC for? Expected [EXCHANGE [MARKET]]") == 0);
}

TEST_CASE("symbols: who could not be asked is told of once, however many they are") {
  const auto list = [](std::size_t exchange, const char* error) {
    return ExchangeList{all_exchanges()[exchange], {}, {}, error};
  };
  const auto name = [](const ExchangeList& l) {
    return std::string(l.exchange->name) + " " + std::string(name_of(l.exchange->market));
  };
  CHECK(troubles_of({list(0, ""), list(1, "")}).empty());
  CHECK(troubles_of({list(0, ""), list(1, "no route")}) ==
        std::vector<std::string>{name(list(1, "")) + ": can't be asked: no route"});
  const std::vector<ExchangeList> all{list(0, "a"), list(1, "b"), list(2, "c"), list(3, "d")};
  CHECK(troubles_of(all) ==
        std::vector<std::string>{
            name(all[0]) + ": can't be asked: a",
            "nor can any of the other 3 markets; is there a network, or a [net] proxy to be named?"});
  std::vector<ExchangeList> most = all;
  most.push_back(list(4, ""));
  CHECK(troubles_of(most).back() == "nor can these: " + name(all[1]) + ", " + name(all[2]) + ", " + name(all[3]));
}

TEST_CASE("symbols: what is listed, as a table and as CSV; foreign text does nothing to either") {
  Instrument odd = listed("A,\"B\x1b[2J", false);
  const Instrument good = listed("BTCUSDT");
  CHECK(symbols_csv({&good, &odd}) ==
        "exchange,market,symbol,base,quote,contract_size,status\nbinance,linear,BTCUSDT,BTC,USDT,1,trading\n"
        "binance,linear,\"A,\"\"B [2J\",BTC,USDT,1,not trading\n");
  const std::string table = symbols_table({&good, &odd});
  CHECK(table.find("BTCUSDT") != std::string::npos);
  CHECK(table.find('\x1b') == std::string::npos);
}

TEST_CASE("check --online says file, line and key of each name that is not listed, and what is near it") {
  std::vector<ConfigError> errors;
  const SymbolList symbols = parse_symbols("[binance]\nlinear = [\n  \"BTCUSDT\",\n  \"BTC/USDT:USDT\",\n  \"OLD\"]\n",
                                           "s.toml", known_markets(), errors);
  REQUIRE(errors.empty());
  ExchangeList list{find_exchange("binance", Market::linear), symbols.wanted.at({"binance", Market::linear}), {}, {}};
  list.instruments = {listed("BTCUSDT"), listed("OLD", false)};
  const auto found = unknown_names("s.toml", symbols, list);
  REQUIRE(found.size() == 2);
  CHECK(to_string(found[0]) == "s.toml:4: binance.linear: BTC/USDT:USDT: not listed; near: BTCUSDT");
  CHECK(to_string(found[1]) == "s.toml:5: binance.linear: OLD: listed, but not trading");
}
