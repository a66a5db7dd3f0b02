// Broken configurations and symbol lists, and every word that their owner reads about them.
#include "catch.hpp"
#include "cvdd/config/config.hpp"

using namespace cvdd;
using Lines = std::vector<std::string>;

namespace {
enum class Of { config, symbols };
struct Case {
  Of of;
  const char* text;
  Lines lines;
};

Lines errors_of(const Case& c) {
  const KnownMarkets known{{{"binance", Market::spot}, {"binance", Market::linear}, {"binance", Market::inverse}}};
  std::vector<ConfigError> errors;
  if (c.of == Of::config)
    (void)parse_config(c.text, "c.toml", known, errors);
  else
    (void)parse_symbols(c.text, "s.toml", known, errors);
  Lines lines;
  for (const ConfigError& error : errors) lines.push_back(to_string(error));
  return lines;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> table{
      {Of::config, "intervall = \"1m\"", {"c.toml:1: intervall: unknown key, did you mean 'interval'? (column 13)"}},
      {Of::config,
       "interval = \"7s\"",
       {"c.toml:1: interval: expected 1s to 1d, in whole parts of a UTC day, such as \"5s\", \"1m\", \"1h\" (column "
        "12)"}},
      {Of::config,
       "interval = 60",
       {"c.toml:1: interval: expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\" (column 12)"}},
      {Of::config,
       "interval = \"1.5m\"",
       {"c.toml:1: interval: expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\" (column 12)"}},
      {Of::config,
       "interval = \"0s\"",
       {"c.toml:1: interval: expected 1s to 1d, in whole parts of a UTC day, such as \"5s\", \"1m\", \"1h\" (column "
        "12)"}},
      {Of::config,
       "interval = \"2d\"",
       {"c.toml:1: interval: expected 1s to 1d, in whole parts of a UTC day, such as \"5s\", \"1m\", \"1h\" (column "
        "12)"}},
      {Of::config,
       "interval = \"1 m\"",
       {"c.toml:1: interval: expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\" (column 12)"}},
      {Of::config, "close_delay = \"2h\"", {"c.toml:1: close_delay: expected at most \"60s\" (column 15)"}},
      {Of::config,
       "close_delay = \"-2s\"",
       {"c.toml:1: close_delay: expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\" (column "
        "15)"}},
      {Of::config,
       "clock = \"atomic\"",
       {"c.toml:1: clock: 'atomic' is none of the choices, expected one of: \"wall\", \"exchange\" (column 9)"}},
      {Of::config, "clock = true", {"c.toml:1: clock: expected one of: \"wall\", \"exchange\" (column 9)"}},
      {Of::config,
       "sync = \"always\"",
       {"c.toml:1: sync: 'always' is none of the choices, expected one of: \"bar\", \"off\" (column 8)"}},
      {Of::config, "data_dir = 5", {"c.toml:1: data_dir: expected text in quotes (column 12)"}},
      {Of::config, "data_dir = [\"a\"]", {"c.toml:1: data_dir: expected text in quotes (column 12)"}},
      {Of::config, "Data_dir = \"a\"", {"c.toml:1: Data_dir: unknown key, did you mean 'data_dir'? (column 12)"}},
      {Of::config,
       "symbols = \"x.toml\"",
       {"c.toml:1: symbols: unknown key, did you mean 'symbols_file'? (column 11)"}},
      {Of::config, "log = 1", {"c.toml:1: log: expected a table, [log] (column 7)"}},
      {Of::config,
       "[log]\nlevel = \"loud\"",
       {"c.toml:2: log.level: 'loud' is none of the choices, expected one of: \"trace\", \"debug\", \"info\", "
        "\"warn\", \"error\" (column 9)"}},
      {Of::config, "[log]\nlevle = \"info\"", {"c.toml:2: log.levle: unknown key, did you mean 'level'? (column 9)"}},
      {Of::config,
       "[http]\nlisten = \"9480\"",
       {"c.toml:2: http.listen: expected \"address:port\", such as \"127.0.0.1:9480\", or \"\" for off (column 10)"}},
      {Of::config,
       "[http]\nlisten = \"127.0.0.1:99999\"",
       {"c.toml:2: http.listen: expected \"address:port\", such as \"127.0.0.1:9480\", or \"\" for off (column 10)"}},
      {Of::config,
       "[http]\nport = 9480",
       {"c.toml:2: http.port: unknown key, expected one of: listen, token, hosts, required, instrument_metrics (column "
        "8)"}},
      {Of::config,
       "[net]\nproxy = \"host:3128\"",
       {"c.toml:2: net.proxy: not a proxy address, expected \"http://host:port\" or \"http://user:password@host:port\" "
        "(column 9)"}},
      {Of::config,
       "[net]\nproxy = \"http://user:secret@host\"",
       {"c.toml:2: net.proxy: not a proxy address, expected \"http://host:port\" or \"http://user:password@host:port\" "
        "(column 9)"}},
      {Of::config, "[net]\nca_file = 1", {"c.toml:2: net.ca_file: expected text in quotes (column 11)"}},
      {Of::config, "[nett]\nca_file = \"\"", {"c.toml:1: nett: unknown key, did you mean 'net'? (column 1)"}},
      {Of::config,
       "[exchange.binanc.spot]\nws = [\"wss://x\"]",
       {"c.toml:1: exchange.binanc: unknown exchange, did you mean 'binance'? (column 1)"}},
      {Of::config,
       "[exchange.binance.sport]\nws = [\"wss://x\"]",
       {"c.toml:1: exchange.binance.sport: unknown market of binance, expected one of: spot, linear, inverse (column "
        "1)"}},
      {Of::config,
       "[exchange.binance.spot]\nws = [\"ws://x\"]",
       {"c.toml:2: exchange.binance.spot.ws: 'ws://x' is not an address that can be used, expected wss://host, "
        "host:port or host:port/prefix (column 7)"}},
      {Of::config,
       "[exchange.binance.spot]\nws = \"wss://x\"",
       {"c.toml:2: exchange.binance.spot.ws: expected a list such as [\"wss://host:port\"] (column 6)"}},
      {Of::config,
       "[exchange.binance.spot]\nrest = []",
       {"c.toml:2: exchange.binance.spot.rest: expected a list such as [\"https://host:port\"] (column 8)"}},
      {Of::config,
       "[exchange.binance.spot]\nstream = \"trades\"",
       {"c.toml:2: exchange.binance.spot.stream: 'trades' is none of the choices, expected one of: \"aggTrade\", "
        "\"trade\" (column 10)"}},
      {Of::config,
       "[exchange.binance.spot]\nhost = \"x\"",
       {"c.toml:2: exchange.binance.spot.host: unknown key, expected one of: ws, rest, history_per_minute, redundancy, "
        "instruments_per_connection, size_buckets, stream "
        "(column 8)"}},
      {Of::config, "exchange = 1", {"c.toml:1: exchange: expected tables such as [exchange.NAME.spot] (column 12)"}},
      {Of::config,
       "[exchange]\nbinance = 1",
       {"c.toml:2: exchange.binance: expected tables such as [exchange.binance.spot] (column 11)"}},
      {Of::config,
       "interval = 1m",
       {"c.toml:1: not TOML: Error while parsing decimal integer: expected digit, saw 'm'; text and durations need "
        "quotes (column 13)"}},
      {Of::config,
       "interval = \"1m",
       {"c.toml:1: not TOML: Error while parsing string: encountered end-of-file (column 15)"}},
      {Of::config,
       "[http\nlisten = \"\"",
       {"c.toml:1: not TOML: Error while parsing table header: expected ']', saw '\\n' (column 6)"}},
      {Of::config,
       "interval = \"1m\"\ninterval = \"5m\"",
       {"c.toml:2: not TOML: Error while parsing key-value pair: cannot redefine existing string 'interval' (column "
        "12)"}},
      {Of::config,
       "a = 1\nb = [\n",
       {"c.toml:2: not TOML: Error while parsing array: encountered end-of-file (column 7)"}},
      {Of::config,
       "interval = \"x\"\nclock = \"y\"\n[log]\nlevel = \"z\"",
       {"c.toml:1: interval: expected a duration in quotes, such as \"250ms\", \"2s\", \"1m\", \"24h\" (column 12)",
        "c.toml:2: clock: 'y' is none of the choices, expected one of: \"wall\", \"exchange\" (column 9)",
        "c.toml:4: log.level: 'z' is none of the choices, expected one of: \"trace\", \"debug\", \"info\", \"warn\", "
        "\"error\" (column 9)"}},
      {Of::symbols,
       "[kraken]\nspot = [\"X\"]",
       {"s.toml:1: kraken: unknown exchange, expected one of: binance (column 1)"}},
      {Of::symbols,
       "[binance]\nspott = [\"BTCUSDT\"]",
       {"s.toml:2: binance.spott: unknown market of binance, expected one of: spot, linear, inverse (column 9)"}},
      {Of::symbols,
       "[binance]\nspot = \"BTCUSDT\"",
       {"s.toml:2: binance.spot: expected a list of names, such as [\"BTCUSDT\", \"ETHUSDT\"] (column 8)"}},
      {Of::symbols,
       "[binance]\nspot = [1]",
       {"s.toml:2: binance.spot: expected names in quotes, such as \"BTCUSDT\" (column 9)"}},
      {Of::symbols,
       "[binance]\nspot = [\"A,B\"]",
       {"s.toml:2: binance.spot: 'A,B' can't be a symbol: it is empty or has a space, comma or quote in it (column "
        "9)"}},
      {Of::symbols,
       "[binance]\nspot = [\"BTC USDT\"]",
       {"s.toml:2: binance.spot: 'BTC USDT' can't be a symbol: it is empty or has a space, comma or quote in it "
        "(column 9)"}},
      {Of::symbols,
       "[binance]\nspot = [\"\"]",
       {"s.toml:2: binance.spot: '' can't be a symbol: it is empty or has a space, comma or quote in it (column 9)"}},
      {Of::symbols,
       "binance = [\"BTCUSDT\"]",
       {"s.toml:1: binance: expected a table of markets, such as [binance] with spot = [\"BTCUSDT\"] (column 11)"}},
      {Of::symbols,
       "[binance]\nspot = [\"BTCUSDT\" \"ETHUSDT\"]",
       {"s.toml:2: not TOML: Error while parsing array: expected comma or closing ']', saw '\"' (column 19)"}},
      {Of::symbols,
       "[binanse]\nspot = [\"BTCUSDT\"]",
       {"s.toml:1: binanse: unknown exchange, did you mean 'binance'? (column 1)"}},
      {Of::symbols, "spot = [\"BTCUSDT\"]", {"s.toml:1: spot: unknown exchange, expected one of: binance (column 8)"}}};
  return table;
}
}  // namespace

TEST_CASE("what a user reads about each mistake") {
  CHECK(cases().size() >= 40);
  for (const Case& c : cases()) {
    INFO(c.text);
    CHECK(errors_of(c) == c.lines);
  }
}
