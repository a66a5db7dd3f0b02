#include "command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "cvdd/base/printable.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/system/logging.hpp"

namespace cvdd {

namespace {
constexpr std::size_t word_max = 200;  // of a user's word that is said back

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// Ends the part of a line that tells what is wrong.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto near = near_matches(word, known, 2);
  return near.empty() ? std::string(";") : fmt::format("; did you mean {}?", fmt::join(near, " or "));
}

// "--config=x" → "--config"
std::string option_of(const std::string& word) { return word.substr(0, word.find('=')); }

std::string wrong_first_word(const CLI::App& app, const std::string& word, const std::string& program) {
  if (!word.starts_with('-')) {
    return fmt::format("{0}: no command {1}{2} `{0} help` lists them", program, printable(word, word_max),
                       did_you_mean(word, command_names(app)));
  }
  const std::string option = option_of(word);
  for (const CLI::App* command : commands_of(app)) {
    const auto names = option_names(*command);
    if (std::find(names.begin(), names.end(), option) != names.end()) {
      return fmt::format("{0}: {1} goes behind the command, such as {0} {2} {1}", program, printable(option, word_max),
                         command->get_name());
    }
  }
  return fmt::format("{0}: no option {1}{2} `{0} help` lists them", program, printable(option, word_max),
                     did_you_mean(option, option_names(app)));
}
}  // namespace

std::string explain_wrong_usage(const CLI::App& app, const CLI::ParseError& error, const std::string& program) {
  const auto named = app.get_subcommands();
  if (const auto first = app.remaining(); !first.empty()) return wrong_first_word(app, first.front(), program);
  if (named.empty()) return fmt::format("{0}: which command? `{0} help` lists them", program);
  const std::vector<std::string> left = app.remaining(true);
  const CLI::App& command = *named.front();
  const std::string name = program + " " + command.get_name();
  const std::string more = fmt::format("`{} help {}` tells more", program, command.get_name());
  const bool extras = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const auto wrong = std::find_if(left.begin(), left.end(), [](const auto& word) { return word.starts_with('-'); });
  if (wrong != left.end()) {
    const std::string option = option_of(*wrong);
    return fmt::format("{}: no option {}{} {}", name, printable(option, word_max),
                       did_you_mean(option, option_names(command)), more);
  }
  if (extras && !left.empty())
    return fmt::format("{}: what is {} for? {}", name, printable(left.front(), word_max), more);
  return fmt::format("{}: {}; {}", name, printable(error.what(), 2 * word_max), more);
}

void add_common_commands(CLI::App& app, const std::string& program, int& status) {
  app.name(program);
  auto* help = app.add_subcommand("help", "what there is, or all about one command");
  auto topic = std::make_shared<std::string>();
  help->add_option("command", *topic, "the command");
  help->callback([&app, &status, topic, program] {
    const auto commands = commands_of(app);
    const auto wanted =
        std::find_if(commands.begin(), commands.end(), [&](const auto* c) { return c->get_name() == *topic; });
    if (topic->empty() || wanted != commands.end()) {
      // App::help() is that of the command that was called, which is `help`.
      const auto whole = [&] { return app.get_formatter()->make_help(&app, program, CLI::AppFormatMode::Normal); };
      fmt::print("{}", topic->empty() ? whole() : (*wanted)->help(program));
      status = 0;
      return;
    }
    fmt::print(stderr, "{}\n", wrong_first_word(app, *topic, program));
    status = 2;
  });
  auto* completion = app.add_subcommand("completion", "a shell's completion script, on standard output");
  auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, completion_shells)->type_name("bash|zsh|fish")->required();
  completion->callback([&app, &status, shell, program] {
    const auto script = completion_script(app, program, *shell);
    if (script) {
      fmt::print("{}", *script);
    } else {
      fmt::print(stderr, "{} completion: no script for {}; there are: {}\n", program, printable(*shell, word_max),
                 completion_shells);
    }
    status = script ? 0 : 2;
  });
}

int run_command_line(CLI::App& app, int argc, const char* const* argv, const std::string& program, const int& status) {
  struct LogEnd {
    ~LogEnd() { stop_logging(); }
  } log_end;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help and version
    fmt::print(stderr, "{}\n", explain_wrong_usage(app, error, program));
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, printable(error.what(), 2'000));
    return 1;
  }
  return status;
}

}  // namespace cvdd
