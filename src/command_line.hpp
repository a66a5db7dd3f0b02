// What the two programs' main functions have in common: a command runs, and however it ends the log does too.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "cvdd/system/logging.hpp"

namespace cvdd {

// Runs the command that the arguments name; `status` is where its callback puts the exit status.
inline int run_command_line(CLI::App& app, int argc, char** argv, const char* program, const int& status) {
  struct LogEnd {
    ~LogEnd() { stop_logging(); }
  } log_end;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, error.what());
    return 1;
  }
  return status;
}

}  // namespace cvdd
