// The exchangeInfo bodies of the simulated Binance.
#include <array>

#include "binance_protocol.hpp"
#include "simulated.hpp"

namespace cvdd::sim::binance {
namespace {

std::string limits(Market market) {
  return fmt::format(
      R"("rateLimits":[{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":{}}}])",
      market == Market::spot ? 6'000 : 2'400);
}

std::string filters(const TapeInstrument& what) {
  const std::string tick = price_of(what, 1), step = size_of(what, 1);
  return fmt::format(
      R"("filters":[{{"filterType":"PRICE_FILTER","minPrice":"{}","maxPrice":"1000000","tickSize":"{}"}},)"
      R"({{"filterType":"LOT_SIZE","minQty":"{}","maxQty":"1000000000","stepSize":"{}"}}])",
      tick, tick, step, step);
}

std::string one(const TapeInstrument& what) {
  const Instrument& i = what.instrument;
  if (i.market == Market::spot)
    return fmt::format(
        R"({{"symbol":"{}","status":"{}","baseAsset":"{}","baseAssetPrecision":8,"quoteAsset":"{}",)"
        R"("quotePrecision":8,"quoteAssetPrecision":8,"orderTypes":["LIMIT","MARKET"],"isSpotTradingAllowed":true,)"
        R"("isMarginTradingAllowed":false,{},"permissions":[],"permissionSets":[["SPOT"]]}})",
        i.symbol, i.trading ? "TRADING" : "BREAK", i.base, i.quote, filters(what));
  const bool linear = i.market == Market::linear;
  std::string out = fmt::format(R"({{"symbol":"{}","pair":"{}","contractType":"PERPETUAL",)", i.symbol,
                                i.symbol.substr(0, i.symbol.find('_')));
  out += R"("deliveryDate":4133404800000,"onboardDate":1569398400000,)";
  fmt::format_to(std::back_inserter(out), R"("{}":"{}",)", linear ? "status" : "contractStatus",
                 i.trading ? "TRADING" : "SETTLING");
  if (!linear)
    fmt::format_to(std::back_inserter(out), R"("contractSize":{},)",
                   static_cast<std::int64_t>(i.contract_size.mantissa));
  fmt::format_to(std::back_inserter(out),
                 R"("baseAsset":"{}","quoteAsset":"{}","marginAsset":"{}","pricePrecision":{},"quantityPrecision":{},)",
                 i.base, i.quote, i.settle, what.price_decimals, what.size_decimals);
  return out + R"("underlyingType":"COIN",)" + filters(what) + "}";
}

}  // namespace

std::string exchange_info(Market market, std::span<const TapeInstrument> instruments, Timestamp now) {
  return fmt::format(R"({{"timezone":"UTC","serverTime":{},{}{},"exchangeFilters":[],"symbols":[{}]}})", now.us / 1'000,
                     market == Market::linear ? R"("futuresType":"U_MARGINED",)" : "", limits(market),
                     rows(instruments, [&](const TapeInstrument& what) {
                       const bool ours = what.instrument.market == market && what.instrument.exchange == "binance";
                       return ours ? one(what) : std::string();
                     }));
}

TapeInstrument describe(Market market, std::string_view symbol) {
  TapeInstrument made;
  Instrument& what = made.instrument;
  what.exchange = "binance";
  what.market = market;
  what.symbol = symbol;
  std::string_view pair = symbol.substr(0, symbol.find('_'));
  static constexpr std::array<std::string_view, 14> quotes = {"FDUSD", "USDT", "USDC", "TUSD", "BUSD", "EUR", "TRY",
                                                              "BRL",   "USD1", "JPY",  "BTC",  "ETH",  "BNB", "USD"};
  what.base = pair;
  for (std::string_view quote : quotes) {
    if (pair.size() <= quote.size() || !pair.ends_with(quote)) continue;
    what.base = pair.substr(0, pair.size() - quote.size());
    what.quote = quote;
    break;
  }
  if (market == Market::linear) what.settle = what.quote;
  if (market == Market::inverse) {
    what.settle = what.base;
    what.contract_size = what.base == "BTC" ? Decimal{100, 0} : Decimal{10, 0};
  }
  made.price_decimals = 8;
  made.size_decimals = market == Market::inverse ? 0 : 8;
  return made;
}

}  // namespace cvdd::sim::binance
