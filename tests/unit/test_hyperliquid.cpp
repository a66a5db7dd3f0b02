#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
std::string row(const std::string& coin, const std::string& side, std::uint64_t tid, std::uint64_t time) {
  return R"({"coin":")" + coin + R"(","side":")" + side + R"(","px":"84143.0","sz":"0.00036","time":)" +
         std::to_string(time) + R"(,"hash":"0x00","tid":)" + std::to_string(tid) + R"(,"users":["0x9a","0x82"]})";
}
std::string message(const std::string& rows) { return R"({"channel":"trades","data":[)" + rows + "]}"; }
}  // namespace

TEST_CASE("hyperliquid: requests and answers") {
  Asked h("hyperliquid", Market::linear, {"BTC", "kPEPE"});
  CHECK(h.exchange->ws_target(Stream::aggregate) == "/ws");
  CHECK(subscribe(*h.exchange, std::span(h.all).first(1), Stream::aggregate, 7) ==
        R"({"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}})");
  CHECK(unsubscribe(*h.exchange, std::span(h.all).last(1), Stream::aggregate, 7) ==
        R"({"method":"unsubscribe","subscription":{"type":"trades","coin":"kPEPE"}})");
  CHECK((h.exchange->limits.instruments_per_request == 1 && h.exchange->probe(1) == R"({"method":"ping"})"));
  CHECK(h.parse(R"({"channel":"pong"})").pong);
  const Ack good = h.ack(R"({"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":)"
                         R"({"type":"trades","coin":"BTC"}}})");
  CHECK((good.ok && good.topics == Names{"BTC"}));
  const Ack twice = h.ack(R"({"channel":"error","data":"Already subscribed: {\"type\":\"trades\",\"coin\":\"BTC\"}"})");
  CHECK((twice.ok && twice.topics == Names{"BTC"}));
  const Ack bad = h.ack(R"({"channel":"error","data":"Invalid subscription {\"type\":\"trades\",\"coin\":\"X\"}"})");
  CHECK((!bad.ok && bad.topics == Names{"X"} && bad.error.starts_with("Invalid subscription")));
  CHECK(h.parse(R"({"channel":"allMids","data":{"mids":{"BTC":"1"}}})").ignored);
  CHECK(h.parse(R"({"anything":1})").refusal == Refusal::not_understood);
}

TEST_CASE("hyperliquid: a trade is named by its id and its time") {
  Asked h("hyperliquid", Market::linear, {"BTC"});
  h.instruments[0].ids = Ids::opaque;
  const auto trades =
      h.parse(message(row("BTC", "B", 7, 1790232216193) + "," + row("BTC", "A", 7, 1790232216194))).trades;
  REQUIRE(trades.size() == 2);
  CHECK((trades[0].aggressor == Aggressor::buyer && trades[1].aggressor == Aggressor::seller));
  CHECK((trades[0].id == 7 && trades[1].id == 7 && trades[0].id_high != trades[1].id_high));
  CHECK((trades[0].time.us == 1'790'232'216'193'000 && to_string(trades[0].quote) == "30.29148"));
  CHECK(h.parse(message(row("BTC", "C", 7, 1790232216193))).refusal == Refusal::bad_field);
  CHECK(h.parse(message(row("ETH", "B", 7, 1790232216193))).refusal == Refusal::unknown_symbol);
  CHECK(h.parse(message("")).ignored);
}

TEST_CASE("hyperliquid: lists of perpetuals and of pairs, asked for by POST") {
  const Exchange& perps = *find_exchange("hyperliquid", Market::linear);
  CHECK(perps.instruments_targets({}) == std::vector<std::string>{"/info\n{\"type\":\"meta\"}"});
  InstrumentPage page;
  std::string error;
  REQUIRE(read_instruments(perps,
                           R"({"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40},)"
                           R"({"szDecimals":1,"name":"MATIC","isDelisted":true}],"marginTables":[[50,{}]]})",
                           page, error));
  REQUIRE(page.instruments.size() == 2);
  const Instrument& btc = page.instruments[0];
  CHECK((btc.symbol == "BTC" && btc.base == "BTC" && btc.quote == "USD" && btc.settle == "USDC" && btc.trading));
  CHECK((btc.ids == Ids::opaque && !page.instruments[1].trading));

  const Exchange& spot = *find_exchange("hyperliquid", Market::spot);
  CHECK(spot.instruments_targets({}) == std::vector<std::string>{"/info\n{\"type\":\"spotMeta\"}"});
  REQUIRE(read_instruments(
      spot,
      R"({"universe":[{"tokens":[1,0],"name":"PURR/USDC","index":0},{"tokens":[150,0],"name":"@107","index":107},)"
      R"({"tokens":[999,0],"name":"@999","index":999}],)"
      R"("tokens":[{"name":"USDC","index":0},{"name":"PURR","index":1},{"name":"HYPE","index":150}]})",
      page, error));
  REQUIRE(page.instruments.size() == 2);
  CHECK((page.instruments[0].symbol == "PURR/USDC" && page.instruments[0].base == "PURR"));
  CHECK((page.instruments[1].symbol == "@107" && page.instruments[1].base == "HYPE"));
  CHECK(page.instruments[1].quote == "USDC");
  CHECK_FALSE(read_instruments(spot, "null", page, error));
  CHECK_FALSE(read_instruments(perps, "null", page, error));
  Instrument told;
  CHECK((perps.assume_instrument("BTC", {}, told) && !spot.assume_instrument("BTC", {}, told)));
  CHECK((spot.assume_instrument("@107", {}, told) && !perps.assume_instrument("xyz:SP500", {}, told)));
}

TEST_CASE("hyperliquid: the last ten trades, candles that count, and the clock") {
  Asked h("hyperliquid", Market::linear, {"BTC"});
  h.instruments[0].ids = Ids::opaque;
  CHECK(h.exchange->history->recent(*h.all[0]) == "/info\n{\"type\":\"recentTrades\",\"coin\":\"BTC\"}");
  HistoryPage page;
  std::string error;
  const std::string body = "[" + row("BTC", "A", 8, 1790232216194) + "," + row("BTC", "B", 7, 1790232216193) + "]";
  REQUIRE(read_history(*h.exchange, body, *h.all[0], page, error));
  REQUIRE(page.trades.size() == 2);
  CHECK((page.trades[0].id == 7 && page.trades[1].id == 8));
  CHECK_FALSE(read_history(*h.exchange, "null", *h.all[0], page, error));
  CHECK(candles_target(*h.exchange, *h.all[0], {60'000'000}, {180'000'000}, seconds(60), {}) ==
        "/info\n{\"type\":\"candleSnapshot\",\"req\":{\"coin\":\"BTC\",\"interval\":\"1m\",\"startTime\":60000,"
        "\"endTime\":179999}}");
  std::vector<Candle> candles;
  REQUIRE(read_candles(*h.exchange,
                       R"([{"t":1790000000000,"T":1790000059999,"s":"BTC","i":"1m","o":"67000.0","c":"67010.0",)"
                       R"("h":"67020.0","l":"66990.0","v":"12.34","n":278}])",
                       *h.all[0], candles, error));
  REQUIRE(candles.size() == 1);
  CHECK((candles[0].fills == 278 && to_string(candles[0].base) == "12.34" && to_string(candles[0].low) == "66990"));
  CHECK(h.exchange->candles->fills);
  Timestamp time;
  REQUIRE(read_time(*h.exchange, R"({"time":1790000000123,"specialStatuses":null})", time));
  CHECK(time.us == 1'790'000'000'123'000);
}
