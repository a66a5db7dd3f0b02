// Groups: read from the symbol list, summed now and over the files.
#include <simdjson.h>

#include "catch.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/config/group_members.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "support/memory_files.hpp"
#include "web/group.hpp"
#include "web/group_bars.hpp"
#include "web/groups.hpp"

using namespace cvdd;
using namespace cvdd::web;

namespace {
const KnownMarkets known{
    {{"binance", Market::spot}, {"binance", Market::linear}, {"coinbase", Market::spot}, {"okx", Market::inverse}}};
constexpr Timestamp noon{1'763'640'000'000'000};  // 2025-11-20T12:00:00Z
const auto never = [] { return false; };

SymbolList parsed(const std::string& text, std::vector<std::string>& errors) {
  std::vector<ConfigError> found;
  SymbolList list = parse_symbols("[binance]\nspot = [\"BTCUSDT\"]\n" + text, "s.toml", known, found);
  for (const ConfigError& e : found) errors.push_back(to_string(e));
  return list;
}

Row row(const std::string& exchange, Timestamp time, int delta, int cvd, std::uint32_t rev = 0,
        BarStatus status = BarStatus::live) {
  Row r;
  r.time = time;
  r.exchange = exchange;
  r.symbol = "BTC";
  r.rev = rev;
  r.status = status;
  r.open = r.high = r.low = r.close = Decimal(exchange == "aaa" ? 100 : 200, 0);
  r.buys = 2;
  r.sells = 1;
  r.buy_base = r.buy_quote = Decimal(delta + 10, 1);
  r.sell_base = r.sell_quote = Decimal(10, 1);
  r.delta_base = r.delta_quote = Decimal(delta, 1);
  r.cvd_base = r.cvd_quote = Decimal(cvd, 1);
  return r;
}
MemoryFiles files_of(const std::vector<Row>& rows) {
  MemoryFiles files;
  std::string text = std::string(csv_header()) + "\n";
  for (const Row& r : rows) append_row(text, r);
  files.files["d/cvd-2025-11-20.csv"] = text;
  return files;
}
const std::vector<InstrumentName> two{{"aaa", Market::spot, "BTC"}, {"bbb", Market::spot, "BTC"}};
BarsQuery query(std::size_t limit = 1'500) {
  BarsQuery q;
  q.group = "btc";
  q.from = noon;
  q.to = noon + seconds(3'600);
  q.limit = limit;
  return q;
}
GroupBars bars(const std::vector<Row>& rows, const BarsQuery& q) {
  MemoryFiles files = files_of(rows);
  return read_group_bars(files, "d", q, two, std::chrono::seconds(60), never);
}
std::string text(const Sum& sum) { return sum.get() ? to_string(*sum.get()) : "none"; }
}  // namespace

TEST_CASE("groups: the symbol list names them, and their members by patterns") {
  std::vector<std::string> errors;
  const SymbolList list = parsed(
      "[group.btc-spot]\nmembers = [\"binance:spot:btcusdt\", \"Coinbase:spot:BTC-USD\"]\n"
      "[group.\"all 币\"]\nmembers = [\"*:linear:BTC*\", \"*:*:?TH*\"]\n",
      errors);
  CHECK(errors.empty());
  REQUIRE(list.groups.size() == 2);
  CHECK(list.wanted.size() == 1);
  const GroupWanted &all = list.groups[0], &spot = list.groups[1];
  CHECK((all.name == "all 币" && spot.name == "btc-spot"));
  CHECK(is_member(spot, "binance", Market::spot, "BTCUSDT"));
  CHECK(is_member(spot, "coinbase", Market::spot, "BTC-USD"));
  CHECK_FALSE(is_member(spot, "binance", Market::linear, "BTCUSDT"));
  CHECK_FALSE(is_member(spot, "binance", Market::spot, "BTCUSDC"));
  CHECK(is_member(all, "anybody", Market::linear, "btc_usdc"));
  CHECK(is_member(all, "binance", Market::option, "ETH-1"));
  CHECK_FALSE(is_member(all, "binance", Market::option, "BTC-1"));
}

namespace {
Instrument instrument(const char* exchange, Market market, const char* symbol, const char* base, const char* quote) {
  Instrument i;
  i.exchange = exchange, i.market = market, i.symbol = symbol, i.base = base, i.quote = quote;
  return i;
}
}  // namespace

TEST_CASE("groups: a coin is meant however an exchange spells its instruments, and no other coin is") {
  std::vector<std::string> errors;
  const SymbolList list = parsed(
      "[group.a]\nmembers = [\"*:spot:base=btc\"]\n[group.b]\nmembers = [\"*:linear:base=BTC perpetual\", "
      "\"*:inverse:perpetual base=BTC\"]\n[group.c]\nmembers = [\"*:spot:base=BTC,ETH quote=USD,USDC\"]\n"
      "[group.d]\nmembers = [\"*:linear:base=PEPE\"]\n[group.e]\nmembers = [\"*:*:base=BTC dated\"]\n"
      "[group.f]\nmembers = [\"*:spot:quote=EUR\"]\n",
      errors);
  CHECK(errors.empty());
  REQUIRE(list.groups.size() == 6);
  // Which of the groups it belongs to.
  const auto groups_of = [&](const Instrument& i) {
    std::string out;
    for (const GroupWanted& group : list.groups) {
      if (is_member(group, i)) out += group.name;
    }
    return out;
  };
  const auto spot = Market::spot, linear = Market::linear, inverse = Market::inverse, option = Market::option;
  CHECK(groups_of(instrument("binance", spot, "BTCUSDT", "BTC", "USDT")) == "a");
  CHECK(groups_of(instrument("kraken", spot, "BTC/USD", "BTC", "USD")) == "ac");
  CHECK(groups_of(instrument("gate", spot, "BTC_USDT", "BTC", "USDT")) == "a");
  CHECK(groups_of(instrument("deribit", spot, "BTC_USDC", "BTC", "USDC")) == "ac");
  CHECK(groups_of(instrument("kraken", spot, "ETH/EUR", "ETH", "EUR")) == "f");
  CHECK(groups_of(instrument("binance", spot, "BTCDOMUSDT", "BTCDOM", "USDT")).empty());
  CHECK(groups_of(instrument("binance", linear, "BTCDOMUSDT", "BTCDOM", "USDT")).empty());
  CHECK(groups_of(instrument("binance", linear, "BTCUSDT", "BTC", "USDT")) == "b");
  CHECK(groups_of(instrument("kraken_futures", linear, "PF_XBTUSD", "XBT", "USD")) == "b");
  CHECK(groups_of(instrument("deribit", inverse, "BTC-PERPETUAL", "BTC", "USD")) == "b");
  CHECK(groups_of(instrument("bitget", linear, "BTCPERP", "BTC", "USDC")) == "b");
  CHECK(groups_of(instrument("x", linear, "BTCUSD1", "BTC", "USD1")) == "b");
  CHECK(groups_of(instrument("binance", linear, "BTCUSDT_261225", "BTC", "USDT")) == "e");
  CHECK(groups_of(instrument("okx", inverse, "BTC-USD-261225", "BTC", "USD")) == "e");
  CHECK(groups_of(instrument("deribit", inverse, "BTC-27DEC24", "BTC", "USD")) == "e");
  CHECK(groups_of(instrument("bybit", inverse, "BTCUSDZ26", "BTC", "USD")) == "e");
  CHECK(groups_of(instrument("deribit", option, "BTC-27DEC24-100000-C", "BTC", "BTC")) == "e");
  CHECK(groups_of(instrument("binance", linear, "1000PEPEUSDT", "1000PEPE", "USDT")) == "d");
  // Its coins are not known before it is listed, and its name alone says nothing of them.
  CHECK_FALSE(is_member(list.groups[0], "binance", spot, "BTCUSDT"));
  CHECK(to_string(list.groups[2].members[0]) == "*:spot:base=BTC,ETH quote=USD,USDC");
  CHECK(to_string(list.groups[1].members[1]) == "*:inverse:perpetual base=BTC");
}

TEST_CASE("groups: a member that is a name which the list does not want is told before anything runs") {
  std::vector<std::string> errors;
  const SymbolList list = parsed(
      "linear = [\"ETH*\"]\n[group.a]\nmembers = [\"binance:spot:btcusdt\", \"*:spot:BTC/USDT\", "
      "\"binance:linear:ETHUSDT\", \"coinbase:spot:BTC-USD\", \"*:*:X*\", \"*:spot:base=XYZ\"]\n",
      errors);
  CHECK(errors.empty());
  CHECK(members_not_wanted(list) == std::vector<std::string>{"a: *:spot:BTC/USDT", "a: coinbase:spot:BTC-USD"});
}

TEST_CASE("groups: what is wrong with one is told with its line, and what is expected") {
  const std::pair<const char*, const char*> bad[] = {
      {"[group]\nx = 7", "s.toml:4: group.x: expected members"},
      {"[group.x]", "s.toml:3: group.x: expected members"},
      {"[group.x]\nmembers = \"a:spot:X\"", "s.toml:3: group.x: expected members"},
      {"[group.x]\nmembers = []", "s.toml:3: group.x: expected members"},
      {"[group.x]\nmembers = [\"BTCUSDT\"]", "s.toml:4: group.x.members: expected exchange:market:symbol"},
      {"[group.x]\nmembers = [\"binance:spot:\"]", "s.toml:4: group.x.members: expected exchange:market:symbol"},
      {"[group.x]\nmembers = [7]", "s.toml:4: group.x.members: expected exchange:market:symbol"},
      {"[group.x]\nmembers = [\"binanse:spot:X\"]", "s.toml:4: group.x.members: 'binanse:spot:X' names no exchange"},
      {"[group.x]\nmembers = [\"*:perp:X\"]", "s.toml:4: group.x.members: '*:perp:X' names no exchange"},
      {"[group.x]\nmembers = [\"*:spot:X\"]\nmember = []", "s.toml:5: group.x: unknown key, did you mean 'members'?"},
      {"[group.x]\nmembers = [\"*:spot:base=\"]", "s.toml:4: group.x.members: 'BASE=' is none of base=COINS"},
      {"[group.x]\nmembers = [\"*:spot:bas=BTC\"]", "s.toml:4: group.x.members: 'BAS=BTC' is none of base=COINS"},
      {"[group.x]\nmembers = [\"*:spot:base=BTC*\"]", "s.toml:4: group.x.members: 'BASE=BTC*' is none of base=COINS"},
      {"[group.x]\nmembers = [\"*:spot:BTC USDT\"]", "s.toml:4: group.x.members: 'BTC' is none of base=COINS"},
      {"[group.\"a,b\"]\nmembers = [\"*:spot:X\"]", "s.toml:3: group.a,b: a group's name has"}};
  for (const auto& [text, expected] : bad) {
    std::vector<std::string> errors;
    (void)parsed(text, errors);
    INFO(text);
    REQUIRE(errors.size() == 1);
    INFO(errors[0]);
    CHECK(errors[0].starts_with(expected));
  }
  std::vector<ConfigError> errors;
  (void)parse_symbols("group = 7", "s.toml", known, errors);
  REQUIRE_FALSE(errors.empty());
  CHECK(to_string(errors[0]).starts_with("s.toml:1: group: expected a table"));
}

TEST_CASE("groups: a bar is the sum of its members at their highest revision, with the worst status") {
  const Timestamp next = noon + seconds(60);
  const GroupBars found = bars({row("aaa", noon, 5, 105), row("bbb", noon, -3, 7), row("ccc", noon, 100, 100),
                                row("aaa", next, 1, 106), row("bbb", next, 2, 9, 0, BarStatus::gap),
                                row("bbb", noon, 4, 14, 1, BarStatus::repaired), row("bbb", next, 2, 16, 1)},
                               query());
  REQUIRE(found.error.empty());
  REQUIRE(found.bars.size() == 2);
  const GroupBar &first = found.bars[0], &second = found.bars[1];
  CHECK((first.time == noon && first.members == 2 && first.rev == 1 && first.status == BarStatus::repaired));
  CHECK((text(first.delta_base) == "0.9" && text(first.cvd_base) == "11.9" && first.buys == 4 && first.sells == 2));
  CHECK(text(first.buy_base) == "2.9");
  CHECK((second.status == BarStatus::live && text(second.cvd_quote) == "12.2" && second.rev == 1));
  CHECK(first.close == Decimal(100, 0));
  CHECK(found.next.empty());
  BarsQuery as_seen = query();
  as_seen.as_seen = true;
  const GroupBars seen = bars({row("aaa", noon, 5, 105), row("bbb", noon, -3, 7), row("bbb", noon, 4, 14, 1)}, as_seen);
  CHECK((text(seen.bars.at(0).cvd_base) == "11.2" && seen.bars[0].rev == 0));
}

TEST_CASE("groups: who has no row of a bar stands where it stood, so that its coming makes no jump") {
  const auto at = [](int minutes) { return noon + seconds(60 * minutes); };
  const GroupBars found = bars({row("aaa", at(0), 1, 101), row("aaa", at(1), 1, 102), row("bbb", at(1), 5, 505),
                                row("aaa", at(2), 1, 103), row("aaa", at(3), 1, 104), row("bbb", at(3), 5, 510)},
                               query());
  REQUIRE(found.bars.size() == 4);
  const char* const cvds[] = {"60.1", "60.7", "60.8", "61.4"};
  const std::size_t members[] = {1, 2, 1, 2};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(text(found.bars[i].cvd_base) == cvds[i]);
    CHECK(found.bars[i].members == members[i]);
    // Sums of deltas are the differences of CVDs.
    if (i > 0)
      CHECK(subtract(*found.bars[i].cvd_base.get(), *found.bars[i - 1].cvd_base.get()) ==
            *found.bars[i].delta_base.get());
  }
}

TEST_CASE("groups: what there is no room for is asked for from where it begins, and nothing is told by halves") {
  std::vector<Row> rows;
  for (int i = 0; i < 10; ++i) rows.push_back(row("aaa", noon + seconds(60 * i), 1, i + 1));
  for (int i = 0; i < 10; ++i) rows.push_back(row("bbb", noon + seconds(60 * i), 1, i + 1));
  BarsQuery q = query(4);
  std::vector<GroupBar> all;
  for (int rounds = 0; rounds < 5; ++rounds) {
    const GroupBars found = bars(rows, q);
    REQUIRE(found.error.empty());
    for (const GroupBar& bar : found.bars) all.push_back(bar);
    CHECK(found.bars.size() == (rounds < 2 ? 4U : 2U));
    if (found.next.empty()) break;
    q.from = parse_time(found.next).value();
  }
  REQUIRE(all.size() == 10);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK((all[i].members == 2 && text(all[i].cvd_base) == to_string(Decimal(static_cast<int>(2 * (i + 1)), 1))));
  }
}

TEST_CASE("groups: where units differ there is no sum, but dollars are dollars") {
  const auto unit = [](std::initializer_list<const char*> units) {
    CommonUnit u;
    for (const char* one : units) u.add(one);
    return std::string(u.get());
  };
  CHECK(unit({}).empty());
  CHECK(unit({"BTC", "BTC"}) == "BTC");
  CHECK(unit({"BTC", "ETH"}).empty());
  CHECK(unit({"USDT", "USDT"}) == "USDT");
  CHECK(unit({"USDT", "USD", "USDC"}) == "USD");
  CHECK(unit({"USDT", "EUR"}).empty());
  CHECK(unit({"EUR", "EUR"}) == "EUR");
  CHECK(unit({"BTC", "XBT"}) == "BTC");
  CommonUnit several;
  for (const char* coin : {"BTC", "ETH", "BTC", "SOL"}) several.add(coin);
  CHECK(several.differing() == "BTC, ETH, SOL");
  several.add("XRP");
  CHECK(several.differing() == "BTC, ETH, SOL, …");
}

TEST_CASE("groups: what a group is now is the sum of open bars, the worst state, and how many count") {
  Instrument one, two_, three;
  one.exchange = "aaa", one.symbol = "BTC", one.base = "BTC", one.quote = "USDT";
  two_.exchange = "bbb", two_.symbol = "BTC", two_.base = "BTC", two_.quote = "USD";
  three.exchange = "bbb", three.symbol = "ETH", three.base = "ETH", three.quote = "USD";
  Snapshot snapshot;
  snapshot.time = noon + seconds(90);
  auto open = std::make_shared<std::vector<OpenBar>>();
  for (const Instrument* i : {&one, &two_, &three}) {
    OpenBar bar;
    bar.instrument = i;
    bar.time = noon + seconds(60);
    bar.last_trade = noon + seconds(80);
    bar.open = bar.high = bar.low = bar.close = Decimal(i == &one ? 7 : 8, 0);
    bar.delta_base = bar.delta_quote = Decimal(5, 1);
    bar.cvd_base = bar.cvd_quote = Decimal(105, 1);
    bar.buys = 3;
    open->push_back(bar);
    snapshot.states.push_back({i->exchange, i->market, i->symbol, i, FeedState::live, "", {}});
  }
  snapshot.states.push_back({"aaa", Market::spot, "BTCX", nullptr, FeedState::unlisted, "", {}});
  snapshot.open_bars = open;
  for (const OpenBar& bar : *open) snapshot.open.emplace(bar.instrument, &bar);
  Board board;
  for (int i = 0; i < 3; ++i) {
    Row r = row("aaa", noon + seconds(60 * (i - 2)), 1, 100 + i, 0, i == 2 ? BarStatus::gap : BarStatus::live);
    board.add(r);
    r = row("bbb", noon + seconds(60 * (i - 2)), 1, 200 + i);
    board.add(r);
  }
  Groups groups;
  std::string any;
  groups.define({{"Both", {{"*", "spot", "BTC"}}}});
  CHECK((groups.append(any, "both", snapshot, board, Spark::none) && any.starts_with(R"({"group":"Both")")));
  CHECK_FALSE(groups.append(any, "bot", snapshot, board, Spark::none));
  groups.define({{"all", {{"*", "*", "*"}}}, {"btc", {{"*", "spot", "BTC"}}}, {"btc*", {{"*", "spot", "BTC*"}}}});
  simdjson::dom::parser parser;
  const auto told = [&](const GroupAsked& asked, Spark spark) {
    std::string out;
    CHECK(groups.append(out, asked, snapshot, board, spark));
    simdjson::dom::element e;
    REQUIRE(parser.parse(out).get(e) == simdjson::SUCCESS);
    return e;
  };
  const auto btc = told("btc", Spark::base);
  CHECK(std::string_view(btc["group"]) == "btc");
  CHECK((std::uint64_t(btc["counted"]) == 2 && std::uint64_t(btc["live"]) == 2));
  CHECK((std::string_view(btc["base"]) == "BTC" && std::string_view(btc["quote"]) == "USD"));
  CHECK(std::string_view(btc["state"]) == "live");
  CHECK((std::string_view(btc["price"]) == "7" && std::string_view(btc["price_of"]) == "aaa:spot:BTC"));
  CHECK(std::string_view(btc["bar"]["cvd_base"]) == "21");
  CHECK(std::string_view(btc["bar"]["delta_quote"]) == "1");
  CHECK(std::string_view(btc["written"]["status"]) == "gap");
  CHECK(std::string_view(btc["written"]["cvd_base"]) == "30.4");
  CHECK((std::string_view(btc["reason"]).empty() && std::uint64_t(btc["left_out"]) == 0));
  const auto spark = simdjson::dom::array(btc["spark"]);
  REQUIRE(spark.size() == 3);
  CHECK(std::string_view(spark.at(0)) == "30");
  const auto wide = told("btc*", Spark::none);
  CHECK((std::uint64_t(wide["counted"]) == 2 && simdjson::dom::array(wide["members"]).size() == 3));
  CHECK(std::string_view(wide["state"]) == "unlisted");
  const auto all = told("all", Spark::base);
  CHECK((all["bar"]["cvd_base"].is_null() && std::string_view(all["bar"]["cvd_quote"]) == "31.5"));
  CHECK(std::string_view(all["reason"]) == "no sum in coins, which differ: BTC, ETH");
  CHECK(all["written"]["cvd_base"].is_null());
  CHECK((std::string_view(all["base"]).empty() && simdjson::dom::array(all["spark"]).size() == 0));
  const auto picked = told(std::vector<InstrumentName>{{"bbb", Market::spot, "ETH"}}, Spark::none);
  CHECK(std::string_view(picked["instruments"]) == "bbb:spot:ETH");
  std::string none;
  CHECK_FALSE(groups.append(none, "other", snapshot, board, Spark::none));
  CHECK_FALSE(groups.append(none, std::vector<InstrumentName>{{"x", Market::spot, "Y"}}, snapshot, board, Spark::none));
  CHECK_FALSE(groups.append_short(none, "other", snapshot, board, *std::make_unique<InstrumentNames>()));
  // Short: without members, made once for a snapshot.
  std::string brief, again;
  InstrumentNames members;
  CHECK(groups.append_short(brief, "btc", snapshot, board, members));
  CHECK((members.size() == 2 && brief.find("members") == brief.npos && brief.find(R"("size":2)") != brief.npos));
  open->front().cvd_base = Decimal(9, 0);
  CHECK(groups.append_short(again, "btc", snapshot, board, members));
  CHECK(again == brief);
  snapshot.time = snapshot.time + seconds(1);
  again.clear();
  CHECK(groups.append_short(again, "btc", snapshot, board, members));
  CHECK(again != brief);
  // More than can be summed while everything else waits.
  for (int i = 0; i < 200; ++i) {
    snapshot.states.push_back({"aaa", Market::spot, "X" + std::to_string(i), nullptr, FeedState::live, "", {}});
  }
  const auto too_many = told("all", Spark::base);
  CHECK((std::uint64_t(too_many["size"]) == 204 && too_many["bar"].is_null()));
  CHECK(std::string_view(too_many["reason"]).starts_with("it has 204 members"));
  CHECK(std::string_view(too_many["state"]) == "refused");
  CHECK(groups.define({}));
  CHECK_FALSE(groups.define({}));
  CHECK_FALSE(groups.append(none, "btc", snapshot, board, Spark::none));
}

TEST_CASE("groups: what a group leaves out of its coin, and which members match nothing, is told") {
  const std::vector<Instrument> listed{instrument("binance", Market::spot, "BTCUSDT", "BTC", "USDT"),
                                       instrument("kraken", Market::spot, "BTC/USD", "BTC", "USD"),
                                       instrument("binance", Market::linear, "BTCUSDT", "BTC", "USDT"),
                                       instrument("kraken_futures", Market::linear, "PF_XBTUSD", "XBT", "USD"),
                                       instrument("binance", Market::linear, "BTCUSDT_261225", "BTC", "USDT"),
                                       instrument("binance", Market::spot, "ETHUSDT", "ETH", "USDT")};
  Snapshot snapshot;
  snapshot.time = noon;
  for (const Instrument& i : listed) {
    snapshot.states.push_back({i.exchange, i.market, i.symbol, &i, FeedState::live, "", {}});
  }
  const std::vector<GroupWanted> wanted{{"few", {{"binance", "spot", "BTCUSDT"}, {"*", "spot", "BTCUSDX"}}},
                                        {"perps", {{"*", "linear", "BTCUSDT"}}},
                                        {"spot", {{"*", "spot", "BASE=BTC"}}}};
  Groups groups;
  groups.define(wanted);
  simdjson::dom::parser parser;
  const auto told = [&](const char* name) {
    std::string out;
    CHECK(groups.append(out, name, snapshot, Board{}, Spark::none));
    simdjson::dom::element e;
    REQUIRE(parser.parse(out).get(e) == simdjson::SUCCESS);
    return e;
  };
  const auto few = told("few");
  CHECK(std::string_view(few["reason"]) == "*:spot:BTCUSDX matches nothing that is collected");
  REQUIRE(std::uint64_t(few["left_out"]) == 1);
  CHECK(std::string_view(few["not_members"].at(0)) == "kraken:spot:BTC/USD");
  // Another name of the coin is left out; a contract that ends is of another kind.
  const auto perps = told("perps");
  REQUIRE(std::uint64_t(perps["left_out"]) == 1);
  CHECK(std::string_view(perps["not_members"].at(0)) == "kraken_futures:linear:PF_XBTUSD");
  const auto spot = told("spot");
  CHECK((std::uint64_t(spot["size"]) == 2 && std::uint64_t(spot["left_out"]) == 0));
  CHECK(std::string_view(spot["reason"]).empty());
  CHECK(unmatched_members(wanted, snapshot.states) == std::vector<std::string>{"few: *:spot:BTCUSDX"});
  // One that comes later is a match, and one that goes is none any more.
  const Instrument late = instrument("x", Market::spot, "BTCUSDX", "BTC", "USDX");
  snapshot.states.push_back({late.exchange, late.market, late.symbol, &late, FeedState::live, "", {}});
  CHECK(std::string_view(told("few")["reason"]).empty());
  CHECK(std::uint64_t(told("spot")["size"]) == 3);
  snapshot.states.pop_back();
  groups.some_are_gone();
  CHECK_FALSE(std::string_view(told("few")["reason"]).empty());
}
