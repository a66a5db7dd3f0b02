// The core room decides and does nothing else: no clock, no socket, no file, no logger, no floating point.
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "catch.hpp"

namespace fs = std::filesystem;

namespace {
std::vector<std::string> violations(const fs::path& room, const std::regex& banned) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(CVDD_SOURCE_DIR) / room)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      const std::string code = line.substr(0, line.find("//"));
      if (std::regex_search(code, banned)) {
        found.push_back(entry.path().filename().string() + ":" + std::to_string(number) + ": " + line);
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
  const std::regex exchange(R"("[^"]*binance)", std::regex::icase);
  for (const char* room :
       {"src/core", "include/cvdd/core", "src/net", "include/cvdd/net", "src/app", "include/cvdd/app"}) {
    for (const std::string& v : violations(room, exchange)) FAIL_CHECK(v);
  }
}
