#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("bybit: requests") {
  Asked b("bybit", Market::linear, {"BTCUSDT", "ETHUSDT"});
  CHECK(b.exchange->ws_target(Stream::aggregate) == "/v5/public/linear");
  CHECK(subscribe(*b.exchange, b.all, Stream::aggregate, 4) ==
        R"({"req_id":"4","op":"subscribe","args":["publicTrade.BTCUSDT","publicTrade.ETHUSDT"]})");
  CHECK(unsubscribe(*b.exchange, b.all, Stream::aggregate, 5) ==
        R"({"req_id":"5","op":"unsubscribe","args":["publicTrade.BTCUSDT","publicTrade.ETHUSDT"]})");
  CHECK(b.exchange->probe(6) == R"({"req_id":"6","op":"ping"})");
  CHECK(find_exchange("bybit", Market::spot)->limits.instruments_per_request == 10);
  // Options by their coin, and a strike that ends must not silence the others.
  Asked o("bybit", Market::option, {"BTC-25DEC26-1-C", "BTC-25DEC26-2-C", "ETH-25DEC26-1-P-USDT"});
  CHECK(subscribe(*o.exchange, o.all, Stream::aggregate, 1) ==
        R"({"req_id":"1","op":"subscribe","args":["publicTrade.BTC","publicTrade.ETH"]})");
  CHECK(unsubscribe(*o.exchange, o.all, Stream::aggregate, 2).empty());
  CHECK(o.exchange->delivers_unrequested);
}

TEST_CASE("bybit: answers") {
  Asked b("bybit", Market::linear, {"BTCUSDT"});
  const Ack spot = b.ack(R"({"success":true,"ret_msg":"subscribe","conn_id":"d9","req_id":"7","op":"subscribe"})");
  CHECK((spot.id == 7 && spot.ok && spot.topics.empty()));
  const Ack option = b.ack(
      R"({"success":true,"conn_id":"aa","data":{"failTopics":[],"successTopics":["publicTrade.BTC"]},"type":"COMMAND_RESP"})");
  CHECK((option.id == 0 && option.ok && option.topics == Names{"publicTrade.BTC"}));
  const Ack bad = b.ack(
      R"({"success":false,"ret_msg":"error:handler not found,topic:publicTrade.NOTASYMBOL","conn_id":"d","req_id":"","op":"subscribe"})");
  CHECK((!bad.ok && bad.rest == Ack::Rest::again && bad.topics == Names{"publicTrade.NOTASYMBOL"}));
  const Ack two = b.ack(
      R"({"success":false,"ret_msg":"Invalid symbol :[publicTrade.A,publicTrade.B]","conn_id":"d","req_id":"8","op":"subscribe"})");
  CHECK((!two.ok && two.id == 8 && two.topics == Names{"publicTrade.A", "publicTrade.B"}));
  const Ack already = b.ack(
      R"({"success":false,"ret_msg":"error:already subscribed,topic:publicTrade.BTCUSDT","conn_id":"d","req_id":"","op":"subscribe"})");
  CHECK((already.ok && already.rest == Ack::Rest::again && already.topics == Names{"publicTrade.BTCUSDT"}));
  const Ack whole = b.ack(R"({"success":false,"ret_msg":"args size >10","conn_id":"d","op":"subscribe"})");
  CHECK((!whole.ok && whole.topics.empty() && !whole.temporary));
  CHECK(b.parse(R"({"success":true,"ret_msg":"pong","conn_id":"09","op":"ping"})").pong);
  CHECK(b.parse(R"({"args":["1672916271846"],"op":"pong"})").pong);
}

TEST_CASE("bybit: ids without an order, block trades beside the CVD, RPI trades in it") {
  Asked b("bybit", Market::linear, {"BTCUSDT"});
  const auto message = [](const std::string& id, const std::string& block, const std::string& rpi) {
    return R"({"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"T":1672304486865,"s":"BTCUSDT",)"
           R"("S":"Buy","v":"0.001","p":"16578.50","i":")" +
           id + R"(","BT":)" + block + R"(,"RPI":)" + rpi + "}]}";
  };
  const Trade t = b.parse(message("20f43950-d8dd-5b31-9112-a178eb6023af", "false", "true")).trades.at(0);
  CHECK((t.id_high == 0x20f43950d8dd5b31 && t.id == 0x9112a178eb6023af && t.in_cvd && !t.snapshot));
  CHECK(t.name.view() == "20f43950-d8dd-5b31-9112-a178eb6023af");
  CHECK(Record::from(t)->id() == 0);
  CHECK_FALSE(b.parse(message("20f43950-d8dd-5b31-9112-a178eb6023af", "true", "false")).trades.at(0).in_cvd);
  const Trade spot = b.parse(message("2290000001202469355", "false", "false")).trades.at(0);
  CHECK((spot.id == 2290000001202469355 && spot.id_high == 0 && spot.name.empty()));
  for (const char* id : {"", "x", "20f43950-d8dd-5b31-9112-a178eb6023ag", "20f43950xd8dd-5b31-9112-a178eb6023af",
                         "99999999999999999999"}) {
    CHECK(b.parse(message(id, "false", "false")).refusal == Refusal::bad_field);
  }
  CHECK(b.parse(R"({"topic":"tickers.BTCUSDT","type":"delta","ts":1,"data":{"symbol":"BTCUSDT"}})").ignored);
}

TEST_CASE("bybit: lists in pages") {
  const Exchange& linear = *find_exchange("bybit", Market::linear);
  CHECK(linear.instruments_targets({}) == Names{"/v5/market/instruments-info?category=linear&limit=1000"});
  CHECK(find_exchange("bybit", Market::option)->instruments_targets(Names{"BTC-25DEC26-1-C", "XRP-*"}) ==
        Names{"/v5/market/instruments-info?category=option&limit=1000&baseCoin=BTC",
              "/v5/market/instruments-info?category=option&limit=1000&baseCoin=XRP"});
  CHECK(find_exchange("bybit", Market::option)->instruments_targets(Names{"BTC-25DEC26-1-C", "*"}) ==
        Names{"/v5/market/instruments-info?category=option&limit=1000&baseCoin=All"});
  InstrumentPage page;
  std::string error;
  const std::string body =
      R"({"retCode":0,"retMsg":"OK","result":{"category":"linear","nextPageCursor":"first%3DBTC","list":[)"
      R"({"symbol":"BTCUSDT","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT"},)"
      R"({"symbol":"NEWUSDT","status":"PreLaunch","baseCoin":"NEW","quoteCoin":"USDT","settleCoin":"USDT"}]}})";
  REQUIRE(read_instruments(linear, body, page, error));
  CHECK(page.next == "&cursor=first%3DBTC");
  REQUIRE(page.instruments.size() == 2);
  CHECK((page.instruments[0].trading && !page.instruments[1].trading));
  CHECK(page.instruments[0].ids == Ids::opaque);
  REQUIRE(read_instruments(*find_exchange("bybit", Market::spot), body, page, error));
  CHECK(page.instruments.empty());  // nothing of it
  CHECK_FALSE(read_instruments(linear, R"({"retCode":10006,"retMsg":"Too many visits!","result":{}})", page, error));
  CHECK(error == "Too many visits! (code 10006)");
  Timestamp time;
  REQUIRE(read_time(
      linear, R"({"retCode":0,"retMsg":"OK","result":{"timeSecond":"1688639403","timeNano":"1688639403423213947"}})",
      time));
  CHECK(time.us == 1688639403423213);
}
