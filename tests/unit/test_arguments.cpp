// What users type wrong, and what shells are told.
#include <CLI/CLI.hpp>

#include "catch.hpp"
#include "command_line.hpp"
#include "cvdd/cli/arguments.hpp"

using namespace cvdd;

namespace {
// What is said about these words; empty: they are good, or ask for help.
std::string said(std::vector<std::string> words) {
  CLI::App app;
  app.require_subcommand(1);
  int status = 0;
  add_commands(app, status);
  add_common_commands(app, "cvdd", status);
  app.parse_complete_callback([] { throw CLI::Success(); });  // none of the commands is to run
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? "" : explain_wrong_usage(app, error, "cvdd");
  }
  return "";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}
}  // namespace

TEST_CASE("a wrong word is named, with what is near it") {
  CHECK(said({"foo"}) == "cvdd: no command foo; `cvdd help` lists them");
  CHECK(said({"statsu", "--watch"}) == "cvdd: no command statsu; did you mean status? `cvdd help` lists them");
  CHECK(said({}) == "cvdd: which command? `cvdd help` lists them");
  CHECK(said({"status", "--wacth"}) ==
        "cvdd status: no option --wacth; did you mean --watch? `cvdd help status` tells more");
  CHECK(said({"status", "--lisen=127.0.0.1:1"}).find("no option --lisen; did you mean --listen?") != std::string::npos);
  CHECK(said({"--online", "check"}) == "cvdd: --online goes behind the command, such as cvdd check --online");
  CHECK(said({"--nonsense"}) == "cvdd: no option --nonsense; `cvdd help` lists them");
  CHECK(said({"status", "now"}) == "cvdd status: what is now for? `cvdd help status` tells more");
  CHECK(said({"replay", "--market", "spot"}).find("cvdd replay: --out is required") == 0);
  for (const char* word : {"many", "-1", "1.5", "99999999999999999999"}) {
    CHECK(said({"status", "--rows", word}).find("cvdd status: --rows: expected a whole number, not '") == 0);
  }
  CHECK(said({"fo\x1bo"}).find('\x1b') == std::string::npos);
  CHECK(said({"status", "--watch"}).empty());
  CHECK(said({"run", "--help"}).empty());
}

TEST_CASE("completion scripts hold every command and every option, and whole quotes") {
  CLI::App app;
  int status = 0;
  add_commands(app, status);
  add_common_commands(app, "cvdd", status);
  CHECK_FALSE(completion_script(app, "cvdd", "tcsh"));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(app, "cvdd", shell).value();
    for (const CLI::App* command : app.get_subcommands({})) {
      INFO(shell << " " << command->get_name());
      CHECK(script.find(command->get_name()) != std::string::npos);
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) {
          INFO(name);
          CHECK(script.find((shell == std::string("fish") ? "-l " : "--") + name) != std::string::npos);
        }
      }
    }
    CHECK(script.find("binance") != std::string::npos);  // values, too
    CHECK(script.find("inverse") != std::string::npos);
    CHECK(count(script, "'") % 2 == count(script, "\\'") % 2);
  }
}
