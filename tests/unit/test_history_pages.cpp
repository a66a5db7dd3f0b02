// A page of history: one row that can't be read does not spoil it, any order will do, and the newest trade can be asked
// for everywhere.
#include "answers.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/sim/protocol.hpp"
#include "exchange_fixture.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
HistoryPage page_of(const Asked& asked, std::string_view body) {
  HistoryPage page;
  std::string error = "old";
  INFO(body);
  REQUIRE(read_history(*asked.exchange, body, *asked.all[0], page, error));
  CHECK(error.empty());
  return page;
}
std::string error_of(const Asked& asked, std::string_view body) {
  HistoryPage page = {std::vector<Trade>(3), {{1, {}, Refusal::none}}};
  std::string error;
  INFO(body);
  CHECK_FALSE(read_history(*asked.exchange, body, *asked.all[0], page, error));
  CHECK(page.rows() == 0);
  return error;
}
}  // namespace

TEST_CASE("binance: aggregates and single trades, in any order, good rows beside bad ones") {
  Asked b("binance", Market::spot, {"BTCUSDT"});
  CHECK(b.exchange->history->newest(*b.all[0], Stream::aggregate) == "/api/v3/aggTrades?symbol=BTCUSDT&limit=1");
  CHECK(b.exchange->history->newest(*b.all[0], Stream::single) == "/api/v3/trades?symbol=BTCUSDT&limit=1");
  const HistoryPage page = page_of(b, R"([{"a":12,"p":"1","q":"1","f":5,"l":5,"T":1790000040002,"m":true},)"
                                      R"({"a":11,"p":"1","q":"0.00000000","f":4,"l":4,"T":1790000040001,"m":true},7,)"
                                      R"({"a":10,"p":"1","q":"1","f":1,"l":3,"T":1790000040000,"m":true}])");
  REQUIRE(page.trades.size() == 2);
  CHECK((page.trades[0].id == 10 && page.trades[1].id == 12 && page.rows() == 4));
  REQUIRE(page.refused.size() == 2);
  CHECK((page.refused[0].id == 11 && page.refused[0].time.us == 1'790'000'040'001'000));
  CHECK((page.refused[0].why == Refusal::bad_number && page.refused[1].id == 0));
  const HistoryPage single =
      page_of(b, R"([{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012",)"
                 R"("time":1499865549590,"isBuyerMaker":true,"isBestMatch":true}])");
  REQUIRE(single.trades.size() == 1);
  const Trade& t = single.trades[0];
  CHECK((t.id == 28457 && t.series == Series::single && t.aggressor == Aggressor::seller && t.fills == 1));
  CHECK((t.time.us == 1'499'865'549'590'000 && to_string(t.quote) == "48.000012"));
  CHECK(page_of(b, "[]").rows() == 0);
  // Placeholders alone: ids without a volume.
  Asked f("binance", Market::linear, {"BTCUSDT"});
  const HistoryPage none = page_of(f, R"([{"a":1,"p":"0","q":"0","X":"NA","f":1,"l":1,"T":1790000040000,"m":true}])");
  CHECK((none.trades.size() == 1 && none.trades[0].placeholder));
  CHECK(f.exchange->history->newest(*f.all[0], Stream::single) == "/fapi/v1/trades?symbol=BTCUSDT&limit=1");
}

TEST_CASE("okx: newest trade, and good rows beside bad ones") {
  Asked o("okx", Market::spot, {"A-USDT"});
  CHECK(o.exchange->history->newest(*o.all[0], Stream::aggregate) == "/api/v5/market/trades?instId=A-USDT&limit=1");
  const HistoryPage page =
      page_of(o, R"({"code":"0","msg":"","data":[)"
                 R"({"instId":"A-USDT","side":"sell","sz":"1","px":"2","tradeId":"8","ts":"1790000040001"},)"
                 R"({"instId":"A-USDT","side":"none","sz":"1","px":"2","tradeId":"7","ts":"1790000040000"},)"
                 R"({"instId":"A-USDT","side":"sell","sz":"1","px":"2","tradeId":"9","ts":"1790000040002"}]})");
  REQUIRE((page.trades.size() == 2 && page.refused.size() == 1));
  CHECK((page.trades[0].id == 8 && page.trades[1].id == 9 && page.refused[0].id == 7));
  CHECK(page_of(o, R"({"code":"0","msg":"","data":[]})").rows() == 0);
  CHECK(error_of(o, R"({"code":"0","msg":"","data":[{"instId":"B-USDT"}]})") == "trades of another instrument");
}

TEST_CASE("bybit: newest trade, in order of time, good rows beside bad ones") {
  Asked b("bybit", Market::spot, {"AUSDT"});
  b.instruments[0].ids = Ids::opaque;
  CHECK(b.exchange->history->newest(*b.all[0], Stream::aggregate) ==
        "/v5/market/recent-trade?category=spot&symbol=AUSDT&limit=1");
  const auto row = [](const char* id, const char* time) {
    return std::string(R"({"execId":")") + id + R"(","symbol":"AUSDT","price":"1","size":"1","side":"Buy","time":")" +
           time + R"(","isBlockTrade":false})";
  };
  const HistoryPage page = page_of(b, R"({"retCode":0,"retMsg":"OK","result":{"category":"spot","list":[)" +
                                          row("30", "1790000040002") + "," + row("T-1", "1790000040001") + "," +
                                          row("11", "1790000040003") + "," + row("10", "1790000040003") + "]}}");
  REQUIRE((page.trades.size() == 3 && page.refused.size() == 1));
  // Of one moment the later one came first.
  CHECK((page.trades[0].id == 30 && page.trades[1].id == 10 && page.trades[2].id == 11));
  CHECK(page.refused[0].time.us == 1'790'000'040'001'000);
  CHECK(page_of(b, R"({"retCode":0,"result":{"list":[]}})").rows() == 0);
  CHECK(error_of(b, R"({"retCode":0,"result":{}})") == "no \"list\" in the answer");
}

TEST_CASE("deribit: newest trade, and good rows beside bad ones") {
  Asked d("deribit", Market::inverse, {"A-PERPETUAL"});
  CHECK(d.exchange->history->newest(*d.all[0], Stream::aggregate) ==
        "/api/v2/public/get_last_trades_by_instrument?instrument_name=A-PERPETUAL&count=1&sorting=desc");
  const HistoryPage page = page_of(
      d, R"({"result":{"has_more":false,"trades":[)"
         R"({"amount":1.0,"direction":"sell","instrument_name":"A-PERPETUAL","price":2.5,"timestamp":1790000040001,)"
         R"("trade_id":"9","trade_seq":3},)"
         R"({"amount":0,"direction":"sell","instrument_name":"A-PERPETUAL","price":2.5,"timestamp":1790000040000,)"
         R"("trade_id":"8","trade_seq":2},)"
         R"({"amount":1.0,"direction":"sell","instrument_name":"A-PERPETUAL","price":2.5,"timestamp":1790000039999,)"
         R"("trade_id":"7","trade_seq":1}]}})");
  REQUIRE((page.trades.size() == 2 && page.refused.size() == 1));
  CHECK((page.trades[0].id == 1 && page.trades[1].id == 3 && page.refused[0].id == 2));
  CHECK(page.refused[0].why == Refusal::bad_number);
}

TEST_CASE("coinbase: newest trade, good rows beside bad ones, and a short page proves nothing") {
  Asked c("coinbase", Market::spot, {"A-USD"});
  CHECK(c.exchange->history->newest(*c.all[0], Stream::aggregate) == "/products/A-USD/trades?limit=1");
  CHECK_FALSE(c.exchange->history->short_page_is_end);
  const HistoryPage page =
      page_of(c, R"([{"time":"2026-09-21T13:34:06Z","trade_id":9,"price":"1","size":"1","side":"buy"},)"
                 R"({"time":"2026-09-21T13:34:05Z","trade_id":8,"price":"NaN","size":"1","side":"buy"},)"
                 R"({"time":"2026-09-21T13:34:04Z","trade_id":7,"price":"1","size":"1","side":"buy"}])");
  REQUIRE((page.trades.size() == 2 && page.refused.size() == 1));
  CHECK((page.trades[0].id == 7 && page.trades[1].id == 9 && page.refused[0].id == 8));
}

TEST_CASE("the newest trade is had wherever there is one, however far the history reaches") {
  constexpr Timestamp start{1'763'675'700'000'000};
  for (const sim::Protocol* protocol : sim::protocols()) {
    const auto instruments = sim::make_instruments_of(*protocol, protocol->markets().size(), 600);
    sim::Tape tape(3, start, instruments);
    tape.advance(start + seconds(10));
    tape.set_reach(Duration{1});
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      const Instrument& instrument = instruments[i].instrument;
      const Exchange* exchange = find_exchange(protocol->name(), instrument.market);
      REQUIRE((exchange != nullptr && exchange->history->newest != nullptr));
      for (const Stream stream : {Stream::aggregate, Stream::single}) {
        const std::string target = exchange->history->newest(instrument, stream);
        sim::Address address = sim::parse_address(target, exchange->rest_hosts[0].substr(8));
        REQUIRE(sim::owner_of(address) == protocol);
        const sim::Answer answer = protocol->rest(address, &tape, {}, start + seconds(10));
        INFO(target << " -> " << answer.body);
        REQUIRE(answer.status == 200);
        HistoryPage page;
        std::string error;
        REQUIRE(read_history(*exchange, answer.body, instrument, page, error));
        REQUIRE((!page.trades.empty() && page.refused.empty()));
        const sim::TapeTrade& newest = tape.trades(i).back();
        const Trade& found = page.trades.back();
        CHECK(found.time.us / 1'000 == newest.time.us / 1'000);
        CHECK(found.series == exchange->series_of(stream));
        const bool fills = instruments[i].numbering == sim::Numbering::merged ||
                           (instruments[i].numbering == sim::Numbering::aggregates && stream == Stream::single);
        if (instrument.ids == Ids::sequence) CHECK(found.id == (fills ? newest.last_fill : newest.id));
      }
    }
  }
}

TEST_CASE("however coarse an exchange's time page is, the time it is lies within the error that is stated") {
  for (const Exchange* exchange : all_exchanges()) {
    const sim::Protocol* protocol = sim::find_protocol(exchange->name);
    REQUIRE(protocol != nullptr);
    for (const std::int64_t beyond : {1, 999, 4'567, 123'456, 499'999, 500'001, 999'999}) {
      const Timestamp now{1'763'675'700'000'000 + beyond};
      sim::Address address = sim::parse_address(exchange->time_target, exchange->rest_hosts[0].substr(8));
      REQUIRE(sim::owner_of(address) == protocol);
      const auto said = exchange->parse_time(protocol->rest(address, nullptr, {}, now).body);
      INFO(exchange->name << " " << name_of(exchange->market) << " at " << beyond);
      REQUIRE(said.has_value());
      const std::chrono::steady_clock::time_point steady{std::chrono::microseconds(1'000)};
      const auto judged = judge_time(std::vector<TimeSample>(3, {steady, steady, *said}));
      REQUIRE(judged.has_value());
      const std::int64_t ahead = now.us - 1'000;
      CHECK((judged->ahead_us - judged->error.us <= ahead && ahead <= judged->ahead_us + judged->error.us + 1));
    }
  }
}
