// Recordings without a list: which instrument a message is of, and of which market.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "cvdd/daemon/replay.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/ledger/csv_row.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

namespace {
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// The rows' "market symbol buys sells", in the order of the file, of a recording of these messages.
std::vector<std::string> rows_of(const std::string& exchange, const std::vector<std::string>& messages) {
  const fs::path dir = fs::temp_directory_path() / "cvdd-test-unlisted";
  fs::remove_all(dir);
  fs::create_directories(dir);
  std::ofstream recording(dir / "rec.jsonl");
  for (const std::string& message : messages) {
    recording << R"({"ts":null,"conn":0,"dir":"in","msg":")" << escaped(message) << "\"}\n";
  }
  recording.close();
  ReplayOptions options;
  options.exchange = exchange;
  options.market = "auto";
  options.out_dir = (dir / "out").string();
  options.recordings = {(dir / "rec.jsonl").string()};
  const ReplaySummary summary = replay(options);
  CHECK(summary.rejected == 0);
  CHECK(summary.trades == messages.size());
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(dir / "out")) {
    if (entry.path().extension() != ".csv" || entry.is_symlink()) continue;
    std::ifstream in(entry.path());
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      const auto row = parse_row(line);
      REQUIRE(row.has_value());
      if (row->buys + row->sells == 0) continue;
      out.push_back(std::string(name_of(row->market)) + " " + row->symbol + " " + to_string(row->buy_base));
    }
  }
  std::ranges::sort(out);
  fs::remove_all(dir);
  return out;
}
using Rows = std::vector<std::string>;
}  // namespace

TEST_CASE("symbols are found however they are written") {
  const auto symbol = [](const char* exchange, Market market, const char* message) {
    return find_exchange(exchange, market)->symbol_of(message);
  };
  CHECK(symbol("binance", Market::spot, R"({"stream":"x@aggTrade","data":{"e":"aggTrade","s":"BTCUSDT"}})") ==
        "BTCUSDT");
  CHECK(symbol("binance", Market::spot, R"({"stream": "x", "data": {"e": "aggTrade", "s": "\u9f99USDT", "a": 1}})") ==
        "龙USDT");
  CHECK(symbol("binance", Market::spot, R"({"e":"aggTrade","s":"\u9f99USDT"})") == "龙USDT");
  CHECK(symbol("binance", Market::spot, R"({"e":"kline","s":"BTCUSDT"})").empty());
  CHECK(symbol("binance", Market::spot, R"({"e":"aggTrade","s":"\u9f)").empty());
  CHECK(symbol("okx", Market::spot, R"({"arg": {"channel": "trades", "instId": "A-B"}, "data": []})") == "A-B");
  CHECK(symbol("deribit", Market::spot,
               R"({"params": {"channel": "trades.X.100ms", "data": [{"instrument_name": "X"}]}})") == "X");
  CHECK(symbol("bybit", Market::spot, R"({"topic": "publicTrade.X", "data": [{"s": "X"}]})") == "X");
  CHECK(symbol("bybit", Market::inverse, R"({"topic":"trade.BTCUSD","data":[{"symbol":"BTCUSD"}]})") == "BTCUSD");
  CHECK(symbol("coinbase", Market::spot, R"({"type": "match", "product_id": "A-USD"})") == "A-USD");
}

TEST_CASE("binance: names and forms tell the market") {
  const auto trade = [](const std::string& symbol, const std::string& more) {
    return R"({"e":"aggTrade","E":1,"s":")" + symbol +
           R"(","a":7,"p":"50","q":"2","f":1,"l":1,"T":1790000040000,"m":false)" + more + "}";
  };
  // COIN-M: 2 contracts of 100 and of 10 USD.
  CHECK(rows_of("binance", {trade("BTCUSDT", R"(,"M":true)"), trade("BTCUSDT", R"(,"nq":"2","st":1)"),
                            trade("BTCUSDT_261225", R"(,"st":1)"), trade("BTCUSD_PERP", R"(,"st":2)"),
                            trade("ETHUSD_261225", ""), trade("龙USDT", R"(,"M":true)"),
                            R"({"e": "aggTrade", "E": 1, "s": "\u9f99USDT", "a": 8, "p": "50", "q": "1", "f": 2, )"
                            R"("l": 2, "T": 1790000040001, "m": false, "M": true})"}) ==
        Rows{"inverse BTCUSD_PERP 4", "inverse ETHUSD_261225 0.4", "linear BTCUSDT 2", "linear BTCUSDT_261225 2",
             "spot BTCUSDT 2", "spot 龙USDT 3"});
}

TEST_CASE("bybit: ids tell the market where the name does not") {
  const auto trade = [](const std::string& symbol, const std::string& id) {
    return R"({"topic":"publicTrade.)" + symbol + R"(","type":"snapshot","ts":1,"data":[{"T":1790000040000,"s":")" +
           symbol + R"(","S":"Buy","v":"2","p":"50","i":")" + id + R"(","BT":false}]})";
  };
  CHECK(rows_of("bybit", {trade("BTCUSDT", "20f43950-d8dd-5b31-9112-a178eb6023af"), trade("BTCUSDT", "2290000001202"),
                          trade("BTCUSD", "20f43950-d8dd-5b31-9112-a178eb6023b0")}) ==
        Rows{"inverse BTCUSD 0.04", "linear BTCUSDT 2", "spot BTCUSDT 2"});
}
