#include "answers.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

TEST_CASE("okx: requests") {
  Asked okx("okx", Market::linear, {"BTC-USDT-SWAP", "ETH-USDT-SWAP"});
  CHECK(okx.exchange->ws_target(Stream::aggregate) == "/ws/v5/public");
  CHECK(okx.exchange->ws_target(Stream::single) == "/ws/v5/business");
  CHECK(subscribe(*okx.exchange, okx.all, Stream::aggregate, 7) ==
        R"({"id":"7","op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT-SWAP"},)"
        R"({"channel":"trades","instId":"ETH-USDT-SWAP"}]})");
  CHECK(unsubscribe(*okx.exchange, std::span(okx.all).first(1), Stream::single, 8) ==
        R"({"id":"8","op":"unsubscribe","args":[{"channel":"trades-all","instId":"BTC-USDT-SWAP"}]})");
  CHECK(okx.exchange->probe(9) == "ping");
  CHECK(okx.parse("pong").pong);
}

TEST_CASE("okx: a push merges the fills of one order, and says which") {
  Asked okx("okx", Market::spot, {"BTC-USDT"});
  const Parsed& p = okx.parse(
      R"({"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474",)"
      R"("px":"42219.9","sz":"0.12060306","side":"buy","ts":"1629386781174","count":"3","source":"1","seqId":1}]})");
  REQUIRE(p.trades.size() == 1);
  const Trade& t = p.trades[0];
  CHECK((t.id == 130639474 && t.fills == 3 && t.merged && t.in_cvd && t.series == Series::single));
  CHECK(t.aggressor == Aggressor::buyer);
  CHECK(t.time.us == 1629386781174'000);
  CHECK(Record::from(t)->first_id() == 130639472);
  const std::string all =
      R"({"arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"5","px":"1",)"
      R"("sz":"2","side":"sell","source":"0","ts":"1630048897897"}]})";
  CHECK_FALSE(okx.parse(all).trades.at(0).merged);
  for (const char* count : {"\"0\"", "\"-1\"", "\"x\"", "null", "\"130639475\"", "\"4294967296000\""}) {
    std::string bad =
        R"({"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474",)"
        R"("px":"1","sz":"1","side":"buy","ts":"1629386781174","count":)";
    bad.append(count).append("}]}");
    INFO(bad);
    CHECK(okx.parse(bad).refusal == Refusal::bad_field);
  }
}

TEST_CASE("okx: one answer per argument, errors too") {
  Asked okx("okx", Market::spot, {"BTC-USDT"});
  const Ack good = okx.ack(
      R"({"id":"1512","event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"a4d3ae55"})");
  CHECK((good.id == 1512 && good.ok && good.rest == Ack::Rest::open));
  CHECK(good.topics == Names{okx.exchange->trades(Stream::aggregate).topic_of(*okx.all[0])});
  const Ack bad = okx.ack(
      R"({"event":"error","msg":"Wrong URL or channel:tickers,instId:NMR-USDT doesn't exist. Please use the correct )"
      R"(URL, channel and parameters referring to API document.","code":"60018","connId":"0d0c61a5"})");
  CHECK((bad.id == 0 && !bad.ok && !bad.temporary));
  CHECK(bad.topics == Names{"tickers:NMR-USDT"});
  CHECK(bad.error.find("(code 60018)") != std::string::npos);
  const Ack busy = okx.ack(R"({"id":"3","event":"error","code":"60014","msg":"Requests too frequent"})");
  CHECK((busy.id == 3 && !busy.ok && busy.temporary && busy.topics.empty()));
}

TEST_CASE("okx: notices and what is not ours") {
  Asked okx("okx", Market::spot, {"BTC-USDT"});
  CHECK(okx.parse(R"({"event":"notice","code":"64008","msg":"The connection will soon be closed.","connId":"a"})")
            .closing_soon);
  CHECK_FALSE(okx.parse(R"({"event":"notice","code":"1","msg":"Hello"})").closing_soon);
  CHECK(okx.parse(R"({"event":"channel-conn-count","channel":"orders","connCount":"2","connId":"a"})").ignored);
  CHECK(okx.parse(R"({"arg":{"channel":"books5","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","asks":[]}]})")
            .ignored);
  CHECK(okx.parse(R"({"arg":{"channel":"trades","instId":"X"},"data":[]})").ignored);
  CHECK(okx.parse(R"({"event":"dance"})").refusal == Refusal::not_understood);
  CHECK(
      okx.parse(R"({"arg":{"channel":"trades","instId":"X-Y"},"data":[{"instId":"X-Y","tradeId":"1","px":"1","sz":"1",)"
                R"("side":"buy","ts":"1630048897897"}]})")
          .refusal == Refusal::unknown_symbol);
}

TEST_CASE("okx: which lists to ask for, and what they say") {
  const auto targets = [](Market market, const Names& wanted) {
    return find_exchange("okx", market)->instruments_targets(wanted);
  };
  const std::string path = "/api/v5/public/instruments?instType=";
  CHECK(targets(Market::spot, {"*"}) == Names{path + "SPOT"});
  CHECK(targets(Market::inverse, {"BTC-USD-SWAP"}) == Names{path + "SWAP", path + "FUTURES"});
  CHECK(targets(Market::option, {"SOL-USD-261225-90-C", "SOL-USD-261225-95-C"}) ==
        Names{path + "OPTION&instFamily=SOL-USD"});
  CHECK(targets(Market::option, {"BTC-USD-*"}) == Names{path + "OPTION&instFamily=BTC-USD"});
  CHECK(targets(Market::option, {"*"}) ==
        Names{path + "OPTION&instFamily=BTC-USD", path + "OPTION&instFamily=ETH-USD"});
  // A linear contract whose value is not in its base coin would be read wrongly: it is left out.
  const std::string body =
      R"({"code":"0","msg":"","data":[{"instType":"SWAP","instId":"A-USDT-SWAP","ctType":"linear","ctVal":"1",)"
      R"("ctMult":"1","ctValCcy":"USDT","settleCcy":"USDT","instFamily":"A-USDT","state":"live"},)"
      R"({"instType":"SWAP","instId":"B-USDT-SWAP","ctType":"linear","ctVal":"10","ctMult":"1","ctValCcy":"B",)"
      R"("settleCcy":"USDT","instFamily":"B-USDT","state":"suspend"},)"
      R"({"instType":"SWAP","instId":"C-USD-SWAP","ctType":"inverse","ctVal":"10","ctMult":"1","ctValCcy":"USD",)"
      R"("settleCcy":"C","instFamily":"C-USD","state":"live"}]})";
  InstrumentPage linear, inverse;
  std::string error;
  REQUIRE(read_instruments(*find_exchange("okx", Market::linear), body, linear, error));
  REQUIRE(read_instruments(*find_exchange("okx", Market::inverse), body, inverse, error));
  REQUIRE(linear.instruments.size() == 1);
  CHECK((linear.instruments[0].symbol == "B-USDT-SWAP" && !linear.instruments[0].trading));
  REQUIRE(inverse.instruments.size() == 1);
  CHECK(inverse.instruments[0].symbol == "C-USD-SWAP");
  CHECK_FALSE(read_instruments(*find_exchange("okx", Market::spot),
                               R"({"code":"50011","msg":"Too Many Requests","data":[]})", linear, error));
  CHECK(error == "Too Many Requests (code 50011)");
  Timestamp time;
  REQUIRE(
      read_time(*find_exchange("okx", Market::spot), R"({"code":"0","data":[{"ts":"1597026383085"}],"msg":""})", time));
  CHECK(time.us == 1597026383085'000);
}

TEST_CASE("okx: history comes newest first") {
  Asked okx("okx", Market::spot, {"BTC-USDT"});
  CHECK(okx.exchange->history->by_id(*okx.all[0], 1000, 100) ==
        "/api/v5/market/history-trades?instId=BTC-USDT&type=1&after=1100&limit=100");
  HistoryPage page;
  const std::vector<Trade>& trades = page.trades;
  std::string error;
  const auto row = [](const char* symbol, int id) {
    return std::string(R"({"instId":")") + symbol +
           R"(","side":"sell","sz":"0.00001","source":"0","px":"29963.2","tradeId":")" + std::to_string(id) +
           R"(","ts":"1654161646974"})";
  };
  REQUIRE(read_history(*okx.exchange,
                       R"({"code":"0","msg":"","data":[)" + row("BTC-USDT", 12) + "," + row("BTC-USDT", 11) + "]}",
                       *okx.all[0], page, error));
  REQUIRE(trades.size() == 2);
  CHECK((trades[0].id == 11 && trades[1].id == 12 && !trades[0].merged));
  CHECK_FALSE(read_history(*okx.exchange, R"({"code":"0","msg":"","data":[)" + row("ETH-USDT", 12) + "]}", *okx.all[0],
                           page, error));
  CHECK(error == "trades of another instrument");
  CHECK(trades.empty());
  CHECK_FALSE(read_history(*okx.exchange, R"({"code":"51001","msg":"Instrument ID doesn't exist","data":[]})",
                           *okx.all[0], page, error));
}

TEST_CASE("okx: the family names the currencies, whatever comes first; the underlying if there is none") {
  const auto contract = [](const std::string& fields) {
    InstrumentPage page;
    std::string error;
    REQUIRE(read_instruments(*find_exchange("okx", Market::linear),
                             R"({"code":"0","msg":"","data":[{"instType":"FUTURES","instId":"SOL-USD_UM-261225",)"
                             R"("ctType":"linear","ctVal":"1","ctMult":"1","ctValCcy":"SOL","settleCcy":"USDC",)" +
                                 fields + R"(,"state":"live","listTime":"1790000040000"}]})",
                             page, error));
    REQUIRE(page.instruments.size() == 1);
    CHECK(page.instruments[0].listed.us == 1'790'000'040'000'000);
    return page.instruments[0].base + " " + page.instruments[0].quote + " " + page.instruments[0].settle;
  };
  CHECK(contract(R"("uly":"SOL-USD","instFamily":"SOL-USD_UM")") == "SOL USD_UM USDC");
  CHECK(contract(R"("instFamily":"SOL-USD_UM","uly":"SOL-USD")") == "SOL USD_UM USDC");
  CHECK(contract(R"("instFamily":"","uly":"SOL-USD")") == "SOL USD USDC");
}
