// Real messages against what an independent program makes of them. The corpus is not part of the project: it is
// looked for at $CVDD_SHARED, else beside the project, and the test says so when it is not there.
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "cvdd/daemon/replay.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/storage/recording.hpp"
#include "source_dir.hpp"
#include "told.hpp"

namespace fs = std::filesystem;
using namespace cvdd;

namespace {
fs::path corpus() {
  const char* shared = std::getenv("CVDD_SHARED");
  return (shared != nullptr ? fs::path(shared) : fs::path(source_dir()) / "../shared") / "recordings";
}

std::vector<std::vector<std::string>> read_csv(const fs::path& path) {
  std::vector<std::vector<std::string>> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> fields;
    std::stringstream rest(line);
    for (std::string field; std::getline(rest, field, ',');) fields.push_back(field);
    lines.push_back(fields);
  }
  return lines;
}

std::map<std::pair<std::string, std::string>, Row> newest_rows(const fs::path& directory) {
  std::map<std::pair<std::string, std::string>, Row> rows;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".csv" || entry.is_symlink()) continue;
    std::ifstream in(entry.path());
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      const auto row = parse_row(line);
      REQUIRE(row.has_value());
      const auto key = std::make_pair(format_time(row->time), row->symbol);
      const auto old = rows.find(key);
      if (old == rows.end() || old->second.rev < row->rev) rows.insert_or_assign(key, *row);
    }
  }
  return rows;
}

// Inverse base volumes are rounded per trade to 12 decimals, so their sums may differ by half of that for each. The
// other program prints no more than 12 decimals of any number.
bool near(const Decimal& a, const Decimal& b, bool inverse) {
  const Decimal rounded = divide_half_even(a, Decimal(1, 0), 12).value();
  const Decimal d = subtract(rounded, b).value();
  return inverse ? d < Decimal(1, 6) && d > Decimal(-1, 6) : d.is_zero();
}

std::size_t compare(const fs::path& expected, const fs::path& out) {
  const auto rows = newest_rows(out);
  std::size_t compared = 0;
  for (const auto& e : read_csv(expected)) {
    if (e.front() == "minute_start_iso") continue;
    const auto found = rows.find({e[0], e[3]});
    INFO(expected << " " << e[0] << " " << e[3]);
    REQUIRE(found != rows.end());
    const Row& row = found->second;
    const bool inverse = row.market == Market::inverse;
    const auto number = [&](std::size_t column) { return parse_sum(e[column]).value(); };
    CHECK(near(row.buy_base, number(5), inverse));
    CHECK(near(row.sell_base, number(6), inverse));
    CHECK(near(row.buy_quote, number(7), false));
    CHECK(near(row.sell_quote, number(8), false));
    CHECK(*row.open == number(11));
    CHECK(*row.high == number(12));
    CHECK(*row.low == number(13));
    CHECK(*row.close == number(14));
    CHECK(row.first_id == e[15]);
    CHECK(row.last_id == e[16]);
    ++compared;
  }
  return compared;
}
}  // namespace

// Markets by what the files are called; "auto" where the instrument tells.
std::string market_of(const std::string& name) {
  if (name.starts_with("spot")) return "spot";
  if (name.starts_with("usdm")) return "linear";
  return name.starts_with("coinm") ? "inverse" : "auto";
}

TEST_CASE("every recording adds up to what the independent program says") {
  if (!fs::exists(corpus())) {
    WARN("SKIPPED: no recordings at " << corpus() << "; set CVDD_SHARED to the folder that holds them");
    return;
  }
  const fs::path out = fs::temp_directory_path() / "cvdd-test-recordings";
  std::set<std::string> names;
  for (const Exchange* exchange : all_exchanges()) names.emplace(exchange->name);
  for (const std::string& exchange : names) {
    std::size_t files = 0, bars = 0;
    std::uint64_t trades = 0, duplicates = 0;
    const fs::path root = corpus() / exchange;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::directory_iterator(root)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".jsonl.gz")) continue;
      const std::string stem = name.substr(0, name.find('.'));
      fs::remove_all(out);
      ReplayOptions options;
      options.exchange = exchange;
      options.market = market_of(name);
      options.out_dir = out.string();
      options.recordings = {entry.path().string()};
      // Contract sizes change over the years: the lists of the recording's own day, if there are any.
      const std::string day = stem.substr(stem.rfind('-') + 1);
      for (const bool same_day : {true, false}) {
        for (const auto& rest : fs::directory_iterator(root / "rest")) {
          const bool of_the_day = rest.path().string().find(day) != std::string::npos;
          if (of_the_day == same_day) options.instruments.push_back(rest.path().string());
        }
        if (!options.instruments.empty()) break;
      }
      const ReplaySummary summary = replay(options);
      INFO(exchange << " " << name);
      CHECK(summary.rejected == 0);
      trades += summary.trades;
      duplicates += summary.duplicates;
      bars += compare(corpus() / "expected" / (exchange + "-" + stem + ".csv"), out);
      ++files;
    }
    std::cout << "recordings: " << files << " of " << exchange << ", " << trades << " trades, " << duplicates
              << " duplicates, " << bars << " bars compared\n";
    CHECK(files > 0);
  }
  fs::remove_all(out);
}

// A space before it sends a message the long way.
TEST_CASE("what was really sent reads the same by the short way and by the long one") {
  if (!fs::exists(corpus())) {
    WARN("SKIPPED: no recordings at " << corpus() << "; set CVDD_SHARED to the folder that holds them");
    return;
  }
  std::size_t compared = 0, trades = 0;
  for (const Exchange* exchange : all_exchanges()) {
    const fs::path folder = corpus() / exchange->name;
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".jsonl.gz")) continue;
      RecordingReader reader(entry.path().string());
      std::deque<Instrument> known;
      SymbolTable symbols;
      RecordedMessage message;
      std::size_t differ = 0;
      while (reader.next(message)) {
        const std::string symbol = exchange->symbol_of(message.text);
        Instrument instrument;
        if (!symbol.empty() && !symbols.contains(symbol) && exchange->assume_instrument(symbol, {}, instrument)) {
          symbols.emplace(symbol, &known.emplace_back(instrument));
        }
        Parsed parsed;
        exchange->parse(message.text, symbols, parsed);
        const std::string quick = told(parsed);
        trades += parsed.trades.size();
        exchange->parse(" " + std::string(message.text), symbols, parsed);
        if (quick != told(parsed)) ++differ;
        ++compared;
      }
      INFO(name << " read as " << name_of(exchange->market));
      CHECK(differ == 0);
    }
  }
  std::cout << "recordings: " << compared << " messages read both ways, " << trades << " trades\n";
  CHECK(trades > 100'000);
}
