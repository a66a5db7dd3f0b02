#include <algorithm>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "cvdd/base/backoff.hpp"
#include "cvdd/base/rate_limit.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/storage/interval_check.hpp"
#include "source_dir.hpp"

using namespace cvdd;

namespace {
const KnownMarkets known{{{"binance", Market::spot}, {"binance", Market::linear}, {"binance", Market::inverse}}};

std::vector<std::string> config_errors(std::string_view text) {
  std::vector<ConfigError> errors;
  (void)parse_config(text, "c.toml", known, errors);
  std::vector<std::string> out;
  for (const ConfigError& e : errors) out.push_back(to_string(e));
  return out;
}
using Lines = std::vector<std::string>;

std::string file(const char* name) {
  std::ifstream in(source_dir() + "/config/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
}  // namespace

TEST_CASE("symbols: how far back a new instrument's CVD begins") {
  KnownMarkets some = known;
  some.markets.emplace_back("other", Market::spot);
  some.with_candles = {"binance"};
  std::vector<ConfigError> errors;
  const auto list = parse_symbols("[binance]\nhistory = \"30d\"\nspot = [\"BTCUSDT\"]", "s.toml", some, errors);
  CHECK(errors.empty());
  CHECK(list.history.at("binance") == seconds(30 * 86'400));
  CHECK(list.wanted.size() == 1);
  for (const char* bad : {"\"30\"", "30", "\"0s\"", "\"900d\"", "[\"1d\"]"}) {
    errors.clear();
    (void)parse_symbols(std::string("[binance]\nhistory = ") + bad, "s.toml", some, errors);
    REQUIRE(errors.size() == 1);
    CHECK(to_string(errors[0]).find("s.toml:2: binance.history: expected how far back") == 0);
  }
  errors.clear();
  (void)parse_symbols("[other]\nhistory = \"1d\"", "s.toml", some, errors);
  REQUIRE(errors.size() == 1);
  CHECK(to_string(errors[0]).find("history works for: binance") != std::string::npos);
}

TEST_CASE("symbols: a list without a name is a mistake, unless it says that it is meant") {
  const auto said = [](std::string_view text) {
    std::vector<ConfigError> errors;
    const SymbolList list = parse_symbols(text, "s.toml", known, errors);
    if (errors.empty()) CHECK(list.wanted.empty());
    return errors.empty() ? "" : to_string(errors.front());
  };
  const std::string none = "s.toml: no names at all; if nothing is to be collected, write: empty = true";
  for (const char* text : {"", "\n# BTCUSDT\n", "[binance]\n", "[binance]\nspot = []\n", "empty = false\n"}) {
    INFO(text);
    CHECK(said(text) == none);
  }
  CHECK(said("empty = true\n").empty());
  // One mistake is enough to speak of.
  CHECK(said("[binance]\nspott = [\"A\"]").find("s.toml:2: binance.spott: unknown market") == 0);
  CHECK(said("empty = 1\n").find("s.toml:1: empty: expected true or false") == 0);
  CHECK(said("empty = true\n[binance]\nspot = [\"A\"]").find("s.toml:1: empty: there are names") == 0);
}

TEST_CASE("config: whether the page's address is required") {
  std::vector<ConfigError> errors;
  CHECK_FALSE(parse_config("", "c.toml", known, errors).http_required);
  CHECK(parse_config("[http]\nrequired = true", "c.toml", known, errors).http_required);
  CHECK(errors.empty());
  CHECK(config_errors("[http]\nrequired = \"on\"") ==
        Lines{"c.toml:2: http.required: expected true or false (column 12)"});
  Config other;
  other.http_required = true;
  CHECK(changes_that_need_a_restart({}, other) == Lines{"http.required"});
}

TEST_CASE("symbols: each name knows its line") {
  std::vector<ConfigError> errors;
  const SymbolList list =
      parse_symbols("[binance]\nspot = [\"A\",\n  \"B\", \"a\",\n\n  \"C\"]\n", "s.toml", known, errors);
  CHECK(list.lines.at({"binance", Market::spot}) == std::vector<std::uint32_t>{2, 3, 5});
}

TEST_CASE("the shipped files are good, and say the defaults") {
  std::vector<ConfigError> errors;
  const Config shipped = parse_config(file("cvdd.toml"), "cvdd.toml", known, errors);
  CHECK(errors.empty());
  const Config defaults;
  CHECK(shipped.interval == defaults.interval);
  CHECK(shipped.close_delay == defaults.close_delay);
  CHECK(shipped.data_dir == defaults.data_dir);
  CHECK(shipped.symbols_file == defaults.symbols_file);
  CHECK(shipped.exchange_clock == defaults.exchange_clock);
  CHECK(shipped.http_listen == defaults.http_listen);
  CHECK(shipped.log_level == defaults.log_level);
  CHECK(shipped.sync == defaults.sync);
  const SymbolList list = parse_symbols(file("symbols.toml"), "symbols.toml", known, errors);
  CHECK(errors.empty());
  CHECK(list.wanted.size() == 3);
}

TEST_CASE("a proxy's password is never repeated") {
  const auto errors = config_errors("[net]\nproxy = \"http://user:secret@host\"");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("secret") == std::string::npos);
}

TEST_CASE("symbol lists: any case, duplicates are one") {
  std::vector<ConfigError> errors;
  const auto list = parse_symbols("[binance]\nspot=[\"btcusdt\",\"BTCUSDT\",\"EthUsdt\"]", "s.toml", known, errors);
  CHECK(errors.empty());
  CHECK(list.wanted.at({"binance", Market::spot}) == Lines{"BTCUSDT", "ETHUSDT"});
  // Exchanges and markets too, and two tables that are one are one.
  const auto both = parse_symbols("[Binance]\nSpot=[\"BTCUSDT\"]\n[binance]\nspot=[\"btcusdt\",\"ETHUSDT\"]", "s.toml",
                                  known, errors);
  CHECK(errors.empty());
  auto names = both.wanted.at({"binance", Market::spot});
  std::ranges::sort(names);
  CHECK(names == Lines{"BTCUSDT", "ETHUSDT"});
  CHECK(both.lines.at({"binance", Market::spot}).size() == 2);
  CHECK(config_errors("[exchange.Binance.SPOT]\nredundancy = 2").empty());
}

TEST_CASE("names are found in any case, wildcards take what is trading, unknown ones get near matches") {
  std::vector<Instrument> listed(4);
  listed[0].symbol = "BTCUSDT";
  listed[1].symbol = "ETHUSDT";
  listed[2].symbol = "LUNAUSDT";
  listed[2].trading = false;
  listed[3].symbol = "ETHBTC";
  const Selection s = select_instruments({"BTCUSDT", "*USDT", "BTCUDST", "LUNAUSDT", "X*"}, listed);
  REQUIRE(s.found.size() == 2);
  CHECK(s.found[0].symbol == "BTCUSDT");
  CHECK(s.found[1].symbol == "ETHUSDT");
  REQUIRE(s.unknown.size() == 3);
  CHECK(s.unknown[0].near.front() == "BTCUSDT");
  CHECK(s.unknown[1].reason == "listed, but not trading");
  CHECK(s.unknown[2].reason == "matches nothing");
}

TEST_CASE("a list that names an instrument twice, or more often, has it once") {
  std::vector<Instrument> listed(1'000);
  for (Instrument& i : listed) i.symbol = "BTCUSDT";
  listed.back().symbol = "ETHUSDT";
  for (const Lines& wanted : {Lines{"*"}, Lines{"BTCUSDT", "ETHUSDT"}, Lines{"B*", "*T", "BTCUSDT"}}) {
    const Selection s = select_instruments(wanted, listed);
    REQUIRE(s.found.size() == 2);
    CHECK((s.found[0].symbol == "BTCUSDT" && s.found[1].symbol == "ETHUSDT" && s.unknown.empty()));
  }
}

TEST_CASE("changes are differences; what is halted goes on, what is no longer listed ends") {
  std::vector<Instrument> listed(4);
  listed[0].symbol = "BTCUSDT";
  listed[1].symbol = "ETHUSDT";
  listed[2].symbol = "SOLUSDT";
  listed[2].trading = false;
  listed[3].symbol = "NEWUSDT";
  const auto plan = [&](const Lines& wanted, const Lines& active) {
    return plan_changes(select_instruments(wanted, listed), wanted, listed, active);
  };
  const InstrumentChanges follow = plan({"*USDT"}, {"BTCUSDT", "ETHUSDT", "SOLUSDT", "GONEUSDT"});
  REQUIRE(follow.begin.size() == 1);
  CHECK(follow.begin[0].symbol == "NEWUSDT");
  CHECK(follow.end == Lines{"GONEUSDT"});
  const InstrumentChanges edited = plan({"BTCUSDT", "NEWUSDT"}, {"BTCUSDT", "ETHUSDT", "SOLUSDT"});
  REQUIRE(edited.begin.size() == 1);
  CHECK(edited.end == Lines{"ETHUSDT", "SOLUSDT"});
  const InstrumentChanges nothing = plan({"ETHUSDT", "BTCUSDT"}, {"BTCUSDT", "ETHUSDT"});
  CHECK(nothing.begin.empty());
  CHECK(nothing.end.empty());
}

TEST_CASE("a saved configuration says which of its changes wait for a restart") {
  Config running, saved;
  CHECK(changes_that_need_a_restart(running, saved).empty());
  saved.log_level = "debug";
  CHECK(changes_that_need_a_restart(running, saved).empty());
  saved.interval = seconds(5);
  saved.proxy = "http://h:1";
  CHECK(changes_that_need_a_restart(running, saved) == Lines{"interval", "net.proxy"});
  saved = running;
  saved.http_token = "0123456789abcdef";
  CHECK(changes_that_need_a_restart(running, saved) == Lines{"http.token"});
  saved = running;
  saved.exchanges[{"okx", Market::spot}].redundancy = 2;
  running.exchanges[{"binance", Market::linear}].redundancy = 2;
  CHECK(changes_that_need_a_restart(running, saved) == Lines{"exchange.binance.linear", "exchange.okx.spot"});
  saved.exchanges[{"binance", Market::linear}].redundancy = 2;
  CHECK(changes_that_need_a_restart(running, saved) == Lines{"exchange.okx.spot"});
}

TEST_CASE("back-off begins within a second, doubles to its cap, and is jittered") {
  Backoff b(seconds(1), seconds(30), 42);
  std::int64_t cap = 1'000'000;
  for (int i = 0; i < 40; ++i) {
    const Duration d = b.next();
    CHECK(d.us >= cap / 2);
    CHECK(d.us <= cap);
    cap = std::min<std::int64_t>(cap * 2, 30'000'000);
  }
  b.reset();
  CHECK(b.next() <= seconds(1));
}

TEST_CASE("no window ever holds more than the budget") {
  TokenBucket bucket(5, seconds(1));
  std::vector<std::int64_t> used;
  std::int64_t now = 1'000'000'000;
  for (int i = 0; i < 200; ++i) {
    now += bucket.take({now}).us;
    used.push_back(now);
    now += i % 7 * 10'000;
  }
  for (std::size_t i = 5; i < used.size(); ++i) CHECK(used[i] - used[i - 5] >= 1'000'000);
  CHECK(bucket.take({now - 3'600'000'000}) <= seconds(2));  // the clock steps back: no hour of waiting
}

TEST_CASE("many who wait in a row: none of them is let in too early") {
  TokenBucket bucket(3, seconds(2));
  const Timestamp now{1'000'000'000};
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 12; ++i) waits.push_back(bucket.take(now).us / 1'000'000);
  CHECK(waits == std::vector<std::int64_t>{0, 0, 0, 2, 2, 2, 4, 4, 4, 6, 6, 6});
  CHECK(bucket.take(now - milliseconds(20)).us == 8'020'000);  // somebody else's clock
}

TEST_CASE("connections are renewed by age, or at an hour when nobody minds, never too late") {
  const Timestamp noon = parse_time("2026-11-20T12:00:00Z").value();
  const Duration day = seconds(86'400), hour = seconds(3'600);
  CHECK(renew_after(noon, {}, {}, std::nullopt, 1).us == 0);  // the exchange closes nothing
  CHECK(renew_after(noon, day, hour, seconds(16'200), 0) == hour);
  const Duration by_age = renew_after(noon, day, {}, std::nullopt, 3);
  CHECK((by_age < Duration{day.us / 100 * 97} && by_age > Duration{day.us / 100 * 90}));
  CHECK(renew_after(noon, day, {}, seconds(16'200), 0) == seconds(16 * 3'600 + 1'800));       // 04:30 tomorrow
  CHECK(renew_after(noon, day, {}, seconds(16'200), 3) == seconds(16 * 3'600 + 1'800 + 60));  // not all at once
  CHECK(renew_after(noon, day, {}, seconds(12 * 3'600 + 60), 0) < day);  // a minute is too soon …
  CHECK(renew_after(noon, day, {}, seconds(12 * 3'600 + 60), 0) ==
        Duration{day.us / 100 * 97});  // … and a day too late
  CHECK(parse_time_of_day("04:30") == seconds(16'200));
  for (const char* bad : {"", "4:30", "24:00", "04:60", "04-30", "04:3x", "04:300"})
    CHECK_FALSE(parse_time_of_day(bad));
}

TEST_CASE("a question mark is one character, however many bytes it has") {
  std::vector<Instrument> listed;
  for (const char* symbol : {"币安人生USDT", "币USDT", "ABUSDT", "AUSDT"}) listed.emplace_back().symbol = symbol;
  const auto found = [&](const char* pattern) {
    std::string names;
    for (const Instrument& i : select_instruments({pattern}, listed).found) names += i.symbol + " ";
    return names;
  };
  CHECK(found("?USDT") == "币USDT AUSDT ");
  CHECK(found("????USDT") == "币安人生USDT ");
  CHECK(found("??USDT") == "ABUSDT ");
  CHECK(found("*?生USDT") == "币安人生USDT ");
  CHECK(found("币*") == "币安人生USDT 币USDT ");
  CHECK(found("*?????USDT") == "");
  CHECK(found("*?????*") == "币安人生USDT 币USDT ABUSDT AUSDT ");
}

TEST_CASE("files of another interval are found by their rows, with the reason that a start would give") {
  const auto lines = [](std::initializer_list<const char*> times) {
    std::string out = "2026-11-20T23:5";  // torn
    for (const char* time : times) {
      Row row;
      row.time = parse_time(time).value();
      row.exchange = "binance";
      row.symbol = "BTCUSDT";
      out += "\n";
      std::string line;
      append_row(line, row);
      out += line.substr(0, line.find('\n'));
    }
    return out;
  };
  const std::string minutes = lines({"2026-11-20T23:58:00Z", "2026-11-20T23:59:00Z", "2026-11-20T23:58:00Z"});
  CHECK(interval_conflict("/d", minutes, seconds(60)).empty());
  CHECK(interval_conflict("/d", minutes, seconds(5)).empty());  // as at the start: it can't be told from quiet bars
  CHECK(interval_conflict("/d", lines({"2026-11-20T23:55:00Z"}), seconds(300)).empty());
  CHECK(
      interval_conflict("/d", lines({"2026-11-20T23:56:00Z"}), seconds(300)).find("does not begin on a multiple of") !=
      std::string::npos);
  CHECK(interval_conflict("/d", lines({"2026-11-20T22:00:00Z", "2026-11-20T23:00:00Z"}), seconds(7'200))
            .find("another interval was used here") != std::string::npos);
  CHECK(interval_conflict("/d", lines({"2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"}), seconds(3'600)).empty());
  CHECK(interval_conflict("/d", "", seconds(60)).empty());
}

TEST_CASE("nothing is nothing in every unit; what makes no sense is refused") {
  CHECK(parse_duration("0") == Duration{});
  CHECK_FALSE(parse_duration("1").has_value());
  const auto errors_of = [](const char* text) {
    std::vector<ConfigError> errors;
    (void)parse_config(text, "c.toml", known, errors);
    std::vector<std::string> out;
    for (const ConfigError& error : errors) out.push_back(error.key + ": " + error.message);
    return out;
  };
  CHECK(errors_of("close_delay = \"0\"\n[net]\ncoalesce = \"0\"\nrenew_after = \"1m\"\n").empty());
  CHECK(errors_of("[net]\nrenew_after = \"1s\"\n") == Lines{"net.renew_after: expected \"1m\" or more"});
  CHECK(errors_of("data_dir = \"\"\n") ==
        Lines{"data_dir: expected a folder, such as \"data\"; \".\" is that of this file"});
}

TEST_CASE("a group's name without its quotes is told what it lacks") {
  std::vector<ConfigError> errors;
  (void)parse_symbols("[binance]\nspot = [\"A\"]\n[group.BTC spot]\nmembers = [\"*:spot:A\"]\n", "s.toml", known,
                      errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].line == 3);
  CHECK(errors[0].message.find("such a name needs quotes: [group.\"BTC spot\"]") != std::string::npos);
  errors.clear();
  (void)parse_symbols("[group.BTC\n", "s.toml", known, errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].message.find("quotes") == std::string::npos);
}
