#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("deribit: requests") {
  Asked d("deribit", Market::inverse, {"BTC-PERPETUAL", "ETH-PERPETUAL"});
  CHECK(d.exchange->ws_target(Stream::aggregate) == "/ws/api/v2");
  CHECK(d.exchange->hello(1) == R"({"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":10}})");
  CHECK(subscribe(*d.exchange, d.all, Stream::aggregate, 42) ==
        R"({"jsonrpc":"2.0","id":42,"method":"public/subscribe","params":{"channels":["trades.BTC-PERPETUAL.100ms",)"
        R"("trades.ETH-PERPETUAL.100ms"]}})");
  CHECK(d.exchange->probe(3) == R"({"jsonrpc":"2.0","id":3,"method":"public/test","params":{}})");
  CHECK(d.exchange->trades(Stream::aggregate).topic_of(*d.all[0]) == "trades.BTC-PERPETUAL.100ms");
}

TEST_CASE("deribit: channels it does not know are missing from its answer, and nothing else is said") {
  Asked d("deribit", Market::inverse, {"BTC-PERPETUAL"});
  const Ack some = d.ack(R"({"jsonrpc":"2.0","id":42,"result":["trades.BTC-PERPETUAL.100ms"],"usIn":1,"usOut":2})");
  CHECK((some.id == 42 && some.ok && some.rest == Ack::Rest::refused));
  CHECK(some.topics == Names{"trades.BTC-PERPETUAL.100ms"});
  const Ack none = d.ack(R"({"jsonrpc":"2.0","id":43,"result":[]})");
  CHECK((none.ok && none.rest == Ack::Rest::refused && none.topics == Names{""}));
  const Ack test = d.ack(R"({"jsonrpc":"2.0","id":44,"result":{"version":"1.2.26"}})");
  CHECK((test.ok && test.topics.empty()));
  const Ack error =
      d.ack(R"({"jsonrpc":"2.0","id":5,"error":{"code":13778,"message":"raw_subscriptions_not_available"}})");
  CHECK((!error.ok && !error.temporary && error.error == "raw_subscriptions_not_available (code 13778)"));
  CHECK(d.ack(R"({"jsonrpc":"2.0","id":5,"error":{"code":10028,"message":"too_many_requests"}})").temporary);
}

TEST_CASE("deribit: the question whether we are there is answered at once") {
  Asked d("deribit", Market::inverse, {"BTC-PERPETUAL"});
  CHECK(
      d.parse(R"({"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"})").reply.find("public/test") !=
      std::string::npos);
  CHECK(d.parse(R"({"params":{"type":"heartbeat"},"method":"heartbeat","jsonrpc":"2.0"})").reply.empty());
}

TEST_CASE("deribit: ordered by trade_seq, named by trade_id; blocks are beside the CVD, legs and liquidations in it") {
  Asked d("deribit", Market::inverse, {"BTC-PERPETUAL"});
  const auto message = [](const std::string& more) {
    return R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{)"
           R"("timestamp":1788335114435,"price":77529.5,"direction":"sell","instrument_name":"BTC-PERPETUAL",)"
           R"("trade_seq":298099955,"amount":170.0,"trade_id":"ETH-443253707")" +
           more + "}]}}";
  };
  const Trade plain = d.parse(message("")).trades.at(0);
  CHECK((plain.id == 298099955 && plain.name.view() == "ETH-443253707" && plain.in_cvd));
  CHECK(plain.aggressor == Aggressor::seller);
  CHECK_FALSE(d.parse(message(R"(,"block_trade_id":"BLOCK-7","block_trade_leg_count":2)")).trades.at(0).in_cvd);
  CHECK(d.parse(message(R"(,"block_trade_id":null)")).trades.at(0).in_cvd);
  CHECK(d.parse(message(R"(,"combo_id":"BTC-FS-25DEC26_PERP","combo_trade_id":"43")")).trades.at(0).in_cvd);
  CHECK(d.parse(message(R"(,"liquidation":"T")")).trades.at(0).in_cvd);
  CHECK_FALSE(d.parse(message(R"(,"block_rfq_id":78)")).trades.at(0).in_cvd);
  // A name longer than any we know: the trade counts all the same.
  const auto& named = d.parse(message(R"(,"trade_id":"drb-ETH_USDC-PERP-0000000000000000000000000000000012345678")"));
  CHECK((named.trades.size() == 1 && named.trades[0].name.empty()));
  CHECK(
      d.parse(R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{}}})")
          .ignored);
  CHECK(
      d.parse(R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.X.100ms","data":{}}})").refusal ==
      Refusal::bad_field);
}

TEST_CASE("deribit: lists") {
  const auto targets = [](Market market, const Names& wanted) {
    return find_exchange("deribit", market)->instruments_targets(wanted);
  };
  const std::string path = "/api/v2/public/get_instruments?expired=false&kind=";
  CHECK(targets(Market::option, {"*"}) == Names{path + "option&currency=any"});
  CHECK(targets(Market::linear, {}) == Names{path + "future&currency=any"});
  CHECK(targets(Market::spot, {"SOL_USDC", "*"}).size() == 5);
  const std::string body =
      R"({"jsonrpc":"2.0","result":[)"
      R"({"instrument_name":"BTC_USDC","kind":"spot","base_currency":"BTC","quote_currency":"USDC","is_active":true,)"
      R"("state":"open","is_cbe_routed":true},)"
      R"({"instrument_name":"BTC-FS-25DEC26_PERP","kind":"future_combo","is_active":true},)"
      R"({"instrument_name":"BTC_USDC-PERPETUAL","kind":"future","instrument_type":"linear","base_currency":"BTC",)"
      R"("quote_currency":"USDC","settlement_currency":"USDC","is_active":true,"state":"locked"}]})";
  std::string error;
  for (const auto& [market, count] : {std::pair{Market::spot, 1U}, {Market::linear, 1U}, {Market::inverse, 0U}}) {
    InstrumentPage page;
    REQUIRE(read_instruments(*find_exchange("deribit", market), body, page, error));
    REQUIRE(page.instruments.size() == count);
    for (const Instrument& i : page.instruments) {
      CHECK_FALSE(i.trading);  // served by another exchange; locked
      CHECK(i.ids == Ids::sequence);
    }
  }
  InstrumentPage page;
  CHECK_FALSE(read_instruments(*find_exchange("deribit", Market::spot),
                               R"({"error":{"code":10028,"message":"too_many_requests"}})", page, error));
  CHECK(error == "too_many_requests (code 10028)");
  Timestamp time;
  REQUIRE(read_time(*find_exchange("deribit", Market::spot), R"({"jsonrpc":"2.0","result":1550147385946})", time));
  CHECK(time.us == 1550147385946'000);
}

TEST_CASE("deribit: history by trade_seq") {
  Asked d("deribit", Market::inverse, {"ETH-PERPETUAL"});
  CHECK(d.exchange->history->by_id(*d.all[0], 100, 1000) ==
        "/api/v2/public/get_last_trades_by_instrument?instrument_name=ETH-PERPETUAL&start_seq=100&end_seq=1099&"
        "count=1000&sorting=asc");
  HistoryPage page;
  const std::vector<Trade>& trades = page.trades;
  std::string error;
  REQUIRE(read_history(
      *d.exchange,
      R"({"id":2,"jsonrpc":"2.0","result":{"has_more":true,"trades":[{"amount":1.0,"direction":"sell",)"
      R"("instrument_name":"ETH-PERPETUAL","price":2968.3,"timestamp":1766332040636,"trade_id":"ETH-284830839",)"
      R"("trade_seq":203024587}]}})",
      *d.all[0], page, error));
  REQUIRE(trades.size() == 1);
  CHECK(trades[0].id == 203024587);
  CHECK_FALSE(
      read_history(*d.exchange, R"({"error":{"code":11060,"message":"not_supported"}})", *d.all[0], page, error));
}
