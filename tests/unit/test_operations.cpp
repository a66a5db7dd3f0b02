// What operators meet: folded log lines, the status line, the manual.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "command_line.hpp"
#include "cvdd/base/log_folder.hpp"
#include "cvdd/base/version.hpp"
#include "cvdd/cli/arguments.hpp"
#include "cvdd/daemon/health.hpp"
#include "cvdd/system/logging.hpp"
#include "source_dir.hpp"

using namespace cvdd;

namespace {
std::string file(const std::string& name) {
  std::ifstream in(source_dir() + "/" + name);
  REQUIRE(in);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
}  // namespace

TEST_CASE("a line that repeats is printed once and counted; another one is not touched by it") {
  LogFolder folder;
  const Timestamp t0{1'763'675'700'000'000};
  CHECK(folder.print("can't connect host=a reason=\"x\" after_ms=12", t0));
  CHECK_FALSE(folder.print("can't connect host=a reason=\"x\" after_ms=99", t0 + seconds(1)));
  CHECK(folder.print("can't connect host=b reason=\"x\" after_ms=12", t0 + seconds(2)));
  for (int i = 0; i < 310; ++i)
    CHECK_FALSE(folder.print("can't connect host=a reason=\"x\" after_ms=7", t0 + seconds(3)));
  CHECK(folder.summaries(t0 + seconds(299)).empty());
  const auto lines = folder.summaries(t0 + seconds(300));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == "… 311 times in 5 minutes: can't connect host=a reason=\"x\" after_ms=7");
  CHECK(folder.summaries(t0 + seconds(700)).empty());  // quiet since: forgotten
  CHECK(folder.print("can't connect host=a reason=\"x\" after_ms=1", t0 + seconds(701)));
}

TEST_CASE("kinds of lines are told apart by everything but plain numbers; their number is bounded") {
  CHECK(kind_of("x rows=17 session=\"spot #2\" error=5ms n=-3.5") == "x rows= session=\"spot #2\" error=5ms n=");
  LogFolder folder;
  for (std::size_t i = 0; i < LogFolder::kinds_max + 10; ++i) {
    CHECK(folder.print("kind " + std::to_string(i), {1}));
  }
}

TEST_CASE("what somebody waits for is in the log each time; everything else that repeats is folded") {
  std::string written;
  const auto before = spdlog::default_logger();
  start_logging("info", {}, [&written](std::string_view text) { written += text; });
  for (int i = 0; i < 3; ++i) {
    spdlog::error("can't connect host=a");
    log_answer(spdlog::level::err, "nothing is changed: the files have errors errors=1");
  }
  stop_logging();
  spdlog::set_default_logger(before);
  const auto times = [&](const std::string& text) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = written.find(text, at)) != std::string::npos; ++at) ++n;
    return n;
  };
  CHECK(times("can't connect host=a") == 1);
  CHECK(times("error   nothing is changed: the files have errors errors=1\n") == 3);
}

TEST_CASE("a secret never appears, as written or decoded") {
  CHECK(without("proxy http://u:p%40ss@h failed: p@ss", {"p%40ss", "p@ss", ""}) == "proxy http://u:***@h failed: ***");
}

TEST_CASE("the status line says what an operator wants to know") {
  Health h;
  h.instruments = h.live = 1'000;
  h.trades_per_second = 2'310;
  CHECK(status_line(h) == "1,000 instruments live, 0 gaps, 2,310 trades/s");
  h.live = 997;
  h.backlog_rows = 12'345;
  h.aggregator_idle = std::chrono::seconds(11);
  CHECK(
      status_line(h) ==
      "997 instruments live, 0 gaps, 2,310 trades/s, 3 not live, 12,345 rows wait for the disk, the aggregator hangs");
  CHECK_FALSE(making_progress(h));
  h = {};
  h.instruments = h.live = h.gaps = 1;
  CHECK(status_line(h) == "1 instrument live, 1 gap, 0 trades/s");
}

TEST_CASE("help lists the commands, and of one command values and exit statuses") {
  CLI::App app;
  int status = 0;
  add_commands(app, status);
  add_common_commands(app, "cvdd", status);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == "help" || command->get_name() == "completion") continue;
    const std::string help = command->help("cvdd");
    INFO(help);
    CHECK(help.find("Exit status: 0 ") != std::string::npos);
    CHECK(help.find("TEXT") == std::string::npos);
    CHECK(help.find(" in [") == std::string::npos);
    CHECK(help.find("{false}") == std::string::npos);
  }
}

TEST_CASE("the version is one: of the program, the change log, the package and the manual pages") {
  const std::string now(version()), changes = file("CHANGELOG.md");
  CHECK(product() == "cvdd/" + now);
  CHECK(file("CMakeLists.txt").find("project(cvdd VERSION " + now + " ") != std::string::npos);
  CHECK(changes.substr(changes.find("\n## ") + 4).starts_with(now + " - "));           // the newest
  CHECK(file("config/debian/changelog.in").starts_with("cvdd (@PROJECT_VERSION@) "));  // … as well
  for (const char* page : {"docs/cvdd.1", "docs/cvdd.toml.5", "docs/cvdd-engine.1"}) {
    INFO(page);
    CHECK(file(page).find("\"cvdd " + now + "\"") != std::string::npos);
  }
  CHECK(file("docs/http.md").find("\"version\": \"" + now + "\"") != std::string::npos);
}

TEST_CASE("the manual names every key of the configuration") {
  const std::string manual = file("docs/cvdd.toml.5"), config = file("config/cvdd.toml");
  std::istringstream lines(config);
  std::size_t keys = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.starts_with('#')) continue;
    const std::string key = line.substr(0, line.find_first_of(" ="));
    INFO(key);
    CHECK(manual.find(key) != std::string::npos);
    ++keys;
  }
  CHECK(keys >= 9);
}

TEST_CASE("the tests that docs/testing.md names are there") {
  const std::string page = file("docs/testing.md");
  std::size_t named = 0;
  for (std::size_t at = 0; (at = page.find("test_", at)) != std::string::npos; ++named) {
    const std::size_t end = page.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
    const std::string name = page.substr(at, end - at);
    at = end;
    INFO(name);
    const std::string place = source_dir() + "/tests/", file_name = "/" + name + ".cpp";
    CHECK((std::ifstream(place + "unit" + file_name).good() || std::ifstream(place + "loopback" + file_name).good()));
  }
  CHECK(named > 50);
}

TEST_CASE("the manual and the README name every command, the manual every option") {
  const std::string manual = file("docs/cvdd.1"), readme = file("README.md");
  CLI::App app;
  int status = 0;
  add_commands(app, status);
  add_common_commands(app, "cvdd", status);
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  CHECK(commands.size() >= 9);
  for (const CLI::App* command : commands) {
    INFO(command->get_name());
    CHECK(manual.find(".B " + command->get_name() + "\n") != std::string::npos);
    CHECK(readme.find("`cvdd " + command->get_name()) != std::string::npos);
    for (const CLI::Option* option : command->get_options()) {
      for (std::string name : option->get_lnames()) {
        if (name == "help") continue;
        for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) name.insert(at, "\\");
        INFO(name);
        CHECK(manual.find("\\-\\-" + name) != std::string::npos);
      }
    }
  }
}
