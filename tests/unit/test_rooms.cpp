// Who may include whom, and what the pure rooms never touch: read from the sources themselves.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/protocol.hpp"
#include "source_dir.hpp"

namespace fs = std::filesystem;
using namespace cvdd;

namespace {
// Room → the rooms whose headers it may include (docs/architecture.md). No arrow leads back.
const std::map<std::string, std::set<std::string>> may_include = {
    {"base", {}},
    {"config", {"base"}},
    {"ledger", {"base"}},
    {"exchanges", {"base"}},
    {"net", {"base"}},
    {"system", {"base"}},
    {"storage", {"base", "ledger", "system"}},
    {"pipeline", {"base", "ledger", "net", "storage", "system"}},
    {"feed", {"base", "config", "exchanges", "ledger", "net", "pipeline", "system"}},
    {"recovery", {"base", "config", "exchanges", "feed", "ledger", "net", "system"}},
    {"daemon", {"base", "config", "exchanges", "feed", "ledger", "net", "pipeline", "recovery", "storage", "system"}},
    {"sim", {"base", "exchanges", "net"}},  // of exchanges, their names alone
    {"web", {"base", "config", "daemon", "feed", "ledger", "net", "storage", "system"}},
    {"cli",
     {"base", "config", "daemon", "exchanges", "feed", "ledger", "net", "recovery", "sim", "storage", "system", "web"}},
    {"engine", {"base", "config", "ledger", "net", "system"}},
};

std::vector<fs::path> files_in(const fs::path& room) {
  std::vector<fs::path> files;
  const fs::path path = fs::path(source_dir()) / room;
  if (fs::is_regular_file(path)) files.push_back(path);
  if (!fs::is_directory(path)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string ending = entry.path().extension();
    if (entry.is_regular_file() && (ending == ".cpp" || ending == ".hpp")) files.push_back(entry.path());
  }
  return files;
}

std::vector<std::string> violations(const fs::path& room, const std::regex& banned) {
  std::vector<std::string> found;
  for (const fs::path& file : files_in(room)) {
    std::ifstream in(file);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      const std::string code = line.substr(0, line.find("//"));
      if (std::regex_search(code, banned)) {
        found.push_back(file.filename().string() + ":" + std::to_string(number) + ": " + line);
      }
    }
  }
  return found;
}

// The room of an included header; empty: it is no header of ours, or lies in the including file's own folder.
std::string room_of(const std::string& header) {
  const std::string path = header.starts_with("cvdd/") ? header.substr(5) : header;
  const auto slash = path.find('/');
  const std::string room = slash == std::string::npos ? "" : path.substr(0, slash);
  return may_include.contains(room) ? room : "";
}
}  // namespace

TEST_CASE("a room includes what its place allows, and of other rooms what they show in include/cvdd") {
  const std::regex include(R"re(^#include "([^"]+)")re");
  for (const auto& [room, allowed] : may_include) {
    std::size_t files = 0;
    for (const char* root : {"src", "include/cvdd"}) {
      for (const fs::path& file : files_in(fs::path(root) / room)) {
        ++files;
        std::ifstream in(file);
        for (std::string line; std::getline(in, line);) {
          std::smatch found;
          if (!std::regex_search(line, found, include)) continue;
          const std::string header = found[1], from = room_of(header);
          if (from.empty() || from == room) continue;
          INFO(file << " includes " << header);
          CHECK(allowed.contains(from));
          CHECK(header.starts_with("cvdd/"));
        }
      }
    }
    INFO(room);
    CHECK(files > 1);
  }
}

TEST_CASE("every folder is a room of the table") {
  for (const char* root : {"src", "include/cvdd"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(source_dir()) / root)) {
      INFO(entry.path());
      if (entry.is_directory()) CHECK(may_include.contains(entry.path().filename()));
    }
  }
}

TEST_CASE("headers that one room alone uses lie beside their sources") {
  std::set<std::string> used;
  const std::regex include(R"re(^#include "cvdd/([^"]+)")re");
  const auto read = [&](const fs::path& file, const std::string& own) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      std::smatch found;
      if (std::regex_search(line, found, include) && !found[1].str().starts_with(own + "/")) used.insert(found[1]);
    }
  };
  for (const char* main : {"src/main.cpp", "src/engine_main.cpp"}) read(fs::path(source_dir()) / main, "");
  for (const auto& [room, allowed] : may_include) {
    for (const fs::path& file : files_in("src/" + room)) read(file, room);
    // A header that is shown shows what it includes.
    for (const fs::path& file : files_in("include/cvdd/" + room)) read(file, "");
  }
  const fs::path shown = fs::path(source_dir()) / "include/cvdd";
  for (const fs::path& file : files_in("include/cvdd")) {
    INFO(file);
    CHECK(used.contains(fs::relative(file, shown).string()));
  }
}

TEST_CASE("the rooms of values and rules know no clock, socket, file, logger or floating point") {
  const std::regex banned(
      R"((boost/(?!unordered)|spdlog|<fstream>|<iostream>|<cstdio>|<filesystem>|<thread>|<random>|_clock::now|std::time\b|\b(double|float)\b))");
  for (const char* room : {"src/base", "include/cvdd/base", "src/config", "include/cvdd/config", "src/ledger",
                           "include/cvdd/ledger", "src/exchanges", "include/cvdd/exchanges"}) {
    for (const std::string& v : violations(room, banned)) FAIL_CHECK(v);
  }
}

TEST_CASE("only an exchange's own room, and its simulated counterpart, name it") {
  for (const Exchange* e : all_exchanges()) {
    // Its name is a word of ours too: what lets requests through.
    const bool word = e->name == "gate";
    const std::regex name(
        word ? "\"gate\"|gate_markets|gate\\.io" : "\\b" + std::string(e->name) + "|\"[^\"]*" + std::string(e->name),
        std::regex::icase);
    for (const auto& [room, allowed] : may_include) {
      if (room == "exchanges" || room == "sim" || room == "engine") continue;
      for (const std::string& v : violations("src/" + room, name)) FAIL_CHECK(v);
      for (const std::string& v : violations("include/cvdd/" + room, name)) FAIL_CHECK(v);
    }
    for (const std::string& v : violations("include/cvdd/exchanges/exchange.hpp", name)) FAIL_CHECK(v);
  }
}

// docs/adding-an-exchange.md
TEST_CASE("an exchange is whole: knowledge, counterpart, tests, documentation") {
  const fs::path root = source_dir();
  std::ifstream in(root / "docs/exchanges.md");
  std::stringstream docs;
  docs << in.rdbuf();
  for (const Exchange* e : all_exchanges()) {
    const std::string name(e->name);
    INFO(name);
    CHECK(fs::exists(root / ("src/exchanges/" + name + ".cpp")));
    CHECK(fs::exists(root / ("src/sim/" + name + ".cpp")));
    CHECK(fs::exists(root / ("tests/unit/test_" + name + ".cpp")));
    CHECK(std::regex_search(docs.str(), std::regex("\n## " + name + "\\b", std::regex::icase)));
    const sim::Protocol* protocol = sim::find_protocol(name);
    REQUIRE(protocol != nullptr);
    const auto markets = protocol->markets();
    CHECK(std::find(markets.begin(), markets.end(), e->market) != markets.end());
  }
}
