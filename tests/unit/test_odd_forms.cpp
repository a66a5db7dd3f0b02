// Forms that exchanges and editors were seen to use beside the usual ones.
#include "answers.hpp"
#include "cvdd/config/config.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("symbols: files as editors on other systems save them are read, or refused with a word on how") {
  const KnownMarkets known{{{"binance", Market::spot}}};
  const std::string plain = "[binance]\nspot = [\"BTCUSDT\", \"ETHUSDT\"]\n";
  const auto read = [&](const std::string& text) {
    std::vector<ConfigError> errors;
    const SymbolList list = parse_symbols(text, "s.toml", known, errors);
    return errors.empty() ? std::to_string(list.wanted.begin()->second.size()) : to_string(errors.front());
  };
  CHECK(read("\xef\xbb\xbf" + plain) == "2");
  std::string returns = plain;
  for (std::size_t at = 0; (at = returns.find('\n', at)) != std::string::npos; at += 2) returns.insert(at, 1, '\r');
  CHECK(read(returns) == "2");
  std::string wide = "\xff\xfe";
  for (const char c : plain) wide.append({c, '\0'});
  CHECK(read(wide).find("s.toml:1: not TOML") == 0);
  CHECK(read("[binance]\nspot = [\xe2\x80\x9c"
             "BTCUSDT\xe2\x80\x9d]\n")
            .find("s.toml:2: not TOML") == 0);
}

TEST_CASE("coinbase: times have from none to nine digits behind the second") {
  Asked c("coinbase", Market::spot, {"AAA-USD"});
  constexpr std::int64_t second = 1'789'997'646'000'000;
  const std::pair<const char*, std::int64_t> times[] = {{"06Z", 0},
                                                        {"06.7Z", 700'000},
                                                        {"06.77Z", 770'000},
                                                        {"06.693Z", 693'000},
                                                        {"06.123456789Z", 123'456},
                                                        {"06.0000001Z", 0},
                                                        {"06.999999999Z", 999'999}};
  for (const auto& [text, us] : times) {
    INFO(text);
    const Parsed& p = c.parse(
        R"({"type":"match","trade_id":1,"side":"sell","size":"1","price":"100","product_id":"AAA-USD","sequence":3,)"
        R"("time":"2026-09-21T13:34:)" +
        std::string(text) + R"("})");
    REQUIRE(p.trades.size() == 1);
    CHECK(p.trades[0].time.us == second + us);
  }
}

TEST_CASE("lists: entries that say nothing yet, or nothing that is known, take no other with them") {
  InstrumentPage page;
  std::string error;
  REQUIRE(
      read_instruments(*find_exchange("binance", Market::linear),
                       R"({"symbols":[{"symbol":"NEWUSDT","contractType":"","status":"","baseAsset":"NEW",)"
                       R"("quoteAsset":"USDT","marginAsset":"USDT"},{"symbol":"ODDUSDT",)"
                       R"("contractType":"CURRENT_QUARTER DELIVERING","baseAsset":"ODD","quoteAsset":"USDT",)"
                       R"("marginAsset":null},{"symbol":null},{"symbol":"LITUSDT","status":"TRADING",)"
                       R"("contractType":"PERPETUAL","baseAsset":"LIT","quoteAsset":"USDT","marginAsset":"USDT"}]})",
                       page, error));
  std::size_t trading = 0;
  for (const Instrument& i : page.instruments) trading += i.trading ? 1U : 0U;
  CHECK(trading == 1);
  REQUIRE(read_instruments(
      *find_exchange("okx", Market::linear),
      R"({"code":"0","msg":"","data":[{"instId":"","instType":"FUTURES","ctType":"","ctVal":"","ctMult":"",)"
      R"("ctValCcy":"","settleCcy":"","instFamily":"SOL-USD_UM","uly":"","state":"preopen"},)"
      R"({"instId":"LISTING-SWAP-AAA-USDT","instType":"SWAP","ctType":"linear","ctVal":"","ctMult":"1","ctValCcy":"",)"
      R"("settleCcy":"USDT","instFamily":"","state":"preopen"},)"
      R"({"instId":"SOL-USD_UM-261225","instType":"FUTURES","ctType":"linear","ctVal":"0.1","ctMult":"1",)"
      R"("ctValCcy":"SOL","settleCcy":"USD","instFamily":"SOL-USD_UM","state":"live"}]})",
      page, error));
  REQUIRE(page.instruments.size() == 1);
  CHECK((page.instruments[0].symbol == "SOL-USD_UM-261225" && page.instruments[0].trading));
}
