// Messages written by hand after Binance's documentation; the arithmetic is in the comments.
#include <algorithm>
#include <string>
#include <vector>

#include "answers.hpp"
#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "told.hpp"

using namespace cvdd;

namespace {

Decimal dec(std::string_view text) { return parse_sum(text).value(); }

Instrument make(Market market, std::string symbol, std::string_view contract_size = "1") {
  Instrument out;
  out.exchange = "binance";
  out.market = market;
  out.symbol = std::move(symbol);
  out.contract_size = dec(contract_size);
  return out;
}

const std::vector<Instrument>& instruments() {
  static const std::vector<Instrument> all{make(Market::spot, "BNBBTC"),
                                           make(Market::spot, "BTCUSDT"),
                                           make(Market::linear, "BTCUSDT"),
                                           make(Market::linear, "1000PEPEUSDT"),
                                           make(Market::linear, "DOGEUSDT"),
                                           make(Market::linear, "币安人生USDT"),
                                           make(Market::inverse, "BTCUSD_PERP", "100"),
                                           make(Market::inverse, "ETHUSD_PERP", "10")};
  return all;
}

SymbolTable table(Market market) {
  SymbolTable out;
  for (const Instrument& i : instruments()) {
    if (i.market == market) out.emplace(i.symbol, &i);
  }
  return out;
}

const Exchange& exchange(Market market) {
  const Exchange* found = find_exchange("binance", market);
  REQUIRE(found);
  return *found;
}

Parsed parse(Market market, std::string_view message) {
  Parsed out;
  exchange(market).parse(message, table(market), out);
  return out;
}

Trade only_trade(Market market, std::string_view message) {
  Parsed out = parse(market, message);
  INFO(message << " -> " << name_of(out.refusal));
  CHECK(out.refused_rows == 0);
  CHECK(out.acks.empty());
  CHECK_FALSE(out.ignored);
  REQUIRE(out.trades.size() == 1);
  return out.trades[0];
}

// Refused for `reason`, once, and nothing else came of it.
void check_refused(Market market, std::string_view message, Refusal reason) {
  Parsed out = parse(market, message);
  INFO(message.substr(0, 300) << " -> " << name_of(out.refusal));
  CHECK(out.refusal == reason);
  CHECK(out.refused_rows == 1);
  CHECK(out.trades.empty());
  CHECK(out.acks.empty());
  CHECK_FALSE(out.ignored);
  CHECK_FALSE(out.closing_soon);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  auto at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

const std::string spot_agg =
    R"({"e":"aggTrade","E":1672515782140,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,)"
    R"("T":1672515782136,"m":true,"M":true})";
const std::string spot_trade =
    R"({"e":"trade","E":1672515782140,"s":"BNBBTC","t":12346,"p":"0.00120","q":"100.5","T":1672515782136,)"
    R"("m":false,"M":true})";
const std::string linear_trade =
    R"({"e":"trade","E":1790370834849,"T":1790370834848,"s":"BTCUSDT","t":8121136411,"p":"83680.00","q":"0.001",)"
    R"("X":"MARKET","m":true,"st":1})";
const std::string inverse_trade =
    R"({"e":"trade","E":1790373534694,"T":1790373534694,"s":"BTCUSD_PERP","t":1155839922,"p":"80000","q":"3",)"
    R"("X":"MARKET","m":false})";

std::string combined(std::string_view data) { return R"({"stream":"x@trade","data":)" + std::string(data) + "}"; }

}  // namespace

TEST_CASE("binance: registry and names") {
  CHECK(all_exchanges().size() >= 3);
  CHECK(find_exchange("binance", Market::option) == nullptr);
  CHECK(find_exchange("nowhere", Market::spot) == nullptr);
  CHECK(exchange(Market::spot).ws_target(Stream::single) == "/stream");
  CHECK(exchange(Market::inverse).ws_target(Stream::aggregate) == "/stream");
  CHECK(exchange(Market::linear).ws_target(Stream::aggregate) == "/market/stream");
  CHECK(exchange(Market::linear).ws_target(Stream::single) == "/public/stream");
  for (const Exchange* e : all_exchanges()) {
    CHECK(e->limits.instruments_per_request > 0);
    CHECK_FALSE(e->ws_hosts.empty());
    CHECK_FALSE(e->rest_hosts.empty());
  }
  CHECK(name_of(Refusal::none) == "none");
  CHECK(name_of(Refusal::overflow) == "overflow");
  CHECK(name_of(Refusal::unknown_symbol) == "unknown_symbol");
}

TEST_CASE("binance: spot aggregate, the buyer is the maker, so the taker sold") {
  for (const std::string& message : {spot_agg, combined(spot_agg)}) {
    Trade t = only_trade(Market::spot, message);
    CHECK(t.instrument->symbol == "BNBBTC");
    CHECK(t.time.us == 1672515782136000);
    CHECK(t.id == 12345);
    CHECK(t.fills == 6);  // 100 … 105
    CHECK(t.aggressor == Aggressor::seller);
    CHECK(t.series == Series::aggregate);
    CHECK_FALSE(t.placeholder);
    CHECK(t.in_cvd);
    CHECK(t.price == dec("0.001"));
    CHECK(t.base == dec("100"));
    CHECK(t.quote == dec("0.1"));  // 0.001 × 100
  }
}

TEST_CASE("binance: spot single and block trades") {
  Trade t = only_trade(Market::spot, spot_trade);
  CHECK(t.id == 12346);
  CHECK(t.fills == 1);
  CHECK(t.aggressor == Aggressor::buyer);
  CHECK(t.series == Series::single);
  CHECK(t.in_cvd);
  CHECK(t.price == dec("0.0012"));
  CHECK(t.base == dec("100.5"));
  CHECK(t.quote == dec("0.1206"));  // 0.0012 × 100.5

  // The fields a and b of old recordings are order ids.
  Trade old = only_trade(Market::spot, replaced(spot_trade, R"("M":true)", R"("b":255533165,"a":255532831,"M":true)"));
  CHECK(old.id == 12346);

  Trade block =
      only_trade(Market::spot, R"({"e":"blockTrade","E":1772506983582,"s":"BNBBTC","t":582,"p":"0.052","q":"5838",)"
                               R"("T":1772506983321,"m":true})");
  CHECK(block.id == 582);
  CHECK(block.fills == 1);
  CHECK(block.series == Series::block);
  CHECK_FALSE(block.in_cvd);
  CHECK(block.aggressor == Aggressor::seller);
  CHECK(block.time.us == 1772506983321000);
  CHECK(block.quote == dec("303.576"));  // 0.052 × 5838
}

TEST_CASE("binance: USD-M trades") {
  Trade t = only_trade(Market::linear, combined(linear_trade));
  CHECK(t.instrument->symbol == "BTCUSDT");
  CHECK(t.time.us == 1790370834848000);
  CHECK(t.id == 8121136411);
  CHECK(t.aggressor == Aggressor::seller);
  CHECK(t.base == dec("0.001"));
  CHECK(t.quote == dec("83.68"));  // 83680 × 0.001

  // Size and price are per 1000 tokens; no multiplier. 0.0044478 × 10403 = 46.2704634
  Trade pepe = only_trade(Market::linear,
                          R"({"e":"trade","E":1790371723022,"T":1790371723021,"s":"1000PEPEUSDT","t":2804511605,)"
                          R"("p":"0.0044478","q":"10403","X":"RPI","m":false,"st":1})");
  CHECK(pepe.aggressor == Aggressor::buyer);
  CHECK(pepe.in_cvd);
  CHECK(pepe.base == dec("10403"));
  CHECK(pepe.quote == dec("46.2704634"));

  // q, not nq, is the volume: 83091.7 × 0.022 = 1828.0174
  Trade agg = only_trade(Market::linear,
                         R"({"e":"aggTrade","E":1791382992488,"a":3477868433,"s":"BTCUSDT","p":"83091.70","q":"0.022",)"
                         R"("nq":"0.021","f":8153634393,"l":8153634394,"T":1791382992338,"m":false,"st":1})");
  CHECK(agg.id == 3477868433);
  CHECK(agg.fills == 2);
  CHECK(agg.base == dec("0.022"));
  CHECK(agg.quote == dec("1828.0174"));

  Trade chinese = only_trade(Market::linear, replaced(linear_trade, "BTCUSDT", "币安人生USDT"));
  CHECK(chinese.instrument->symbol == "币安人生USDT");
  CHECK(only_trade(Market::linear, replaced(linear_trade, "BTCUSDT", R"(\u5e01\u5b89\u4eba\u751fUSDT)")).instrument ==
        chinese.instrument);
}

TEST_CASE("binance: prints that are no market trades stay out of the CVD") {
  for (const char* kind : {"INSURANCE_FUND", "ADL", "SOMETHING_NEW"}) {
    Trade t = only_trade(Market::linear, replaced(linear_trade, "MARKET", kind));
    CHECK_FALSE(t.in_cvd);
    CHECK_FALSE(t.placeholder);
    CHECK(t.base == dec("0.001"));
  }
  Trade na = only_trade(Market::linear,
                        R"({"e":"trade","E":1790371725749,"T":1790371725748,"s":"DOGEUSDT","t":3488255295,"p":"0",)"
                        R"("q":"0","X":"NA","m":true,"st":1})");
  CHECK(na.placeholder);
  CHECK(na.id == 3488255295);
  CHECK(na.time.us == 1790371725748000);
  CHECK(na.base.is_zero());
  CHECK(na.quote.is_zero());
}

TEST_CASE("binance: COIN-M sizes are contracts of a fixed number of dollars") {
  // 3 × 100 USD = 300 USD; 300 ÷ 80000 = 0.00375
  Trade t = only_trade(Market::inverse, inverse_trade);
  CHECK(t.aggressor == Aggressor::buyer);
  CHECK(t.price == dec("80000"));
  CHECK(t.quote == dec("300"));
  CHECK(t.base == dec("0.00375"));
  // 7 × 10 USD = 70 USD; 70 ÷ 3000 = 0.0233333333333…
  Trade eth = only_trade(Market::inverse,
                         R"({"e":"aggTrade","E":1790373534700,"a":7,"s":"ETHUSD_PERP","p":"3000.00","q":"7","f":1,)"
                         R"("l":3,"T":1790373534694,"m":true,"st":2})");
  CHECK(eth.fills == 3);
  CHECK(eth.aggressor == Aggressor::seller);
  CHECK(eth.quote == dec("70"));
  CHECK(eth.base == dec("0.023333333333"));
}

TEST_CASE("binance: times in milliseconds and microseconds") {
  CHECK(only_trade(Market::spot, replaced(spot_agg, R"("T":1672515782136)", R"("T":1672515782136789)")).time.us ==
        1672515782136789);
  for (const char* bad : {"0", "-1", "16725225600001", "16725225600000001", "1e12", "1.5", "\"1672515782136\"", "null",
                          "99999999999999999999"}) {
    check_refused(Market::spot, replaced(spot_agg, "1672515782136", bad), Refusal::bad_field);
  }
}

TEST_CASE("binance: any order of fields and any spacing") {
  std::vector<std::string> fields{
      R"("e":"aggTrade")", R"("s":"BNBBTC")", R"("a":12345)",         R"("p":"0.001")", R"("q":"100")",
      R"("f":100)",        R"("l":105)",      R"("T":1672515782136)", R"("m":true)",    R"("zz":[1,{"e":"x"},null])"};
  Trade expected = only_trade(Market::spot, spot_agg);
  for (int round = 0; round < 200; ++round) {
    std::next_permutation(fields.begin(), fields.end());
    std::rotate(fields.begin(), fields.begin() + round % 7, fields.end());
    std::string object = " {";
    for (std::size_t i = 0; i < fields.size(); ++i) object += (i ? " ,\n" : "") + fields[i];
    object += "\t}\r\n";
    for (const std::string& message :
         {object, R"({"stream":"s@aggTrade","data":)" + object + "}", "{\"data\":" + object + R"(,"stream":"s"})"}) {
      Trade t = only_trade(Market::spot, message);
      CHECK(t.id == expected.id);
      CHECK(t.fills == expected.fills);
      CHECK(t.time == expected.time);
      CHECK(t.quote == expected.quote);
    }
  }
}

TEST_CASE("binance: a message cut anywhere is refused once and never a trade") {
  std::pair<Market, std::string> whole[] = {{Market::spot, spot_agg},
                                            {Market::spot, combined(spot_trade)},
                                            {Market::linear, combined(linear_trade)},
                                            {Market::inverse, inverse_trade}};
  for (const auto& [market, message] : whole) {
    for (std::size_t n = 0; n < message.size(); ++n) {
      check_refused(market, std::string_view(message).substr(0, n), Refusal::not_json);
    }
    for (const char* tail : {"}", "]", " x", ",", "{}", "\"", "1", "null"}) {
      check_refused(market, message + tail, Refusal::not_json);
    }
    // A broken byte anywhere: whatever it becomes, at most one refusal and no crash.
    for (std::size_t n = 0; n < message.size(); ++n) {
      for (char c : {'\0', '"', '\\', '{', '}', '[', ',', ':', '\xff', '0', '-', ' '}) {
        std::string broken = message;
        broken[n] = c;
        Parsed out = parse(market, broken);
        CHECK(out.trades.size() + out.refused_rows + (out.ignored ? 1 : 0) + out.acks.size() == 1);
      }
    }
  }
}

TEST_CASE("binance: wrong types and missing fields") {
  std::pair<const char*, const char*> changes[] = {
      {R"("e":"aggTrade")", R"("e":5)"},   {R"("e":"aggTrade")", R"("e":null)"},
      {R"("s":"BNBBTC")", R"("s":7)"},     {R"("s":"BNBBTC")", R"("S":"BNBBTC")"},
      {R"("a":12345)", R"("a":"12345")"},  {R"("a":12345)", R"("a":-1)"},
      {R"("a":12345)", R"("a":1.0)"},      {R"("a":12345)", R"("a":9223372036854775808)"},
      {R"("a":12345)", R"("b":1)"},        {R"("p":"0.001")", R"("p":true)"},
      {R"("p":"0.001")", R"("p":["1"])"},  {R"("p":"0.001")", R"("y":1)"},
      {R"("q":"100")", R"("q":{})"},       {R"("q":"100")", R"("q":null)"},
      {R"("f":100)", R"("f":106)"},        {R"("f":100)", R"("f":-1)"},
      {R"("l":105)", R"("l":2147483748)"}, {R"("l":105)", R"("l":"105")"},
      {R"("m":true)", R"("m":"true")"},    {R"("m":true)", R"("m":1)"},
      {R"("m":true)", R"("m":null)"},      {R"("m":true,)", ""},
      {R"("M":true)", R"("X":1)"},
  };
  for (const auto& [from, to] : changes) check_refused(Market::spot, replaced(spot_agg, from, to), Refusal::bad_field);
  CHECK(only_trade(Market::spot, replaced(spot_agg, R"("l":105)", R"("l":2147483747)")).fills == 2147483648U);
  CHECK(only_trade(Market::spot, replaced(spot_agg, "12345", "9223372036854775807")).id == 9223372036854775807U);
  check_refused(Market::spot, R"({"stream":"bnbbtc@trade","data":{"s":"BNBBTC"}})", Refusal::bad_field);
}

TEST_CASE("binance: numbers") {
  for (const char* bad : {"0", "0.000", "-1", "abc", "", "1,5", " 1", "1 ", "0x10", "NaN", "Infinity", "+1", ".5", "1.",
                          "1e400", "1e-400", "1234567890123456789", "0.1234567890123456789"}) {
    check_refused(Market::spot, replaced(spot_agg, "\"0.001\"", '"' + std::string(bad) + '"'), Refusal::bad_number);
    check_refused(Market::spot, replaced(spot_agg, "\"100\"", '"' + std::string(bad) + '"'), Refusal::bad_number);
  }
  check_refused(Market::spot, replaced(spot_agg, "\"0.001\"", '"' + std::string(1 << 20, '9') + '"'),
                Refusal::bad_number);
  // As JSON numbers, by their digits: 0.1 stays 0.1, and 1.8E-4 × 100 = 0.018
  CHECK(only_trade(Market::spot, replaced(spot_agg, "\"0.001\"", "0.1")).quote == dec("10"));
  CHECK(only_trade(Market::spot, replaced(spot_agg, "\"0.001\"", "1.8E-4")).quote == dec("0.018"));
  CHECK(only_trade(Market::spot, replaced(spot_agg, "\"100\"", "0.123456789012345678")).base ==
        dec("0.123456789012345678"));
  check_refused(Market::spot, replaced(spot_agg, "\"0.001\"", "1e999"), Refusal::bad_number);
  check_refused(Market::spot, replaced(spot_agg, "\"0.001\"", "01"), Refusal::not_json);
  check_refused(Market::spot, replaced(spot_agg, "\"0.001\"", "1.2.3"), Refusal::not_json);
  // Zero is for placeholders only.
  check_refused(Market::linear, replaced(linear_trade, "83680.00", "0"), Refusal::bad_number);
  check_refused(Market::linear, replaced(replaced(linear_trade, "83680.00", "0"), "MARKET", "NA"), Refusal::bad_number);
}

TEST_CASE("binance: symbols and markets that are not ours") {
  check_refused(Market::spot, replaced(spot_agg, "BNBBTC", "ETHUSDT"), Refusal::unknown_symbol);
  check_refused(Market::spot, replaced(spot_agg, "BNBBTC", "bnbbtc"), Refusal::unknown_symbol);
  check_refused(Market::spot, replaced(spot_agg, "BNBBTC", ""), Refusal::unknown_symbol);
  check_refused(Market::spot, replaced(spot_agg, "BNBBTC", std::string(1 << 20, 'A')), Refusal::unknown_symbol);
  const std::string other = replaced(linear_trade, "BTCUSDT", "NOSUCH");
  check_refused(Market::linear, other, Refusal::unknown_symbol);
  check_refused(Market::linear, replaced(other, R"("st":1)", R"("st":2)"), Refusal::wrong_market);
  check_refused(Market::linear, replaced(other, R"("st":1)", R"("st":"2")"), Refusal::unknown_symbol);
  // What we asked for is ours.
  CHECK(only_trade(Market::linear, replaced(linear_trade, R"("st":1)", R"("st":2)")).id == 8121136411);
  CHECK(only_trade(Market::inverse, replaced(inverse_trade, R"("m":false)", R"("m":false,"st":1)")).id == 1155839922);
  CHECK(only_trade(Market::spot, replaced(spot_agg, R"("M":true)", R"("st":2)")).id == 12345);
}

TEST_CASE("binance: hostile messages") {
  std::string deep(100'000, '[');
  std::string objects;
  for (int i = 0; i < 50'000; ++i) objects += "{\"data\":";
  for (const std::string& broken : {std::string(),
                                    std::string("   "),
                                    std::string("{"),
                                    std::string("}"),
                                    std::string("{]"),
                                    std::string("\0", 1),
                                    std::string("tru"),
                                    std::string("nulll"),
                                    std::string("\""),
                                    std::string("{\"e\"}"),
                                    std::string("{,}"),
                                    std::string("{\"e\":\"trade\",}"),
                                    std::string("{\"a\":1 \"b\":2}"),
                                    std::string("{\"a\":\"b\":1}"),
                                    std::string("{\"a\":1:2}"),
                                    std::string("{1:2}"),
                                    std::string("{\"a\":tru}"),
                                    std::string("{\"a\":[1 2]}"),
                                    std::string("{\"a\":[1,]}"),
                                    std::string("{\"a\":[}]"),
                                    std::string("{\"a\":{]}}"),
                                    std::string("[1,2"),
                                    std::string("[1] 2"),
                                    std::string("1 2"),
                                    std::string("\"a\" 1"),
                                    std::string("{\"a\":\"\\q\"}"),
                                    std::string("{\"a\":\"\xff\"}"),
                                    std::string("{\"a\":\"\xc0\x80\"}"),
                                    std::string("{\"a\":\"\n\"}"),
                                    std::string("\xef\xbb\xbf"),
                                    deep,
                                    deep + std::string(100'000, ']'),
                                    objects,
                                    objects + "1" + std::string(50'000, '}'),
                                    replaced(spot_agg, "BNBBTC",
                                             "BNB\xff"
                                             "BTC")}) {
    check_refused(Market::spot, broken, Refusal::not_json);
  }
  for (const char* unknown : {"1", "\"x\"", "null", "true", "[]", "[1,2]", "{}", R"({"data":1})", R"({"data":[]})",
                              R"({"data":{}})", R"({"e":"newKind","s":"BNBBTC"})", R"({"id":5})", R"({"error":1})",
                              R"({"stream":"x","data":{"result":null,"id":1}})", R"([{"e":"trade"}])"}) {
    check_refused(Market::spot, unknown, Refusal::not_understood);
  }
  check_refused(Market::spot, "{\"x\":\"" + std::string(1 << 20, 'y') + "\"}", Refusal::not_understood);
  // The parser is as good as new afterwards.
  CHECK(only_trade(Market::spot, spot_agg).id == 12345);
}

TEST_CASE("binance: overflow") {
  Instrument huge = make(Market::inverse, "HUGE", "100000000000000000000000000000000000000");
  SymbolTable symbols{{"HUGE", &huge}};
  Parsed out;
  exchange(Market::inverse).parse(replaced(inverse_trade, "BTCUSD_PERP", "HUGE"), symbols, out);
  CHECK(out.refusal == Refusal::overflow);
  CHECK(out.refused_rows == 1);
  CHECK(out.trades.empty());
}

TEST_CASE("binance: answers to requests") {
  struct Case {
    const char* message;
    std::uint64_t id;
    bool ok;
    const char* error;
  };
  for (const Case& c : {
           Case{R"({"result":null,"id":312})", 312, true, ""},
           Case{R"({"id":312,"result":null})", 312, true, ""},
           Case{R"({"result":null,"id":"17"})", 17, true, ""},
           Case{R"({"result":null,"id":null})", 0, true, ""},
           Case{R"({"result":null,"id":"x1"})", 0, true, ""},
           Case{R"({"result":["btcusdt@aggTrade"],"id":3})", 3, true, ""},
           Case{R"({"code":0,"msg":"Unknown property","id":1})", 1, false, "Unknown property (code 0)"},
           Case{R"({"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"})", 0, false,
                "Invalid JSON: expected value at line 1 column 1 (code 3)"},
           Case{R"({"error":{"code":2,"msg":"Invalid request: x"},"id":9})", 9, false, "Invalid request: x (code 2)"},
           Case{R"({"id":9,"error":{}})", 9, false, "no message"},
       }) {
    Parsed out = parse(Market::linear, c.message);
    INFO(c.message);
    CHECK(out.refused_rows == 0);
    CHECK(out.trades.empty());
    REQUIRE(out.acks.size() == 1);
    CHECK(out.acks[0].id == c.id);
    CHECK(out.acks[0].ok == c.ok);
    CHECK(out.acks[0].error == c.error);
  }
}

TEST_CASE("binance: shutdown notice and messages that are not needed") {
  for (const char* message : {R"({"e":"serverShutdown","E":1770123456789})",
                              R"({"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}})"}) {
    Parsed out = parse(Market::spot, message);
    CHECK(out.closing_soon);
    CHECK(out.refused_rows == 0);
    CHECK_FALSE(out.ignored);
  }
  for (const char* message :
       {R"({"e":"depthUpdate","s":"BNBBTC","U":1,"u":2,"b":[["1","2"]],"a":[]})", R"({"e":"kline","k":{"t":1}})",
        R"({"stream":"x@24hrTicker","data":{"e":"24hrTicker","s":"BNBBTC","p":"1"}})",
        R"({"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21","a":"25.36520000","A":"40.66"})",
        R"({"e":"bookTicker","u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1","T":1,"E":1})"}) {
    Parsed out = parse(Market::spot, message);
    CHECK(out.ignored);
    CHECK(out.refused_rows == 0);
    CHECK(out.refusal == Refusal::none);
    CHECK(out.trades.empty());
  }
}

TEST_CASE("binance: subscribe and unsubscribe") {
  auto all = [](Market market) {
    std::vector<const Instrument*> out;
    for (const Instrument& i : instruments()) {
      if (i.market == market) out.push_back(&i);
    }
    return out;
  };
  const Exchange& spot = exchange(Market::spot);
  CHECK(subscribe(spot, all(Market::spot), Stream::aggregate, 7) ==
        R"({"method":"SUBSCRIBE","params":["bnbbtc@aggTrade","bnbbtc@blockTrade","btcusdt@aggTrade",)"
        R"("btcusdt@blockTrade"],"id":7})");
  CHECK(unsubscribe(spot, std::vector{&instruments()[0]}, Stream::single, 8) ==
        R"({"method":"UNSUBSCRIBE","params":["bnbbtc@trade","bnbbtc@blockTrade"],"id":8})");
  CHECK(subscribe(exchange(Market::linear), all(Market::linear), Stream::single, 1) ==
        R"({"method":"SUBSCRIBE","params":["btcusdt@trade","1000pepeusdt@trade","dogeusdt@trade",)"
        R"("币安人生usdt@trade"],"id":1})");
  CHECK(spot.probe(3) == R"({"method":"LIST_SUBSCRIPTIONS","id":3})");
  CHECK(subscribe(exchange(Market::inverse), all(Market::inverse), Stream::aggregate, 2) ==
        R"({"method":"SUBSCRIBE","params":["btcusd_perp@aggTrade","ethusd_perp@aggTrade"],"id":2})");
}

namespace {
bool list_of(Market market, std::string_view body, std::vector<Instrument>& out, std::string& error) {
  InstrumentPage page;
  const bool good = read_instruments(exchange(market), body, page, error);
  out = page.instruments;
  return good;
}
}  // namespace

TEST_CASE("binance: instruments") {
  std::vector<Instrument> out;
  std::string error;
  REQUIRE(list_of(Market::spot,
                  R"({"timezone":"UTC","rateLimits":[{"limit":6000}],"symbols":[
      {"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","isSpotTradingAllowed":true,
       "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01"}]},
      {"symbol":"OLDUSDT","status":"BREAK","baseAsset":"OLD","quoteAsset":"USDT","isSpotTradingAllowed":true},
      {"symbol":"NOUSDT","status":"TRADING","baseAsset":"NO","quoteAsset":"USDT","isSpotTradingAllowed":false},
      {"symbol":"A,B","status":"TRADING","baseAsset":"A","quoteAsset":"B"}]})",
                  out, error));
  REQUIRE(out.size() == 3);
  CHECK(out[0].exchange == "binance");
  CHECK(out[0].market == Market::spot);
  CHECK(out[0].symbol == "BTCUSDT");
  CHECK(out[0].base == "BTC");
  CHECK(out[0].quote == "USDT");
  CHECK(out[0].settle.empty());
  CHECK(out[0].trading);
  CHECK_FALSE(out[1].trading);
  CHECK_FALSE(out[2].trading);

  REQUIRE(list_of(Market::inverse,
                  R"({"symbols":[
      {"symbol":"BTCUSD_PERP","contractStatus":"TRADING","contractSize":100,"marginAsset":"BTC","baseAsset":"BTC",
       "quoteAsset":"USD"},
      {"symbol":"ETHUSD_PERP","contractStatus":"PRE_DELIVERING","contractSize":"10","marginAsset":"ETH",
       "baseAsset":"ETH","quoteAsset":"USD"},
      {"symbol":"XUSD_PERP","contractStatus":"TRADING","contractSize":0,"baseAsset":"X","quoteAsset":"USD"},
      {"symbol":"YUSD_PERP","contractStatus":"TRADING","baseAsset":"Y","quoteAsset":"USD"}]})",
                  out, error));
  REQUIRE(out.size() == 2);
  CHECK(out[0].contract_size == dec("100"));
  CHECK(out[0].settle == "BTC");
  CHECK(out[0].trading);
  CHECK(out[1].contract_size == dec("10"));
  CHECK_FALSE(out[1].trading);

  const std::string one = R"({"futuresType":"U_MARGINED","symbols":[{"symbol":"1000PEPEUSDT","status":"TRADING",)"
                          R"("baseAsset":"1000PEPE","quoteAsset":"USDT","marginAsset":"USDT"}]})";
  REQUIRE(list_of(Market::linear, one, out, error));
  REQUIRE(out.size() == 1);
  CHECK(out[0].settle == "USDT");
  CHECK(out[0].contract_size == dec("1"));
  for (std::size_t n = 0; n < one.size(); ++n) {
    CHECK_FALSE(list_of(Market::linear, std::string_view(one).substr(0, n), out, error));
    CHECK(out.empty());
    CHECK_FALSE(error.empty());
  }
  CHECK_FALSE(list_of(Market::spot, R"({"code":-1003,"msg":"Too many requests."})", out, error));
  CHECK(error == "Too many requests. (code -1003)");
  for (const char* bad :
       {"", "[]", "1", "{}", "<html>", R"({"symbols":1})", R"({"symbols":[1]})", R"({"symbols":[]})"}) {
    CHECK_FALSE(list_of(Market::spot, bad, out, error));
    CHECK_FALSE(error.empty());
  }
}

TEST_CASE("binance: history") {
  const Instrument& btc = instruments()[2];
  const Instrument& perp = instruments()[6];
  CHECK(exchange(Market::spot).history->by_id(instruments()[1], 26129, 1000) ==
        "/api/v3/aggTrades?symbol=BTCUSDT&fromId=26129&limit=1000");
  CHECK(exchange(Market::linear).history->by_id(instruments()[5], 0, 5000) ==
        "/fapi/v1/aggTrades?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&fromId=0&limit=1000");
  CHECK(exchange(Market::inverse).history->by_id(perp, 5, 10) ==
        "/dapi/v1/aggTrades?symbol=BTCUSD_PERP&fromId=5&limit=10");
  HistoryPage out;
  std::string error;
  const std::string body =
      R"([{"a":3477868380,"p":"83084.30","q":"0.002","nq":"0.002","f":8153634282,"l":8153634283,"T":1791382990569,)"
      R"("m":true},{"a":3477868381,"p":"80000","q":"1","f":8153634284,"l":8153634284,"T":1791382990570,"m":false}])";
  REQUIRE(read_history(exchange(Market::linear), body, btc, out, error));
  REQUIRE(out.trades.size() == 2);
  CHECK(out.trades[0].instrument == &btc);
  CHECK(out.trades[0].id == 3477868380);
  CHECK(out.trades[0].fills == 2);
  CHECK(out.trades[0].aggressor == Aggressor::seller);
  CHECK(out.trades[0].series == Series::aggregate);
  CHECK(out.trades[0].time.us == 1791382990569000);
  CHECK(out.trades[0].quote == dec("166.1686"));  // 83084.3 × 0.002
  CHECK(out.trades[1].aggressor == Aggressor::buyer);
  REQUIRE(read_history(exchange(Market::inverse), body, perp, out, error));
  CHECK(out.trades[1].quote == dec("100"));     // 1 contract
  CHECK(out.trades[1].base == dec("0.00125"));  // 100 ÷ 80000
  REQUIRE(read_history(exchange(Market::spot), "[]", instruments()[1], out, error));
  CHECK(out.rows() == 0);
  for (std::size_t n = 0; n < body.size(); ++n) {
    CHECK_FALSE(read_history(exchange(Market::linear), std::string_view(body).substr(0, n), btc, out, error));
    CHECK(out.rows() == 0);
    CHECK_FALSE(error.empty());
  }
  CHECK_FALSE(read_history(exchange(Market::linear), body + "]", btc, out, error));
  CHECK_FALSE(read_history(exchange(Market::linear), R"({"code":-1121,"msg":"Invalid symbol."})", btc, out, error));
  CHECK(error == "Invalid symbol. (code -1121)");
}

TEST_CASE("binance: candles tell what takers bought") {
  std::vector<Candle> out;
  std::string error;
  const Instrument& spot = instruments()[1];
  // Spot: volume 148976.11427815 of which 1000.5 were bought by takers, for 25.1 quote units.
  const std::string_view row =
      R"([1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,)"
      R"("2434.19055334",308,"1000.50000000","25.10000000","17928899.62484339"])";
  REQUIRE(read_candles(exchange(Market::spot), "[" + std::string(row) + "]", spot, out, error));
  REQUIRE(out.size() == 1);
  CHECK(out[0].time.us == 1'499'040'000'000'000);
  CHECK((out[0].open == dec("0.0163479") && out[0].high == dec("0.8") && out[0].low == dec("0.015758")));
  CHECK((out[0].close == dec("0.015771") && out[0].fills == 308));
  CHECK((out[0].base == dec("148976.11427815") && out[0].quote == dec("2434.19055334")));
  CHECK((out[0].buy_base == dec("1000.5") && out[0].buy_quote == dec("25.1")));
  // COIN-M: 1196 contracts of 100 USD are 119600 USD; 500 of them bought are 50000 USD; coins as the exchange says.
  const Instrument& coin = instruments()[6];
  REQUIRE(read_candles(exchange(Market::inverse),
                       R"([[1591258320000,"9640.7","9642.4","9640.6","9642.0","1196",1591258379999,)"
                       R"("12.40539171",60,"500","5.18614","0"]])",
                       coin, out, error));
  CHECK((out[0].quote == dec("119600") && out[0].buy_quote == dec("50000")));
  CHECK((out[0].base == dec("12.40539171") && out[0].buy_base == dec("5.18614")));
  CHECK(read_candles(exchange(Market::spot), "[]", spot, out, error));
  CHECK(out.empty());
  // More bought than traded, a negative volume, a row too short, broken and foreign texts: none is half read.
  const std::string good(row);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return "[" + text.replace(text.find(from), from.size(), to) + "]";
  };
  for (const std::string& bad :
       {with("1000.50000000", "148977"), with("148976.11427815", "-1"), with(",\"17928899.62484339\"", "") + "x",
        with("308", "-308"), with("1499040000000", "\"x\""), "[" + good, "[" + good + "," + good.substr(0, 40) + "]]",
        std::string("{}"), std::string("[[]]"), std::string("[1]"), std::string("null"), std::string()}) {
    INFO(bad);
    out.resize(3);
    CHECK_FALSE(read_candles(exchange(Market::spot), bad, spot, out, error));
    CHECK((out.empty() && !error.empty()));
  }
  CHECK_FALSE(read_candles(exchange(Market::spot), R"({"code":-1121,"msg":"Invalid symbol."})", spot, out, error));
  CHECK(error.find("Invalid symbol") != std::string::npos);
  CHECK(candles_target(exchange(Market::linear), instruments()[2], {60'000'000}, {180'000'000}, seconds(60), {}) ==
        "/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=60000&endTime=179999&limit=1000");
  CHECK(exchange(Market::spot).history->since(spot, {60'000'000}, 1000) ==
        "/api/v3/aggTrades?symbol=BTCUSDT&startTime=60000&limit=1000");
  CHECK(
      (exchange(Market::spot).has_taker_candles(seconds(60)) && !exchange(Market::spot).has_taker_candles(seconds(7))));
}

// A space before it sends a message the long way.
TEST_CASE("binance: the short way through a plain message and the long one see the same, whatever is broken") {
  const std::pair<Market, std::string> good[] = {
      {Market::linear,
       R"({"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1791382992488,"a":3477868433,"s":"BTCUSDT",)"
       R"("p":"83091.70","q":"0.022","nq":"0.022","f":8153634393,"l":8153634394,"T":1791382992338,"m":false,"st":1}})"},
      {Market::linear, R"({"stream":"dogeusdt@trade","data":{"e":"trade","E":1790371725749,"T":1790371725748,)"
                       R"("s":"DOGEUSDT","t":3488255295,"p":"0","q":"0","X":"NA","m":true,"st":1}})"},
      {Market::spot, R"({"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":12345,"p":"0.001",)"
                     R"("q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}})"},
      {Market::inverse, R"({"stream":"btcusd_perp@aggTrade","data":{"e":"aggTrade","E":1,"a":1,"s":"BTCUSD_PERP",)"
                        R"("p":"9000.1","q":"7","f":1,"l":1,"T":1672515782136,"m":false}})"}};
  const char* const parts[] = {"\"", "\\",  "{",    "}",    ",",  ":",    " ",    "0",
                               "-",  "1e5", "null", "\xc3", "\n", "\x01", "true", ""};
  std::size_t compared = 0, trades = 0;
  for (const auto& [market, text] : good) {
    CHECK(parse(market, text).trades.size() == 1);
    const auto same = [&, market = market](const std::string& message) {
      const Parsed quick = parse(market, message), slow = parse(market, " " + message);
      ++compared;
      trades += quick.trades.size();
      if (told(quick) == told(slow)) return;
      FAIL_CHECK(message << "\n quick: " << told(quick) << "\n slow: " << told(slow));
    };
    same(text);
    for (std::size_t i = 0; i <= text.size(); ++i) {
      same(text.substr(0, i));
      for (const char* part : parts) {
        same(text.substr(0, i) + part + text.substr(i));
        if (i < text.size()) same(text.substr(0, i) + part + text.substr(i + 1));
      }
    }
    // Keys twice, keys exchanged, keys missing.
    for (const char* key : {"\"a\":", "\"p\":", "\"T\":", "\"s\":", "\"m\":", "\"e\":"}) {
      for (const char* other : {"\"a\":", "\"q\":", "\"stream\":", "\"x\":", "\"\":"}) {
        std::string changed = text;
        const auto at = changed.find(key);
        if (at != changed.npos) same(changed.replace(at, std::string_view(key).size(), other));
      }
    }
  }
  CHECK((compared > 15'000 && trades > 1'000));
}
