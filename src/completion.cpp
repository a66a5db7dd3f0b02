// Completion scripts, made from the commands themselves: they can't fall behind.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "command_line.hpp"

namespace cvdd {

namespace {
struct Word {
  std::string name, says;  // "--config", "configuration file"
  bool takes_value = false;
  std::vector<std::string> values;  // what it may be; empty: a file, or anything
};
struct Command {
  std::string name, says;
  std::vector<Word> options;
  std::vector<std::string> values;  // of what is no option
};

// The choices in the name of a value's type, "spot|linear"; none where it has a name alone.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string names = option.get_type_name();
  std::vector<std::string> out;
  if (names.find('|') == std::string::npos) return out;
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find('|', at), names.size());
    out.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::vector<Word> options_of(const CLI::App& app) {
  std::vector<Word> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out.push_back(
          {"--" + name, option->get_description(), option->get_items_expected_max() > 0, choices_of(*option)});
    }
  }
  return out;
}

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* c) { return !c->get_name().empty(); })) {
    Command c{command->get_name(), command->get_description(), options_of(*command), {}};
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_lnames().empty() && c.values.empty()) c.values = choices_of(*option);
    }
    out.push_back(std::move(c));
  }
  return out;
}

std::string joined(const std::vector<Word>& words) {
  std::string out;
  for (const Word& word : words) out += (out.empty() ? "" : " ") + word.name;
  return out;
}

// Within single quotes of a shell; `special` gets a backslash.
std::string quoted(std::string_view text, std::string_view special, std::string_view quote) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += quote;
    } else {
      if (special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string bash(const CLI::App& app, const std::string& program) {
  std::string names, cases, choices, valued, function = program;
  std::replace(function.begin(), function.end(), '-', '_');
  for (const Command& command : commands_of(app)) {
    names += command.name + " ";
    cases += fmt::format("    {}) words=\"{}\" values=\"{}\" ;;\n", command.name, joined(command.options),
                         fmt::join(command.values, " "));
    for (const Word& option : command.options) {
      if (!option.values.empty()) {
        choices +=
            fmt::format("    {}:{}) words=\"{}\" ;;\n", command.name, option.name, fmt::join(option.values, " "));
      }
      if (option.takes_value && (valued + "|").find(option.name + "|") == std::string::npos) {
        valued += (valued.empty() ? "" : "|") + option.name;
      }
    }
  }
  // Without words of ours, bash completes names of files.
  return fmt::format(R"(# bash completion of {0}
_{1}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words="{2}{3}"
  else
    case ${{COMP_WORDS[1]}}:$prev in
{6}    help:*) words="{2}" ;;
    esac
    if [[ ! $words ]]; then
      local values=
      case $prev in {4}) return ;; esac
      case ${{COMP_WORDS[1]}} in
{5}      esac
      [[ $cur == -* ]] || words=${{values:-$words}}
      [[ $cur == -* || $values || ! $cur ]] || return
    fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _{1} {0}
)",
                     program, function, names, joined(options_of(app)), valued.empty() ? "-" : valued, cases, choices);
}

std::string zsh(const CLI::App& app, const std::string& program) {
  std::string names, cases;
  for (const Command& command : commands_of(app)) {
    names += fmt::format("    '{}:{}'\n", command.name, quoted(command.says, ":", "'\\''"));
    cases += fmt::format("  {}) _arguments", command.name);
    for (const Word& option : command.options) {
      cases += fmt::format(" \\\n      '{}[{}]{}'", option.name, quoted(option.says, "[]:", "'\\''"),
                           !option.values.empty() ? fmt::format(":value:({})", fmt::join(option.values, " "))
                           : option.takes_value   ? ":value:_files"
                                                  : "");
    }
    if (command.name == "help") {
      cases += " \\\n      '1:command:{_describe command commands}'";
    } else if (!command.values.empty()) {
      cases += fmt::format(" \\\n      '1:word:({})'", fmt::join(command.values, " "));
    } else {
      cases += " \\\n      '*:file:_files'";
    }
    cases += " ;;\n";
  }
  return fmt::format(R"(#compdef {}
local -a commands=(
{})
if ((CURRENT == 2)); then
  _describe command commands
  return
fi
shift words
((CURRENT--))
case $words[1] in
{}esac
)",
                     program, names, cases);
}

std::string fish(const CLI::App& app, const std::string& program) {
  std::string out = fmt::format("# fish completion of {}\n", program), names;
  for (const Command& command : commands_of(app)) {
    names += (names.empty() ? "" : " ") + command.name;
    out += fmt::format("complete -c {} -n __fish_use_subcommand -f -a {} -d '{}'\n", program, command.name,
                       quoted(command.says, "\\", "\\'"));
    for (const Word& option : command.options) {
      out += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' -l {}{} -d '{}'\n", program, command.name,
                         option.name.substr(2),
                         !option.values.empty() ? fmt::format(" -x -a '{}'", fmt::join(option.values, " "))
                         : option.takes_value   ? " -r"
                                                : "",
                         quoted(option.says, "\\", "\\'"));
    }
    if (!command.values.empty()) {
      out += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' -f -a '{}'\n", program, command.name,
                         fmt::join(command.values, " "));
    }
  }
  return out + fmt::format("complete -c {} -n '__fish_seen_subcommand_from help' -f -a '{}'\n", program, names);
}
}  // namespace

std::optional<std::string> completion_script(const CLI::App& app, const std::string& program, std::string_view shell) {
  if (shell == "bash") return bash(app, program);
  if (shell == "zsh") return zsh(app, program);
  if (shell == "fish") return fish(app, program);
  return std::nullopt;
}

}  // namespace cvdd
