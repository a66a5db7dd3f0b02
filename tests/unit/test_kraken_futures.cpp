#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
constexpr const char* uid = "05af78ac-a774-478c-a50c-8b9c234e071e";
std::string trade(const std::string& type, const std::string& more = "") {
  return R"({"feed":"trade","product_id":"PI_XBTUSD","uid":")" + std::string(uid) + R"(","side":"sell","type":")" +
         type + R"(","seq":653355,"time":1612266317519,"qty":15000,"price":34969.5)" + more + "}";
}
std::string past(std::uint64_t number, const std::string& time) {
  return R"({"time":")" + time + R"(","trade_id":)" + std::to_string(number) +
         R"(,"price":61081,"size":25,"side":"sell","type":"fill","uid":")" + uid + R"("})";
}
}  // namespace

TEST_CASE("kraken futures: requests and answers") {
  Asked k("kraken_futures", Market::linear, {"PF_XBTUSD"});
  CHECK(k.exchange->ws_target(Stream::aggregate) == "/ws/v1");
  CHECK(subscribe(*k.exchange, k.all, Stream::aggregate, 7) ==
        R"({"event":"subscribe","feed":"trade","product_ids":["PF_XBTUSD"]})");
  CHECK(unsubscribe(*k.exchange, k.all, Stream::aggregate, 8) ==
        R"({"event":"unsubscribe","feed":"trade","product_ids":["PF_XBTUSD"]})");
  // An error names nobody, so that a request must speak of one.
  CHECK((k.exchange->limits.instruments_per_request == 1 && k.exchange->limits.ping_every == seconds(30)));
  CHECK(k.exchange->hello(1) == R"({"event":"subscribe","feed":"heartbeat"})");
  CHECK(k.parse(R"({"event":"subscribed","feed":"heartbeat"})").pong);
  const Ack good = k.ack(R"({"event":"subscribed","feed":"trade","product_ids":["PF_XBTUSD"]})");
  CHECK((good.ok && good.topics == Names{"PF_XBTUSD"}));
  const Ack bad = k.ack(R"({"event":"error","message":"Invalid product id"})");
  CHECK((!bad.ok && bad.topics.empty() && bad.error == "Invalid product id"));
  CHECK_FALSE(k.ack(R"({"event":"subscribed_failed","feed":"trade","product_ids":["PF_XBTUSD"]})").ok);
  CHECK(k.ack(R"({"event":"alert","message":"Already subscribed to feed, re-requesting"})").ok);
  CHECK(k.parse(R"({"event":"info","version":1})").ignored);
  CHECK(k.parse(R"({"feed":"heartbeat","time":1785076800123})").ignored);
  CHECK(k.parse(R"({"feed":"book","product_id":"PF_XBTUSD","bid":1})").ignored);
  CHECK(k.parse(R"({"anything":1})").refusal == Refusal::not_understood);
}

TEST_CASE("kraken futures: who is a taker's trade, and who is not") {
  Asked k("kraken_futures", Market::inverse, {"PI_XBTUSD"});
  const Trade t = k.parse(trade("fill")).trades.at(0);
  CHECK((t.aggressor == Aggressor::seller && t.in_cvd && !t.snapshot && t.name.view() == uid));
  CHECK((t.time.us == 1'612'266'317'519'000 && to_string(t.quote) == "15000"));
  CHECK(k.parse(trade("liquidation")).trades.at(0).in_cvd);
  CHECK_FALSE(k.parse(trade("block")).trades.at(0).in_cvd);
  CHECK_FALSE(k.parse(trade("assignment")).trades.at(0).in_cvd);
  const std::string old = R"({"feed":"trade_snapshot","product_id":"PI_XBTUSD","trades":[)" + trade("fill") + "]}";
  CHECK(k.parse(old).trades.at(0).snapshot);
  // Of years ago, without a uid.
  const Trade first = k.parse(R"({"feed":"trade","product_id":"PI_XBTUSD","side":"buy","type":"fill","seq":5271,)"
                              R"("time":1554076802518,"qty":3,"price":4088.5})")
                          .trades.at(0);
  CHECK((first.id == 5271 && first.name.empty()));
  CHECK(k.parse(trade("fill", R"(,"uid":"5")")).refusal == Refusal::bad_field);
  CHECK(k.parse(trade("fill", R"(,"type":7)")).refusal == Refusal::bad_field);
}

TEST_CASE("kraken futures: the list says what a size is, or the contract is left out") {
  const std::string body =
      R"({"instruments":[{"symbol":"PI_XBTUSD","base":"XBT","quote":"USD","type":"futures_inverse","contractSize":1,)"
      R"("tradeable":true,"openingDate":"2022-01-01T00:00:00.000Z","postOnly":false},)"
      R"({"symbol":"PF_XBTUSD","base":"XBT","quote":"USD","type":"flexible_futures","contractSize":1,"tradeable":true,)"
      R"("postOnly":true},{"symbol":"PF_ODDUSD","type":"flexible_futures","contractSize":10,"tradeable":true},)"
      R"({"symbol":"FV_XRPXBT","type":"futures_vanilla","contractSize":1,"tradeable":true}]})";
  const Exchange& inverse = *find_exchange("kraken_futures", Market::inverse);
  InstrumentPage page;
  std::string error;
  REQUIRE(read_instruments(inverse, body, page, error));
  REQUIRE(page.instruments.size() == 1);
  const Instrument& i = page.instruments[0];
  CHECK((i.symbol == "PI_XBTUSD" && i.settle == "XBT" && i.trading && i.ids == Ids::opaque));
  CHECK(i.listed.us == 1'640'995'200'000'000);
  const Exchange& linear = *find_exchange("kraken_futures", Market::linear);
  REQUIRE(read_instruments(linear, body, page, error));
  REQUIRE(page.instruments.size() == 1);
  CHECK((page.instruments[0].symbol == "PF_XBTUSD" && !page.instruments[0].trading));
  CHECK_FALSE(read_instruments(linear, R"({"result":"error","error":"apiLimitExceeded"})", page, error));
  CHECK(error == "apiLimitExceeded");
}

TEST_CASE("kraken futures: a page of history proves itself by its numbers") {
  Asked k("kraken_futures", Market::inverse, {"PI_XBTUSD"});
  const History& history = *k.exchange->history;
  CHECK((history.numbered && !k.exchange->has_history_of(Series::single)));
  CHECK(history.recent(*k.all[0]) == "/derivatives/api/v3/history?symbol=PI_XBTUSD");
  CHECK(history.before(*k.all[0], {1'714'741'543'999'500}) ==
        "/derivatives/api/v3/history?symbol=PI_XBTUSD&lastTime=2024-05-03T13:05:44%2E000Z");
  HistoryPage page;
  std::string error;
  const std::string good = R"({"result":"success","history":[)" + past(101, "2024-05-03T13:05:44.974Z") + "," +
                           past(100, "2024-05-03T13:05:43.974Z") + "]}";
  REQUIRE(read_history(*k.exchange, good, *k.all[0], page, error));
  REQUIRE(page.trades.size() == 2);
  CHECK((page.trades[0].time.us == 1'714'741'543'974'000 && page.trades[0].aggressor == Aggressor::seller));
  const std::string hole =
      R"({"history":[)" + past(102, "2024-05-03T13:05:44.974Z") + "," + past(100, "2024-05-03T13:05:43.974Z") + "]}";
  CHECK_FALSE(read_history(*k.exchange, hole, *k.all[0], page, error));
  CHECK(error == "the history has a hole behind trade 100");
  CHECK_FALSE(read_history(*k.exchange, R"({"result":"error","error":"apiLimitExceeded"})", *k.all[0], page, error));
  Timestamp time;
  REQUIRE(read_time(*k.exchange, R"({"result":"error","serverTime":"2024-05-03T13:05:43.974Z"})", time));
  CHECK(time.us == 1'714'741'543'974'000);
}
