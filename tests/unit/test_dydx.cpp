#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
std::string frame(const std::string& channel, const std::string& rows) {
  return R"({"type":"channel_data","connection_id":"3a2e","message_id":424,"id":"BTC-USD","channel":")" + channel +
         R"(","version":"2.1.0","contents":{"trades":[)" + rows + "]}}";
}
std::string row(const std::string& id, const std::string& type) {
  return R"({"id":")" + id +
         R"(","size":"0.002","price":"60397","side":"SELL","createdAt":"2024-08-22T23:59:59.851Z","type":")" + type +
         R"("})";
}
}  // namespace

TEST_CASE("dydx: one name a request, old trades as its answer, errors that name whom they mean") {
  Asked d("dydx", Market::linear, {"BTC-USD"});
  CHECK(subscribe(*d.exchange, d.all, Stream::aggregate, 7) ==
        R"({"type":"subscribe","channel":"v4_trades","id":"BTC-USD","batched":false})");
  CHECK(unsubscribe(*d.exchange, d.all, Stream::aggregate, 8) ==
        R"({"type":"unsubscribe","channel":"v4_trades","id":"BTC-USD"})");
  CHECK(d.exchange->limits.instruments_per_request == 1);
  const Ack good =
      d.ack(R"({"type":"subscribed","connection_id":"3a2e","message_id":1,"channel":"v4_trades","id":"BTC-USD",)"
            R"("contents":{"trades":[)" +
            row("0165e5e40000000200000002", "LIMIT") + "]}}");
  CHECK((good.ok && good.topics == Names{"BTC-USD"} && d.parsed.trades.empty()));
  const Ack bad = d.ack(
      R"_({"type":"error","message":"Invalid subscription id for channel: (v4_trades-NO-SUCH)","message_id":1})_");
  CHECK((!bad.ok && !bad.temporary && bad.topics == Names{"NO-SUCH"}));
  const Ack often = d.ack(
      R"({"type":"error","message":"Too many subscribe attempts for channel v4_trades-BTC-USD. Please reconnect"})");
  CHECK((!often.ok && often.temporary && often.topics == Names{"BTC-USD"}));
  // A sign of life.
  CHECK(d.exchange->probe(9) == R"({"type":"unsubscribe","channel":"v4_markets"})");
  CHECK(d.parse(R"({"type":"unsubscribed","connection_id":"3a2e","message_id":9,"channel":"v4_markets"})").pong);
  CHECK(d.parse(R"({"type":"error","message":"Invalid message: could not parse","message_id":9})").pong);
  CHECK(d.parse(R"({"type":"connected","connection_id":"3a2e","message_id":0})").ignored);
}

TEST_CASE("dydx: ids are hexadecimal, liquidations are in the CVD, and what was deleveraged is not") {
  Asked d("dydx", Market::linear, {"BTC-USD"});
  d.instruments[0].ids = Ids::opaque;
  const Parsed& p = d.parse(frame("v4_trades", row("0165e5e40000000200000002", "LIQUIDATED") + "," +
                                                   row("0165e5e40000000200000005", "DELEVERAGED")));
  REQUIRE(p.trades.size() == 2);
  const Trade& t = p.trades[0];
  CHECK((t.id_high == 0x0165e5e4 && t.id == 0x0000000200000002 && t.name.view() == "0165e5e40000000200000002"));
  CHECK((t.in_cvd && t.aggressor == Aggressor::seller && t.time.us == 1'724'371'199'851'000 && !p.trades[1].in_cvd));
  for (const char* id : {"", "x", "0165e5e4000000020000000g", "000000000000000000000000000000001"}) {
    CHECK(d.parse(frame("v4_trades", row(id, "LIMIT"))).refusal == Refusal::bad_field);
  }
  CHECK(d.parsed.refused_of.at(0).instrument == d.all[0]);
  CHECK(d.parse(frame("v4_trades", "")).ignored);
  CHECK(d.parse(frame("v4_orderbook", "")).ignored);
  // Trades in a form that nobody asked for are not passed over.
  CHECK(d.parse(R"({"type":"channel_batch_data","id":"BTC-USD","channel":"v4_trades","contents":[{"trades":[]}]})")
            .refusal == Refusal::not_understood);
  // Of v3 each row counts, the same one twice too.
  const std::string older = R"({"size":"0.124","side":"BUY","price":"56503","createdAt":"2021-10-11T10:36:41.464Z"})";
  const Parsed& v3 = d.parse(frame("v3_trades", older + "," + older));
  REQUIRE(v3.trades.size() == 2);
  CHECK(v3.trades[0].id != v3.trades[1].id);
}

TEST_CASE("dydx: markets are fields of an object; those with commas in their names are left out") {
  const Exchange& dydx = *find_exchange("dydx", Market::linear);
  InstrumentPage page;
  std::string error;
  REQUIRE(
      read_instruments(dydx,
                       R"({"markets":{"BTC-USD":{"clobPairId":"0","ticker":"BTC-USD","status":"ACTIVE"},)"
                       R"("A-B-USD":{"ticker":"A-B-USD","status":"FINAL_SETTLEMENT"},)"
                       R"("X,RAYDIUM,Y-USD":{"ticker":"X,RAYDIUM,Y-USD","status":"ACTIVE"},"N":{"status":"ACTIVE"}}})",
                       page, error));
  REQUIRE(page.instruments.size() == 2);
  CHECK((page.instruments[0].base == "BTC" && page.instruments[0].quote == "USD" && page.instruments[0].trading));
  CHECK((page.instruments[1].base == "A-B" && !page.instruments[1].trading && page.instruments[1].ids == Ids::opaque));
  CHECK_FALSE(read_instruments(dydx, R"({"errors":[{"msg":"no"}]})", page, error));
  CHECK(error == "no \"markets\" in the answer");
  Timestamp time;
  REQUIRE(read_time(dydx, R"({"iso":"2024-08-23T00:00:57.627Z","epoch":1724371257.627})", time));
  CHECK(time.us == 1'724'371'257'627'000);
}

TEST_CASE("dydx: history goes back from a moment, candles tell how many trades there were") {
  Asked d("dydx", Market::linear, {"BTC-USD"});
  d.instruments[0].ids = Ids::opaque;
  const Exchange& dydx = *d.exchange;
  CHECK(dydx.history->between(*d.all[0], {}, {1'790'000'100'000'000}) ==
        "/v4/trades/perpetualMarket/BTC-USD?limit=1000&createdBeforeOrAt=2026-09-21T14:15:01Z");
  HistoryPage page;
  std::string error;
  REQUIRE(read_history(dydx,
                       R"({"trades":[)" + row("0165e5e40000000200000005", "LIMIT") + "," +
                           row("0165e5e40000000200000002", "LIMIT") + "]}",
                       *d.all[0], page, error));
  REQUIRE(page.trades.size() == 2);
  CHECK(page.trades[0].id == 0x200000002);  // rows of one moment come oldest first
  CHECK_FALSE(read_history(dydx, R"({"errors":[{"msg":"ticker must be a valid ticker","param":"ticker"}]})", *d.all[0],
                           page, error));
  CHECK(candles_target(dydx, *d.all[0], {1'790'000'040'000'000}, {1'790'000'100'000'000}, seconds(60), {}) ==
        "/v4/candles/perpetualMarkets/"
        "BTC-USD?resolution=1MIN&fromISO=2026-09-21T14:14:00Z&toISO=2026-09-21T14:15:00Z&limit=1000");
  std::vector<Candle> candles;
  REQUIRE(read_candles(dydx,
                       R"({"candles":[{"startedAt":"2025-12-08T16:11:00.000Z","ticker":"BTC-USD","resolution":"1MIN",)"
                       R"("low":"89911","high":"89970","open":"89934","close":"89941","baseTokenVolume":"3.2767",)"
                       R"("usdVolume":"294697.4391","trades":49}]})",
                       *d.all[0], candles, error));
  CHECK((candles.at(0).base == Decimal(32767, 4) && candles[0].fills == 49 && dydx.candles->fills));
}
