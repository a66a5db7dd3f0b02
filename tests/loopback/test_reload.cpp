// The symbol list is edited while the daemon runs, in each way that editors and tools save a file.
#include <unistd.h>

#include "catch.hpp"
#include "cli/load_config.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;

namespace {
// All simulated instruments but those whose number is in the group left out.
std::string list_without(const sim::Tape& tape, std::size_t group, std::set<std::string>* left_out = nullptr) {
  std::map<Market, std::string> names;
  std::size_t n = 0;
  for (const auto& s : tape.instruments()) {
    const std::size_t number = n++;
    if (number >= 300 && number < 400 && (number - 300) / 10 == group) {
      if (left_out != nullptr) left_out->insert(s.instrument.symbol + std::string(name_of(s.instrument.market)));
      continue;
    }
    std::string& list = names[s.instrument.market];
    list += (list.empty() ? "\"" : ", \"") + s.instrument.symbol + "\"";
  }
  std::string text = "[binance]\n";
  for (const auto& [market, list] : names) text += std::string(name_of(market)) + " = [" + list + "]\n";
  return text;
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// The ways to save. Each leaves `path` with `text`.
struct Way {
  const char* name;
  void (*save)(const std::string& path, const std::string& text);
};
constexpr Way ways[] = {
    {"in place", [](const std::string& path, const std::string& text) { write_text(path, text); }},
    {"renamed over",
     [](const std::string& path, const std::string& text) {
       write_text(path + ".tmp", text);
       fs::rename(path + ".tmp", path);
     }},
    {"a symbolic link switched",
     [](const std::string& path, const std::string& text) {
       write_text(path + ".v2", text);
       fs::create_symlink(fs::path(path + ".v2").filename(), path + ".link");
       fs::rename(path + ".link", path);
     }},
    {"an editor's backup, then a new file",
     [](const std::string& path, const std::string& text) {
       fs::rename(path, path + "~");
       write_text(path, text);
     }},
    {"several saves in a burst",
     [](const std::string& path, const std::string& text) {
       for (int i = 0; i < 5; ++i) write_text(path, text.substr(0, text.size() / 2) + "broken");
       write_text(path, text);
     }},
    {"gone for a moment",
     [](const std::string& path, const std::string& text) {
       fs::remove(path);
       std::this_thread::sleep_for(std::chrono::milliseconds(400));
       write_text(path, text);
     }},
};
}  // namespace

TEST_CASE("500 instruments, 10 removed and 10 added in each way of saving: the others see nothing", "[reload]") {
  const Folder folder;
  Exchanges exchanges(500, {}, 60);
  const std::string config = folder / "cvdd.toml", symbols = folder / "symbols.toml";
  write_text(config, "");
  write_text(symbols, list_without(exchanges.tape(), 0));
  Running daemon(exchanges, folder, seconds(1), [&](DaemonOptions& options) {
    std::vector<ConfigError> errors;
    options.symbols = parse_symbols(list_without(exchanges.tape(), 0), "s", known_markets(), errors);
    REQUIRE(errors.empty());
    options.watched_files = {config, symbols};
    options.reload = [config] {
      Reloaded now;
      if (auto again = load_config(config, now.errors)) {
        now.config = std::move(again->config);
        now.symbols = std::move(again->symbols);
      }
      return now;
    };
  });
  REQUIRE(daemon.until(live_after(wall_now())));
  const Timestamp settled = daemon.newest();
  std::size_t group = 0;
  std::set<std::string> touched;
  (void)list_without(exchanges.tape(), 0, &touched);
  for (const Way& way : ways) {
    std::set<std::string> begins, ends;
    (void)list_without(exchanges.tape(), group, &begins);
    const std::string text = list_without(exchanges.tape(), ++group, &ends);
    touched.insert(ends.begin(), ends.end());
    const Timestamp saving = wall_now();
    way.save(symbols, text);
    const auto key = [](const Row& row) { return row.symbol + std::string(name_of(row.market)); };
    INFO(way.name);
    std::set<std::string> begun, ended;
    const bool all = daemon.until(
        [&](const Row& row) {
          if (row.time < bar_start(saving, seconds(1))) return false;
          // In effect within two seconds: a bar of an added instrument is there, and a last one of a removed one.
          const bool in_time = row.time <= saving + seconds(2);
          if (begins.contains(key(row)) && in_time) begun.insert(key(row));
          if (ends.contains(key(row)) && row.status == BarStatus::partial && in_time) ended.insert(key(row));
          return begun.size() == begins.size() && ended.size() == ends.size();
        },
        std::chrono::seconds(8));
    CHECK(begun.size() == 10);
    CHECK(ended.size() == 10);
    CHECK(all);
  }
  SECTION("a bad file, an empty one, one that is written slowly or is gone change nothing") {
    const auto still_live = [&] { return daemon.until(live_after(wall_now() + seconds(2))); };
    write_text(symbols, "[binance]\nspott = [\"BTCUSDT\"]\n");
    REQUIRE(still_live());
    write_text(symbols, "");  // a full disk, a shell's `>`
    REQUIRE(still_live());
    {
      const std::string text = list_without(exchanges.tape(), 0);
      const std::size_t line = text.find('\n', text.find('\n') + 1) + 1;  // a list in itself, of one market alone
      std::ofstream slow(symbols, std::ios::binary | std::ios::trunc);
      slow << text.substr(0, line) << std::flush;
      std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
      slow << text.substr(line);
    }
    REQUIRE(still_live());
    fs::remove(symbols);
    REQUIRE(still_live());
  }
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  std::size_t others = 0;
  const Timestamp last = bar_start(daemon.newest() - seconds(1), seconds(1));
  for (const Row& row : daemon.rows()) {
    if (row.time <= settled || row.time >= last || touched.contains(row.symbol + std::string(name_of(row.market))))
      continue;
    ++others;
    if (row.status != BarStatus::live) FAIL(row.symbol << " was touched");
  }
  CHECK(others > 400 * 5);
  CHECK(exchanges.server().stats().connections == 3);
  CHECK(exchanges.server().stats().limit_violations == 0);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
}
