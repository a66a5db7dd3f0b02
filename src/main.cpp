// Arguments → command. What the commands do is in src/cli; how data goes through the daemon, in docs/architecture.md.
#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/cli/commands.hpp"
#include "cvdd/config/config.hpp"

int main(int argc, char** argv) {
  CLI::App app{"cvdd collects the public trades of crypto exchanges and keeps their cumulative volume delta, exactly."};
  app.set_version_flag("--version", std::string("cvdd ") + CVDD_VERSION);
  app.require_subcommand(1);
  int status = 0;

  std::string config_file = "/etc/cvdd/cvdd.toml";
  auto* run = app.add_subcommand("run", "the daemon; SIGTERM or SIGINT stops it, open bars are written as partial");
  run->add_option("--config", config_file, "configuration file")->required();
  run->callback([&] { status = cvdd::run_command(config_file); });

  bool online = false;
  auto* check = app.add_subcommand("check", "reads configuration and symbol list and reports every error");
  check->add_option("--config", config_file, "configuration file")->required();
  check->add_flag("--online", online, "also ask the exchanges whether the symbols exist");
  check->callback([&] { status = cvdd::check_command(config_file, online); });

  std::string interval_text;
  const auto interval = [&](cvdd::Duration fallback) {
    if (interval_text.empty()) return fallback;
    const auto parsed = cvdd::parse_duration(interval_text);
    if (!parsed || parsed->us < 1'000'000 || 86'400'000'000 % parsed->us != 0) {
      throw CLI::ValidationError("--interval",
                                 "expected a duration from 1s to 1d that divides a day, such as 5s or 1m");
    }
    return *parsed;
  };

  cvdd::DemoOptions demo_options;
  auto* demo = app.add_subcommand("demo", "the whole daemon against simulated exchanges on loopback");
  demo->add_option("--out", demo_options.out, "data directory (default: a temporary one, removed at the end)");
  demo->add_option("--bars", demo_options.bars, "end after this many bars and compare every row with the tape");
  demo->add_option("--interval", interval_text, "bar length (default 5s)");
  demo->add_option("--seed", demo_options.seed, "seed of the simulated tape");
  demo->add_option("--instruments", demo_options.instruments, "number of instruments")->check(CLI::Range(1, 50'000));
  demo->add_option("--trades-per-minute", demo_options.trades_per_minute, "average per instrument");
  demo->add_option("--listen", demo_options.listen, "of the page (default 127.0.0.1:9480); \"\": none");
  demo->add_flag("--quiet", demo_options.quiet, "don't print the rows");
  std::string drop_text, mute_text;
  demo->add_option("--drop-every", drop_text, "the exchanges hang up on everybody this often (such as 30s)");
  demo->add_option("--mute-after", mute_text, "after this long the exchanges tell of no trade any more");
  demo->add_flag("!--no-repair", demo_options.repair, "leave what is missed then as it is: gaps");
  demo->callback([&] {
    const auto span = [](const char* option, const std::string& text) {
      const auto parsed = cvdd::parse_duration(text);
      if (!parsed || parsed->us < 1'000'000) throw CLI::ValidationError(option, "expected a duration of 1s or more");
      return *parsed;
    };
    if (!drop_text.empty()) demo_options.drop_every = span("--drop-every", drop_text);
    if (!mute_text.empty()) demo_options.mute_after = span("--mute-after", mute_text);
    demo_options.interval = interval(demo_options.interval);
    status = cvdd::demo_command(demo_options);
  });

  cvdd::SimulateOptions simulate_options;
  auto* simulate = app.add_subcommand("simulate", "only the simulated exchanges, for any client");
  simulate->add_option("--listen", simulate_options.listen, "ADDRESS:PORT")->required();
  simulate->add_option("--seed", simulate_options.seed, "seed of the simulated tape");
  simulate->add_option("--recording", simulate_options.recordings, "play these frames, verbatim ([MARKET:]FILE)");
  simulate
      ->add_option("--instruments-file", simulate_options.instruments_files, "REST answers to serve with recordings")
      ->delimiter(',');
  simulate->add_option("--ca-out", simulate_options.ca_out, "write the certificate authority to trust here");
  simulate->add_option("--speed", simulate_options.speed, "of recordings: 1 as recorded, 0 as fast as clients read");
  simulate->add_option("--instruments", simulate_options.instruments, "number of instruments on the tape");
  simulate->add_option("--trades-per-minute", simulate_options.trades_per_minute, "average per instrument");
  simulate->callback([&] { status = cvdd::simulate_command(simulate_options); });

  cvdd::StatusCommand status_options;
  auto* ask = app.add_subcommand("status", "how a running daemon is doing, and its most active instruments");
  ask->add_option("--config", status_options.config, "the daemon's configuration, for address and token");
  ask->add_option("--listen", status_options.listen, "the daemon's [http] listen (default 127.0.0.1:9480)");
  ask->add_option("--token", status_options.token, "its [http] token");
  ask->add_option("--rows", status_options.rows, "instruments to show (default 20)");
  ask->add_flag("--watch", status_options.watch, "again every two seconds, until Ctrl-C");
  ask->callback([&] { status = cvdd::status_command(status_options); });

  cvdd::VerifyCommand verify_options;
  std::string from_text, to_text;
  auto* verify = app.add_subcommand("verify", "asks the exchanges' candles about files of any age");
  verify->add_option("--data", verify_options.data, "the folder of the files (default: the configuration's)");
  verify->add_option("--config", verify_options.config, "for hosts, proxy and certificates");
  verify->add_option("--exchange", verify_options.exchange, "this exchange alone");
  verify->add_option("--from", from_text, "bars from then on: 2026-11-20 or 2026-11-20T12:00:00Z");
  verify->add_option("--to", to_text, "bars before then");
  verify->callback([&] {
    const auto moment = [](const char* option, const std::string& text, cvdd::Timestamp& out) {
      if (text.empty()) return;
      const auto parsed = cvdd::parse_time(text.size() == 10 ? text + "T00:00:00Z" : text);
      if (!parsed) throw CLI::ValidationError(option, "expected a day or a time in UTC, such as 2026-11-20T12:00:00Z");
      out = *parsed;
    };
    moment("--from", from_text, verify_options.from);
    moment("--to", to_text, verify_options.to);
    if (verify_options.data.empty() && verify_options.config.empty()) {
      throw CLI::ValidationError("--data", "which folder? Give --data, or --config");
    }
    status = cvdd::verify_command(verify_options);
  });

  cvdd::ReplayCommand replay_options;
  auto* replay = app.add_subcommand("replay", "offline: recordings through the same path as run");
  replay->add_option("--exchange", replay_options.exchange, "binance, …")->required();
  replay->add_option("--market", replay_options.market, "spot, linear, inverse, option or auto")->required();
  replay->add_option("--instruments", replay_options.instruments, "the exchange's own REST answers")->delimiter(',');
  replay->add_option("--out", replay_options.out, "data directory")->required();
  replay->add_option("--interval", interval_text, "bar length (default 1m)");
  replay->add_option("recordings", replay_options.recordings, "recordings, .jsonl or .jsonl.gz")->required();
  replay->callback([&] {
    replay_options.interval = interval(replay_options.interval);
    status = cvdd::replay_command(replay_options);
  });

  return cvdd::run_command_line(app, argc, argv, "cvdd", status);
}
