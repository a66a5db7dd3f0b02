// What stands beside the trades: rows of bars, and their text. Read it beside docs/csv-context.md.
#include "catch.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/ledger/context.hpp"
#include "cvdd/ledger/context_row.hpp"

using namespace cvdd;
using What = FeedMark::What;

namespace {
constexpr Timestamp start{1'763'676'000'000'000};  // 2025-11-20T22:00:00Z
constexpr Duration minute = seconds(60);
constexpr DataKinds all{DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest,
                        DataKind::liquidation};

Decimal d(const char* text) { return parse_sum(text).value(); }

Instrument instrument_of(Market market) {
  Instrument i;
  i.id = 7;
  i.exchange = "binance";
  i.market = market;
  i.symbol = market == Market::inverse ? "BTCUSD_PERP" : "BTCUSDT";
  return i;
}

// A ledger with one instrument, and what becomes of its bars.
struct Bars {
  explicit Bars(DataKinds kinds = all, Market market = Market::linear, const ContextRow* known = nullptr)
      : instrument(instrument_of(market)) {
    ledger.begin(instrument, {kinds, LiquidationsTold::sampled}, known);
  }
  void mark(What what, DataKind kind, Duration at) { ledger.apply({7, FeedMark{what, kind, start + at}}); }
  void mark_all(What what, Duration at) {
    for (const DataKind kind : context_kinds) mark(what, kind, at);
  }
  void book(Duration at, const char* bid, const char* ask) {
    ledger.apply({7, BestPrices{nullptr, start + at, d(bid), d("2"), d(ask), d("0.5")}});
  }
  void order(Duration at, Aggressor side, const char* base, const char* quote) {
    ledger.apply({7, Liquidation{nullptr, start + at, side, d("100"), d(base), d(quote)}});
  }
  std::vector<std::string> close(Duration upto) {
    std::vector<ContextRow> rows;
    ledger.close(start + upto, rows);
    return texts(rows);
  }
  std::vector<std::string> finish(Duration at) {
    std::vector<ContextRow> rows;
    ledger.finish(start + at, rows);
    return texts(rows);
  }
  static std::vector<std::string> texts(const std::vector<ContextRow>& rows) {
    std::vector<std::string> out;
    for (const ContextRow& row : rows) {
      std::string text;
      append_context_row(text, row);
      text.pop_back();
      out.push_back(text);
    }
    return out;
  }
  Instrument instrument;
  ContextLedger ledger{minute};
};
using Rows = std::vector<std::string>;
const std::string nothing = ",,,,,,,,,,,,,,,,,,,,";
}  // namespace

TEST_CASE("context: a row has what stood at its bar's end, and how old that was") {
  Bars bars;
  bars.mark_all(What::subscribed, seconds(-30));
  bars.book(seconds(10), "83000", "83000.5");
  bars.book(milliseconds(59'880), "83090.10", "83090.2");
  bars.book(seconds(60), "1", "2");  // of the next bar
  bars.ledger.apply({7, MarkPrice{nullptr, start + seconds(59), d("83091"), d("83088.5")}});
  bars.ledger.apply({7, FundingRate{nullptr, start + seconds(59), start + seconds(7'200), d("-0.0001")}});
  bars.ledger.apply({7, OpenInterest{nullptr, start + seconds(57), d("71234.5"), std::nullopt}});
  bars.order(seconds(20), Aggressor::buyer, "0.25", "20772.5");
  bars.order(seconds(59), Aggressor::buyer, "0.5", "41545");
  bars.order(seconds(60), Aggressor::seller, "9", "9");  // of the next bar
  const Rows rows = bars.close(minute);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] ==
        "2025-11-20T21:59:00Z,binance,linear,BTCUSDT,0,partial" + std::string(",,,,,,,,,,,,,,0,0,0,0,0,0,sampled"));
  // 71234.5 × 83091 = 5,918,945,839.5
  CHECK(rows[1] ==
        "2025-11-20T22:00:00Z,binance,linear,BTCUSDT,0,live,83090.1,2,83090.2,0.5,120,83091,83088.5,1000,-0.0001,"
        "2025-11-21T00:00:00Z,71234.5,5918945839.5,3000,2,0,0.75,0,62317.5,0,sampled");
  CHECK(bars.close(minute).empty());
}

TEST_CASE("context: a quiet bar repeats what is known, older by its length") {
  Bars bars({DataKind::book});
  bars.mark(What::subscribed, DataKind::book, seconds(1));
  bars.book(seconds(59), "10", "11");
  CHECK(bars.close({2 * minute.us}) ==
        Rows{"2025-11-20T22:00:00Z,binance,linear,BTCUSDT,0,partial,10,2,11,0.5,1000,,,,,,,,,,,,,,,",
             "2025-11-20T22:01:00Z,binance,linear,BTCUSDT,0,live,10,2,11,0.5,61000,,,,,,,,,,,,,,,"});
}

TEST_CASE("context: nobody asks, nobody bids") {
  Bars bars({DataKind::book});
  bars.mark(What::subscribed, DataKind::book, {});
  bars.book(seconds(1), "10", "11");
  bars.ledger.apply({7, BestPrices{nullptr, start + seconds(59), d("10"), d("3"), std::nullopt, std::nullopt}});
  CHECK(bars.close(minute)[0].ends_with(",10,3,,,1000,,,,,,,,,,,,,,,"));
}

TEST_CASE("context: of an inverse contract the mark price makes base of quote, half-even to twelve places") {
  Bars bars({DataKind::mark, DataKind::open_interest}, Market::inverse);
  bars.mark(What::subscribed, DataKind::mark, {});
  bars.mark(What::subscribed, DataKind::open_interest, {});
  bars.ledger.apply({7, OpenInterest{nullptr, start + seconds(30), std::nullopt, d("221611300")}});
  CHECK(bars.close(minute)[0].ends_with(",live,,,,,,,,,,,,221611300,30000,,,,,,,"));
  bars.ledger.apply({7, MarkPrice{nullptr, start + seconds(61), d("66100.1"), std::nullopt}});
  // 221,611,300 ÷ 66,100.1 = 3352.662462…
  const Rows rows = bars.close({2 * minute.us});
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].find(",66100.1,,59000,,,3352.66") != std::string::npos);
  CHECK(rows[0].find(",221611300,90000,") != std::string::npos);
}

TEST_CASE("context: what a message does not tell stays as it was") {
  Bars bars({DataKind::mark, DataKind::funding});
  bars.mark(What::subscribed, DataKind::mark, {});
  bars.mark(What::subscribed, DataKind::funding, {});
  bars.ledger.apply({7, MarkPrice{nullptr, start + seconds(1), d("100"), d("101")}});
  bars.ledger.apply({7, MarkPrice{nullptr, start + seconds(59), d("102"), std::nullopt}});
  bars.ledger.apply({7, MarkPrice{nullptr, start + seconds(2), d("7"), d("7")}});  // overtaken on the way
  bars.ledger.apply({7, FundingRate{nullptr, start + seconds(1), start + seconds(7'200), d("0.001")}});
  bars.ledger.apply({7, FundingRate{nullptr, start + seconds(3), std::nullopt, d("0.002")}});
  CHECK(bars.close(minute)[0].find(",102,101,1000,0.002,2025-11-21T00:00:00Z,") != std::string::npos);
}

TEST_CASE("context: a bar is live only if every kind was subscribed all of it") {
  Bars bars;
  const auto status = [&](Duration upto) {
    const Rows rows = bars.close(upto);
    REQUIRE(rows.size() == 1);
    return rows[0].substr(46, rows[0].find(',', 46) - 46);
  };
  for (const DataKind kind : {DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest}) {
    bars.mark(What::subscribed, kind, seconds(10));
  }
  CHECK(status(minute) == "partial");
  bars.mark(What::subscribed, DataKind::liquidation, seconds(70));
  CHECK(status({2 * minute.us}) == "partial");
  CHECK(status({3 * minute.us}) == "live");
  bars.mark(What::lost, DataKind::book, seconds(190));
  bars.mark(What::subscribed, DataKind::book, seconds(200));
  CHECK(status({4 * minute.us}) == "gap");
  CHECK(status({5 * minute.us}) == "live");
  bars.mark(What::refused, DataKind::funding, seconds(310));
  CHECK(status({6 * minute.us}) == "gap");
  CHECK(status({7 * minute.us}) == "gap");
}

TEST_CASE("context: what was cut keeps its columns, and a refused kind has none") {
  Bars bars({DataKind::book, DataKind::mark});
  bars.mark(What::subscribed, DataKind::book, seconds(-60));
  bars.mark(What::refused, DataKind::mark, seconds(-60));
  bars.book(seconds(5), "10", "11");
  bars.mark(What::lost, DataKind::book, seconds(6));
  CHECK(bars.close(minute)[1] == "2025-11-20T22:00:00Z,binance,linear,BTCUSDT,0,gap,10,2,11,0.5,55000,,,,,,,,,,,,,,,");
}

TEST_CASE("context: a cut that is noticed late takes back what rows claimed, and no price of theirs") {
  Bars bars({DataKind::book});
  bars.mark(What::subscribed, DataKind::book, seconds(-60));
  bars.book(seconds(5), "10", "11");
  bars.close(minute);
  bars.book(seconds(59), "20", "21");  // late for its bar
  bars.mark(What::lost, DataKind::book, seconds(50));
  const Rows rows = bars.close({2 * minute.us});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == "2025-11-20T22:00:00Z,binance,linear,BTCUSDT,1,gap,10,2,11,0.5,55000,,,,,,,,,,,,,,,");
  CHECK(rows[1] == "2025-11-20T22:01:00Z,binance,linear,BTCUSDT,0,gap,20,2,21,0.5,61000,,,,,,,,,,,,,,,");
}

TEST_CASE("context: a forced order that comes late revises its bar; one of a bar that is gone marks the open one") {
  Bars bars({DataKind::liquidation});
  bars.mark(What::subscribed, DataKind::liquidation, seconds(-60));
  bars.order(seconds(10), Aggressor::seller, "1", "100");
  bars.close(minute);
  bars.order(seconds(50), Aggressor::seller, "2", "200");
  const Rows rows = bars.close({2 * minute.us});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == "2025-11-20T22:00:00Z,binance,linear,BTCUSDT,1,live,,,,,,,,,,,,,,0,2,0,3,0,300,sampled");
  CHECK(rows[1] == "2025-11-20T22:01:00Z,binance,linear,BTCUSDT,0,live,,,,,,,,,,,,,,0,0,0,0,0,0,sampled");
  bars.close({30 * minute.us});
  bars.order(seconds(55), Aggressor::seller, "2", "200");
  CHECK(bars.ledger.counters().late == 1);
  CHECK(bars.close({31 * minute.us})[0].find(",0,gap,") != std::string::npos);
  CHECK(bars.close({32 * minute.us})[0].find(",0,live,") != std::string::npos);
}

TEST_CASE("context: while a feed of forced orders was cut all of a bar, their sums are not known") {
  Bars bars({DataKind::liquidation});
  bars.mark(What::subscribed, DataKind::liquidation, seconds(-60));
  bars.mark(What::lost, DataKind::liquidation, seconds(59));
  const Rows rows = bars.close({2 * minute.us});
  REQUIRE(rows.size() == 3);
  CHECK(rows[1].ends_with(",0,gap,,,,,,,,,,,,,,0,0,0,0,0,0,sampled"));
  CHECK(rows[2] == "2025-11-20T22:01:00Z,binance,linear,BTCUSDT,0,gap" + nothing);
}

TEST_CASE("context: a bar that a restart cut goes on with its sums, one revision later") {
  Bars before({DataKind::liquidation});
  before.mark(What::subscribed, DataKind::liquidation, seconds(-60));
  before.close({});
  before.order(seconds(10), Aggressor::buyer, "1", "100");
  const Rows cut = before.finish(seconds(20));
  REQUIRE(cut.size() == 1);
  CHECK(cut[0] == "2025-11-20T22:00:00Z,binance,linear,BTCUSDT,0,partial,,,,,,,,,,,,,,1,0,1,0,100,0,sampled");
  const auto known = parse_context_row(cut[0]);
  REQUIRE(known);
  Bars after({DataKind::liquidation}, Market::linear, &*known);
  after.mark(What::subscribed, DataKind::liquidation, seconds(30));
  after.order(seconds(40), Aggressor::buyer, "2", "200");
  CHECK(after.close(minute) ==
        Rows{"2025-11-20T22:00:00Z,binance,linear,BTCUSDT,1,partial,,,,,,,,,,,,,,2,0,3,0,300,0,sampled"});
  // The time when nobody ran has no rows.
  Bars later({DataKind::liquidation}, Market::linear, &*known);
  later.mark(What::subscribed, DataKind::liquidation, seconds(610));
  const Rows rows = later.close(seconds(660));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].starts_with("2025-11-20T22:10:00Z,binance,linear,BTCUSDT,0,partial,"));
}

TEST_CASE("context: an instrument that ends has a last row, and none before it begins again") {
  Bars bars({DataKind::book});
  bars.mark(What::subscribed, DataKind::book, seconds(-60));
  bars.close({});
  bars.mark(What::ended, DataKind::book, seconds(30));
  CHECK(bars.close({5 * minute.us}) == Rows{"2025-11-20T22:00:00Z,binance,linear,BTCUSDT,0,partial" + nothing});
  bars.ledger.begin(bars.instrument, {{DataKind::book}, LiquidationsTold::sampled}, nullptr);
  bars.mark(What::subscribed, DataKind::book, seconds(360));
  CHECK(bars.close({7 * minute.us}).size() == 1);
  const auto newest = bars.ledger.forget(7);
  REQUIRE(newest);
  CHECK(newest->time == start + seconds(360));
  CHECK(bars.close({9 * minute.us}).empty());
}

TEST_CASE("context: the word that it begins again may overtake the one that it ended") {
  Bars bars({DataKind::book});
  bars.mark(What::subscribed, DataKind::book, seconds(-60));
  bars.close({});
  bars.ledger.begin(bars.instrument, {{DataKind::book, DataKind::mark}, LiquidationsTold::none}, nullptr);
  bars.mark(What::ended, DataKind::book, seconds(30));
  bars.mark(What::subscribed, DataKind::book, seconds(31));
  bars.mark(What::subscribed, DataKind::mark, seconds(32));
  const Rows rows = bars.close({2 * minute.us});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == "2025-11-20T22:00:00Z,binance,linear,BTCUSDT,0,partial" + nothing);
  CHECK(rows[1] == "2025-11-20T22:01:00Z,binance,linear,BTCUSDT,0,live" + nothing);
}

TEST_CASE("context: nobody who did not begin has rows, and no time is too far") {
  Bars bars({DataKind::book});
  bars.ledger.apply({8, FeedMark{What::subscribed, DataKind::book, start}});
  CHECK(bars.close({3 * minute.us}).empty());
  bars.mark(What::subscribed, DataKind::book, {});
  bars.book({1'000'000 * minute.us}, "1", "2");
  bars.book(seconds(1), "3", "4");
  const Rows rows = bars.close(minute);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].find(",3,2,4,0.5,59000,") != std::string::npos);
}

TEST_CASE("context: a line is read back as it was written, and nothing else is one") {
  const std::string good =
      "2026-11-20T20:59:00Z,binance,linear,BTCUSDT,3,gap,83090.1,1.25,83090.2,0.5,120,83091,83088.5,1000,-0.0001,"
      "2026-11-21T00:00:00Z,71234.5,5918000000.1,3000,1,0,0.25,0,20772.5,0,sampled";
  const auto row = parse_context_row(good);
  REQUIRE(row);
  CHECK(Bars::texts({*row})[0] == good);
  CHECK(parse_context_row("2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,gap,83090.1,1,,,120,,,,,,,,,,,,,,,"));
  const auto with = [&](const char* from, const char* to) {
    std::string line = good;
    return line.replace(line.find(from), std::string(from).size(), to);
  };
  CHECK_FALSE(parse_context_row(good + ","));
  CHECK_FALSE(parse_context_row(good.substr(0, good.rfind(','))));
  CHECK_FALSE(parse_context_row(with(",gap,", ",repaired,")));
  CHECK_FALSE(parse_context_row(with(",gap,", ",history,")));
  CHECK_FALSE(parse_context_row(with("83090.1,", "83090.10,")));
  CHECK_FALSE(parse_context_row(with("83090.1,", "8.3E4,")));
  CHECK_FALSE(parse_context_row(with(",120,", ",-120,")));
  CHECK_FALSE(parse_context_row(with("2026-11-21T00:00:00Z", "2026-11-21")));
  CHECK_FALSE(parse_context_row(with(",1,0,0.25,", ",1,,0.25,")));
  CHECK_FALSE(parse_context_row(with("sampled", "some")));
}
