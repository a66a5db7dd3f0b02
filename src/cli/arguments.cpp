#include "cvdd/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "commands.hpp"
#include "cvdd/base/letters.hpp"
#include "cvdd/base/moment.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "load_config.hpp"

namespace cvdd {

namespace {
constexpr const char* config_says =
    "configuration file (default: the first there is of ./cvdd.toml, ~/.config/cvdd/cvdd.toml, /etc/cvdd/cvdd.toml)";

// Numbers as people count: the library would take -1 for a very large one.
const CLI::Validator whole_number(
    [](const std::string& text) {
      const bool digits =
          !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
      return digits ? std::string() : "expected a whole number, not '" + text.substr(0, 40) + "'";
    },
    "");

// Shells leave "~" alone where it is not a word's beginning, as in --out=~/cvdd.
std::string at_home(const std::string& path) { return expand_home(path, home_folder()); }

constexpr const char* markets = "spot|linear|inverse|option";

std::string exchange_names(const char* between) {
  std::string out;
  std::string_view last;
  for (const Exchange* exchange : all_exchanges()) {
    if (exchange->name == last) continue;
    last = exchange->name;
    out += (out.empty() ? "" : between) + std::string(last);
  }
  return out;
}

// Of `interval_text`, unless that is empty.
Duration interval_of(const std::string& interval_text, Duration fallback) {
  if (interval_text.empty()) return fallback;
  const auto parsed = parse_duration(interval_text);
  if (!parsed || parsed->us < 1'000'000 || 86'400'000'000 % parsed->us != 0) {
    throw CLI::ValidationError("--interval", "expected a duration from 1s to 1d that divides a day, such as 5s or 1m");
  }
  return *parsed;
}

void add_run(CLI::App& app, int& status) {
  auto* run = app.add_subcommand("run", "the daemon; SIGTERM or SIGINT stops it, open bars are written as partial");
  run->footer(
      "Exit status: 0 it was stopped, and all rows are on the disk; 1 it could not start or go on, or rows are lost; 2 "
      "the files have errors.");
  auto config = std::make_shared<std::string>();
  run->add_option("--config", *config, config_says)->type_name("FILE");
  run->callback([&status, config] { status = run_command(*config); });
}

void add_init(CLI::App& app, int& status) {
  auto folder = std::make_shared<std::string>();
  auto* init = app.add_subcommand("init", "writes a commented configuration and symbol list");
  init->footer("Exit status: 0 done; 1 it can't be written; 2 there are such files already.");
  init->add_option("folder", *folder, "where to; it is made if it is not there")->type_name("FOLDER")->required();
  init->callback([&status, folder] { status = init_command(at_home(*folder)); });
}

void add_check(CLI::App& app, int& status) {
  struct Asked {
    std::string config;
    bool online = false;
  };
  auto asked = std::make_shared<Asked>();
  auto* check = app.add_subcommand("check", "reads configuration and symbol list and reports every error");
  check->footer("Exit status: 0 good; 1 an exchange could not be asked; 2 there are errors.");
  check->add_option("--config", asked->config, config_says)->type_name("FILE");
  check->add_flag("--online", asked->online, "also ask the exchanges whether the symbols exist");
  check->callback([&status, asked] { status = check_command(asked->config, asked->online); });
}

void add_symbols(CLI::App& app, int& status) {
  auto asked = std::make_shared<SymbolsCommand>();
  auto* symbols = app.add_subcommand("symbols", "what exchanges list: name, base, quote, contract size, status");
  symbols->footer(
      "Exit status: 0 something is listed; 1 nothing matches, or an exchange could not be asked; 2 wrong usage.");
  symbols
      ->add_option("words", asked->words,
                   "[EXCHANGE] [MARKET] [PATTERN]; a pattern is a part of a name, or has * and ? in it")
      ->type_name(exchange_names("|") + "|" + markets);
  symbols->add_flag("--csv", asked->csv, "as CSV");
  symbols->add_option("--config", asked->config, "for hosts, proxy and certificates; default as with run")
      ->type_name("FILE");
  symbols->callback([&status, asked] { status = symbols_command(*asked); });
}

void add_demo(CLI::App& app, int& status) {
  struct Asked {
    DemoOptions options;
    std::string interval, drop, mute;
  };
  auto asked = std::make_shared<Asked>();
  DemoOptions& options = asked->options;
  auto* demo = app.add_subcommand("demo", "the whole daemon against simulated exchanges on loopback");
  demo->footer("Exit status: 0 done, and every row equals the tape; 1 one does not; 2 wrong usage.");
  demo->add_option("--out", options.out, "data directory (default: a temporary one, removed at the end)")
      ->type_name("FOLDER");
  demo->add_option("--bars", options.bars,
                   "end after so many whole bars (live or repaired, of one instrument at least), compare every row "
                   "with the tape")
      ->type_name("N")
      ->check(whole_number);
  demo->add_option("--interval", asked->interval, "bar length (default 5s)")->type_name("DURATION");
  demo->add_option("--seed", options.seed, "seed of the simulated tape")->type_name("N")->check(whole_number);
  demo->add_option("--instruments", options.instruments, "number of instruments, 1 to 50,000")
      ->type_name("N")
      ->check(CLI::Range(1, 50'000).description(""));
  demo->add_option("--trades-per-minute", options.trades_per_minute, "average per instrument")
      ->type_name("N")
      ->check(whole_number);
  demo->add_option("--listen", options.listen, "of the page (default 127.0.0.1:9480); \"\": none")
      ->type_name("ADDRESS:PORT");
  demo->add_flag("--rows", options.rows, "print the rows also on a terminal, instead of a table");
  demo->add_flag("--quiet", options.quiet, "print neither rows nor table");
  demo->add_option("--drop-every", asked->drop, "the exchanges hang up on everybody this often (such as 30s)")
      ->type_name("DURATION");
  demo->add_option("--mute-after", asked->mute, "after this long the exchanges tell of no trade any more")
      ->type_name("DURATION");
  demo->add_flag_callback(
      "--no-repair", [asked] { asked->options.repair = false; },
      "what connections miss is not fetched: gaps (what an exchange sends again by itself is taken; where ids go on "
      "nothing was missed)");
  demo->callback([&status, asked] {
    const auto span = [](const char* option, const std::string& text) {
      const auto parsed = parse_duration(text);
      if (!parsed || parsed->us < 1'000'000) throw CLI::ValidationError(option, "expected a duration of 1s or more");
      return *parsed;
    };
    DemoOptions& o = asked->options;
    if (!asked->drop.empty()) o.drop_every = span("--drop-every", asked->drop);
    if (!asked->mute.empty()) o.mute_after = span("--mute-after", asked->mute);
    o.interval = interval_of(asked->interval, o.interval);
    o.out = at_home(o.out);
    status = demo_command(o);
  });
}

void add_simulate(CLI::App& app, int& status) {
  auto asked = std::make_shared<SimulateOptions>();
  auto* simulate = app.add_subcommand("simulate", "only the simulated exchanges, for any client");
  simulate->footer("Exit status: 0 it was stopped; 2 wrong usage.");
  simulate->add_option("--listen", asked->listen, "ADDRESS:PORT")->type_name("ADDRESS:PORT")->required();
  simulate->add_option("--seed", asked->seed, "seed of the simulated tape")->type_name("N")->check(whole_number);
  simulate->add_option("--recording", asked->recordings, "play these frames, verbatim ([MARKET:]FILE)")
      ->type_name("[MARKET:]FILE");
  simulate->add_option("--instruments-file", asked->instruments_files, "REST answers to serve with recordings")
      ->type_name("FILES")
      ->delimiter(',');
  simulate->add_option("--ca-out", asked->ca_out, "write the certificate authority to trust here")->type_name("FILE");
  simulate->add_option("--speed", asked->speed, "of recordings: 1 as recorded, 0 as fast as clients read")
      ->type_name("FACTOR");
  simulate->add_option("--instruments", asked->instruments, "number of instruments on the tape")
      ->type_name("N")
      ->check(whole_number);
  simulate->add_option("--trades-per-minute", asked->trades_per_minute, "average per instrument")
      ->type_name("N")
      ->check(whole_number);
  simulate->callback([&status, asked] {
    asked->ca_out = at_home(asked->ca_out);
    status = simulate_command(*asked);
  });
}

void add_status(CLI::App& app, int& status) {
  auto asked = std::make_shared<StatusCommand>();
  auto* ask = app.add_subcommand("status", "how a running daemon is doing, and its most active instruments");
  ask->footer("Exit status: 0 ready; 1 not ready, or not to be reached; 2 wrong usage.");
  ask->add_option("--config", asked->config, "the daemon's configuration, for address and token; default as with run")
      ->type_name("FILE");
  ask->add_option("--listen", asked->listen, "the daemon's [http] listen (default 127.0.0.1:9480)")
      ->type_name("ADDRESS:PORT");
  ask->add_option("--token", asked->token, "its [http] token")->type_name("TOKEN");
  ask->add_option("--rows", asked->rows, "instruments to show (default: as many as the terminal has room for, else 20)")
      ->type_name("N")
      ->check(whole_number);
  ask->add_flag("--alive", asked->alive, "only whether it is, by the exit status");
  ask->add_flag("--json", asked->json, "what the API says, instead of a table");
  ask->add_flag("--watch", asked->watch, "again every two seconds, until Ctrl-C");
  ask->callback([&status, asked] { status = status_command(*asked); });
}

void add_verify(CLI::App& app, int& status) {
  struct Asked {
    VerifyCommand command;
    std::string from, to;
  };
  auto asked = std::make_shared<Asked>();
  auto* verify = app.add_subcommand("verify", "asks the exchanges' candles about files of any age");
  verify->footer(
      "Exit status: 0 no bar is contradicted; 1 one is, or it failed; 2 there are no rows, or wrong usage; 3 no bar "
      "could be asked about, so that nothing is verified.");
  verify->add_option("--data", asked->command.data, "the folder of the files (default: the configuration's)")
      ->type_name("FOLDER");
  verify->add_option("--config", asked->command.config, "for hosts, proxy and certificates; default as with run")
      ->type_name("FILE");
  verify->add_option("--exchange", asked->command.exchange, "this exchange alone")->type_name(exchange_names("|"));
  verify->add_option("--from", asked->from, "bars from then on: 2026-11-20 or 2026-11-20T12:00:00Z")->type_name("TIME");
  verify->add_option("--to", asked->to, "bars before then")->type_name("TIME");
  verify->callback([&status, asked] {
    const auto moment = [](const char* option, const std::string& text, Timestamp& out) {
      if (text.empty()) return;
      const auto parsed = parse_moment(text);
      if (!parsed) throw CLI::ValidationError(option, "expected a day or a time in UTC, such as 2026-11-20T12:00:00Z");
      out = *parsed;
    };
    moment("--from", asked->from, asked->command.from);
    moment("--to", asked->to, asked->command.to);
    asked->command.exchange = lower(asked->command.exchange);
    status = verify_command(asked->command);
  });
}

void add_replay(CLI::App& app, int& status) {
  struct Asked {
    ReplayCommand command;
    std::string interval;
  };
  auto asked = std::make_shared<Asked>();
  auto* replay = app.add_subcommand("replay", "offline: recordings through the same path as run");
  replay->footer("Exit status: 0 done; 1 it failed; 2 wrong usage.");
  replay->add_option("--exchange", asked->command.exchange, "as in the symbol list; not for captures, which tell")
      ->type_name(exchange_names("|"));
  replay->add_option("--market", asked->command.market, "spot, linear, inverse, option or auto (default)")
      ->type_name(std::string(markets) + "|auto");
  replay->add_option("--instruments", asked->command.instruments, "the exchange's own REST answers")
      ->type_name("FILES")
      ->delimiter(',');
  replay->add_option("--out", asked->command.out, "data directory")->type_name("FOLDER")->required();
  replay->add_option("--interval", asked->interval, "bar length (default 1m)")->type_name("DURATION");
  replay->add_option("recordings", asked->command.recordings, "recordings, or a capture's files: .jsonl, .gz, .zst")
      ->type_name("FILES")
      ->required();
  replay->callback([&status, asked] {
    asked->command.interval = interval_of(asked->interval, asked->command.interval);
    asked->command.out = at_home(asked->command.out);
    asked->command.exchange = lower(asked->command.exchange);
    asked->command.market = lower(asked->command.market);
    status = replay_command(asked->command);
  });
}
}  // namespace

void add_commands(CLI::App& app, int& status) {
  add_init(app, status);
  add_run(app, status);
  add_check(app, status);
  add_symbols(app, status);
  add_status(app, status);
  add_demo(app, status);
  add_verify(app, status);
  add_replay(app, status);
  add_simulate(app, status);
}

}  // namespace cvdd
