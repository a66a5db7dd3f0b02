// cvdd-engine: arguments → command. What the commands do is in src/engine.
#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "cvdd/base/version.hpp"
#include "cvdd/engine/commands.hpp"
#include "cvdd/engine/store.hpp"

int main(int argc, char** argv) {
  namespace engine = cvdd::engine;
  CLI::App app{"cvdd-engine takes the rows that cvdd writes into databases, directly or by way of NATS JetStream."};
  app.set_version_flag("-V,--version",
                       std::string("cvdd-engine ").append(cvdd::version()) + " (" + engine::stores_built() + ")");
  app.require_subcommand(1);
  int status = 0;

  engine::LoadCommand load_options;
  auto* load = app.add_subcommand("load", "the collector's files into a database; any number of times, each row once");
  load->add_option("--data", load_options.data, "the collector's data_dir")->required();
  load->add_option("--to", load_options.to, "sqlite:FILE (default sqlite:cvd.db), postgres://…, clickhouse+https://…");
  load->add_option("--collector", load_options.collector, "by which name its rows are known (default: this host's)");
  load->add_option("--ca-file", load_options.ca_file, "ClickHouse: PEM roots beside the system's");
  load->add_flag("--follow", load_options.follow, "go on with what is written from now on, until SIGTERM or Ctrl-C");
  load->callback([&] { status = engine::load_command(load_options); });

  std::string config_file = "/etc/cvdd/engine.toml";
  engine::ServiceCommand service;
  const auto configured = [&](CLI::App* command) {
    command->add_option("--config", config_file, "configuration file (default /etc/cvdd/engine.toml)");
    return command;
  };
  auto* ship =
      configured(app.add_subcommand("ship", "the collector's files to JetStream, from where it was acknowledged"));
  ship->add_option("--from", service.from, "publish again from this day on, such as 2026-11-20");
  ship->add_flag("--once", service.once, "end when everything there is was acknowledged");
  ship->callback([&] { service.config = config_file, status = engine::ship_command(service); });
  auto* sink = configured(app.add_subcommand("sink", "from JetStream into the database; any number of them"));
  sink->callback([&] { service.config = config_file, status = engine::sink_command(service); });
  auto* doctor =
      configured(app.add_subcommand("doctor", "what is wrong with broker, stream, database, collectors; what to do"));
  doctor->callback([&] { status = engine::doctor_command(config_file); });
  auto* check = configured(app.add_subcommand("check", "reads the configuration and reports every error"));
  check->callback([&] { status = engine::check_command(config_file); });

  cvdd::add_common_commands(app, "cvdd-engine", status);
  return cvdd::run_command_line(app, argc, argv, "cvdd-engine", status);
}
