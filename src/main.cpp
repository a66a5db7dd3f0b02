// The commands and their arguments are in src/cli; how data goes through the daemon, in docs/architecture.md.
#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "cvdd/base/version.hpp"
#include "cvdd/cli/arguments.hpp"

int main(int argc, char** argv) {
  CLI::App app{"cvdd collects the public trades of crypto exchanges and keeps their cumulative volume delta, exactly."};
  app.set_version_flag("-V,--version", std::string("cvdd ").append(cvdd::version()));
  app.require_subcommand(1);
  int status = 0;
  cvdd::add_commands(app, status);
  cvdd::add_common_commands(app, "cvdd", status);
  return cvdd::run_command_line(app, argc, argv, "cvdd", status);
}
