// Whose row was refused, and when it was traded: exchange by exchange. What names nobody may have been anybody's; what
// is no trade is nobody's.
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
struct Case {
  std::string_view what, message;
  Refusal refusal;
  std::vector<std::pair<std::string_view, std::int64_t>> of;  // symbol, ms; 0: unknown
  bool anybody = false;
};

void check(Asked& asked, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.what << ": " << c.message);
    const Parsed& parsed = asked.parse(c.message);
    CHECK(std::string(name_of(parsed.refusal)) == std::string(name_of(c.refusal)));
    CHECK((parsed.refused_rows == 0) == (c.refusal == Refusal::none));
    CHECK(parsed.refused_of_anybody == c.anybody);
    REQUIRE(parsed.refused_of.size() == c.of.size());
    for (std::size_t i = 0; i < c.of.size(); ++i) {
      CHECK(parsed.refused_of[i].instrument->symbol == c.of[i].first);
      CHECK(parsed.refused_of[i].time.us == c.of[i].second * 1'000);
    }
  }
}

constexpr std::int64_t at = 1'790'000'040'000;
}  // namespace

TEST_CASE("binance: whose row was refused") {
  Asked b("binance", Market::linear, {"AAAUSDT", "BBBUSDT", "HUGE"});
  b.instruments[2].contract_size = parse_sum("1" + std::string(38, '0')).value();
  check(b, {{"a size that is none",
             R"({"stream":"aaausdt@aggTrade","data":{"e":"aggTrade","s":"AAAUSDT","a":1,"p":"1",)"
             R"("q":"x","f":1,"l":1,"T":1790000040000,"m":true}})",
             Refusal::bad_number,
             {{"AAAUSDT", at}}},
            {"a time that is none",
             R"({"e":"aggTrade","s":"BBBUSDT","a":1,"p":"1","q":"1","f":1,"l":1,"T":"?","m":true})",
             Refusal::bad_field,
             {{"BBBUSDT", 0}}},
            {"too much for our numbers",
             R"({"e":"aggTrade","s":"HUGE","a":1,"p":"1","q":"9",)"
             R"("f":1,"l":1,"T":1790000040000,"m":true})",
             Refusal::overflow,
             {{"HUGE", at}}},
            {"no symbol, but a stream's name",
             R"({"stream":"bbbusdt@aggTrade","data":{"e":"aggTrade","a":1,"T":1790000040000}})",
             Refusal::bad_field,
             {{"BBBUSDT", at}}},
            {"no event", R"({"stream":"bbbusdt@trade","data":{"s":"BBBUSDT"}})", Refusal::bad_field, {{"BBBUSDT", 0}}},
            {"another form", R"({"stream":"bbbusdt@trade","data":[1,2]})", Refusal::bad_field, {{"BBBUSDT", 0}}},
            {"an event we do not know on a stream of trades",
             R"({"stream":"bbbusdt@trade","data":{"e":"fill","s":"?"}})",
             Refusal::not_understood,
             {{"BBBUSDT", 0}}},
            {"nobody's", R"({"e":"aggTrade","a":1})", Refusal::bad_field, {}, true},
            {"broken", R"({"e":"aggTrade","s":"AAAUSDT","a":1)", Refusal::not_json, {}, true},
            {"an event we do not know", R"({"e":"fill","s":"AAAUSDT"})", Refusal::not_understood, {{"AAAUSDT", 0}}},
            {"of nobody we asked for", R"({"e":"aggTrade","s":"CCCUSDT","a":1})", Refusal::unknown_symbol, {}},
            {"of another market", R"({"e":"aggTrade","s":"CCCUSD_PERP","a":1,"st":2})", Refusal::wrong_market, {}},
            {"no trades", R"({"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker"}]})", Refusal::none, {}},
            {"no trades either", R"([{"e":"24hrMiniTicker","s":"AAAUSDT"}])", Refusal::none, {}},
            {"nor on a stream that nobody knows",
             R"({"stream":"aaausdt@new","data":{"e":"new","s":"AAAUSDT"}})",
             Refusal::none,
             {}},
            {"a list of something", R"([{"e":"trade","s":"AAAUSDT"}])", Refusal::not_understood, {}, true}});
  CHECK(b.parse(R"([{"e":"24hrMiniTicker","s":"AAAUSDT"}])").ignored);
}

TEST_CASE("binance: a symbol of ours is ours, whatever market the message says") {
  Asked b("binance", Market::linear, {"AAAUSDT"});
  for (const char* st : {"1", "2", "\"x\"", "null"}) {
    const auto trades = b.parse(R"({"stream":"aaausdt@aggTrade","data":{"e":"aggTrade","E":1,"a":7,"s":"AAAUSDT",)"
                                R"("p":"1","q":"1","nq":"1","f":1,"l":1,"T":1790000040000,"m":false,"st":)" +
                                std::string(st) + "}}")
                            .trades;
    REQUIRE(trades.size() == 1);
    CHECK(trades[0].id == 7);
  }
}

TEST_CASE("okx: whose row was refused") {
  Asked o("okx", Market::linear, {"A-USDT-SWAP", "B-USDT-SWAP"});
  o.instruments[0].contract_size = Decimal{1, 2};
  const std::string_view head = R"({"arg":{"channel":"trades","instId":"A-USDT-SWAP"},"data":)";
  std::vector<std::string> texts;
  const auto message = [&](std::string_view data) -> std::string_view {
    return texts.emplace_back(std::string(head) + std::string(data) + "}");
  };
  texts.reserve(16);
  check(o, {{"count 0",
             message(R"([{"instId":"A-USDT-SWAP","tradeId":"3","px":"1","sz":"1","side":"buy","ts":"1790000040000",)"
                     R"("count":"0"},{"instId":"A-USDT-SWAP","tradeId":"4","px":"1","sz":"1","side":"buy",)"
                     R"("ts":"1790000040000","count":"1"}])"),
             Refusal::bad_field,
             {{"A-USDT-SWAP", at}}},
            {"a side we do not know",
             message(R"([{"instId":"A-USDT-SWAP","tradeId":"3","px":"1","sz":"1","side":"none","ts":"x"}])"),
             Refusal::bad_field,
             {{"A-USDT-SWAP", 0}}},
            {"a row without a name",
             message(R"([{"tradeId":"3","ts":"1790000040000"}])"),
             Refusal::bad_field,
             {{"A-USDT-SWAP", at}}},
            {"a row that is none", message("[7]"), Refusal::bad_field, {{"A-USDT-SWAP", 0}}},
            {"under another name",
             message(R"([{"instId":"C-USDT-SWAP","tradeId":"3","ts":"1790000040000"}])"),
             Refusal::unknown_symbol,
             {{"A-USDT-SWAP", at}}},
            {"no list", message(R"({"instId":"A-USDT-SWAP"})"), Refusal::bad_field, {{"A-USDT-SWAP", 0}}},
            {"an empty list", message("[]"), Refusal::none, {}},
            {"of nobody", R"({"arg":{"channel":"trades"},"data":[{"tradeId":"3"}]})", Refusal::bad_field, {}, true},
            {"of nobody we asked for",
             R"({"arg":{"channel":"trades","instId":"X"},"data":[{"instId":"X","tradeId":"3"}]})",
             Refusal::unknown_symbol,
             {}},
            {"broken", R"({"arg":{"channel":"trades","instId":"A-USDT-SWAP"},"da)", Refusal::not_json, {}, true},
            {"not understood", R"({"event":"dance"})", Refusal::not_understood, {}, true},
            {"no trades", R"({"arg":{"channel":"books5","instId":"A-USDT-SWAP"},"data":[{}]})", Refusal::none, {}}});
  CHECK(o.parse(texts[0]).trades.size() == 1);  // its neighbour counts
}

TEST_CASE("bybit: whose row was refused") {
  Asked b("bybit", Market::linear, {"AAAUSDT"});
  const std::string_view odd =
      R"({"topic":"publicTrade.AAAUSDT","type":"snapshot","ts":1,"data":[{"T":1790000040000,"s":"AAAUSDT","S":"Buy",)"
      R"("v":"5","p":"100","i":"T-20260921-0000000004","BT":false},{"T":1790000040001,"s":"AAAUSDT","S":"Buy",)"
      R"("v":"1","p":"100","i":"20f43950-d8dd-5b31-9112-000000000003","BT":false}]})";
  check(b,
        {{"an id of a new form", odd, Refusal::bad_field, {{"AAAUSDT", at}}},
         {"no name but the topic's",
          R"({"topic":"publicTrade.AAAUSDT","data":[{"T":1790000040000}]})",
          Refusal::bad_field,
          {{"AAAUSDT", at}}},
         {"no list", R"({"topic":"publicTrade.AAAUSDT","data":{"s":"AAAUSDT"}})", Refusal::bad_field, {{"AAAUSDT", 0}}},
         {"nothing at all", R"({"topic":"publicTrade.AAAUSDT"})", Refusal::bad_field, {{"AAAUSDT", 0}}},
         {"an empty list", R"({"topic":"publicTrade.AAAUSDT","data":[]})", Refusal::none, {}},
         {"of nobody", R"({"topic":"publicTrade.X","data":[{"i":"1"}]})", Refusal::bad_field, {}, true},
         {"of nobody we asked for", R"({"topic":"publicTrade.X","data":[{"s":"X"}]})", Refusal::unknown_symbol, {}},
         {"not understood", R"({"op":"dance"})", Refusal::not_understood, {}, true}});
  CHECK(b.parse(odd).trades.size() == 1);
  // The topic of options is their coin's: a row without a name may be of any strike.
  Asked o("bybit", Market::option, {"BTC-25DEC26-1-C"});
  check(o, {{"no name", R"({"topic":"publicTrade.BTC","data":[{"T":1790000040000}]})", Refusal::bad_field, {}, true},
            {"another strike",
             R"({"topic":"publicTrade.BTC","data":[{"s":"BTC-25DEC26-2-C"}]})",
             Refusal::unknown_symbol,
             {}},
            {"ours",
             R"({"topic":"publicTrade.BTC","data":[{"s":"BTC-25DEC26-1-C","T":1790000040000}]})",
             Refusal::bad_field,
             {{"BTC-25DEC26-1-C", at}}},
            {"ours, and another strike",
             R"({"topic":"publicTrade.BTC","data":[{"s":"BTC-25DEC26-1-C"},{"s":"BTC-25DEC26-2-C"}]})",
             Refusal::bad_field,
             {{"BTC-25DEC26-1-C", 0}}}});
}

TEST_CASE("more rows refused than are remembered may be anybody's") {
  Asked b("bybit", Market::linear, {"AAAUSDT"});
  std::string message = R"({"topic":"publicTrade.AAAUSDT","data":[)";
  for (std::size_t i = 0; i <= Parsed::refused_of_max; ++i) {
    message += std::string(i == 0 ? "" : ",") + R"({"s":"AAAUSDT"})";
  }
  const Parsed& parsed = b.parse(message + "]}");
  CHECK(parsed.refused_rows == Parsed::refused_of_max + 1);
  CHECK((parsed.refused_of.size() == Parsed::refused_of_max && parsed.refused_of_anybody));
  CHECK((b.parse("{}").refused_of.empty() && parsed.refused_of_anybody && parsed.refused_rows == 1));
  CHECK_FALSE(b.parse(R"({"op":"pong"})").refused_of_anybody);
}

TEST_CASE("deribit: whose row was refused") {
  Asked d("deribit", Market::inverse, {"BTC-PERPETUAL"});
  check(d, {{"a price that is none",
             R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{)"
             R"("timestamp":1790000040000,"price":"NaN","direction":"buy","instrument_name":"BTC-PERPETUAL",)"
             R"("trade_seq":1,"amount":10.0,"trade_id":"7"}]}})",
             Refusal::bad_number,
             {{"BTC-PERPETUAL", at}}},
            {"no name but the channel's",
             R"({"method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{}]}})",
             Refusal::bad_field,
             {{"BTC-PERPETUAL", 0}}},
            {"no list",
             R"({"method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":7}})",
             Refusal::bad_field,
             {{"BTC-PERPETUAL", 0}}},
            {"an empty list",
             R"({"method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[]}})",
             Refusal::none,
             {}},
            {"of a kind",
             R"({"method":"subscription","params":{"channel":"trades.future.any.100ms","data":[{}]}})",
             Refusal::bad_field,
             {},
             true},
            {"no channel", R"({"method":"subscription","params":{"data":[]}})", Refusal::bad_field, {}, true},
            {"of nobody we asked for",
             R"({"method":"subscription","params":{"channel":"trades.X.100ms","data":[{"instrument_name":"X"}]}})",
             Refusal::unknown_symbol,
             {}},
            {"a notice", R"({"jsonrpc":"2.0","method":"connection_too_slow"})", Refusal::none, {}},
            {"broken", R"({"jsonrpc":"2.0","method":"subscription",)", Refusal::not_json, {}, true}});
}

TEST_CASE("coinbase: whose row was refused") {
  Asked c("coinbase", Market::spot, {"AAA-USD"});
  check(
      c,
      {{"a time in another form",
        R"({"type":"match","trade_id":1,"side":"sell","size":"1","price":"1","product_id":"AAA-USD",)"
        R"("time":"2026-09-21T14:14:00.000+01:00"})",
        Refusal::bad_field,
        {{"AAA-USD", 0}}},
       {"a side we do not know",
        R"({"type":"match","trade_id":1,"side":"?","size":"1","price":"1","product_id":"AAA-USD",)"
        R"("time":"2026-09-21T14:14:00.000Z"})",
        Refusal::bad_field,
        {{"AAA-USD", at}}},
       {"of nobody", R"({"type":"match","trade_id":1})", Refusal::bad_field, {}, true},
       {"of nobody we asked for", R"({"type":"match","product_id":"B-USD"})", Refusal::unknown_symbol, {}},
       {"a heartbeat is no trade", R"({"type":"heartbeat","product_id":"AAA-USD"})", Refusal::bad_field, {}},
       {"no list", R"({"channel":"market_trades","events":[{"type":"update"}]})", Refusal::bad_field, {}, true},
       {"an empty list", R"({"channel":"market_trades","events":[{"type":"update","trades":[]}]})", Refusal::none, {}},
       {"not understood", R"({"type":"dance"})", Refusal::not_understood, {}, true},
       {"broken", R"({"type":"match")", Refusal::not_json, {}, true}});
}
