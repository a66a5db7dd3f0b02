#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "cvdd/core/budget.hpp"
#include "cvdd/core/config.hpp"
#include "cvdd/core/retry.hpp"

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
std::vector<std::string> symbol_errors(std::string_view text) {
  std::vector<ConfigError> errors;
  (void)parse_symbols(text, "s.toml", known, errors);
  std::vector<std::string> out;
  for (const ConfigError& e : errors) out.push_back(to_string(e));
  return out;
}
using Lines = std::vector<std::string>;

std::string file(const char* name) {
  std::ifstream in(std::string(CVDD_SOURCE_DIR) + "/config/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
}  // namespace

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

TEST_CASE("each mistake is one line that says where, what and what is expected") {
  CHECK(config_errors("intervall = \"1m\"") == Lines{"c.toml:1: intervall: unknown key, did you mean 'interval'?"});
  CHECK(config_errors("\ninterval = \"7s\"") ==
        Lines{"c.toml:2: interval: expected 1s to 1d, in whole parts of a UTC day, such as \"5s\", \"1m\", \"1h\""});
  CHECK(config_errors("interval = 60") ==
        Lines{"c.toml:1: interval: expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\""});
  CHECK(config_errors("clock = \"atomic\"") ==
        Lines{"c.toml:1: clock: 'atomic' is none of the choices, expected one of: \"wall\", \"exchange\""});
  CHECK(config_errors("[http]\nlisten = \"9480\"") ==
        Lines{"c.toml:2: http.listen: expected \"address:port\", such as \"127.0.0.1:9480\", or \"\" for off"});
  CHECK(config_errors("[exchange.binanc.spot]\nws=[\"wss://x\"]") ==
        Lines{"c.toml:1: binanc: unknown exchange, did you mean 'binance'?"});
  CHECK(config_errors("[exchange.binance.sport]\nws=[\"wss://x\"]") ==
        Lines{"c.toml:1: binance.sport: unknown market of binance, expected one of: spot, linear, inverse"});
  CHECK(config_errors("[exchange.binance.spot]\nws=[\"ws://x\"]") ==
        Lines{"c.toml:2: exchange.binance.spot.ws: 'ws://x' is not an address that can be used, expected wss://host, "
              "host:port or host:port/prefix"});
  CHECK(config_errors("data_dir = 5\nlog = 1") ==
        Lines{"c.toml:1: data_dir: expected text in quotes", "c.toml:2: log: expected a table, [log]"});
  CHECK(config_errors("[log]\nlevel = \"loud\"").size() == 1);
  CHECK(config_errors("close_delay = \"2h\"") == Lines{"c.toml:1: close_delay: expected at most \"60s\""});
}

TEST_CASE("a proxy's password is never repeated") {
  const auto errors = config_errors("[net]\nproxy = \"http://user:secret@host\"");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("secret") == std::string::npos);
}

TEST_CASE("what is not TOML is one error with its line") {
  const auto errors = config_errors("a = 1\nb = [\n");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].starts_with("c.toml:"));
  CHECK(errors[0].find("not TOML") != std::string::npos);
}

TEST_CASE("symbol lists: any case, duplicates are one, mistakes named") {
  std::vector<ConfigError> errors;
  const auto list = parse_symbols("[binance]\nspot=[\"btcusdt\",\"BTCUSDT\",\"EthUsdt\"]", "s.toml", known, errors);
  CHECK(errors.empty());
  CHECK(list.wanted.at({"binance", Market::spot}) == Lines{"BTCUSDT", "ETHUSDT"});
  CHECK(symbol_errors("[kraken]\nspot=[\"X\"]") ==
        Lines{"s.toml:1: kraken: unknown exchange, expected one of: binance"});
  CHECK(symbol_errors("[binance]\nspot=\"BTCUSDT\"") ==
        Lines{"s.toml:2: binance.spot: expected a list of names, such as [\"BTCUSDT\", \"ETHUSDT\"]"});
  CHECK(symbol_errors("[binance]\nspot=[1]") ==
        Lines{"s.toml:2: binance.spot: expected names in quotes, such as \"BTCUSDT\""});
  CHECK(symbol_errors("[binance]\nspot=[\"A,B\"]") ==
        Lines{"s.toml:2: binance.spot: 'A,B' can't be a symbol: it is empty or has a space, comma or quote in it"});
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
