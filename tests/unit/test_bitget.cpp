#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
std::string frame(const std::string& action, const std::string& type, const std::string& rows) {
  return R"({"action":")" + action + R"(","arg":{"instType":")" + type +
         R"(","channel":"trade","instId":"BTCUSDT"},"data":[)" + rows + R"(],"ts":1730332859917})";
}
const std::string row =
    R"({"ts":"1730332859905","price":"72000.5","size":"0.02","side":"sell","tradeId":"1235671063632220170"})";
}  // namespace

TEST_CASE("bitget: requests name the kind of each instrument") {
  Asked b("bitget", Market::linear, {"BTCUSDT", "BTCPERP"});
  b.instruments[1].quote = "USDC";
  CHECK(subscribe(*b.exchange, b.all, Stream::aggregate, 7) ==
        R"({"op":"subscribe","args":[{"instType":"USDT-FUTURES","channel":"trade","instId":"BTCUSDT"},)"
        R"({"instType":"USDC-FUTURES","channel":"trade","instId":"BTCPERP"}]})");
  // 4,096 bytes at most, of the longest names that there are.
  Asked many("bitget", Market::linear, Names(b.exchange->limits.instruments_per_request, std::string(40, 'X')));
  CHECK(subscribe(*many.exchange, many.all, Stream::aggregate, 1).size() < 4'096);
  Asked coin("bitget", Market::linear, {"BTCUSD"});
  coin.instruments[0].quote = "USD";
  CHECK(unsubscribe(*coin.exchange, coin.all, Stream::aggregate, 8) ==
        R"({"op":"unsubscribe","args":[{"instType":"COIN-FUTURES","channel":"trade","instId":"BTCUSD"}]})");
  CHECK(b.exchange->probe(9) == "ping");
  CHECK(b.parse("pong").pong);
}

TEST_CASE("bitget: one answer per argument, errors too") {
  Asked b("bitget", Market::linear, {"BTCUSDT"});
  const Ack good =
      b.ack(R"({"event":"subscribe","arg":{"instType":"USDT-FUTURES","channel":"trade","instId":"BTCUSDT"}})");
  CHECK((good.ok && good.topics == Names{b.exchange->trades(Stream::aggregate).topic_of(*b.all[0])}));
  const Ack bad = b.ack(
      R"({"event":"error","arg":{"instType":"USDT-FUTURES","channel":"trade","instId":"NOPEUSDT"},"code":30001,)"
      R"("msg":"instType:USDT-FUTURES,channel:trade,instId:NOPEUSDT,precision:null doesn't exist","op":"subscribe"})");
  CHECK((!bad.ok && !bad.temporary && bad.topics == Names{"USDT-FUTURES:NOPEUSDT"} && bad.rest == Ack::Rest::open));
  CHECK(bad.error.ends_with("doesn't exist (code 30001)"));
  const Ack busy = b.ack(R"({"event":"error","code":"30006","msg":"request too many"})");
  CHECK((!busy.ok && busy.temporary && busy.topics.empty()));
  CHECK(b.parse(R"({"event":"error","code":"30033","msg":"upgrade"})").closing_soon);
}

TEST_CASE("bitget: the frame names the instrument, its kind the market, and the first one is old") {
  Asked b("bitget", Market::linear, {"BTCUSDT"});
  b.instruments[0].ids = Ids::opaque;
  const Trade t = b.parse(frame("update", "USDT-FUTURES", row)).trades.at(0);
  CHECK((t.id == 1235671063632220170 && t.id_high == 0 && t.aggressor == Aggressor::seller && !t.snapshot));
  CHECK((t.instrument == b.all[0] && t.time.us == 1'730'332'859'905'000 && to_string(t.quote) == "1440.01"));
  CHECK(b.parse(frame("snapshot", "USDT-FUTURES", row + "," + row)).trades.at(1).snapshot);
  CHECK(b.parse(frame("update", "SPOT", row)).ignored);
  CHECK(b.parse(frame("update", "USDT-FUTURES", "")).ignored);
  // A row that can't be read is its frame's.
  const Parsed& bad = b.parse(frame("update", "USDT-FUTURES", R"({"ts":"1730332859905","price":"x"})"));
  REQUIRE(bad.refused_of.size() == 1);
  CHECK((bad.refused_of[0].instrument == b.all[0] && bad.refused_of[0].time.us == 1'730'332'859'905'000));
  // Wherever the fields stand.
  CHECK(b.parse(R"({"data":[)" + row +
                R"(],"arg":{"channel":"trade","instId":"BTCUSDT","instType":"USDT-FUTURES"},"action":"update"})")
            .trades.size() == 1);
  Asked nobody("bitget", Market::linear, {"ETHUSDT"});
  CHECK(nobody.parse(frame("update", "USDT-FUTURES", row)).refusal == Refusal::unknown_symbol);
}

TEST_CASE("bitget: rows of the older feed have no id, and each counts") {
  Asked b("bitget", Market::linear, {"BTCUSDT"});
  const Parsed& p =
      b.parse(frame("update", "mc",
                    R"(["1653882567817","30322.5","1.117","buy"],["1653882567817","30322.5","1.117","buy"],)"
                    R"(["1653882567817","30322.5"])"));
  REQUIRE(p.trades.size() == 2);
  CHECK((p.trades[0].id != p.trades[1].id && p.trades[0].aggressor == Aggressor::buyer && p.refused_rows == 1));
}

TEST_CASE("bitget: sizes of coin futures are coins") {
  InstrumentPage page;
  std::string error;
  const Exchange& coin = *find_exchange("bitget", Market::linear);
  REQUIRE(read_instruments(
      coin,
      R"({"code":"00000","msg":"success","data":[{"symbol":"DOGEUSD","baseCoin":"DOGE","quoteCoin":"USD",)"
      R"("sizeMultiplier":"1","symbolStatus":"normal"},{"symbol":"XUSD","baseCoin":"X","quoteCoin":"USD",)"
      R"("symbolStatus":"off"}]})",
      page, error));
  REQUIRE(page.instruments.size() == 2);
  const Instrument& doge = page.instruments[0];
  CHECK((doge.quote == "USD" && doge.trading && doge.settle == "DOGE" && doge.ids == Ids::opaque));
  CHECK_FALSE(page.instruments[1].trading);
  CHECK(coin.candle_facts().base_exact);
  std::vector<Candle> candles;
  REQUIRE(read_candles(coin, R"({"code":"00000","data":[["1695835800000","1","1","1","1","447","75"]]})", doge, candles,
                       error));
  CHECK((candles.at(0).base == Decimal(447, 0) && candles[0].quote.is_zero()));
}

TEST_CASE("bitget: lists, time, history, candles") {
  const Exchange &spot = *find_exchange("bitget", Market::spot), &linear = *find_exchange("bitget", Market::linear);
  CHECK(linear.instruments_targets({}) == Names{"/api/v2/mix/market/contracts?productType=usdt-futures",
                                                "/api/v2/mix/market/contracts?productType=usdc-futures",
                                                "/api/v2/mix/market/contracts?productType=coin-futures"});
  CHECK(spot.instruments_targets({}) == Names{"/api/v2/spot/public/symbols"});
  Timestamp time;
  REQUIRE(read_time(spot, R"({"code":"00000","msg":"success","data":{"serverTime":"1688008631614"}})", time));
  CHECK(time.us == 1'688'008'631'614'000);
  Asked b("bitget", Market::linear, {"BTCUSDT"}), s("bitget", Market::spot, {"BTCUSDT"});
  b.instruments[0].ids = s.instruments[0].ids = Ids::opaque;
  CHECK(linear.history->between(*b.all[0], {60'000'000}, {120'000'500}) ==
        "/api/v2/mix/market/"
        "fills-history?symbol=BTCUSDT&productType=USDT-FUTURES&startTime=60000&endTime=120001&limit=1000");
  CHECK(spot.history->newest(*s.all[0], Stream::aggregate) ==
        "/api/v2/spot/market/fills-history?symbol=BTCUSDT&limit=1");
  HistoryPage page;
  std::string error;
  const auto past = [](const char* symbol, const char* side) {
    return std::string(R"({"code":"00000","msg":"success","data":[{"tradeId":"7","price":"26372.5","size":"9.25",)") +
           R"("side":")" + side + R"(","ts":"1695865151000","symbol":")" + symbol + R"("}]})";
  };
  REQUIRE(read_history(linear, past("BTCUSDT", "Sell"), *b.all[0], page, error));
  CHECK((page.trades.at(0).aggressor == Aggressor::seller && page.trades[0].id == 7));
  REQUIRE(read_history(spot, past("BTCUSDT", "buy"), *s.all[0], page, error));
  CHECK_FALSE(read_history(linear, past("ETHUSDT", "Sell"), *b.all[0], page, error));
  CHECK(error == "trades of another instrument");
  CHECK_FALSE(
      read_history(linear, R"({"code":"40034","msg":"Parameter does not exist","data":null})", *b.all[0], page, error));
  CHECK(error == "Parameter does not exist (code 40034)");
  CHECK(candles_target(spot, *s.all[0], {60'000'000}, {180'000'000}, seconds(60), {180'000'000}) ==
        "/api/v2/spot/market/candles?symbol=BTCUSDT&granularity=1min&startTime=59999&endTime=180000&limit=1000");
  CHECK(candles_target(linear, *b.all[0], {60'000'000}, {180'000'000}, seconds(60), {90'000'000'000}) ==
        "/api/v2/mix/market/history-candles?symbol=BTCUSDT&productType=USDT-FUTURES&granularity=1m&startTime=59999&"
        "endTime=180000&limit=200");
}
