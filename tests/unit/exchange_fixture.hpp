// What the tests of the exchanges share: one market, the instruments it is asked for, one message at a time.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"

namespace cvdd::test {

struct Asked {
  Asked(std::string_view name, Market market, std::vector<std::string> names) : exchange(find_exchange(name, market)) {
    REQUIRE(exchange != nullptr);
    for (const std::string& symbol : names) {
      Instrument& i = instruments.emplace_back();
      i.exchange = name;
      i.market = market;
      i.symbol = symbol;
    }
    for (const Instrument& i : instruments) {
      symbols.emplace(i.symbol, &i);
      all.push_back(&i);
    }
  }
  const Parsed& parse(std::string_view message) {
    exchange->parse(message, symbols, parsed);
    return parsed;
  }
  const Ack& ack(std::string_view message) {
    parse(message);
    REQUIRE(parsed.acks.size() == 1);
    CHECK(parsed.refusal == Refusal::none);
    return parsed.acks.front();
  }

  const Exchange* exchange;
  std::deque<Instrument> instruments;
  std::vector<const Instrument*> all;
  SymbolTable symbols;
  Parsed parsed;
};

using Names = std::vector<std::string>;

}  // namespace cvdd::test
