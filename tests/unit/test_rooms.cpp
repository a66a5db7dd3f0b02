// The core room decides and does nothing else: no clock, no socket, no file, no logger, no floating point.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/protocol.hpp"
#include "source_dir.hpp"

namespace fs = std::filesystem;
using namespace cvdd;

namespace {
std::vector<std::string> violations(const fs::path& room, const std::regex& banned) {
  std::vector<std::string> found;
  std::vector<fs::path> files;
  const fs::path path = fs::path(source_dir()) / room;
  if (fs::is_regular_file(path)) files.push_back(path);
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  for (const fs::path& file : files) {
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
}  // namespace

TEST_CASE("the core room knows no clock, socket, file, logger or floating point") {
  const std::regex banned(
      R"((boost/|spdlog|<fstream>|<iostream>|<cstdio>|<filesystem>|<thread>|<random>|_clock::now|std::time\b|\b(double|float)\b))");
  for (const char* room : {"src/core", "include/cvdd/core"}) {
    for (const std::string& v : violations(room, banned)) FAIL_CHECK(v);
  }
}

TEST_CASE("exchanges are data and pure functions, and only their room names them") {
  const std::regex impure(R"((boost/|spdlog|<fstream>|<iostream>|<thread>|_clock::now|\b(double|float)\b))");
  for (const std::string& v : violations("src/exchanges", impure)) FAIL_CHECK(v);
  for (const Exchange* e : all_exchanges()) {
    const std::regex name("\\b" + std::string(e->name) + "|\"[^\"]*" + std::string(e->name), std::regex::icase);
    for (const char* room :
         {"src/core", "include/cvdd/core", "src/net", "include/cvdd/net", "src/app", "include/cvdd/app", "src/ops",
          "include/cvdd/ops", "include/cvdd/exchanges/exchange.hpp"}) {
      for (const std::string& v : violations(room, name)) FAIL_CHECK(v);
    }
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
