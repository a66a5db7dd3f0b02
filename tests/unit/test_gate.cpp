#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("gate: requests, and when they are sent") {
  Asked g("gate", Market::linear, {"BTC_USDT", "ETH_USDT"});
  CHECK(g.exchange->ws_target(Stream::aggregate) == "/v4/ws/usdt");
  CHECK(find_exchange("gate", Market::inverse)->ws_target(Stream::aggregate) == "/v4/ws/btc");
  CHECK(find_exchange("gate", Market::spot)->ws_target(Stream::aggregate) == "/ws/v4/");
  const std::string asked = subscribe(*g.exchange, g.all, Stream::aggregate, 7);
  CHECK(asked == R"({"id":7,"channel":"futures.trades","event":"subscribe","payload":["BTC_USDT","ETH_USDT"]})");
  CHECK(g.exchange->dated(asked, {1'790'000'000'900'000}).starts_with(R"({"time":1790000000,"id":7,"channel":)"));
  CHECK(g.exchange->probe(8) == R"({"id":8,"channel":"futures.ping"})");
  CHECK(g.exchange->hello(1) == R"({"id":1,"channel":"futures.contract_info","event":"subscribe","payload":["!all"]})");
  CHECK(g.exchange->header == "X-Gate-Size-Decimal: 1");
  Asked s("gate", Market::spot, {"BTC_USDT"});
  CHECK(unsubscribe(*s.exchange, s.all, Stream::aggregate, 9) ==
        R"({"id":9,"channel":"spot.trades","event":"unsubscribe","payload":["BTC_USDT"]})");
  CHECK(s.exchange->hello == nullptr);
  CHECK(s.parse(R"({"time":1,"time_ms":1000,"channel":"spot.pong","event":"","result":null})").pong);
}

TEST_CASE("gate: answers, with an id or a payload or neither; one bad name refuses its whole request") {
  Asked g("gate", Market::spot, {"BTC_USDT"});
  const Ack good = g.ack(
      R"({"time":1788336080,"time_ms":1788336080750,"conn_id":"b2c2","channel":"spot.trades","event":"subscribe",)"
      R"("payload":["BTC_USDT"],"result":{"status":"success"}})");
  CHECK((good.ok && good.id == 0 && good.topics == Names{"BTC_USDT"} && good.rest == Ack::Rest::open));
  const Ack bare =
      g.ack(R"({"id":4,"channel":"spot.trades","event":"subscribe","error":null,"result":{"status":"success"}})");
  CHECK((bare.ok && bare.id == 4 && bare.topics.empty()));
  const Ack bad = g.ack(R"({"time":1,"id":5,"channel":"spot.trades","event":"subscribe","error":{"code":2,)"
                        R"("message":"unknown currency pair: NOPE_USDT"},"result":{"status":"fail"}})");
  CHECK((!bad.ok && bad.id == 5 && bad.topics == Names{"NOPE_USDT"} && bad.rest == Ack::Rest::again));
  CHECK(bad.error == "unknown currency pair: NOPE_USDT (code 2)");
  const Ack whole = g.ack(
      R"({"channel":"spot.trades","event":"subscribe","error":{"code":1,"message":"bad JSON"},"result":{"status":"fail"}})");
  CHECK((!whole.ok && whole.topics.empty()));
  const Ack failed = g.ack(R"({"channel":"spot.trades","event":"subscribe","result":{"status":"fail"}})");
  CHECK((!failed.ok && failed.topics.empty()));
  const Ack twice = g.ack(R"({"channel":"spot.trades","event":"subscribe","error":{"code":2,)"
                          R"("message":"Alert sub BTC_USDT"},"result":{"status":"fail"}})");
  CHECK((twice.ok && twice.topics == Names{"BTC_USDT"} && twice.rest == Ack::Rest::again));
}

TEST_CASE("gate: a spot push says which of the pair's ids it merges") {
  Asked g("gate", Market::spot, {"BTC_USD"});
  const auto row = [](const std::string& ids) {
    return R"({"time":1790000000,"time_ms":1790000000213,"channel":"spot.trades","event":"update","result":{)"
           R"("id":309143071,"create_time":1790000000,"create_time_ms":"1790000000213.457812","side":"sell",)"
           R"("currency_pair":"BTC_USD","amount":"0.0164","price":"67000.1",)" +
           ids + R"(,"stock":"BTC","money":"USDC","trade_mode":1}})";
  };
  const Trade merged = g.parse(row(R"("range":"917142-917144","id_market":917144)")).trades.at(0);
  CHECK((merged.id == 917144 && merged.fills == 3 && merged.merged && merged.first_id() == 917142));
  CHECK((merged.time.us == 1'790'000'000'213'457 && merged.aggressor == Aggressor::seller && !merged.snapshot));
  const Trade one = g.parse(row(R"("range":"917144-917144","id_market":917144)")).trades.at(0);
  CHECK((one.id == 917144 && one.fills == 1 && !one.merged));
  // Of two kinds of numbers the market's is the one that goes on.
  const Trade odd = g.parse(row(R"("range":"2390902-2390904","id_market":917144)")).trades.at(0);
  CHECK((odd.id == 917144 && odd.fills == 1));
  CHECK(g.parse(row(R"("x":1)")).trades.at(0).id == 309143071);
  for (const char* bad : {"7", "\"7\"", "\"-\"", "\"8-7\"", "\"a-b\"", "\"1-99999999999\"", "null"}) {
    INFO(bad);
    CHECK(g.parse(row(R"("id_market":7,"range":)" + std::string(bad))).refusal == Refusal::bad_field);
  }
}

TEST_CASE("gate: futures tell the taker by the sign, in lists, and rows of the insurance fund are beside the CVD") {
  Asked g("gate", Market::linear, {"BTC_USDT"});
  g.instruments[0].contract_size = {1, 4};
  const Parsed& p = g.parse(
      R"({"channel":"futures.trades","event":"update","time":1790000000,"time_ms":1790000000123,"result":[)"
      R"({"size":"-108.5","id":27753479,"create_time":1790000000,"create_time_ms":1790000000123,"price":"96.4",)"
      R"("contract":"BTC_USDT","is_internal":true},)"
      R"({"size":7,"id":27753480,"create_time":1790000000,"price":"96","contract":"BTC_USDT"}]})");
  REQUIRE(p.trades.size() == 2);
  CHECK((p.trades[0].aggressor == Aggressor::seller && !p.trades[0].in_cvd && p.trades[1].in_cvd));
  CHECK((to_string(p.trades[0].base) == "0.01085" && to_string(p.trades[1].base) == "0.0007"));
  CHECK((p.trades[0].time.us == 1'790'000'000'123'000 && p.trades[1].time.us == 1'790'000'000'000'000));
  // An object is no list of them, and spot's row no list.
  CHECK(g.parse(R"({"channel":"futures.trades","event":"update","result":{"size":1}})").refusal == Refusal::bad_field);
  CHECK(g.parse(R"({"channel":"futures.trades","event":"update","result":[]})").ignored);
  Asked s("gate", Market::spot, {"BTC_USDT"});
  CHECK(s.parse(R"({"channel":"spot.trades","event":"update","result":[]})").refusal == Refusal::bad_field);
}

TEST_CASE("gate: a contract that changes is told of, and so is a shutdown") {
  Asked g("gate", Market::linear, {"BTC_USDT"});
  const auto told = [&](const char* event) {
    return g.parse(R"({"channel":"futures.contract_info","event":")" + std::string(event) +
                   R"(","result":{"contract":"BTC_USDT","quanto_multiplier":"0.001"}})");
  };
  CHECK(told("update").list_changed);
  CHECK_FALSE(told("all").list_changed);
  // Its own subscription is one sign of life, even where it is refused.
  CHECK(g.parse(R"({"channel":"futures.contract_info","event":"subscribe","error":{"code":2,"message":"no"}})").pong);
  CHECK(g.parse(R"({"channel":"futures.system","type":"upgrade","msg":"The connection will soon be closed"})")
            .closing_soon);
  CHECK(g.parse(R"({"channel":"futures.tickers","event":"update","result":[]})").ignored);
  CHECK(g.parse(R"({"event":"update"})").refusal == Refusal::not_understood);
}

TEST_CASE("gate: lists; a contract with a unit of its own kind is left out") {
  InstrumentPage page;
  std::string error;
  REQUIRE(read_instruments(
      *find_exchange("gate", Market::linear),
      R"([{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","in_delisting":false,"create_time":1669688556},)"
      R"({"name":"OLD_USDT","type":"direct","quanto_multiplier":"10","in_delisting":true},)"
      R"({"name":"X_USDT","type":"direct","quanto_multiplier":"0"},{"name":"Y_USDT","type":"inverse","quanto_multiplier":"1"}])",
      page, error));
  REQUIRE(page.instruments.size() == 2);
  CHECK((page.instruments[0].base == "BTC" && page.instruments[0].trading && !page.instruments[1].trading));
  CHECK((page.instruments[0].contract_size == Decimal{1, 4} && page.instruments[0].ids == Ids::sequence));
  CHECK(page.instruments[0].listed.us == 1'669'688'556'000'000);
  REQUIRE(read_instruments(*find_exchange("gate", Market::inverse),
                           R"([{"name":"BTC_USD","type":"inverse","quanto_multiplier":"0"},)"
                           R"({"name":"ETH_USD","type":"direct","quanto_multiplier":"0.000001"}])",
                           page, error));
  REQUIRE(page.instruments.size() == 1);
  CHECK((page.instruments[0].symbol == "BTC_USD" && page.instruments[0].settle == "BTC"));
  CHECK_FALSE(read_instruments(*find_exchange("gate", Market::spot),
                               R"({"label":"TOO_MANY_REQUESTS","message":"Request Rate limit Exceeded"})", page,
                               error));
  CHECK(error == "Request Rate limit Exceeded (code TOO_MANY_REQUESTS)");
  Timestamp time;
  REQUIRE(read_time(*find_exchange("gate", Market::spot), R"({"server_time":1597026383085})", time));
  CHECK(time.us == 1'597'026'383'085'000);
}

TEST_CASE("gate: history is asked for by whole seconds, and tells seconds or milliseconds") {
  Asked s("gate", Market::spot, {"BTC_USDT"}), f("gate", Market::linear, {"BTC_USDT"});
  CHECK(s.exchange->history->between(*s.all[0], {1'790'000'000'500'000}, {1'790'000'060'000'001}) ==
        "/api/v4/spot/trades?currency_pair=BTC_USDT&from=1790000000&to=1790000061&limit=1000");
  CHECK(f.exchange->history->newest(*f.all[0], Stream::aggregate) ==
        "/api/v4/futures/usdt/trades?contract=BTC_USDT&limit=1");
  HistoryPage page;
  std::string error;
  REQUIRE(read_history(*s.exchange,
                       R"([{"id":"1232893233","create_time":"1548000001","create_time_ms":"1548000001000.000",)"
                       R"("side":"sell","amount":"0.15","price":"0.03","sequence_id":"588019"},)"
                       R"({"id":"1232893232","create_time":"1548000000","create_time_ms":"1548000000123.456",)"
                       R"("side":"buy","amount":"0.15","price":"0.03","sequence_id":"588018"}])",
                       *s.all[0], page, error));
  REQUIRE(page.trades.size() == 2);
  CHECK((page.trades[0].id == 588018 && page.trades[0].time.us == 1'548'000'000'123'456));
  REQUIRE(read_history(*f.exchange,
                       R"([{"id":121234231,"create_time":1514764800,"create_time_ms":1514764800.123,)"
                       R"("contract":"BTC_USDT","size":"-100","price":"100.123"}])",
                       *f.all[0], page, error));
  CHECK((page.trades.at(0).time.us == 1'514'764'800'123'000 && page.trades[0].aggressor == Aggressor::seller));
}

TEST_CASE("gate: candles in lists or objects; the one that runs is left out where it is told") {
  Asked s("gate", Market::spot, {"BTC_USDT"}), f("gate", Market::linear, {"BTC_USDT"});
  f.instruments[0].contract_size = {1, 4};
  CHECK(candles_target(*s.exchange, *s.all[0], {60'000'000}, {180'000'000}, seconds(60), {}) ==
        "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&from=60&to=120");
  std::vector<Candle> candles;
  std::string error;
  REQUIRE(read_candles(*s.exchange,
                       R"([["1539852480","971519.677","0.0021724","0.0021922","0.0021724","0.0021737","2.5","true"],)"
                       R"(["1539852540","1","1","1","1","1","1","false"]])",
                       *s.all[0], candles, error));
  REQUIRE(candles.size() == 1);
  CHECK((candles[0].base == Decimal(25, 1) && candles[0].high == Decimal(21922, 7) &&
         candles[0].time.us == 1'539'852'480'000'000));
  REQUIRE(read_candles(*f.exchange,
                       R"([{"t":1539852480,"v":97151,"c":"1.032","h":"1.04","l":"1.03","o":"1.031","sum":"3580"}])",
                       *f.all[0], candles, error));
  CHECK((candles.at(0).base == Decimal(97151, 4) && candles[0].low == Decimal(103, 2)));
  CHECK_FALSE(read_candles(*f.exchange, R"([{"t":1539852480,"v":"x"}])", *f.all[0], candles, error));
  CHECK(error == "candle 0 is none");
}
