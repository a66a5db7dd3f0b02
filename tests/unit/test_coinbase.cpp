#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "answers.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/storage/recording.hpp"
#include "exchange_fixture.hpp"
#include "source_dir.hpp"

using namespace cvdd;
using namespace cvdd::test;
namespace fs = std::filesystem;

namespace {
std::string match(const std::string& type, std::uint64_t id, const std::string& side) {
  return R"({"type":")" + type + R"(","trade_id":)" + std::to_string(id) + R"(,"sequence":50,"maker_order_id":"a",)" +
         R"("taker_order_id":"b","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","size":"5.23512",)" +
         R"("price":"400.23","side":")" + side + "\"}";
}
std::string heartbeat(std::uint64_t id) {
  return R"({"type":"heartbeat","sequence":90,"last_trade_id":)" + std::to_string(id) +
         R"(,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"})";
}
}  // namespace

TEST_CASE("coinbase: requests and answers") {
  Asked c("coinbase", Market::spot, {"BTC-USD", "ETH-USD"});
  CHECK(c.exchange->ws_target(Stream::aggregate) == "/");
  CHECK(subscribe(*c.exchange, c.all, Stream::aggregate, 1) ==
        R"({"type":"subscribe","channels":[{"name":"matches","product_ids":["BTC-USD","ETH-USD"]},)"
        R"({"name":"heartbeat","product_ids":["BTC-USD","ETH-USD"]}]})");
  CHECK(c.exchange->probe == nullptr);
  const Ack good = c.ack(R"({"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]},)"
                         R"({"name":"heartbeat","product_ids":["BTC-USD","ETH-USD"]}]})");
  CHECK((good.ok && good.rest == Ack::Rest::refused && good.topics == Names{"BTC-USD"}));
  const Ack bad =
      c.ack(R"({"type":"error","message":"Failed to subscribe","reason":"BTC-XXX is not a valid product"})");
  CHECK((!bad.ok && bad.rest == Ack::Rest::again && bad.topics == Names{"BTC-XXX"}));
  CHECK(bad.error == "Failed to subscribe: BTC-XXX is not a valid product");
}

TEST_CASE("coinbase: the side is the maker's") {
  Asked c("coinbase", Market::spot, {"BTC-USD"});
  const Trade t = c.parse(match("match", 10, "sell")).trades.at(0);
  CHECK(t.aggressor == Aggressor::buyer);
  CHECK(t.time.us == 1415348367'028459);
  CHECK((t.id == 10 && !t.snapshot));
  CHECK(c.parse(match("match", 10, "buy")).trades.at(0).aggressor == Aggressor::seller);
  CHECK(c.parse(match("last_match", 10, "buy")).trades.at(0).snapshot);
  CHECK(c.parse(match("match", 10, "none")).refusal == Refusal::bad_field);
  CHECK(c.parse(R"({"type":"ticker","product_id":"BTC-USD","price":"1"})").ignored);
  CHECK(c.parse(R"({"type":"dance"})").refusal == Refusal::not_understood);
}

// Words may be wrong, prices are not: a taker who buys pays the higher price.
TEST_CASE("coinbase: prices move with the taker, in what was really recorded") {
  const char* shared = std::getenv("CVDD_SHARED");
  const fs::path folder =
      (shared != nullptr ? fs::path(shared) : fs::path(source_dir()) / "../shared") / "recordings" / "coinbase";
  if (!fs::exists(folder)) {
    WARN("SKIPPED: no recordings at " << folder << "; set CVDD_SHARED to the folder that holds them");
    return;
  }
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(".jsonl.gz")) files.push_back(entry.path().string());
  }
  const Exchange& coinbase = *find_exchange("coinbase", Market::spot);
  std::deque<Instrument> instruments;
  SymbolTable symbols;
  std::map<const Instrument*, Trade> previous;
  unsigned with = 0, against = 0;
  MergedRecordings recordings(files);
  RecordedMessage message;
  Parsed parsed;
  while (recordings.next(message)) {
    Instrument instrument;
    const std::string symbol = coinbase.symbol_of(message.text);
    if (!symbols.contains(symbol) && coinbase.assume_instrument(symbol, {}, instrument)) {
      symbols.emplace(symbol, &instruments.emplace_back(instrument));
    }
    coinbase.parse(message.text, symbols, parsed);
    for (const Trade& t : parsed.trades) {
      const auto before = previous.find(t.instrument);
      if (before != previous.end() && before->second.price != t.price) {
        const bool up = t.price > before->second.price;
        ++(up == (t.aggressor == Aggressor::buyer) ? with : against);
      }
      previous.insert_or_assign(t.instrument, t);
    }
  }
  std::cout << "coinbase: " << with << " prices moved with the taker, " << against << " against\n";
  CHECK(with >= 10);
  CHECK(with > 2 * against);
}

TEST_CASE("coinbase: an old trade at first says only where the ids begin") {
  Asked c("coinbase", Market::spot, {"BTC-USD"});
  Intake intake(*c.exchange, false);
  intake.add(*c.all[0]);
  const Timestamp now{1415348400'000000};
  std::vector<Record> records;
  intake.take(match("last_match", 9, "buy"), now, records);
  CHECK(records.empty());
  intake.confirm(*c.all[0], now, records);
  records.clear();
  intake.take(match("match", 12, "buy"), now, records);
  REQUIRE(records.size() == 2);
  CHECK((records[0].kind() == RecordKind::hole && records[0].id() == 10 && records[0].count() == 2));
  // After a cut it is the newest of those that were missed.
  records.clear();
  intake.lose(*c.all[0], now, records);
  intake.take(match("last_match", 15, "buy"), now, records);
  REQUIRE(records.size() == 4);
  CHECK(records[1].kind() == RecordKind::subscribed);
  CHECK((records[2].kind() == RecordKind::hole && records[2].id() == 13 && records[2].count() == 2));
  CHECK((records[3].kind() == RecordKind::trade && records[3].id() == 15));
}

TEST_CASE("coinbase: the heartbeat tells of a hole while nothing else is said") {
  Asked c("coinbase", Market::spot, {"BTC-USD"});
  Intake intake(*c.exchange, false);
  intake.add(*c.all[0]);
  const Timestamp now{1415348400'000000};
  std::vector<Record> records;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> holes;
  intake.on_hole = [&](const Instrument&, std::uint64_t first, std::uint64_t count) {
    holes.emplace_back(first, count);
  };
  intake.take(match("match", 20, "sell"), now, records);
  intake.take(heartbeat(20), now, records);
  CHECK(holes.empty());
  records.clear();
  intake.take(heartbeat(23), now, records);
  REQUIRE(records.size() == 1);
  CHECK((records[0].kind() == RecordKind::hole && records[0].id() == 21 && records[0].count() == 3));
  CHECK(holes.size() == 1);
  intake.take(heartbeat(23), now, records);
  CHECK(records.size() == 1);
  records.clear();
  intake.take(match("match", 22, "sell"), now, records);  // late, not lost
  REQUIRE(records.size() == 1);
  CHECK(records[0].kind() == RecordKind::trade);
  CHECK(c.parse(R"({"type":"heartbeat","last_trade_id":"x","product_id":"BTC-USD","time":"2014-11-07T08:19:28Z"})")
            .refusal == Refusal::bad_field);
}

TEST_CASE("coinbase: lists, time and history") {
  Asked c("coinbase", Market::spot, {"BTC-USD"});
  InstrumentPage page;
  std::string error;
  REQUIRE(read_instruments(
      *c.exchange,
      R"([{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","status":"online","trading_disabled":false},)"
      R"({"id":"OLD-USD","base_currency":"OLD","quote_currency":"USD","status":"delisted","trading_disabled":true}])",
      page, error));
  REQUIRE(page.instruments.size() == 2);
  CHECK((page.instruments[0].trading && !page.instruments[1].trading));
  CHECK_FALSE(read_instruments(*c.exchange, R"({"message":"rate limit exceeded"})", page, error));
  CHECK(error == "rate limit exceeded");
  for (const char* bad : {"", "{}", "[", "[]x", "<html>"}) CHECK_FALSE(read_instruments(*c.exchange, bad, page, error));
  Timestamp time;
  REQUIRE(read_time(*c.exchange, R"({"iso":"2015-01-07T23:47:25.201Z","epoch":1420674445.201})", time));
  CHECK(time.us == 1420674445'201000);
  REQUIRE(read_time(*c.exchange, R"({"iso":"2015-01-07T23:47:25.5+00:00"})", time));
  CHECK(time.us == 1420674445'500000);
  for (const char* iso :
       {"2015-01-07T23:47:25.201", "2015-13-07T23:47:25Z", "2015-01-07 23:47:25Z", "x", "2015-01-07T23:47:25.2-1Z"}) {
    CHECK_FALSE(read_time(*c.exchange, std::string(R"({"iso":")") + iso + "\"}", time));
  }
  CHECK(c.exchange->history->by_id(*c.all[0], 1000, 1000) == "/products/BTC-USD/trades?limit=1000&after=2000");
  HistoryPage past;
  const std::vector<Trade>& trades = past.trades;
  REQUIRE(read_history(
      *c.exchange,
      R"([{"time":"2014-11-07T22:19:28.578544Z","trade_id":74,"price":"10.00000000","size":"0.01000000","side":"buy"},)"
      R"({"time":"2014-11-07T01:08:43.642366Z","trade_id":73,"price":"100.0","size":"0.01","side":"sell"}])",
      *c.all[0], past, error));
  REQUIRE(trades.size() == 2);
  CHECK((trades[0].id == 73 && trades[0].aggressor == Aggressor::buyer));  // the maker sold
  CHECK_FALSE(read_history(*c.exchange, R"({"message":"NotFound"})", *c.all[0], past, error));
}
