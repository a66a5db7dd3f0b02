// What Binance tells beside trades, worked out by hand. Sizes of COIN-M are contracts: 100 USD each of BTC, 10 of
// others.
#include "exchange_fixture.hpp"

using namespace cvdd;
using test::Asked;
using test::Names;

namespace {
struct Beside : Asked {
  explicit Beside(Market market, Names names = {"BTCUSDT"}) : Asked("binance", market, std::move(names)) {
    if (market == Market::inverse) instruments.front().contract_size = Decimal(100, 0);
  }
  const Parsed& of(const std::string& stream, const std::string& data) {
    return parse(R"({"stream":")" + stream + R"(","data":)" + data + "}");
  }
  void refuses(const std::string& stream, const std::string& data, Refusal why) {
    INFO(data);
    const Parsed& read = of(stream, data);
    CHECK(read.refusal == why);
    // What is no trade never makes trades doubtful.
    CHECK((read.refused_of.empty() && !read.refused_of_anybody && !read.has_beside && read.trades.empty()));
  }
};
std::string text(const std::optional<Decimal>& value) { return value ? to_string(*value) : "none"; }
std::string text(const BestPrices& b) {
  return text(b.bid) + " x " + text(b.bid_size) + " / " + text(b.ask) + " x " + text(b.ask_size);
}
std::string ticker(const char* bid, const char* bid_size, const char* ask, const char* ask_size) {
  return std::string(
             R"({"e":"24hrTicker","E":1790000000460,"s":"BTCUSDT","p":"-1.5","P":"-0.1","w":"1","x":"1","c":"3","Q":"1","b":")") +
         bid + R"(","B":")" + bid_size + R"(","a":")" + ask + R"(","A":")" + ask_size +
         R"(","o":"1","h":"2","l":"1","v":"9","q":"9","O":1,"C":2,"F":1,"L":5,"n":5})";
}
std::string depth(const std::string& symbol, const std::string& bids, const std::string& asks) {
  return R"({"e":"depthUpdate","E":1790000000460,"T":1790000000458,"s":")" + symbol +
         R"(","U":390497796,"u":390497878,"pu":390497794,"b":)" + bids + R"(,"a":)" + asks + "}";
}
std::string mark(const char* price, const char* index, const char* rate, const char* next) {
  return std::string(R"({"e":"markPriceUpdate","E":1790000000000,"s":"BTCUSDT","p":")") + price +
         R"(","ap":"1","i":")" + index + R"(","P":"66784.25641265","r":")" + rate + R"(","T":)" + next + R"(,"st":1})";
}
std::string forced(const std::string& symbol, const char* side, const char* filled, const char* average) {
  return R"({"e":"forceOrder","E":1790000000460,"o":{"s":")" + symbol + R"(","S":")" + side +
         R"(","o":"LIMIT","f":"IOC","q":"9","p":"66010","ap":")" + average + R"(","X":"FILLED","l":")" + filled +
         R"(","z":")" + filled + R"(","T":1790000000458,"ps":"BTCUSDT","st":1}})";
}
}  // namespace

TEST_CASE("binance context: spot's best prices come with the ticker, once a second and with a time") {
  Beside spot(Market::spot);
  const Parsed& read = spot.of("btcusdt@ticker", ticker("25.35190000", "31.21000000", "25.36520000", "40.66000000"));
  REQUIRE(read.beside.best_prices.size() == 1);
  CHECK(read.beside.best_prices[0].instrument == &spot.instruments[0]);
  CHECK(read.beside.best_prices[0].time.us == 1'790'000'000'460'000);
  CHECK(text(read.beside.best_prices[0]) == "25.3519 x 31.21 / 25.3652 x 40.66");
  CHECK((read.trades.empty() && read.refusal == Refusal::none && !read.ignored));
  // Zeros where nobody is.
  CHECK(text(spot.of("btcusdt@ticker", ticker("0.00000000", "0.00000000", "25.36", "1")).beside.best_prices[0]) ==
        "none x none / 25.36 x 1");
  CHECK(text(spot.of("btcusdt@ticker", ticker("", "", "25.36", "0")).beside.best_prices[0]) ==
        "none x none / none x none");
}

TEST_CASE("binance context: futures' best prices are the first of the best five") {
  Beside linear(Market::linear);
  CHECK(text(linear
                 .of("btcusdt@depth5@500ms", depth("BTCUSDT", R"([["7403.89","0.002"],["7403.90","3.906"]])",
                                                   R"([["7405.96","3.340"],["7406.63","4.525"]])"))
                 .beside.best_prices.at(0)) == "7403.89 x 0.002 / 7405.96 x 3.34");
  CHECK(text(linear.of("btcusdt@depth5@500ms", depth("BTCUSDT", "[]", R"([["7405.96","3.340"]])"))
                 .beside.best_prices.at(0)) == "none x none / 7405.96 x 3.34");
  // 250 contracts of 100 USD at 50,000: 25,000 USD ÷ 50,000 = 0.5 BTC; 3 × 100 ÷ 70,000 = 0.0042857142857…, half-even
  // to twelve places.
  Beside inverse(Market::inverse, {"BTCUSD_PERP"});
  CHECK(text(inverse.of("btcusd_perp@depth5@500ms", depth("BTCUSD_PERP", R"([["50000","250"]])", R"([["70000","3"]])"))
                 .beside.best_prices.at(0)) == "50000 x 0.5 / 70000 x 0.004285714286");
  // Other depths are changes of the book, and tell no best price.
  CHECK(linear.of("btcusdt@depth@100ms", depth("BTCUSDT", R"([["7403.89","0.002"]])", "[]")).ignored);
  CHECK_FALSE(linear.parsed.has_beside);
}

TEST_CASE("binance context: mark price, index, and the funding that applies next") {
  Beside linear(Market::linear);
  const Parsed& read =
      linear.of("btcusdt@markPrice", mark("66794.15000000", "66784.62659091", "-0.00038167", "1790006400000"));
  REQUIRE(read.beside.mark_prices.size() == 1);
  CHECK(text(read.beside.mark_prices[0].mark) == "66794.15");
  CHECK(text(read.beside.mark_prices[0].index) == "66784.62659091");
  REQUIRE(read.beside.funding_rates.size() == 1);
  CHECK(text(read.beside.funding_rates[0].rate) == "-0.00038167");
  CHECK(read.beside.funding_rates[0].applies == Timestamp{1'790'006'400'000'000});
  CHECK(
      text(linear.of("btcusdt@markPrice", mark("1", "1", "1.2E-7", "1790006400000")).beside.funding_rates.at(0).rate) ==
      "0.00000012");
  // A dated contract has no funding.
  const Parsed& dated = linear.of("btcusdt@markPrice", mark("66794.1", "66784.6", "", "0"));
  CHECK((dated.beside.mark_prices.size() == 1 && dated.beside.funding_rates.empty()));
  CHECK(dated.refusal == Refusal::none);
}

TEST_CASE("binance context: forced orders by what was filled; the side is that of the order that closes") {
  Beside linear(Market::linear);
  const Parsed& read = linear.of("btcusdt@forceOrder", forced("BTCUSDT", "SELL", "0.014", "66012.1"));
  REQUIRE(read.beside.liquidations.size() == 1);
  const Liquidation& order = read.beside.liquidations[0];
  CHECK((order.side == Aggressor::seller && order.time.us == 1'790'000'000'458'000));
  // 0.014 × 66,012.1 = 924.1694
  CHECK((to_string(order.base) == "0.014" && to_string(order.quote) == "924.1694"));
  // 7 contracts of 100 USD at 70,000: 700 USD, 0.01 BTC.
  Beside inverse(Market::inverse, {"BTCUSD_PERP"});
  const Liquidation& coin =
      inverse.of("btcusd_perp@forceOrder", forced("BTCUSD_PERP", "BUY", "7", "70000")).beside.liquidations.at(0);
  CHECK((coin.side == Aggressor::buyer && to_string(coin.base) == "0.01" && to_string(coin.quote) == "700"));
  // Nothing was filled yet.
  const Parsed& open = linear.of("btcusdt@forceOrder", forced("BTCUSDT", "SELL", "0", "0"));
  CHECK((open.ignored && !open.has_beside && open.refusal == Refusal::none));
}

TEST_CASE("binance context: odd messages are refused and counted, strangers passed over") {
  Beside linear(Market::linear);
  linear.refuses("btcusdt@markPrice", mark("", "66784.6", "", "0"), Refusal::bad_number);
  linear.refuses("btcusdt@markPrice", mark("-5", "66784.6", "", "0"), Refusal::bad_number);
  // One kind that can't be read spoils no other.
  const Parsed& half = linear.of("btcusdt@markPrice", mark("1", "1", "many", "1790006400000"));
  CHECK((half.refusal == Refusal::bad_number && half.refused_rows == 1 && half.refused_of.empty()));
  CHECK((half.beside.mark_prices.size() == 1 && half.beside.funding_rates.empty()));
  CHECK(linear.of("btcusdt@markPrice", mark("1", "1", "0.1", "\"soon\"")).refusal == Refusal::bad_field);
  CHECK(linear.of("btcusdt@markPrice", mark("", "1", "0.1", "1790006400000")).beside.funding_rates.size() == 1);
  linear.refuses("btcusdt@markPrice", R"({"e":"markPriceUpdate","s":"BTCUSDT","p":"1"})", Refusal::bad_field);
  linear.refuses("btcusdt@markPrice", R"({"e":"kline","E":1790000000000,"s":"BTCUSDT"})", Refusal::not_understood);
  linear.refuses("btcusdt@markPrice", "[]", Refusal::bad_field);
  linear.refuses("btcusdt@depth5@500ms", depth("BTCUSDT", R"([["7403.89","-1"]])", "[]"), Refusal::bad_number);
  linear.refuses("btcusdt@depth5@500ms", depth("BTCUSDT", R"([[true,"1"]])", "[]"), Refusal::bad_field);
  linear.refuses("btcusdt@forceOrder", forced("BTCUSDT", "HOLD", "1", "1"), Refusal::bad_field);
  linear.refuses("btcusdt@forceOrder", forced("BTCUSDT", "SELL", "1", "0"), Refusal::bad_number);
  const Parsed& stranger = linear.of("ethusdt@forceOrder", forced("ETHUSDT", "SELL", "1", "1"));
  CHECK((stranger.ignored && stranger.refusal == Refusal::none && !stranger.has_beside));
}

TEST_CASE("binance context: open interest by REST, in base units or in contracts") {
  const auto read = [](Beside& of, const std::string& body) {
    const DataChannel* channel = of.exchange->channel(DataKind::open_interest, Stream::aggregate);
    REQUIRE(channel != nullptr);
    return channel->poll->read(body, of.instruments.front(), of.parsed);
  };
  Beside linear(Market::linear);
  CHECK(read(linear, R"({"openInterest":"10659.509","symbol":"BTCUSDT","time":1790000000000})").empty());
  CHECK(text(linear.parsed.beside.open_interest.at(0).base) == "10659.509");
  CHECK(text(linear.parsed.beside.open_interest.at(0).quote) == "none");
  CHECK(read(linear, R"({"openInterest":"0","symbol":"BTCUSDT","time":1790000000000})").empty());
  CHECK(text(linear.parsed.beside.open_interest.at(0).base) == "0");
  // 221,613 contracts of 100 USD.
  Beside inverse(Market::inverse, {"BTCUSD_PERP"});
  CHECK(
      read(
          inverse,
          R"({"symbol":"BTCUSD_PERP","pair":"BTCUSD","openInterest":"221613","contractType":"PERPETUAL","time":1790000000000})")
          .empty());
  CHECK(text(inverse.parsed.beside.open_interest.at(0).quote) == "22161300");
  CHECK(text(inverse.parsed.beside.open_interest.at(0).base) == "none");
  CHECK(read(linear, R"({"code":-1121,"msg":"Invalid symbol."})") == "Invalid symbol. (code -1121)");
  for (const char* none : {R"({"openInterest":"-1","symbol":"BTCUSDT","time":1790000000000})",
                           R"({"openInterest":"1","symbol":"ETHUSDT","time":1790000000000})",
                           R"({"openInterest":"","symbol":"BTCUSDT","time":1790000000000})",
                           R"({"openInterest":"1","symbol":"BTCUSDT"})", "{}"}) {
    INFO(none);
    CHECK(read(linear, none) == "no open interest of BTCUSDT in the answer");
    CHECK_FALSE(linear.parsed.has_beside);
  }
  CHECK(read(linear, "[1]") == "not a whole JSON object");
  const DataChannel& channel = *inverse.exchange->channel(DataKind::open_interest, Stream::aggregate);
  CHECK(channel.poll->target(inverse.instruments.front()) == "/dapi/v1/openInterest?symbol=BTCUSD_PERP");
}

TEST_CASE("binance context: what is asked for, and where") {
  Beside spot(Market::spot), linear(Market::linear), inverse(Market::inverse, {"BTCUSD_PERP"});
  const auto channel = [](const Beside& of, DataKind kind) { return of.exchange->channel(kind, Stream::aggregate); };
  CHECK(spot.exchange->beside_trades() == DataKinds{DataKind::book});
  CHECK(linear.exchange->beside_trades() ==
        DataKinds{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest, DataKind::liquidation});
  CHECK((spot.exchange->liquidations == LiquidationsTold::none &&
         linear.exchange->liquidations == LiquidationsTold::sampled));
  const auto request = [&](const Beside& of, DataKind kind) {
    return of.exchange->request(Verb::subscribe, *channel(of, kind), of.all, 5);
  };
  CHECK(request(spot, DataKind::book) == R"({"method":"SUBSCRIBE","params":["btcusdt@ticker"],"id":5})");
  CHECK(request(spot, DataKind::trade) ==
        R"({"method":"SUBSCRIBE","params":["btcusdt@aggTrade","btcusdt@blockTrade"],"id":5})");
  CHECK(request(linear, DataKind::liquidation) == R"({"method":"SUBSCRIBE","params":["btcusdt@forceOrder"],"id":5})");
  CHECK(channel(linear, DataKind::mark) == channel(linear, DataKind::funding));
  CHECK(channel(linear, DataKind::book)->ws_target == "/public/stream");
  CHECK(channel(linear, DataKind::mark)->ws_target == "/market/stream");
  CHECK(channel(inverse, DataKind::book)->ws_target.empty());
}
