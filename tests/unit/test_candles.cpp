// Each exchange's candles, as its documentation shows them, and what is none.
#include "answers.hpp"
#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/recovery/history_client.hpp"

using namespace cvdd;

namespace {
struct Case {
  const char* exchange;
  Market market;
  const char* symbol;
  const char* contract;
  const char* body;
  const char *base, *quote;  // of the older of two candles, the first at 1597026300 s
  const char* target;        // for two bars from 60 s on
};

// OKX swap: 12 contracts of 0.01 BTC; inverse: 7 of 100 USD. Bybit and Deribit inverse: USD. Deribit's and Coinbase's
// numbers have been binary floating point: 0.30000000000000004 is 0.3.
const Case cases[] = {
    {"okx", Market::spot, "BTC-USDT", "1",
     R"({"code":"0","msg":"","data":[["1597026360000","3.7","3.9","3.6","3.8","9","30","30","1"],)"
     R"(["1597026300000","3.721","3.743","3.677","3.708","8422410","22698348.04","12698348.04","1"]]})",
     "8422410", "0", "/api/v5/market/candles?instId=BTC-USDT&bar=1m&before=59999&after=180000&limit=100"},
    {"okx", Market::linear, "BTC-USDT-SWAP", "0.01",
     R"({"code":"0","msg":"","data":[["1597026360000","1","1","1","1","1","1","1","1"],)"
     R"(["1597026300000","3.721","3.743","3.677","3.708","12","0.12","4","1"]]})",
     "0.12", "0", "/api/v5/market/candles?instId=BTC-USDT-SWAP&bar=1m&before=59999&after=180000&limit=100"},
    {"okx", Market::inverse, "BTC-USD-SWAP", "100",
     R"({"code":"0","msg":"","data":[["1597026360000","1","1","1","1","1","1","1","1"],)"
     R"(["1597026300000","3.721","3.743","3.677","3.708","7","0.12","4","1"]]})",
     "0", "700", "/api/v5/market/candles?instId=BTC-USD-SWAP&bar=1m&before=59999&after=180000&limit=100"},
    {"bybit", Market::linear, "BTCUSDT", "1",
     R"({"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSDT","category":"linear","list":[)"
     R"(["1597026360000","1","1","1","1","1","1"],["1597026300000","17071","17073","17027","17055.5","268611","15.74"]]},)"
     R"("retExtInfo":{},"time":1672025956592})",
     "268611", "0", "/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&start=60000&end=179999&limit=1000"},
    {"bybit", Market::inverse, "BTCUSD", "1",
     R"({"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSD","category":"inverse","list":[)"
     R"(["1597026360000","1","1","1","1","1","1"],["1597026300000","17071","17073","17027","17055.5","268611","15.74"]]},)"
     R"("retExtInfo":{},"time":1672025956592})",
     "0", "268611", "/v5/market/kline?category=inverse&symbol=BTCUSD&interval=1&start=60000&end=179999&limit=1000"},
    {"deribit", Market::linear, "BTC_USDC-PERPETUAL", "1",
     R"({"usOut":1,"result":{"volume":[0.30000000000000004,3.2],"ticks":[1597026300000,1597026360000],"status":"ok",)"
     R"("open":[8971.0,8948.0],"low":[8961.0,8925.5],"high":[8973.0,8950.0],"cost":[2500.5,9],"close":[8970.0,8940.0]}})",
     "0.3", "0",
     "/api/v2/public/get_tradingview_chart_data?instrument_name=BTC_USDC-PERPETUAL&start_timestamp=60000&"
     "end_timestamp=179999&resolution=1"},
    {"deribit", Market::inverse, "BTC-PERPETUAL", "1",
     R"({"usOut":1,"result":{"volume":[0.3,3.2],"ticks":[1597026300000,1597026360000],"status":"ok",)"
     R"("open":[8971.0,8948.0],"low":[8961.0,8925.5],"high":[8973.0,8950.0],"cost":[2500.0,9],"close":[8970.0,8940.0]}})",
     "0", "2500",
     "/api/v2/public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&start_timestamp=60000&"
     "end_timestamp=179999&resolution=1"},
    {"coinbase", Market::spot, "BTC-USD", "1",
     "[[1597026360,1,1,1,1,1],[1597026300,0.32,4.2,0.35,4.1,12.300000000000001]]", "12.3", "0",
     "/products/BTC-USD/candles?granularity=60&start=1970-01-01T00:01:00Z&end=1970-01-01T00:02:00Z"},
    {"kraken", Market::spot, "BTC/USD", "1",
     R"({"error":[],"result":{"XXBTZUSD":[[1597026300,"0.35","4.2","0.32","4.1","0.5","12.30000000",9],)"
     R"([1597026360,"1","1","1","1","1","1",1]],"last":1597026360}})",
     "12.3", "0", "/0/public/OHLC?pair=XBTUSD&interval=1&since=59"},
    {"kraken_futures", Market::inverse, "PI_XBTUSD", "1",
     R"({"candles":[{"time":1597026300000,"high":"56475.0","low":"55935.0","open":"56294.0","close":"56250.0","volume":10824},)"
     R"({"time":1597026360000,"high":"1","low":"1","open":"1","close":"1","volume":1}],"more_candles":true})",
     "0", "10824", "/api/charts/v1/trade/PI_XBTUSD/1m?from=60&to=179"}};

Instrument instrument_of(const Case& c) {
  Instrument i;
  i.exchange = c.exchange;
  i.market = c.market;
  i.symbol = c.symbol;
  i.contract_size = *parse_sum(c.contract);
  return i;
}
}  // namespace

TEST_CASE("candles: each exchange's own, oldest first, in base or quote units") {
  for (const Case& c : cases) {
    INFO(c.exchange << " " << name_of(c.market));
    const Exchange* exchange = find_exchange(c.exchange, c.market);
    const Instrument instrument = instrument_of(c);
    std::vector<Candle> out;
    std::string error;
    const bool read = read_candles(*exchange, c.body, instrument, out, error);
    INFO(error);
    REQUIRE(read);
    REQUIRE(out.size() == 2);
    CHECK((out[0].time.us == 1'597'026'300'000'000 && out[1].time.us == 1'597'026'360'000'000));
    CHECK(out[0].base == *parse_sum(c.base));
    CHECK(out[0].quote == *parse_sum(c.quote));
    CHECK((out[0].low <= out[0].open && out[0].low <= out[0].close));
    CHECK((out[0].high >= out[0].open && out[0].high >= out[0].close));
    CHECK(candles_target(*exchange, instrument, {60'000'000}, {180'000'000}, seconds(60), {200'000'000}) == c.target);
    CHECK((exchange->can_audit(seconds(60)) && !exchange->has_taker_candles(seconds(60))));
    CHECK_FALSE(exchange->can_audit(seconds(7)));
  }
}

TEST_CASE("candles: every beginning of an answer is refused, and every digit may be wrong") {
  for (const Case& c : cases) {
    const Exchange* exchange = find_exchange(c.exchange, c.market);
    const Instrument instrument = instrument_of(c);
    const std::string good = c.body;
    std::vector<Candle> out;
    std::string error;
    for (std::size_t i = 0; i < good.size(); ++i) {
      INFO(c.exchange << " " << good.substr(0, i));
      out.resize(2);
      REQUIRE_FALSE(read_candles(*exchange, good.substr(0, i), instrument, out, error));
      REQUIRE((out.empty() && !error.empty()));
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char* bad :
           {"-", "x", "\"", "[", "}", ",", "null", "1e999999999", "\xff", "99999999999999999999999999"}) {
        std::string text = good;
        text.replace(i, 1, bad);
        if (!read_candles(*exchange, text, instrument, out, error)) CHECK(out.empty());
      }
    }
    for (const char* refused :
         {R"({"code":"51001","msg":"no such","data":[]})", R"({"retCode":10001,"retMsg":"no such"})",
          R"({"error":{"code":-32602,"message":"no such"}})", R"({"message":"NotFound"})"}) {
      CHECK_FALSE(read_candles(*exchange, refused, instrument, out, error));
    }
  }
}

TEST_CASE("okx: the running bar is no candle, and old ones are elsewhere") {
  const Exchange& okx = *find_exchange("okx", Market::spot);
  const Instrument instrument = instrument_of(cases[0]);
  std::vector<Candle> out;
  std::string error;
  REQUIRE(read_candles(okx,
                       R"({"code":"0","data":[["1597026360000","1","1","1","1","9","9","9","0"],)"
                       R"(["1597026300000","1","1","1","1","8","8","8","1"]]})",
                       instrument, out, error));
  REQUIRE(out.size() == 1);
  CHECK(out[0].time.us == 1'597'026'300'000'000);
  const Timestamp now{1'597'026'300'000'000};
  const auto target = [&](std::int64_t bars_ago) {
    return candles_target(okx, instrument, now - seconds(60 * bars_ago), now, seconds(60), now);
  };
  CHECK(target(1'399).starts_with("/api/v5/market/candles?"));
  CHECK(target(1'400).starts_with("/api/v5/market/history-candles?"));
}

TEST_CASE("what is left out where nothing was traded") {
  for (const Exchange* exchange : all_exchanges()) {
    CHECK(exchange->candle_facts().quiet_left_out == (exchange->name == "coinbase"));
  }
}

TEST_CASE("of an answer the candles that were asked for are used, in order") {
  const auto at = [](std::initializer_list<std::int64_t> times) {
    std::vector<Candle> page;
    for (const std::int64_t t : times) page.emplace_back().time = {t * 1'000'000};
    return page;
  };
  std::string error;
  std::vector<Candle> page = at({240, 180, 60, 0, 120});
  REQUIRE(use_candles(page, {60'000'000}, {240'000'000}, seconds(60), error));
  REQUIRE(page.size() == 3);
  CHECK((page[0].time.us == 60'000'000 && page[1].time.us == 120'000'000 && page[2].time.us == 180'000'000));
  page = at({60, 60});
  CHECK_FALSE(use_candles(page, {0}, {240'000'000}, seconds(60), error));
  CHECK(error == "two candles of one bar");
  page = at({60, 121});
  CHECK_FALSE(use_candles(page, {0}, {240'000'000}, seconds(60), error));
  CHECK(error == "a candle begins beside its bar");
  page = at({0, 300});
  CHECK((use_candles(page, {60'000'000}, {240'000'000}, seconds(60), error) && page.empty()));
}

TEST_CASE("okx: a candle of another contract size than today's says so in base units") {
  const Exchange* exchange = find_exchange("okx", Market::linear);
  Instrument instrument;
  instrument.exchange = "okx";
  instrument.market = Market::linear;
  instrument.symbol = "BTC-USDT-SWAP";
  instrument.contract_size = {1, 0};
  std::vector<Candle> out;
  std::string error;
  REQUIRE(read_candles(*exchange,
                       R"({"code":"0","msg":"","data":[["1597026360000","1","1","1","1","30","30","30","1"],)"
                       R"(["1597026300000","1","1","1","1","20","2.5","2.5","1"]]})",
                       instrument, out, error));
  REQUIRE(out.size() == 2);
  CHECK(out[0].base == Decimal(25, 1));
  CHECK(out[1].base == Decimal(30, 0));
}
