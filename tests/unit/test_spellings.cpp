// What people write for an instrument or a market, and what they are told.
#include "catch.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/config/spellings.hpp"

using namespace cvdd;
using Names = std::vector<std::string>;

namespace {
Instrument listed(const char* symbol, const char* base, const char* quote) {
  Instrument i;
  i.symbol = symbol;
  i.base = base;
  i.quote = quote;
  return i;
}

// The best suggestion; empty: none.
std::string best(const std::vector<Instrument>& list, std::string_view name) {
  const Names near = NearInstruments(list).of(name, 3);
  return near.empty() ? "" : near.front();
}
}  // namespace

TEST_CASE("plain names: spelling is taken off, and nothing else") {
  for (const char* name : {"BTCUSDT", "btc/usdt", "BTC/USDT:USDT", "BTC-USDT-SWAP", "BTCUSDTPERP", "BTCUSDT_PERP",
                           "BTCUSDT.P", "BINANCE:BTCUSDT.P", "XBTUSDT", "XBT-USDT", "BTCUSDT_UMCBL"}) {
    INFO(name);
    CHECK(plain_name(name) == "BTCUSDT");
  }
  CHECK(plain_name("BTC-PERPETUAL") == "BTC");
  CHECK(plain_name("1000PEPEUSDT") == "PEPEUSDT");
  CHECK(plain_name("SHIB1000USDT") == "SHIBUSDT");
  CHECK(plain_name("1000000MOGUSDT") == "MOGUSDT");
  CHECK(plain_name("1MBABYDOGEUSDT") == "BABYDOGEUSDT");
  CHECK(plain_name("BTC/USDT:USDT-261225") == "BTCUSDT261225");
  // A coin named PERP, a strike price, a coin that begins with 1.
  CHECK(plain_name("PERPUSDT") == "PERPUSDT");
  CHECK(plain_name("PERP-USDT") == "PERPUSDT");
  CHECK(plain_name("BTC-261225-100000-C") == "BTC261225100000C");
  CHECK(plain_name("1INCHUSDT") == "1INCHUSDT");
  CHECK(plain_name("").empty());
  CHECK(plain_name("1000").size() == 4);
}

TEST_CASE("near names understand what people write, and other exchanges' spellings") {
  const std::vector<Instrument> linear{listed("BTCUSDC", "BTC", "USDC"), listed("BTCUSDT_261225", "BTC", "USDT"),
                                       listed("BTCUSDT", "BTC", "USDT"), listed("ETHUSDT", "ETH", "USDT"),
                                       listed("1000PEPEUSDT", "1000PEPE", "USDT")};
  CHECK(best(linear, "BTC/USDT") == "BTCUSDT");
  CHECK(best(linear, "BTC/USDT:USDT") == "BTCUSDT");
  CHECK(best(linear, "BTCUSDTPERP") == "BTCUSDT");
  CHECK(best(linear, "BTC-USDT-SWAP") == "BTCUSDT");
  CHECK(best(linear, "PEPEUSDT") == "1000PEPEUSDT");
  CHECK(best(linear, "PEPE/USDT:USDT") == "1000PEPEUSDT");
  CHECK(best(linear, "BTCUSTD") == "BTCUSDT");
  CHECK(best(linear, "BTC_USDC-PERPETUAL") == "BTCUSDC");
  const std::vector<Instrument> inverse{listed("BTCUSD_261225", "BTC", "USD"), listed("BTCUSD_PERP", "BTC", "USD"),
                                        listed("ETHUSD_PERP", "ETH", "USD")};
  CHECK(best(inverse, "XBTUSD") == "BTCUSD_PERP");
  CHECK(best(inverse, "BTC-PERPETUAL") == "BTCUSD_PERP");
  CHECK(best(inverse, "BTC-USD-SWAP") == "BTCUSD_PERP");
  CHECK(best(inverse, "BTC/USD:BTC-261225") == "BTCUSD_261225");
  const std::vector<Instrument> dashed{listed("ETH-PERPETUAL", "ETH", "USD"), listed("BTC-PERPETUAL", "BTC", "USD"),
                                       listed("BTC-25DEC26", "BTC", "USD")};
  CHECK(best(dashed, "BTCUSD") == "BTC-PERPETUAL");
  CHECK(best(dashed, "BTCUSD_PERP") == "BTC-PERPETUAL");
  const std::vector<Instrument> spot{listed("BTC-USD", "BTC", "USD"), listed("BTC-USDT", "BTC", "USDT")};
  CHECK(best(spot, "BTCUSDT") == "BTC-USDT");
  CHECK(best(spot, "XBTUSD") == "BTC-USD");
  CHECK(best(spot, "DOGEUSD").empty());
  CHECK(NearInstruments(spot).of("BTCUSDT", 1).size() == 1);
  CHECK(best({}, "BTCUSDT").empty());
  // Who means one in another spelling is not offered others.
  CHECK(NearInstruments(linear).of("BTC/USDT", 3) == Names{"BTCUSDT"});
}

TEST_CASE("other words for a market") {
  using Markets = std::vector<Market>;
  for (const char* word : {"perp", "PERPS", "perpetual", "futures", "swap"}) {
    CHECK(markets_called(word) == Markets{Market::linear, Market::inverse});
  }
  for (const char* word : {"usdm", "USD-M", "usdt-m", "um", "linear"})
    CHECK(markets_called(word) == Markets{Market::linear});
  for (const char* word : {"coinm", "COIN-M", "cm", "inverse"}) CHECK(markets_called(word) == Markets{Market::inverse});
  CHECK(markets_called("options") == Markets{Market::option});
  CHECK(markets_called("Spot") == Markets{Market::spot});
  CHECK(markets_called("spott").empty());
  CHECK(markets_called("").empty());

  const KnownMarkets known{{{"binance", Market::spot}, {"binance", Market::linear}, {"binance", Market::inverse}}};
  const auto said = [&](const std::string& market) {
    std::vector<ConfigError> errors;
    (void)parse_symbols("[binance]\n" + market + " = [\"BTCUSDT\"]\n", "s.toml", known, errors);
    return errors.empty() ? "" : errors.front().message;
  };
  CHECK(said("perp") ==
        "unknown market of binance, did you mean 'linear' (margined in USDT or USDC) or 'inverse' (margined in the "
        "coin)?");
  CHECK(said("usdm") == "unknown market of binance, did you mean 'linear' (margined in USDT or USDC)?");
  CHECK(said("coinm") == "unknown market of binance, did you mean 'inverse' (margined in the coin)?");
  CHECK(said("options") == "unknown market of binance, expected one of: spot, linear, inverse");
}

TEST_CASE("a pattern is a part of a name, or the whole with wildcards") {
  CHECK(name_matches("pepe", "1000PEPEUSDT"));
  CHECK(name_matches("*USDT", "BTCUSDT"));
  CHECK_FALSE(name_matches("BTC*", "WBTCUSDT"));
  CHECK_FALSE(name_matches("doge", "BTCUSDT"));
}
