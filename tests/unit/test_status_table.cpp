// The table of `cvdd status`: it fits the terminal, and keeps its order.
#include <algorithm>
#include <sstream>

#include "catch.hpp"
#include "cli/status_client.hpp"
#include "cli/status_table.hpp"
#include "cli/terminal.hpp"

using namespace cvdd;

namespace {
StatusModel model_of(std::initializer_list<std::pair<const char*, std::uint64_t>> instruments) {
  StatusModel m;
  m.ready = true;
  m.live = m.wanted = instruments.size();
  for (const auto& [symbol, fills] : instruments) {
    m.lines.push_back(
        {"binance", "spot", symbol, "live", "64000.1", "0.75", "1234.5", "12.5", "-300.25", "20:58:00", fills});
  }
  return m;
}
std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}
// The symbols in the order in which they stand.
std::vector<std::string> order_of(const std::string& text, const std::vector<std::string>& symbols) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& s : symbols) {
    if (const auto at = text.find(" " + s + " "); at != std::string::npos) found.emplace_back(at, s);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> out;
  for (const auto& [at, s] : found) out.push_back(s);
  return out;
}
}  // namespace

TEST_CASE("the status table keeps its order while it is watched; new instruments come behind") {
  using Names = std::vector<std::string>;
  StatusTable table;
  const Names all{"AAA", "BBB", "CCC", "DDD"};
  // Nothing was traded yet: that is no order.
  CHECK(order_of(table.draw(model_of({{"AAA", 0}, {"BBB", 0}, {"CCC", 0}}), {}, 20), all) ==
        Names{"AAA", "BBB", "CCC"});
  CHECK(order_of(table.draw(model_of({{"AAA", 1}, {"BBB", 9}, {"CCC", 5}}), {}, 20), all) ==
        Names{"BBB", "CCC", "AAA"});
  CHECK(order_of(table.draw(model_of({{"AAA", 99}, {"BBB", 0}, {"CCC", 50}}), {}, 20), all) ==
        Names{"BBB", "CCC", "AAA"});
  CHECK(order_of(table.draw(model_of({{"AAA", 99}, {"CCC", 0}, {"DDD", 500}}), {}, 20), all) ==
        Names{"CCC", "AAA", "DDD"});
  CHECK(order_of(table.draw(model_of({{"AAA", 99}, {"CCC", 0}, {"DDD", 500}}), {}, 2), all) == Names{"CCC", "AAA"});
}

TEST_CASE("the status table begins with the groups, and leaves room for instruments") {
  StatusModel m = model_of({{"AAA", 9}, {"BBB", 5}, {"CCC", 1}});
  for (const char* name : {"BTC spot", "BTC perpetuals"}) {
    m.groups.push_back({"group", "2 of 3", name, "live (gap)", "64000.1", "0.75", "1234.5", "", "", "", 7});
  }
  const std::vector<std::string> names{"AAA", "BBB", "CCC", "BTC spot", "BTC perpetuals"};
  CHECK(order_of(StatusTable().draw(m, {}, 20), names) ==
        std::vector<std::string>{"BTC spot", "BTC perpetuals", "AAA", "BBB", "CCC"});
  CHECK(StatusTable().draw(m, {}, 20).find("2 of 3") != std::string::npos);
  const auto lines = lines_of(StatusTable().draw(m, {120, 10}, 20));
  CHECK(lines.size() <= 9);
  CHECK(order_of(StatusTable().draw(m, {120, 10}, 20), names).size() == 4);
}

TEST_CASE("the status table fits every terminal") {
  StatusModel m = model_of({{"BTCUSDT", 3}, {"1000000MOGUSDT", 2}, {"币安人生USDT", 1}});
  m.troubles.assign(40,
                    "binance spot X: connecting since 2026-11-20T20:58:41.002Z a reason that is longer than any line");
  for (std::size_t columns = 1; columns <= 200; columns += 7) {
    for (std::size_t rows : {2U, 3U, 5U, 10U, 24U, 50U}) {
      StatusTable table;
      const auto lines = lines_of(table.draw(m, {columns, rows}, 50));
      INFO(columns << " x " << rows);
      CHECK(lines.size() < rows);
      for (const std::string& line : lines) CHECK(display_width(line) <= columns);
    }
  }
  // What matters most stays: on 80 columns the CVD and the state.
  StatusTable table;
  const std::string small = table.draw(model_of({{"BTCUSDT", 3}}), {60, 24}, 20);
  CHECK(small.find("CVD") != std::string::npos);
  CHECK(small.find("live") != std::string::npos);
  CHECK(small.find("20:58:00") == std::string::npos);
  CHECK(StatusTable().draw(model_of({{"BTCUSDT", 3}}), {}, 20).find("20:58:00") != std::string::npos);
}

TEST_CASE("columns of a terminal") {
  CHECK(display_width("") == 0);
  CHECK(display_width("BTC…") == 4);
  CHECK(display_width("币安") == 4);
  CHECK(erase_lines(0).empty());
  CHECK(erase_lines(3) == "\033[3A\r\033[J");
}

TEST_CASE("status as JSON is ASCII, and means the same") {
  CHECK(ascii_json(R"({"a":"é币😀","b":1})") == R"({"a":"\u00e9\u5e01\ud83d\ude00","b":1})");
  CHECK(ascii_json("{\n\"a\":\x7f}") == R"({"a":\u007f})");
}

TEST_CASE("instruments that are not live for one reason are one line, where they are many") {
  const auto one = [](const char* name, const char* reason) {
    return Trouble{name, "connecting", "2026-11-20T20:58:41Z", reason};
  };
  CHECK(told_together({one("a", "x"), one("b", "x"), one("c", "y")}) ==
        std::vector<std::string>{"a: connecting since 2026-11-20T20:58:41Z x",
                                 "b: connecting since 2026-11-20T20:58:41Z x",
                                 "c: connecting since 2026-11-20T20:58:41Z y"});
  CHECK(told_together({one("a", "x"), one("c", "y"), one("b", "x"), one("d", "x")}) ==
        std::vector<std::string>{"a and 2 more: connecting since 2026-11-20T20:58:41Z x",
                                 "c: connecting since 2026-11-20T20:58:41Z y"});
  CHECK(told_together({}).empty());
}
