// cvdd-engine: arguments → command. What the commands do is in src/engine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "cvdd/engine/commands.hpp"
#include "cvdd/engine/store.hpp"
#include "cvdd/ops/logging.hpp"

int main(int argc, char** argv) {
  namespace engine = cvdd::engine;
  CLI::App app{"cvdd-engine takes the rows that cvdd writes into databases, directly or by way of NATS JetStream."};
  app.set_version_flag("-V,--version",
                       std::string("cvdd-engine ") + CVDD_VERSION + " (" + engine::stores_built() + ")");
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

  // However a command ends, the last lines of the log are written.
  struct LogEnd {
    ~LogEnd() { cvdd::stop_logging(); }
  } log_end;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "cvdd-engine: {}\n", error.what());
    return 1;
  }
  return status;
}
