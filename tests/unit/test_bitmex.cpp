#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
std::string frame(const std::string& action, const std::string& more) {
  return R"({"table":"trade","action":")" + action +
         R"(","data":[{"timestamp":"2026-09-02T07:34:37.309Z",)"
         R"("symbol":"XBTUSD","size":8000,"price":77454.5,"tickDirection":"MinusTick",)"
         R"("trdMatchID":"00000000-006d-1000-0000-00367d215623","grossValue":10328640,)" +
         more + "}]}";
}
}  // namespace

TEST_CASE("bitmex: requests, and one answer per argument") {
  Asked b("bitmex", Market::inverse, {"XBTUSD", "ETHUSD"});
  CHECK(subscribe(*b.exchange, b.all, Stream::aggregate, 7) ==
        R"({"op":"subscribe","args":["trade:XBTUSD","trade:ETHUSD"]})");
  CHECK(b.parse("pong").pong);
  const Ack good = b.ack(R"({"success":true,"subscribe":"trade:XBTUSD","pool":"Aggregated","request":)"
                         R"({"op":"subscribe","args":["trade:XBTUSD","trade:ETHUSD"]}})");
  CHECK((good.ok && good.topics == Names{"trade:XBTUSD"} && good.rest == Ack::Rest::open));
  CHECK(b.exchange->trades(Stream::aggregate).topic_of(*b.all[0]) == "trade:XBTUSD");
  const auto refused = [&](const char* why, const char* arguments, int status = 400) {
    return b.ack(R"({"status":)" + std::to_string(status) + R"(,"error":")" + why +
                 R"(","meta":{},"request":{"op":"subscribe","args":[)" + arguments + "]}}");
  };
  const Ack one = refused("Unknown or expired symbol.", R"("trade:NOPE")");
  CHECK((!one.ok && one.topics == Names{"trade:NOPE"} && one.error == "Unknown or expired symbol. (status 400)"));
  CHECK(refused("Unknown or expired symbol.", R"("trade:NOPE","trade:XBTUSD")").topics.empty());
  const Ack twice = refused("You are already subscribed to this topic: trade:XBTUSD", R"("trade:A","trade:XBTUSD")");
  CHECK((twice.ok && twice.topics == Names{"trade:XBTUSD"}));
  CHECK(refused("Rate limit exceeded, retry in 1 seconds.", R"("trade:A","trade:B")", 429).temporary);
  CHECK(b.parse(R"({"info":"Welcome to the BitMEX Realtime API.","version":"2.0.0"})").ignored);
  CHECK(b.parse(R"({"table":"quote","action":"insert","data":[]})").ignored);
}

TEST_CASE("bitmex: coins are what the row says, and what has no side is beside the CVD") {
  Asked b("bitmex", Market::inverse, {"XBTUSD"});
  b.instruments[0].ids = Ids::opaque;
  const Trade t =
      b.parse(frame("insert", R"("side":"Buy","homeNotional":0.1032864,"foreignNotional":8000.0)")).trades.at(0);
  CHECK((to_string(t.base) == "0.1032864" && to_string(t.quote) == "8000" && t.in_cvd && !t.snapshot));
  CHECK((t.name.view() == "00000000-006d-1000-0000-00367d215623" && t.id_high == 0x6d1000));
  // Without it they are computed: 8000 ÷ 77454.5 = 0.103286445591…
  CHECK(to_string(b.parse(frame("insert", R"("side":"Sell","trdType":"Regular")")).trades.at(0).base) ==
        "0.103286445591");
  CHECK(to_string(b.parse(frame("insert", R"("side":"Sell","homeNotional":0.10328640000000001)")).trades.at(0).base) ==
        "0.1032864");
  const Trade settled = b.parse(frame("insert", R"("side":"","trdType":"Settlement")")).trades.at(0);
  CHECK((!settled.in_cvd && settled.aggressor == Aggressor::unknown));
  CHECK_FALSE(b.parse(frame("insert", R"("trdType":"Settlement")")).trades.at(0).in_cvd);
  CHECK_FALSE(b.parse(frame("insert", R"("side":"Buy","trdType":"Other")")).trades.at(0).in_cvd);
  CHECK(b.parse(frame("insert", R"("side":"buy")")).refusal == Refusal::bad_field);
  CHECK(b.parse(frame("insert", R"("side":"Buy","homeNotional":0)")).refusal == Refusal::bad_number);
  CHECK(b.parse(frame("partial", R"("side":"Buy")")).trades.at(0).snapshot);
  CHECK(b.parse(frame("delete", R"("side":"Buy")")).ignored);
}

TEST_CASE("bitmex: contract sizes are known by two ways, which must agree") {
  const auto listed = [](Market market, const std::string& fields) {
    InstrumentPage page;
    std::string error;
    REQUIRE(read_instruments(
        *find_exchange("bitmex", market),
        R"([{"symbol":"X","state":"Open","underlying":"XBT","quoteCurrency":"USDT",)" + fields + "}]", page, error));
    return page.instruments.empty() ? "none" : to_string(page.instruments[0].contract_size);
  };
  const std::string perpetual = R"("typ":"FFWCSX","isQuanto":false,"isInverse":)";
  CHECK(listed(Market::inverse,
               perpetual + R"(true,"multiplier":-100000000,"underlyingToSettleMultiplier":-100000000)") == "1");
  CHECK(listed(Market::linear,
               perpetual + R"(true,"multiplier":-100000000,"underlyingToSettleMultiplier":-100000000)") == "none");
  CHECK(listed(
            Market::linear,
            perpetual +
                R"(false,"multiplier":1,"underlyingToPositionMultiplier":1000000,"quoteToSettleMultiplier":1000000)") ==
        "0.000001");
  CHECK(listed(Market::linear,
               perpetual +
                   R"(false,"multiplier":1,"underlyingToPositionMultiplier":100,"quoteToSettleMultiplier":1000000)") ==
        "none");
  CHECK(
      listed(
          Market::linear,
          perpetual +
              R"(false,"multiplier":100000000,"underlyingToPositionMultiplier":null,"quoteToSettleMultiplier":100000000)") ==
      "1");
  CHECK(
      listed(
          Market::linear,
          R"("typ":"FFWCSX","isQuanto":true,"isInverse":false,"multiplier":100,"underlyingToPositionMultiplier":1)") ==
      "none");
  CHECK(
      listed(
          Market::spot,
          R"("typ":"IFXXXP","underlyingToPositionMultiplier":100000000,"multiplier":1,"quoteToSettleMultiplier":1)") ==
      "0.00000001");
  CHECK(listed(Market::linear,
               R"("typ":"MRCXXX","isInverse":false,"multiplier":1,"underlyingToPositionMultiplier":1)") == "none");
}

TEST_CASE("bitmex: time, history, and candles that are dated by their end") {
  const Exchange& linear = *find_exchange("bitmex", Market::linear);
  Timestamp time;
  std::string error;
  REQUIRE(read_time(linear, R"({"name":"BitMEX API","version":"2.0.0","timestamp":1700000000123})", time));
  CHECK(time.us == 1'700'000'000'123'000);
  Asked b("bitmex", Market::linear, {"XBTUSDT"});
  b.instruments[0].contract_size = {1, 6};
  b.instruments[0].ids = Ids::opaque;
  CHECK(linear.history->between(*b.all[0], {1'790'000'040'500'000}, {1'790'000'100'000'000}) ==
        "/api/v1/trade?symbol=XBTUSDT&startTime=2026-09-21T14:14:00Z&endTime=2026-09-21T14:15:01Z&count=1000");
  CHECK(linear.history->newest(*b.all[0], Stream::aggregate) == "/api/v1/trade?symbol=XBTUSDT&count=1&reverse=true");
  CHECK(candles_target(linear, *b.all[0], {1'790'000'040'000'000}, {1'790'000'160'000'000}, seconds(60), {}) ==
        "/api/v1/trade/bucketed?symbol=XBTUSDT&binSize=1m&partial=false&startTime=2026-09-21T14:15:00Z&"
        "endTime=2026-09-21T14:16:00Z&count=1000");
  std::vector<Candle> candles;
  REQUIRE(read_candles(linear,
                       R"([{"timestamp":"2026-09-21T14:15:00.000Z","symbol":"XBTUSDT","open":1,"high":2,"low":1,)"
                       R"("close":2,"trades":17,"volume":4800,"homeNotional":0.0048}])",
                       *b.all[0], candles, error));
  CHECK(
      (candles.at(0).time.us == 1'790'000'040'000'000 && candles[0].base == Decimal(48, 4) && candles[0].fills == 17));
  InstrumentPage page;
  CHECK_FALSE(
      read_instruments(linear, R"({"error":{"message":"Rate limit exceeded","name":"RateLimitError"}})", page, error));
  CHECK(error == "Rate limit exceeded (code RateLimitError)");
}
