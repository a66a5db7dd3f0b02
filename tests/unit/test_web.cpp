// What the HTTP server says, without a socket: addresses taken apart, JSON, the board, bars read from the files.
#include <simdjson.h>

#include <thread>

#include "catch.hpp"
#include "cvdd/base/moment.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "support/memory_files.hpp"
#include "web/asked.hpp"
#include "web/bars.hpp"
#include "web/board.hpp"
#include "web/files.hpp"
#include "web/json.hpp"
#include "web/live.hpp"
#include "web/query.hpp"
#include "web/stream.hpp"
#include "web/want.hpp"

using namespace cvdd;
using namespace cvdd::web;

namespace {
constexpr Timestamp noon{1'763'640'000'000'000};  // 2025-11-20T12:00:00Z

Row row(Timestamp time, int cvd, std::uint32_t rev = 0, BarStatus status = BarStatus::live,
        const std::string& symbol = "BTCUSDT", Market market = Market::spot) {
  Row r;
  r.time = time;
  r.exchange = "abc";
  r.market = market;
  r.symbol = symbol;
  r.rev = rev;
  r.status = status;
  r.cvd_base = Decimal(cvd, 1);
  r.cvd_quote = Decimal(cvd, 0);
  return r;
}
constexpr std::chrono::seconds a_while{60};
const auto never = [] { return false; };

std::string file_of(const std::vector<Row>& rows) {
  std::string text = std::string(csv_header()) + "\n";
  for (const Row& r : rows) append_row(text, r);
  return text;
}
BarsQuery query(Timestamp from, Timestamp to) {
  BarsQuery q;
  q.exchange = "abc";
  q.symbol = "BTCUSDT";
  q.from = from;
  q.to = to;
  return q;
}
}  // namespace

TEST_CASE("web: targets are taken apart, and what is none is refused") {
  const auto t = parse_target("/api/v1/bars?symbol=BTC%2DUSD&x=a+b&empty=&flag");
  REQUIRE(t);
  CHECK(t->path == "/api/v1/bars");
  CHECK(t->parameters.at("symbol") == "BTC-USD");
  CHECK(t->parameters.at("x") == "a b");
  CHECK((t->parameters.at("empty").empty() && t->parameters.at("flag").empty()));
  CHECK(parse_target("/")->parameters.empty());
  CHECK(parse_target("/a?")->parameters.empty());
  for (const char* bad : {"", "x", "http://host/", "*", "/%", "/%2", "/%zz", "/%00", "/a%0d%0aSet-Cookie:x", "/%ff",
                          "/?a=%c3%28", "/\x01", "/?a=\x7f"}) {
    INFO(bad);
    CHECK_FALSE(parse_target(bad));
  }
  // Nobody knows which of the two is meant: who answers can name it.
  CHECK(parse_target("/?a=1&b=1&b=2&a=2")->twice == "b");
  CHECK(parse_target("/?a=1&b=1")->twice.empty());
  std::string many = "/?";
  for (int i = 0; i < 40; ++i) many += "p" + std::to_string(i) + "=1&";
  CHECK_FALSE(parse_target(many));
  // Dots mean nothing here: there is no file behind a path.
  CHECK(parse_target("/../../etc/passwd")->path == "/../../etc/passwd");
}

TEST_CASE("moments are told as people and their programs write UTC") {
  for (const char* text : {"2025-11-20T12:00:00Z", "2025-11-20T12:00:00+00:00"}) CHECK(parse_moment(text) == noon);
  CHECK(parse_moment("2025-11-20") == noon - seconds(12 * 3'600));
  for (const char* bad : {"", "2025-11-20T12:00:00", "2025-11-20T12:00:00+01:00", "2025-11-31", "2025-11-20 12:00:00Z",
                          "20251120T120000Z", "2025-11-20T12:00:00 00:00"}) {
    INFO(bad);
    CHECK_FALSE(parse_moment(bad));
  }
}

TEST_CASE("web: names of bars are found in any case; of what nobody collects, near ones are told") {
  Instrument spot, linear, small;
  for (Instrument* i : {&spot, &linear, &small}) i->exchange = "abc";
  spot.symbol = linear.symbol = "BTCUSDT";
  spot.base = linear.base = "BTC";
  spot.quote = linear.quote = small.quote = "USDT";
  linear.market = small.market = Market::linear;
  small.symbol = "1000PEPEUSDT";
  small.base = "1000PEPE";
  std::vector<InstrumentState> states;
  for (const Instrument* i : {&spot, &linear, &small})
    states.push_back({i->exchange, i->market, i->symbol, i, FeedState::live, "", {}});
  states.push_back({"abc", Market::spot, "Mixed-0d5", nullptr, FeedState::unlisted, "", {}});
  MemoryFiles files;
  Allowance allowance(100, std::chrono::seconds(60));
  const auto ask = [&](std::string exchange, std::string symbol, std::optional<Market> market) {
    BarsAnswer asked;
    asked.query.exchange = std::move(exchange);
    asked.query.symbol = std::move(symbol);
    asked.query.market = market;
    asked.query.from = noon - seconds(600);
    asked.query.to = noon;
    complete_names(asked, states);
    return asked;
  };
  const auto text = [&](const BarsAnswer& asked) {
    BarsText made;
    // Threads that read for others let the daemon's go first, and stay so.
    std::thread([&] { made = bars_text(files, "/d", asked, allowance, [] { return false; }); }).join();
    return made;
  };
  CHECK(ask("ABC", "btcusdt", Market::spot).query.symbol == "BTCUSDT");
  CHECK(ask("abc", "btcUSDT", std::nullopt).units.size() == 2);
  CHECK(ask("abc", "BTCUSDT", Market::spot).units.at(Market::spot).first == "BTC");
  CHECK(ask("abc", "mixed-0D5", std::nullopt).query.symbol == "Mixed-0d5");
  CHECK_FALSE(text(ask("abc", "btcusdt", Market::spot)).unknown);
  // Collected once, perhaps: names are capitals, as a rule.
  CHECK(ask("abc", "ethusdt", std::nullopt).query.symbol == "ETHUSDT");
  const BarsText pepe = text(ask("abc", "PEPE/USDT", Market::linear));
  CHECK(pepe.unknown);
  CHECK(pepe.error ==
        "abc PEPE/USDT is not collected, and the files have no bar of it in that time; near: 1000PEPEUSDT in market "
        "linear");
  CHECK(text(ask("abc", "1000pepeusdt", Market::spot)).error.find("; near: 1000PEPEUSDT in market linear") !=
        std::string::npos);
  CHECK(text(ask("xyz", "BTCUSDT", std::nullopt)).error.find("; exchanges: abc") != std::string::npos);
  CHECK(text(ask("xyz", "\x1b[2J", std::nullopt)).error.find('\x1b') == std::string::npos);
}

TEST_CASE("web: groups and instruments are meant by names in any case; who is not there is named") {
  const std::vector<std::string> groups{"BTC spot", "btc SPOT", "BTC perpetuals"};
  CHECK(place_of("BTC spot", groups) == 0);
  CHECK(place_of("btc SPOT", groups) == 1);
  CHECK(place_of("btc spot", groups) == 0);
  CHECK(place_of("btc perpetual", groups) == nobody);
  CHECK(no_such_group("btc perpetual", groups) ==
        "group: the symbol list has none of this name; did you mean: BTC perpetuals");
  CHECK(no_such_group("gold", groups) ==
        "group: the symbol list has none of this name; there are: BTC spot, btc SPOT, BTC perpetuals");
  CHECK(no_such_group("gold", {}) == "group: the symbol list has none of this name, and no group at all");
  CHECK(no_such_group("x", std::vector<std::string>(100, "some name")).size() < 250);

  std::vector<InstrumentState> states;
  for (const char* symbol : {"BTCUSDT", "Mixed", "MIXED"}) {
    states.push_back({"abc", Market::spot, symbol, nullptr, FeedState::live, "", {}});
  }
  std::vector<InstrumentName> names{
      {"ABC", Market::spot, "btcusdt"}, {"abc", Market::spot, "MIXED"}, {"abc", Market::spot, "mixed"}};
  CHECK(spell_as_collected(names, states).empty());
  CHECK((names[0].exchange == "abc" && names[0].symbol == "BTCUSDT"));
  CHECK((names[1].symbol == "MIXED" && names[2].symbol == "Mixed"));
  names = {{"abc", Market::spot, "BTCUSDT"}, {"abc", Market::linear, "btcusdt"}, {"xyz", Market::spot, "BTCUSDT"}};
  const auto missing = spell_as_collected(names, states);
  CHECK(missing == std::vector<std::string>{"abc:linear:btcusdt", "xyz:spot:BTCUSDT"});
  CHECK(not_collected(missing) == "instruments: not collected here: abc:linear:btcusdt, xyz:spot:BTCUSDT");
  CHECK(not_collected(std::vector<std::string>(200, "a:spot:X\x1b")).find('\x1b') == std::string::npos);
}

TEST_CASE("web: parameters of bars are checked, each with what is expected") {
  std::string error;
  const auto ask = [&](const std::string& parameters) {
    error.clear();
    return parse_bars_query(*parse_target("/api/v1/bars?" + parameters), noon, error);
  };
  const auto good =
      ask("exchange=abc&symbol=X&market=linear&from=2025-11-19&to=1763640000&limit=7&format=csv&as_seen=1");
  REQUIRE(good);
  CHECK(good->from == noon - seconds(36 * 3'600));
  CHECK(good->to == noon);
  CHECK((good->limit == 7 && good->csv && good->as_seen && good->market == Market::linear));
  CHECK(ask("exchange=abc&symbol=X")->from == noon - seconds(86'400));
  for (const char* bad :
       {"symbol=X", "exchange=abc", "exchange=abc&symbol=X&market=perp", "exchange=abc&symbol=X&from=now",
        "exchange=abc&symbol=X&limit=0", "exchange=abc&symbol=X&limit=20001", "exchange=abc&symbol=X&limit=1e3",
        "exchange=abc&symbol=X&format=xml", "exchange=abc&symbol=X&as_seen=yes", "exchange=abc&symbol=X&form=csv",
        "exchange=abc&symbol=X&from=2025-11-20T12:00:00Z", "exchange=abc&symbol=X&to=99999999999",
        "exchange=abc&symbol=X&from=2025-11-20T11:00:00+01:00"}) {
    INFO(bad);
    CHECK_FALSE(ask(bad));
    CHECK_FALSE(error.empty());
  }
  // In any case, and as other programs write UTC, escaped or not.
  CHECK(ask("exchange=abc&symbol=X&market=LINEAR")->market == Market::linear);
  for (const char* from : {"2025-11-20T11:00:00Z", "2025-11-20T11:00:00%2B00:00", "2025-11-20T11:00:00+00:00"}) {
    INFO(from);
    REQUIRE(ask("exchange=abc&symbol=X&from=" + std::string(from)));
    CHECK(ask("exchange=abc&symbol=X&from=" + std::string(from))->from == noon - seconds(3'600));
  }
  // What it is not before is what was asked for, or, if nothing was, now.
  CHECK_FALSE(ask("exchange=abc&symbol=X&from=2030-01-01"));
  CHECK(error == "from: expected a time before now, where there is no to");
  CHECK_FALSE(ask("exchange=abc&symbol=X&from=2030-01-01&to=2029-01-01"));
  CHECK(error == "from: expected a time before to");
  const auto group = ask("group=btc+spot&limit=2");
  CHECK((group && group->summed() && group->group == "btc spot"));
  const auto picked = ask("instruments=a:spot:X,b:linear:Y");
  CHECK((picked && picked->summed() && picked->instruments.size() == 2));
  for (const char* bad : {"group=", "instruments=", "instruments=x", "group=a&instruments=a:spot:X", "group=a&symbol=X",
                          "group=a&exchange=b&symbol=c", "instruments=a:spot:X&market=spot"}) {
    INFO(bad);
    CHECK_FALSE(ask(bad));
    CHECK_FALSE(error.empty());
  }
  CHECK(parse_names("abc:spot:X,abc:linear:Y:Z", 2)->at(1).symbol == "Y:Z");
  CHECK(parse_names("abc:Spot:X", 2)->at(0).market == Market::spot);
  for (const char* bad : {"abc", "abc:spot", "abc:perp:X", "a:spot:X,b:spot:Y,c:spot:Z", "abc:spot:"}) {
    CHECK_FALSE(parse_names(bad, 2));
  }
  CHECK(same_secret("0123456789abcdef", "0123456789abcdef"));
  CHECK_FALSE(same_secret("0123456789abcdeg", "0123456789abcdef"));
  CHECK_FALSE(same_secret("", "0123456789abcdef"));
}

TEST_CASE("web: what a client of the stream wants is taken, and what is nothing is explained") {
  std::string error;
  const auto want = parse_want(R"({"instruments":["okx:linear:BTC-USDT-SWAP","b:spot:X:Y","okx:linear:BTC-USDT-SWAP"],)"
                               R"("spark":"quote","rest":true})",
                               error);
  REQUIRE(want);
  CHECK(want->instruments.size() == 2);
  CHECK(want->instruments.contains(std::tuple(std::string_view("b"), Market::spot, std::string_view("X:Y"))));
  CHECK((want->spark == Spark::quote && want->rest && !want->anew));
  const auto nothing = parse_want("{}", error);
  REQUIRE(nothing);
  CHECK((nothing->instruments.empty() && nothing->spark == Spark::none && !nothing->rest));
  const auto groups = parse_want(R"({"groups":["btc",["a:spot:X","b:spot:Y"]]})", error);
  REQUIRE((groups && groups->groups.size() == 2));
  CHECK((std::get<std::string>(groups->groups[0]) == "btc" &&
         std::get<std::vector<InstrumentName>>(groups->groups[1]).size() == 2));
  std::string many = R"({"instruments":[)";
  for (int i = 0; i < 201; ++i) many += (i > 0 ? "," : "") + std::string(R"("a:spot:S)") + std::to_string(i) + '"';
  const std::pair<std::string, const char*> bad[] = {{"", "expected a message"},
                                                     {"[]", "expected a message"},
                                                     {"{\"rest\":true", "expected a message"},
                                                     {std::string(40'000, ' ') + "{}", "expected a message"},
                                                     {R"({"instruments":"a:spot:X"})", "instruments: expected"},
                                                     {R"({"instruments":["a:sp0t:X"]})", "instruments: expected"},
                                                     {R"({"instruments":["a:spot:"]})", "instruments: expected"},
                                                     {R"({"instruments":[7]})", "instruments: expected"},
                                                     {many + "]}", "instruments: expected"},
                                                     {R"({"groups":"btc"})", "groups: expected"},
                                                     {R"({"groups":[[]]})", "groups: expected"},
                                                     {R"({"groups":[["X"]]})", "groups: expected"},
                                                     {R"({"groups":[7]})", "groups: expected"},
                                                     {R"({"rest":1})", "rest: expected true or false"},
                                                     {R"({"anew":"yes"})", "anew: expected true or false"},
                                                     {R"({"spark":"coins"})", "spark: expected"},
                                                     {R"({"colour":"red"})", "colour: no such key; expected"}};
  for (const auto& [text, why] : bad) {
    INFO(text.substr(0, 60));
    CHECK_FALSE(parse_want(text, error));
    CHECK(error.starts_with(why));
  }
}

TEST_CASE("web: text is JSON whatever is in it") {
  simdjson::dom::parser parser;
  for (const std::string& text :
       {std::string("plain"), std::string("a\"b\\c\n\t\x01\x7f"),
        std::string("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), std::string("\xff\xfe bad \xc3"),
        std::string("\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80"), std::string("\0x", 2)}) {
    std::string json;
    append_text(json, text);
    std::string_view back;
    REQUIRE(parser.parse(json).get(back) == simdjson::SUCCESS);
    if (simdjson::validate_utf8(text.data(), text.size())) CHECK(back == text);
  }
  std::string out;
  append_moment(out, noon + milliseconds(7));
  append_moment(out, {});
  CHECK(out == "\"2025-11-20T12:00:00.007Z\"null");
  out.clear();
  Row r = row(noon, 12);
  r.missing.reset();
  append_row_json(out, r, true);
  append_row_json(out, r, false);
  CHECK(
      out ==
      R"(["2025-11-20T12:00:00Z",0,"live",null,null,null,null,0,0,"0","0","0","0","0","0","1.2","12","0","0","","","?"])"
      R"(["2025-11-20T12:00:00Z","abc","spot","BTCUSDT",0,"live",null,null,null,null,0,0,"0","0","0","0","0","0","1.2",)"
      R"("12","0","0","","","?"])");
}

TEST_CASE("web: an instrument tells until when it is proven, and why not further where that stands still") {
  InstrumentState state{"abc", Market::spot, "X", nullptr, FeedState::live, "", noon};
  std::string out;
  append_open(out, state, noon, nullptr);
  CHECK(out.find(R"("proven_until":"2025-11-20T12:00:00.000Z")") != std::string::npos);
  CHECK(out.find("unproven") == std::string::npos);
  out.clear();
  state.unproven = "gap";
  append_open(out, state, noon, nullptr);
  CHECK(out.find(R"("unproven":"gap")") != std::string::npos);
  CHECK((spark_from("base") == Spark::base && spark_from("0") == Spark::none && !spark_from("1") && !spark_from("")));
}

TEST_CASE("web: the board knows changes over an hour and a day, and the statuses that bars were given") {
  Board board(seconds(60));
  const Board::Key key{{"abc", Market::spot}, "BTCUSDT"};
  CHECK(board.find(key) == nullptr);
  for (int minute = 0; minute < 30 * 60; ++minute) board.add(row(noon + seconds(minute * 60), minute));
  const Board::Track* track = board.find(key);
  REQUIRE(track != nullptr);
  const Timestamp now = noon + seconds(30 * 3'600);
  CHECK(track->bars.count() == 48);
  CHECK(track->newest->time == now - seconds(60));
  const Decimal base(1'800, 1), quote(1'800, 0);
  const auto hour = Board::change(*track, now, seconds(3'600), seconds(600), base, quote);
  REQUIRE(hour.quote);
  CHECK((*hour.quote >= Decimal(60, 0) && *hour.quote <= Decimal(66, 0)));
  const auto day = Board::change(*track, now, seconds(86'400), seconds(7'200), base, quote);
  REQUIRE(day.base);
  CHECK((*day.base >= Decimal(1'440, 1) && *day.base <= Decimal(1'501, 1)));
  // Too young to tell, or nothing for too long.
  CHECK_FALSE(Board::change(*track, now + seconds(90'000), seconds(3'600), seconds(600), base, quote).base);
  // A revision changes the point it is about.
  board.add(row(now - seconds(60), 5'000, 1, BarStatus::repaired));
  CHECK(track->bars.at(47).quote == Decimal(5'000, 0));
  const Board::Counts& counts = board.counts().at({"abc", Market::spot});
  CHECK(counts[static_cast<std::size_t>(BarStatus::live)] == 1'800);
  CHECK(counts[static_cast<std::size_t>(BarStatus::repaired)] == 1);
  // The same status once more is no new bar.
  board.add(row(now - seconds(60), 5'001, 2, BarStatus::repaired));
  CHECK(counts[static_cast<std::size_t>(BarStatus::repaired)] == 1);
}

TEST_CASE("web: bars are read from the day files, each at its highest revision") {
  MemoryFiles files;
  const Timestamp midnight{noon.us + 12 * 3'600'000'000LL};
  std::vector<Row> first, second;
  for (int i = 10; i > 0; --i) {
    first.push_back(row(midnight - seconds(i * 60), 100 - i));
    first.push_back(row(midnight - seconds(i * 60), 7, 0, BarStatus::live, "BTCUSDTX"));
  }
  second.push_back(row(midnight, 100));
  first.push_back(row(midnight - seconds(60), 990, 1, BarStatus::repaired));
  REQUIRE(files.append("d/cvd-2025-11-20.csv", file_of(first)) == 0);
  REQUIRE(files.append("d/cvd-2025-11-21.csv", file_of(second) + "2025-11-21T00:01:00Z,abc,spot,BTCUSDT,0,li") == 0);
  REQUIRE(files.append("d/cvd-2025-11-21.1.csv", file_of({row(midnight + seconds(60), 101)})) == 0);
  REQUIRE(files.append("d/cvd-2025-11-21.old.csv", file_of({row(midnight + seconds(120), 1)})) == 0);

  const BarsFound all = read_bars(files, "d", query(noon, midnight + seconds(600)), a_while, never);
  REQUIRE(all.error.empty());
  REQUIRE(all.rows.size() == 12);
  CHECK((all.rows[9].rev == 1 && all.rows[9].cvd_quote == Decimal(990, 0)));
  CHECK((all.rows[10].time == midnight && all.rows[11].time == midnight + seconds(60)));
  CHECK(all.market == Market::spot);
  CHECK(all.next.empty());

  BarsQuery q = query(midnight - seconds(180), midnight + seconds(600));
  q.as_seen = true;
  q.limit = 3;
  const BarsFound some = read_bars(files, "d", q, a_while, never);
  REQUIRE(some.rows.size() == 3);
  CHECK((some.rows[2].rev == 0 && some.rows[2].cvd_quote == Decimal(99, 0)));
  CHECK(some.next == "2025-11-21T00:00:00Z");
  q.from = midnight;
  CHECK(read_bars(files, "d", q, a_while, never).rows.size() == 2);

  CHECK(read_bars(files, "nowhere", query(noon, midnight), a_while, never).rows.empty());
  CHECK_FALSE(read_bars(files, "d", query(noon, midnight), a_while, [] { return true; }).error.empty());
  // The name alone does not tell which.
  REQUIRE(files.append("d/cvd-2025-11-20.csv",
                       file_of({row(midnight - seconds(60), 1, 0, BarStatus::live, "BTCUSDT", Market::linear)})) == 0);
  CHECK(read_bars(files, "d", query(noon, midnight), a_while, never).many_markets);
}

TEST_CASE("web: the past of the board comes from the files") {
  MemoryFiles files;
  std::vector<Row> rows;
  for (int minute = 0; minute < 12 * 60; ++minute) rows.push_back(row(noon + seconds(minute * 60), minute));
  rows.push_back(row(noon + seconds((12 * 60 - 1) * 60), 4'000, 1, BarStatus::repaired));
  REQUIRE(files.append("d/cvd-2025-11-20.csv", file_of(rows)) == 0);
  Board board(seconds(60));
  const Timestamp now = noon + seconds(12 * 3'600);
  read_past(files, "d", now - seconds(90'000), now, seconds(3'000), board, never);
  const Board::Track* track = board.find({{"abc", Market::spot}, "BTCUSDT"});
  REQUIRE(track != nullptr);
  CHECK(track->bars.at(track->bars.count() - 1).quote == Decimal(4'000, 0));
  const auto hour = Board::change(*track, now, seconds(3'600), seconds(600), Decimal(720, 1), Decimal(720, 0));
  REQUIRE(hour.quote);
  CHECK((*hour.quote >= Decimal(60, 0) && *hour.quote <= Decimal(66, 0)));
}

TEST_CASE("web: a name that is not this server's is told from those that are") {
  const std::vector<std::string> names{"cvdd.example.org"};
  for (const char* good : {"127.0.0.1:9480", "127.0.0.1", "[::1]:9480", "[::1]", "localhost:9480", "LOCALHOST",
                           "10.1.2.3:80", "cvdd.example.org", "CVDD.example.org:443"}) {
    INFO(good);
    CHECK(host_allowed(good, names));
  }
  for (const char* bad : {"evil.example", "evil.example:9480", "127.0.0.1.evil.example", "localhost.evil.example",
                          "cvdd.example.org.evil", ":9480", "[evil]:80"}) {
    INFO(bad);
    CHECK_FALSE(host_allowed(bad, names));
  }
}

TEST_CASE("web: reading leaves off within a day when its time is over, and goes on where it was") {
  MemoryFiles files;
  std::vector<Row> rows;
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) rows.push_back(row(noon + seconds(i), i));
  // Revisions far behind, of bars that an earlier answer has told of.
  for (int i = 0; i < 50; ++i) rows.push_back(row(noon + seconds(i * 100), -i, 1, BarStatus::repaired));
  REQUIRE(files.append("d/cvd-2025-11-20.csv", file_of(rows)) == 0);
  REQUIRE(files.append("d/cvd-2025-11-20.1.csv", file_of({row(noon + seconds(count), count)})) == 0);
  for (const std::size_t limit : {std::size_t{20'000}, std::size_t{3'000}}) {
    BarsQuery q = query(noon, noon + seconds(40'000));
    q.limit = limit;
    std::map<Timestamp, Row> all;
    std::size_t answers = 0, pauses = 0;
    while (true) {
      REQUIRE(++answers < 100);
      const BarsFound found = read_bars(files, "d", q, std::chrono::milliseconds(-1), never, [&] { ++pauses; });
      REQUIRE(found.error.empty());
      CHECK(found.rows.size() <= limit);
      for (const Row& r : found.rows) {
        if (all[r.time].rev <= r.rev) all[r.time] = r;
      }
      if (found.next.empty()) break;
      std::string error;
      const auto onward = parse_bars_query(
          *parse_target("/api/v1/bars?exchange=abc&symbol=BTCUSDT&to=2025-11-21&from=" + found.next), noon, error);
      INFO(found.next);
      REQUIRE(onward);
      q.from = onward->from;
      q.begin = onward->begin;
    }
    CHECK(answers > 2);
    CHECK(pauses + 1 >= answers);
    REQUIRE(all.size() == count + 1);
    CHECK((all[noon + seconds(700)].rev == 1 && all[noon + seconds(700)].cvd_quote == Decimal(-7, 0)));
  }
  std::string error;
  for (const char* bad : {"2025-11-20@", "2025-11-20@1", "2025-11-20@1.x", "@1.2"}) {
    CHECK_FALSE(parse_bars_query(
        *parse_target(std::string("/api/v1/bars?exchange=abc&symbol=X&to=2025-11-21&from=") + bad), noon, error));
  }
}

TEST_CASE("web: files that can't be read are not an empty past") {
  struct Broken : MemoryFiles {
    int list(const std::string& directory, std::vector<std::string>& names) override {
      return list_error != 0 ? list_error : MemoryFiles::list(directory, names);
    }
    int read(const std::string& path, std::uint64_t offset, std::size_t size, std::string& text) override {
      return read_error != 0 ? read_error : MemoryFiles::read(path, offset, size, text);
    }
    int list_error = 0, read_error = 0;
  } files;
  files.files["d/cvd-2026-11-20.csv"] = std::string(csv_header()) + "\n";
  const auto ask = [&] {
    return read_bars(
        files, "d",
        {"binance", "BTCUSDT", Market::spot, *parse_time("2026-11-20T00:00:00Z"), *parse_time("2026-11-21T00:00:00Z")},
        a_while, never);
  };
  CHECK(ask().error.empty());
  files.list_error = EMFILE;
  CHECK(ask().error.find("Too many open files") != std::string::npos);
  files.list_error = 0;
  files.read_error = EIO;
  CHECK(ask().error.find("Input/output error") != std::string::npos);
  files.read_error = ENOENT;  // deleted meanwhile: then there is nothing
  CHECK(ask().error.empty());
}
