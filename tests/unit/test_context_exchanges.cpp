// What Bybit, OKX and Deribit tell beside trades, worked out by hand with the contract sizes that they have.
#include "exchange_fixture.hpp"

using namespace cvdd;
using test::Asked;
using test::Names;

namespace {
std::string text(const std::optional<Decimal>& value) { return value ? to_string(*value) : "none"; }
std::string text(const BestPrices& b) {
  return text(b.bid) + " x " + text(b.bid_size) + " / " + text(b.ask) + " x " + text(b.ask_size);
}
std::string text(const OpenInterest& o) { return text(o.base) + " base, " + text(o.quote) + " quote"; }
std::string text(const Liquidation& l) {
  return std::string(l.side == Aggressor::buyer ? "buy " : "sell ") + to_string(l.base) + " base, " +
         to_string(l.quote) + " quote";
}
// Refused and counted, and no trade made doubtful.
void refuses(Asked& of, const std::string& message, Refusal why) {
  INFO(message);
  of.parse(message);
  CHECK(of.parsed.refusal == why);
  CHECK((!of.parsed.has_beside && of.parsed.refused_of.empty() && !of.parsed.refused_of_anybody));
}
Asked sized(std::string_view exchange, Market market, const char* symbol, Decimal contract) {
  Asked asked(exchange, market, {symbol});
  asked.instruments.front().contract_size = contract;
  return asked;
}
constexpr DataKinds everything{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest,
                               DataKind::liquidation};
}  // namespace

// ---- Bybit ----

TEST_CASE("bybit context: the book of one level, with the frame's time") {
  Asked linear("bybit", Market::linear, {"BTCUSDT"});
  const auto book = [](const char* symbol, const char* bids, const char* asks) {
    return std::string(R"({"topic":"orderbook.1.)") + symbol +
           R"(","type":"snapshot","ts":1672304484978,"data":{"s":")" + symbol + R"(","b":)" + bids + R"(,"a":)" + asks +
           R"(,"u":18521288,"seq":7961638724},"cts":1672304484976})";
  };
  const Parsed& read = linear.parse(book("BTCUSDT", R"([["16493.50","0.006"]])", R"([["16611.00","0.029"]])"));
  REQUIRE(read.beside.best_prices.size() == 1);
  CHECK(text(read.beside.best_prices[0]) == "16493.5 x 0.006 / 16611 x 0.029");
  CHECK(read.beside.best_prices[0].time.us == 1'672'304'484'978'000);
  CHECK(text(linear.parse(book("BTCUSDT", "[]", R"([["16611.00","0.029"]])")).beside.best_prices.at(0)) ==
        "none x none / 16611 x 0.029");
  CHECK(linear.parse(book("ETHUSDT", "[]", "[]")).ignored);
  refuses(linear, book("BTCUSDT", R"([["x","1"]])", "[]"), Refusal::bad_number);
  // Sizes of inverse contracts are USD: 5,000 ÷ 16,000 = 0.3125.
  Asked inverse("bybit", Market::inverse, {"BTCUSD"});
  CHECK(text(inverse.parse(book("BTCUSD", R"([["16000","5000"]])", "[]")).beside.best_prices.at(0)) ==
        "16000 x 0.3125 / none x none");
}

TEST_CASE("bybit context: tickers tell all at first, and then what changed") {
  Asked linear("bybit", Market::linear, {"BTCUSDT"});
  const Parsed& whole = linear.parse(
      R"({"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"17216.00","markPrice":"17217.33",)"
      R"("indexPrice":"17227.36","openInterest":"68744.761","openInterestValue":"1183601235.91","singleOpenInterest":"34372.3805",)"
      R"("nextFundingTime":"1673280000000","fundingRate":"-0.000212","bid1Price":"17215.50"},"cs":24987956059,"ts":1673272861686})");
  REQUIRE((whole.beside.mark_prices.size() == 1 && whole.beside.funding_rates.size() == 1));
  CHECK(text(whole.beside.mark_prices[0].mark) == "17217.33");
  CHECK(text(whole.beside.mark_prices[0].index) == "17227.36");
  CHECK(whole.beside.mark_prices[0].time.us == 1'673'272'861'686'000);
  CHECK(text(whole.beside.funding_rates[0].rate) == "-0.000212");
  CHECK(whole.beside.funding_rates[0].applies == Timestamp{1'673'280'000'000'000});
  CHECK(text(whole.beside.open_interest.at(0)) == "34372.3805 base, none quote");  // one side
  const Parsed& delta = linear.parse(
      R"({"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"17217.40"},"cs":2,"ts":1673272861786})");
  REQUIRE(delta.beside.mark_prices.size() == 1);
  CHECK(text(delta.beside.mark_prices[0].index) == "none");
  CHECK((delta.beside.funding_rates.empty() && delta.beside.open_interest.empty()));
  const Parsed& other =
      linear.parse(R"({"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","lastPrice":"1"},"ts":1})");
  CHECK((other.ignored && !other.has_beside));
  // 300,000,000 contracts of 1 USD; a dated contract has no funding.
  Asked inverse("bybit", Market::inverse, {"BTCUSDZ26"});
  const Parsed& dated = inverse.parse(
      R"({"topic":"tickers.BTCUSDZ26","type":"snapshot","data":{"symbol":"BTCUSDZ26","markPrice":"9","fundingRate":"",)"
      R"("nextFundingTime":"0","singleOpenInterest":"300000000"},"ts":1673272861686})");
  CHECK(text(dated.beside.open_interest.at(0)) == "none base, 300000000 quote");
  CHECK(dated.beside.funding_rates.empty());
  refuses(linear, R"({"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"-1"},"ts":1})",
          Refusal::bad_number);
}

TEST_CASE("bybit context: every closed position, whose side is inverted") {
  Asked linear("bybit", Market::linear, {"ROSEUSDT"});
  const auto frame = [](const char* symbol, const char* side, const char* size, const char* price) {
    return std::string(R"({"topic":"allLiquidation.)") + symbol +
           R"(","type":"snapshot","ts":1739502303204,"data":[{"T":1739502302929,"s":")" + symbol + R"(","S":")" + side +
           R"(","v":")" + size + R"(","p":")" + price + R"("}]})";
  };
  // A short of 20,000 is bought back at 0.04499: 899.8 USDT.
  const Parsed& read = linear.parse(frame("ROSEUSDT", "Sell", "20000", "0.04499"));
  CHECK(text(read.beside.liquidations.at(0)) == "buy 20000 base, 899.8 quote");
  CHECK(read.beside.liquidations[0].time.us == 1'739'502'302'929'000);
  Asked inverse("bybit", Market::inverse, {"BTCUSD"});
  // 1,000 USD ÷ 64,000 = 0.015625.
  CHECK(text(inverse.parse(frame("BTCUSD", "Buy", "1000", "64000")).beside.liquidations.at(0)) ==
        "sell 0.015625 base, 1000 quote");
  refuses(linear, frame("ROSEUSDT", "", "1", "1"), Refusal::bad_field);
  refuses(linear, frame("ROSEUSDT", "Buy", "0", "1"), Refusal::bad_number);
}

TEST_CASE("bybit context: what is asked for") {
  Asked spot("bybit", Market::spot, {"BTCUSDT"}), linear("bybit", Market::linear, {"BTCUSDT"}),
      option("bybit", Market::option, {"BTC-6JAN23-17500-C"});
  CHECK(spot.exchange->beside_trades() == DataKinds{DataKind::book});
  CHECK(linear.exchange->beside_trades() == everything);
  CHECK(option.exchange->beside_trades().empty());
  CHECK((linear.exchange->liquidations == LiquidationsTold::all &&
         spot.exchange->liquidations == LiquidationsTold::none));
  const auto& tickers = *linear.exchange->channel(DataKind::mark, Stream::aggregate);
  CHECK(&tickers == linear.exchange->channel(DataKind::open_interest, Stream::aggregate));
  CHECK(linear.exchange->request(Verb::subscribe, tickers, linear.all, 5) ==
        R"({"req_id":"5","op":"subscribe","args":["tickers.BTCUSDT"]})");
}

// ---- Bitget ----

TEST_CASE("bitget context: one ticker tells all; amounts are base units, of coin futures too") {
  const auto frame = [](const char* type, const char* symbol, const std::string& rest) {
    return std::string(R"({"action":"snapshot","arg":{"instType":")") + type + R"(","channel":"ticker","instId":")" +
           symbol + R"("},"data":[{"instId":")" + symbol + R"(","lastPr":"27000.5",)" + rest +
           R"(,"symbolType":1,"ts":"1695715383021"}],"ts":1695715383039})";
  };
  const std::string all =
      R"("bidPr":"27000","askPr":"27000.5","bidSz":"2.71","askSz":"8.76","fundingRate":"0.000010",)"
      R"("nextFundingTime":"1695722400000","markPrice":"27000.0","indexPrice":"25702.4","holdingAmount":"929.502")";
  Asked linear("bitget", Market::linear, {"BTCUSDT"});
  const Parsed& read = linear.parse(frame("USDT-FUTURES", "BTCUSDT", all));
  CHECK(text(read.beside.best_prices.at(0)) == "27000 x 2.71 / 27000.5 x 8.76");
  CHECK(read.beside.best_prices[0].time.us == 1'695'715'383'021'000);
  CHECK(text(read.beside.mark_prices.at(0).mark) + " " + text(read.beside.mark_prices[0].index) == "27000 25702.4");
  CHECK(text(read.beside.funding_rates.at(0).rate) == "0.00001");
  CHECK(read.beside.funding_rates[0].applies == Timestamp{1'695'722'400'000'000});
  CHECK(text(read.beside.open_interest.at(0)) == "929.502 base, none quote");
  CHECK(linear.parse(frame("USDT-FUTURES", "ETHUSDT", all)).ignored);
  Asked spot("bitget", Market::spot, {"BTCUSDT"});
  const Parsed& bare = spot.parse(frame("SPOT", "BTCUSDT", R"("bidPr":"","askPr":"27000.5","bidSz":"","askSz":"1")"));
  CHECK(text(bare.beside.best_prices.at(0)) == "none x none / 27000.5 x 1");
  CHECK((bare.beside.mark_prices.empty() && bare.beside.open_interest.empty() && bare.beside.funding_rates.empty()));
  CHECK(spot.exchange->beside_trades() == DataKinds{DataKind::book});
  CHECK(linear.exchange->beside_trades() ==
        DataKinds{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest});
  CHECK(linear.exchange
            ->request(Verb::subscribe, *linear.exchange->channel(DataKind::book, Stream::single), linear.all, 1)
            .find(R"("channel":"ticker","instId":"BTCUSDT")") != std::string::npos);
}

// ---- Kraken Futures ----

TEST_CASE("kraken futures context: one ticker tells all; funding by the hour, as a share of the price") {
  const auto frame = [](const char* symbol, const char* rest) {
    return std::string(R"({"time":1783587648112,"product_id":")") + symbol +
           R"(","funding_rate":0.032725177043125,"feed":"ticker","tag":"perpetual","pair":"ETH:USD",)" + rest + "}";
  };
  const char* all =
      R"("relative_funding_rate":0.0000186711875,"relative_funding_rate_prediction":0.00001783425,)"
      R"("next_funding_rate_time":1783591200000,"bid":1751.6,"ask":1751.7,"bid_size":1.459,"ask_size":2.886,)"
      R"("index":1751.75,"last":1751.7,"openInterest":24085.822,"markPrice":1751.97553924942)";
  Asked linear("kraken_futures", Market::linear, {"PF_ETHUSD"});
  const Parsed& read = linear.parse(frame("PF_ETHUSD", all));
  CHECK(text(read.beside.best_prices.at(0)) == "1751.6 x 1.459 / 1751.7 x 2.886");
  CHECK(read.beside.best_prices[0].time.us == 1'783'587'648'112'000);
  CHECK(text(read.beside.mark_prices.at(0).mark) + " " + text(read.beside.mark_prices[0].index) ==
        "1751.97553924942 1751.75");
  CHECK(text(read.beside.funding_rates.at(0).rate) == "0.0000186711875");
  CHECK(read.beside.funding_rates[0].applies == Timestamp{1'783'591'200'000'000});
  CHECK(text(read.beside.open_interest.at(0)) == "24085.822 base, none quote");
  CHECK((read.trades.empty() && read.refusal == Refusal::none));
  // USD of an inverse contract: 3,500 ÷ 1,750 = 2.
  Asked inverse("kraken_futures", Market::inverse, {"PI_ETHUSD"});
  const Parsed& coin =
      inverse.parse(frame("PI_ETHUSD", R"("bid":1750,"bid_size":3500,"openInterest":7000,"markPrice":1751)"));
  CHECK(text(coin.beside.best_prices.at(0)) == "1750 x 2 / none x none");
  CHECK(text(coin.beside.open_interest.at(0)) == "none base, 7000 quote");
  CHECK(linear.parse(frame("PF_XBTUSD", all)).ignored);
  // More digits than a number may have here: the rate alone is left out.
  const Parsed& fine =
      linear.parse(frame("PF_ETHUSD", R"("relative_funding_rate":1.234567890123456e-5,"markPrice":1)"));
  CHECK((fine.refused_rows == 1 && fine.beside.funding_rates.empty() && fine.beside.mark_prices.size() == 1));
  refuses(linear, R"({"feed":"ticker","product_id":"PF_ETHUSD","bid":1})", Refusal::bad_field);
  CHECK(linear.exchange->request(Verb::subscribe, *linear.exchange->channel(DataKind::mark, Stream::single), linear.all,
                                 1) == R"({"event":"subscribe","feed":"ticker","product_ids":["PF_ETHUSD"]})");
}

// ---- OKX ----

TEST_CASE("okx context: best prices in base units") {
  const auto frame = [](const char* symbol, const char* bid, const char* bid_size) {
    return std::string(R"({"arg":{"channel":"tickers","instId":")") + symbol +
           R"("},"data":[{"instType":"SWAP","instId":")" + symbol +
           R"(","last":"66100","lastSz":"1","askPx":"66100.2",)" + R"("askSz":"415","bidPx":")" + bid +
           R"(","bidSz":")" + bid_size + R"(","ts":"1790000000085"}]})";
  };
  // Contracts of 0.01 BTC: 256 are 2.56, 415 are 4.15.
  Asked linear = sized("okx", Market::linear, "BTC-USDT-SWAP", {1, 2});
  const Parsed& read = linear.parse(frame("BTC-USDT-SWAP", "66100.1", "256"));
  CHECK(text(read.beside.best_prices.at(0)) == "66100.1 x 2.56 / 66100.2 x 4.15");
  CHECK(read.beside.best_prices[0].time.us == 1'790'000'000'085'000);
  CHECK(text(linear.parse(frame("BTC-USDT-SWAP", "", "")).beside.best_prices.at(0)) == "none x none / 66100.2 x 4.15");
  // Contracts of 100 USD: 320 × 100 ÷ 64,000 = 0.5.
  Asked inverse = sized("okx", Market::inverse, "BTC-USD-SWAP", {100, 0});
  CHECK(text(inverse.parse(frame("BTC-USD-SWAP", "64000", "320")).beside.best_prices.at(0).bid_size) == "0.5");
}

TEST_CASE("okx context: mark price, open interest, funding") {
  Asked linear = sized("okx", Market::linear, "BTC-USDT-SWAP", {1, 2});
  const auto frame = [](const char* channel, const char* rest) {
    return std::string(R"({"arg":{"channel":")") + channel +
           R"(","instId":"BTC-USDT-SWAP"},"data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP",)" + rest +
           R"(,"ts":"1790000000085"}]})";
  };
  const Parsed& mark = linear.parse(frame("mark-price", R"("markPx":"66100.1")"));
  CHECK(text(mark.beside.mark_prices.at(0).mark) == "66100.1");
  CHECK(text(mark.beside.mark_prices[0].index) == "none");
  // 2,216,113 contracts of 0.01 BTC.
  CHECK(text(linear.parse(frame("open-interest", R"("oi":"2216113","oiCcy":"22161.13")")).beside.open_interest.at(0)) ==
        "22161.13 base, none quote");
  CHECK(text(linear.parse(frame("open-interest", R"("oi":"0")")).beside.open_interest.at(0)) == "0 base, none quote");
  const Parsed& funding = linear.parse(
      frame("funding-rate", R"("fundingRate":"0.0001875","fundingTime":"1790006400000","nextFundingRate":"")"));
  CHECK(text(funding.beside.funding_rates.at(0).rate) == "0.0001875");
  CHECK(funding.beside.funding_rates[0].applies == Timestamp{1'790'006'400'000'000});
  refuses(linear, frame("mark-price", R"("markPx":"")"), Refusal::bad_number);
  refuses(linear, frame("open-interest", R"("oi":"-1")"), Refusal::bad_number);
  refuses(linear, frame("open-interest", R"("oi":null)"), Refusal::bad_field);
  refuses(linear, frame("funding-rate", R"("fundingRate":"","fundingTime":"1790006400000")"), Refusal::bad_number);
}

TEST_CASE("okx context: forced orders of a type come together; who is not wanted is passed over") {
  Asked linear = sized("okx", Market::linear, "BTC-USDT-SWAP", {1, 2});
  const auto frame = [](const char* symbol, const char* side, const char* size) {
    return std::string(
               R"({"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0",)") +
           R"("bkPx":"66100.1","ccy":"","posSide":"long","side":")" + side + R"(","sz":")" + size +
           R"(","ts":"1790000000010"}],"instFamily":"BTC-USDT","instId":")" + symbol +
           R"(","instType":"SWAP","uly":"BTC-USDT"}]})";
  };
  // 13 contracts of 0.01 BTC at 66,100.1: 0.13 × 66,100.1 = 8,593.013.
  const Parsed& read = linear.parse(frame("BTC-USDT-SWAP", "sell", "13"));
  CHECK(text(read.beside.liquidations.at(0)) == "sell 0.13 base, 8593.013 quote");
  CHECK(read.beside.liquidations[0].time.us == 1'790'000'000'010'000);
  CHECK((linear.parse(frame("ETH-USDT-SWAP", "sell", "13")).ignored && !linear.parsed.has_beside));
  CHECK(linear.parsed.refusal == Refusal::none);
  refuses(linear, frame("BTC-USDT-SWAP", "net", "13"), Refusal::bad_field);
  refuses(linear, frame("BTC-USDT-SWAP", "buy", "0"), Refusal::bad_number);
}

TEST_CASE("okx context: what is asked for, and how it is answered") {
  Asked linear("okx", Market::linear, {"BTC-USDT-SWAP", "ETH-USDT-SWAP", "BTC-USDT-261225"}),
      spot("okx", Market::spot, {"BTC-USDT"}), option("okx", Market::option, {"BTC-USD-261225-50000-C"});
  CHECK(spot.exchange->beside_trades() == DataKinds{DataKind::book});
  CHECK(linear.exchange->beside_trades() == everything);
  CHECK(option.exchange->beside_trades() == DataKinds{DataKind::book, DataKind::mark, DataKind::open_interest});
  const DataChannel& forced = *linear.exchange->channel(DataKind::liquidation, Stream::aggregate);
  CHECK(linear.exchange->request(Verb::subscribe, forced, linear.all, 7) ==
        R"({"id":"7","op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"},)"
        R"({"channel":"liquidation-orders","instType":"FUTURES"}]})");
  CHECK(linear.exchange->request(Verb::unsubscribe, forced, linear.all, 7).empty());
  const Ack& ack = linear.ack(
      R"({"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"},"id":"7","connId":"a"})");
  CHECK((ack.id == 7 && ack.topics == Names{forced.topic_of(linear.instruments[0])}));
  CHECK(forced.topic_of(linear.instruments[0]) == forced.topic_of(linear.instruments[1]));
  CHECK(forced.topic_of(linear.instruments[0]) != forced.topic_of(linear.instruments[2]));
  CHECK(linear.exchange->channel(DataKind::book, Stream::single)->ws_target == "/ws/v5/public");
}

// ---- Deribit ----

TEST_CASE("deribit context: one ticker tells all, funding without a moment") {
  const auto frame = [](const char* symbol, const std::string& rest) {
    return std::string(R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.)") + symbol +
           R"(.agg2","data":{"timestamp":1765541474086,"state":"open","stats":{"high":93612.0,"volume_usd":1092371540.0},)" +
           R"("instrument_name":")" + symbol + R"(",)" + rest + "}}}";
  };
  // Amounts of the inverse perpetual are USD: 117,660 ÷ 92,283.5 = 1.274984152096…, 184,568 ÷ 92,284 = 2.
  Asked inverse("deribit", Market::inverse, {"BTC-PERPETUAL"});
  const Parsed& read = inverse.parse(frame(
      "BTC-PERPETUAL",
      R"("index_price":92263.55,"open_interest":1132329370.0,"mark_price":92281.78,"best_ask_price":92284.0,)"
      R"("best_bid_price":92283.5,"best_ask_amount":184568.0,"best_bid_amount":117660.0,"current_funding":-1.5e-7,"funding_8h":0.00001742)"));
  REQUIRE(read.beside.best_prices.size() == 1);
  CHECK(text(read.beside.best_prices[0].ask) + " x " + text(read.beside.best_prices[0].ask_size) == "92284 x 2");
  CHECK(text(read.beside.best_prices[0].bid_size).starts_with("1.27498"));
  CHECK(read.beside.best_prices[0].time.us == 1'765'541'474'086'000);
  CHECK(text(read.beside.mark_prices.at(0).mark) == "92281.78");
  CHECK(text(read.beside.mark_prices[0].index) == "92263.55");
  CHECK(text(read.beside.funding_rates.at(0).rate) == "-0.00000015");
  CHECK_FALSE(read.beside.funding_rates[0].applies);
  CHECK(text(read.beside.open_interest.at(0)) == "none base, 1132329370 quote");
  // Base units elsewhere; nobody bids, and nobody asks in other words.
  Asked linear("deribit", Market::linear, {"BTC_USDC-PERPETUAL"});
  const Parsed& empty =
      linear.parse(frame("BTC_USDC-PERPETUAL", R"("open_interest":0,"mark_price":92281.78,"best_ask_price":null,)"
                                               R"("best_bid_price":0.0,"best_ask_amount":0.0,"best_bid_amount":0.0)"));
  CHECK(text(empty.beside.best_prices.at(0)) == "none x none / none x none");
  CHECK(text(empty.beside.open_interest.at(0)) == "0 base, none quote");
  CHECK(empty.beside.funding_rates.empty());
  // One kind that can't be read spoils no other.
  const Parsed& half =
      linear.parse(frame("BTC_USDC-PERPETUAL", R"("mark_price":"-","open_interest":[1],"best_bid_price":1)"));
  CHECK((half.refused_rows == 2 && half.refused_of.empty() && !half.refused_of_anybody));
  CHECK((half.beside.best_prices.size() == 1 && half.beside.mark_prices.empty() && half.beside.open_interest.empty()));
  refuses(linear,
          R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC_USDC-PERPETUAL.agg2","data":)"
          R"({"instrument_name":"BTC_USDC-PERPETUAL","mark_price":1}}})",
          Refusal::bad_field);
  CHECK(linear.parse(frame("ETH_USDC-PERPETUAL", R"("mark_price":1)")).ignored);
}

TEST_CASE("deribit context: what is asked for") {
  Asked inverse("deribit", Market::inverse, {"BTC-PERPETUAL"}), spot("deribit", Market::spot, {"BTC_USDC"});
  CHECK(spot.exchange->beside_trades() == DataKinds{DataKind::book});
  CHECK(inverse.exchange->beside_trades() ==
        DataKinds{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest});
  CHECK(inverse.exchange->liquidations == LiquidationsTold::none);
  const DataChannel& ticker = *inverse.exchange->channel(DataKind::book, Stream::aggregate);
  CHECK(ticker.topic_of(inverse.instruments[0]) == "ticker.BTC-PERPETUAL.agg2");
}
