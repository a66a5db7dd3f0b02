// What the two programs' main functions have in common: a command runs, and however it ends the log does too; wrong
// usage is told in one line that names what is meant; `help` and `completion` are commands of both.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace cvdd {

// Adds `help [COMMAND]` and `completion SHELL`; call when the other commands are there. `status` as below.
void add_common_commands(CLI::App& app, const std::string& program, int& status);

// Runs the command that the arguments name; `status` is where its callback puts the exit status.
// Returns it; 1 if the command threw, 2 for wrong usage.
int run_command_line(CLI::App& app, int argc, const char* const* argv, const std::string& program, const int& status);

// One line without newline: which word is wrong, and what is near it. Of the `app` that threw `error`.
[[nodiscard]] std::string explain_wrong_usage(const CLI::App& app, const CLI::ParseError& error,
                                              const std::string& program);

// The completion script of one shell, made from the commands and options of `app`. Empty: no such shell.
[[nodiscard]] std::optional<std::string> completion_script(const CLI::App& app, const std::string& program,
                                                           std::string_view shell);
inline constexpr const char* completion_shells = "bash, zsh, fish";

}  // namespace cvdd
