// The commands of the program, one function each; `main` only reads arguments. Return the exit status:
// 0 done, 1 failed, and may work another time, 2 wrong usage or configuration, beside them what a command says of its
// own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Writes cvdd.toml and symbols.toml into a folder that has neither. 2: it has one. 1: it can't be written.
int init_command(const std::string& folder);

// `config`: the file; empty: the first that is found (find_config).
int run_command(const std::string& config);
int check_command(const std::string& config, bool online);

// What exchanges list. 1: nothing matches, or an exchange can't be asked.
struct SymbolsCommand {
  std::vector<std::string> words;  // [EXCHANGE [MARKET]] [PATTERN]
  std::string config;              // for hosts, proxy and certificates; empty: the one that is found, if any
  bool csv = false;
};
int symbols_command(const SymbolsCommand& command);
struct SymbolsQuery {
  std::string exchange;         // empty: all
  std::vector<Market> markets;  // empty: all
  std::string pattern;          // empty: all
};
// Empty, with the reason, if the words mean nothing.
[[nodiscard]] std::optional<SymbolsQuery> parse_symbols_words(const std::vector<std::string>& words,
                                                              std::string& error);
[[nodiscard]] std::string symbols_table(const std::vector<const Instrument*>& found);
[[nodiscard]] std::string symbols_csv(const std::vector<const Instrument*>& found);

struct DemoOptions {
  std::string out;         // data directory; empty: a fresh temporary one, removed at the end
  std::uint64_t bars = 0;  // 0: until stopped
  Duration interval = seconds(5);
  std::uint64_t seed = 1;
  std::size_t instruments = 20;  // one of each market of each exchange, then the next
  std::uint32_t trades_per_minute = 120;
  bool quiet = false;   // no rows on standard output
  bool rows = false;    // rows also on a terminal, which has a table else
  Duration drop_every;  // the exchanges hang up on all connections; 0: never
  Duration mute_after;  // they tell of no trade any more; 0: never
  bool repair = true;
  std::string listen = "127.0.0.1:9480";  // of the page; "": none
};
int demo_command(const DemoOptions& options);

struct SimulateOptions {
  std::string listen = "127.0.0.1:9443";
  std::uint64_t seed = 1;
  std::vector<std::string> recordings;
  std::vector<std::string> instruments_files;
  std::string ca_out;
  double speed = 1.0;
  std::size_t instruments = 30;
  std::uint32_t trades_per_minute = 120;
};
int simulate_command(const SimulateOptions& options);

struct ReplayCommand {
  std::string exchange, market = "auto", out;
  std::vector<std::string> instruments, recordings;
  Duration interval;  // 0: a minute
};
int replay_command(const ReplayCommand& options);
// What is missing or too much on the command line; empty: nothing. Looks into the recordings.
[[nodiscard]] std::string wrong_replay(const ReplayCommand& command);

// Asks the exchanges' candles about files of any age. 1: a bar is contradicted. 3: none could be asked about.
struct VerifyCommand {
  std::string data;               // the folder; empty: the configuration's
  std::string config;             // for hosts, proxy and certificates; empty: the one that is found, if any
  std::string exchange;           // this one alone; empty: all
  Timestamp from, to{INT64_MAX};  // bars that begin in [from, to)
};
int verify_command(const VerifyCommand& command);

// Asks a running daemon. 1: it is not ready, or can't be reached.
struct StatusCommand {
  std::string config, listen,
      token;             // empty: the configuration that is found; what it says, or 127.0.0.1:9480 and none
  bool watch = false;    // again every two seconds
  bool alive = false;    // only whether it is (1: it is not), for a health check
  bool json = false;     // what the API says, instead of a table
  std::size_t rows = 0;  // instruments; 0: as many as the terminal has room for, else 20
};
int status_command(const StatusCommand& command);

}  // namespace cvdd
