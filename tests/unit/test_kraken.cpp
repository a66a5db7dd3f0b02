#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
std::string message(const std::string& type, const std::string& rows) {
  return R"({"channel":"trade","type":")" + type + R"(","data":[)" + rows + "]}";
}
std::string row(const std::string& id, const std::string& side) {
  return R"({"symbol":"BTC/USD","side":")" + side + R"(","price":105944.20,"qty":0.00027625,"ord_type":"limit",)" +
         R"("trade_id":)" + id + R"(,"timestamp":"2023-10-06T17:35:55.440295Z"})";
}
}  // namespace

TEST_CASE("kraken: requests and answers") {
  Asked k("kraken", Market::spot, {"BTC/USD", "ETH/USD"});
  CHECK(k.exchange->ws_target(Stream::aggregate) == "/v2");
  CHECK(subscribe(*k.exchange, k.all, Stream::aggregate, 7) ==
        R"({"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","ETH/USD"],"snapshot":true},)"
        R"("req_id":7})");
  CHECK(unsubscribe(*k.exchange, std::span(k.all).first(1), Stream::aggregate, 8) ==
        R"({"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":8})");
  CHECK(k.exchange->probe(9) == R"({"method":"ping","req_id":9})");
  CHECK(k.parse(R"({"method":"pong","req_id":9,"time_in":"2023-09-24T14:10:23.799685Z"})").pong);
  // One answer for each pair.
  const Ack good = k.ack(R"({"method":"subscribe","result":{"channel":"trade","snapshot":true,"symbol":"BTC/USD"},)"
                         R"("success":true,"time_in":"2026-03-27T12:17:06.298588Z","req_id":7})");
  CHECK((good.ok && good.id == 7 && good.rest == Ack::Rest::open && good.topics == Names{"BTC/USD"}));
  const Ack bad = k.ack(R"({"error":"Currency pair not supported BTC/INVALID","method":"subscribe","success":false,)"
                        R"("time_in":"2026-03-27T12:17:06.298588Z"})");
  CHECK((!bad.ok && bad.id == 0 && !bad.temporary && bad.topics == Names{"BTC/INVALID"}));
  CHECK(bad.error == "Currency pair not supported BTC/INVALID");
  CHECK(k.ack(R"({"error":"Already subscribed","method":"subscribe","success":false,"symbol":"BTC/USD"})").ok);
  const Ack fast = k.ack(R"({"Error":"Exceeded msg rate"})");
  CHECK((!fast.ok && fast.temporary && fast.topics.empty()));
  CHECK_FALSE(k.ack(R"({"error":"Unknown method","success":false,"time_in":"2026-03-27T12:17:06.298588Z"})").ok);
  CHECK(k.parse(R"({"channel":"heartbeat"})").ignored);
  CHECK(k.parse(R"({"channel":"status","type":"update","data":[{"system":"online"}]})").ignored);
  CHECK(k.parse(R"({"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","last":1}]})").ignored);
  CHECK(k.parse(R"({"anything":1})").refusal == Refusal::not_understood);
}

TEST_CASE("kraken: trades, and those that a subscription begins with") {
  Asked k("kraken", Market::spot, {"BTC/USD"});
  const auto trades = k.parse(message("update", row("10218208", "buy") + "," + row("10218209", "sell"))).trades;
  REQUIRE(trades.size() == 2);
  CHECK((trades[0].id == 10218208 && trades[0].aggressor == Aggressor::buyer && !trades[0].snapshot));
  CHECK((trades[1].id == 10218209 && trades[1].aggressor == Aggressor::seller));
  CHECK(trades[0].time.us == 1'696'613'755'440'295);
  CHECK((to_string(trades[0].price) == "105944.2" && to_string(trades[0].base) == "0.00027625"));
  CHECK(k.parse(message("snapshot", row("1", "buy"))).trades.at(0).snapshot);
  CHECK(k.parse(message("update", row("\"1\"", "buy"))).refusal == Refusal::bad_field);
  CHECK(k.parse(message("update", row("1", "none"))).refusal == Refusal::bad_field);
  CHECK(k.parsed.refused_of.at(0).instrument == k.all[0]);
}

TEST_CASE("kraken: frames of v1 have no ids, and other names") {
  Asked k("kraken", Market::spot, {"XBT/USD"});
  const std::string old = R"([321,[["57126.70000","0.02063928","1616333924.737428","b","m",""]],"trade","XBT/USD"])";
  const Trade t = k.parse(old).trades.at(0);
  CHECK((t.aggressor == Aggressor::buyer && t.time.us == 1'616'333'924'737'428 && t.id == 1'616'333'924'737'428));
  CHECK(k.exchange->symbol_of(old) == "XBT/USD");
  CHECK(k.parse(R"([321,{"as":[["1","2","3"]]},"book-10","XBT/USD"])").ignored);
  CHECK(k.parse("[321]").refusal == Refusal::not_understood);
  CHECK(k.parse(old.substr(0, old.size() - 1)).refusal == Refusal::not_json);
}

TEST_CASE("kraken: the list names coins as the feed does") {
  const Exchange& kraken = *find_exchange("kraken", Market::spot);
  InstrumentPage page;
  std::string error;
  REQUIRE(read_instruments(
      kraken,
      R"({"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","status":"online"},)"
      R"("XETHXXBT":{"altname":"ETHXBT","wsname":"ETH/XBT","status":"cancel_only","execution_venue":"international"},)"
      R"("XDGEUR":{"wsname":"XDG/EUR","status":"limit_only"},"NONE":{"altname":"NONE"},)"
      R"("OTHER":{"wsname":"ETH/USD","status":"online","execution_venue":"bitnomial_exchange"}}})",
      page, error));
  REQUIRE(page.instruments.size() == 3);
  const Instrument& btc = page.instruments[0];
  CHECK((btc.symbol == "BTC/USD" && btc.base == "BTC" && btc.quote == "USD" && btc.trading));
  CHECK(btc.ids == Ids::sequence);
  CHECK((page.instruments[1].symbol == "ETH/BTC" && !page.instruments[1].trading));
  CHECK((page.instruments[2].symbol == "DOGE/EUR" && page.instruments[2].trading));
  CHECK_FALSE(read_instruments(kraken, R"({"error":["EGeneral:Internal error"]})", page, error));
  CHECK(error == "EGeneral:Internal error");
  CHECK_FALSE(read_instruments(kraken, R"({"error":[]})", page, error));
  CHECK(error == "no \"result\" in the answer");
}

TEST_CASE("kraken: history is asked by time, candles count trades, the clock shows whole seconds") {
  Asked k("kraken", Market::spot, {"DOGE/USD"});
  const History& history = *k.exchange->history;
  CHECK((history.by_id == nullptr && history.feed_leaves_out && k.exchange->has_history_of(Series::single)));
  CHECK(history.from(*k.all[0], 100, {1'000'000}, 5'000) == "/0/public/Trades?pair=XDGUSD&since=999999999&count=1000");
  CHECK(history.newest(*k.all[0], Stream::single) == "/0/public/Trades?pair=XDGUSD&count=1");
  HistoryPage page;
  std::string error;
  REQUIRE(read_history(*k.exchange,
                       R"({"error":[],"result":{"XDGUSD":[["0.1","10",1688669597.8277369,"b","m","",61044952],)"
                       R"(["0.2","-1",1688669598,"s","l","",61044953],["0.2","1.5","1688669599.5","s","l","",61044954])"
                       R"(],"last":"1688671969993150842"}})",
                       *k.all[0], page, error));
  REQUIRE((page.trades.size() == 2 && page.refused.size() == 1));
  CHECK((page.trades[0].id == 61044952 && page.trades[0].time.us == 1'688'669'597'827'736));
  CHECK((page.trades[0].aggressor == Aggressor::buyer && page.trades[1].aggressor == Aggressor::seller));
  CHECK((page.refused[0].id == 61044953 && page.refused[0].time.us == 1'688'669'598'000'000));
  REQUIRE(read_history(*k.exchange, R"({"error":[],"result":{"XDGUSD":[],"last":"0"}})", *k.all[0], page, error));
  CHECK(page.rows() == 0);
  CHECK_FALSE(read_history(*k.exchange, R"({"error":["EAPI:Rate limit exceeded"]})", *k.all[0], page, error));

  std::vector<Candle> candles;
  REQUIRE(read_candles(*k.exchange,
                       R"({"error":[],"result":{"XDGUSD":[[1688671200,"3.0","3.5","2.5","3.1","3.0","7.50000000",23]],)"
                       R"("last":1688672160}})",
                       *k.all[0], candles, error));
  REQUIRE(candles.size() == 1);
  CHECK((candles[0].fills == 23 && to_string(candles[0].base) == "7.5" && k.exchange->candles->fills));
  Timestamp time;
  REQUIRE(read_time(*k.exchange, R"({"error":[],"result":{"unixtime":1688669448,"rfc1123":"x"}})", time));
  CHECK(time.us == 1'688'669'448'000'000);
}
