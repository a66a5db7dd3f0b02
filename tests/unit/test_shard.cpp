// Who collects what: each instrument exactly one, evenly, and few move when a collector is added.
#include <set>
#include <vector>

#include "catch.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/config/shard.hpp"

using namespace cvdd;

namespace {
std::vector<Instrument> many() {
  std::vector<Instrument> all;
  for (const char* exchange : {"binance", "okx", "bybit"}) {
    for (const Market market : {Market::spot, Market::linear}) {
      for (int i = 0; i < 1'000; ++i) {
        Instrument& one = all.emplace_back();
        one.exchange = exchange;
        one.market = market;
        one.symbol = "SYM" + std::to_string(i) + "USDT";
      }
    }
  }
  return all;
}
}  // namespace

TEST_CASE("each instrument belongs to exactly one shard, and none has much more than another") {
  const auto all = many();
  for (const std::uint32_t count : {1U, 2U, 3U, 7U, 16U}) {
    std::vector<std::size_t> owned(count);
    for (const Instrument& one : all) {
      std::size_t owners = 0;
      for (std::uint32_t index = 0; index < count; ++index) {
        if (!owns({index, count}, one)) continue;
        ++owners;
        ++owned[index];
      }
      REQUIRE(owners == 1);
    }
    for (const std::size_t of : owned) CHECK(std::abs(static_cast<double>(of) * count / 6'000 - 1) < 0.2);
  }
}

TEST_CASE("one more shard takes its part, and nothing else moves") {
  for (std::uint32_t count = 1; count < 12; ++count) {
    std::size_t moved = 0;
    for (const Instrument& one : many()) {
      const std::uint32_t before = shard_of(one.exchange, one.market, one.symbol, count);
      const std::uint32_t after = shard_of(one.exchange, one.market, one.symbol, count + 1);
      if (before == after) continue;
      REQUIRE(after == count);
      ++moved;
    }
    CHECK(std::abs(static_cast<double>(moved) * (count + 1) / 6'000 - 1) < 0.2);
  }
}

TEST_CASE("who owns what never changes from version to version") {
  std::string owners;
  for (const char* symbol :
       {"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "1000PEPEUSDT", "BTC-PERPETUAL", "BTC-USDT"}) {
    owners += std::to_string(shard_of("binance", Market::spot, symbol, 5));
  }
  CHECK(owners == "30313041");
}

TEST_CASE("a symbol list with wildcards is shared without holes and without overlaps") {
  std::vector<Instrument> listed;
  for (const Instrument& one : many()) {
    if (one.exchange == "okx" && one.market == Market::spot) listed.push_back(one);
  }
  std::multiset<std::string> collected;
  for (std::uint32_t index = 0; index < 3; ++index) {
    const Selection selection = select_instruments({"SYM1*USDT", "SYM7USDT", "NOSUCH"}, listed, {index, 3});
    for (const Instrument& one : selection.found) collected.insert(one.symbol);
    // A name that the exchange does not know is told by all of them; one of another shard is no mistake.
    CHECK(selection.unknown.size() == 1);
  }
  const Selection whole = select_instruments({"SYM1*USDT", "SYM7USDT"}, listed);
  std::multiset<std::string> wanted;
  for (const Instrument& one : whole.found) wanted.insert(one.symbol);
  CHECK(collected == wanted);
}

TEST_CASE("[shard] in the configuration") {
  const auto errors_of = [](const std::string& text) {
    std::vector<ConfigError> errors;
    (void)parse_config(text, "c.toml", {}, errors);
    std::string all;
    for (const ConfigError& error : errors) all += to_string(error) + "\n";
    return all;
  };
  CHECK(errors_of("[shard]\nindex = 1\ncount = 3\n").empty());
  CHECK(errors_of("[shard]\nindex = 3\ncount = 3\n") ==
        "c.toml:2: shard.index: expected 0 to 2, below count (column 9)\n");
  CHECK(errors_of("[shard]\ncount = 0\n") ==
        "c.toml:2: shard.count: expected a number of shards from 1 to 1000 (column 9)\n");
  std::vector<ConfigError> errors;
  const Config one = parse_config("", "c.toml", {}, errors),
               two = parse_config("[shard]\ncount = 2\n", "c.toml", {}, errors);
  CHECK(changes_that_need_a_restart(one, two) == std::vector<std::string>{"shard"});
}
