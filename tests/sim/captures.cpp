#include "sim/captures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "cvdd/base/decimal.hpp"
#include "cvdd/daemon/replay.hpp"

namespace cvdd::simtest {

namespace {
std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The first line that is not the same, of each.
std::string first_difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  std::string one, other;
  for (std::size_t number = 1;; ++number) {
    const bool more = static_cast<bool>(std::getline(left, one)), too = static_cast<bool>(std::getline(right, other));
    if (!more) one = "(end)";
    if (!too) other = "(end)";
    if (one != other || !more) return fmt::format("line {}\n    written:  {}\n    replayed: {}", number, one, other);
  }
}
// By the name of a day's first file: its text, and behind it the rows of those that went on where a disk confirmed
// nothing (cvd-DAY.1.csv and so on), as if it were one.
std::map<std::string, std::string> days_of(const MemoryFiles& written) {
  std::map<std::string, std::map<unsigned long, std::string>> parts;
  for (const auto& [path, text] : written.files) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!name.starts_with("cvd-") && !name.starts_with("flow-")) continue;
    const std::size_t dot = name.find('.');
    const std::string rest = name.substr(dot + 1);
    parts[name.substr(0, dot) + ".csv"][rest == "csv" ? 0 : std::stoul(rest)] = text;
  }
  std::map<std::string, std::string> days;
  for (const auto& [name, numbered] : parts) {
    for (const auto& [number, text] : numbered) days[name] += number == 0 ? text : text.substr(text.find('\n') + 1);
  }
  return days;
}
}  // namespace

bool same_when_replayed(const MemoryFiles& written, const std::string& capture, const std::string& out,
                        std::uint64_t seed) {
  ReplayOptions options;
  options.out_dir = out;
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(capture)) {
    options.recordings.push_back(entry.path());
    bytes += entry.file_size();
  }
  const ReplaySummary summary = replay(options);
  std::size_t different = 0, revisions = 0;
  const std::map<std::string, std::string> days = days_of(written);
  for (const auto& [name, text] : days) {
    std::istringstream lines(name.starts_with("cvd-") ? text : "");
    for (std::string line; std::getline(lines, line);) {
      std::size_t comma = 0;
      for (int i = 0; i < 4; ++i) comma = line.find(',', comma) + 1;
      revisions += line[comma] != '0' && line[comma] != 'r' ? 1U : 0U;
    }
    const std::string again = text_of(std::filesystem::path(out) / name);
    if (again == text) continue;
    ++different;
    fmt::print("  {}: {}\n", name, first_difference(text, again));
  }
  fmt::print("capture of seed {}: {} files, {} bytes; {} day files, {} different, {} revisions; {}\n", seed,
             options.recordings.size(), bytes, days.size(), different, revisions, summary_line(summary));
  return !days.empty() && different == 0 && summary.rows > 0 && summary.answers > 0 && revisions > 0;
}

namespace {
using Fields = std::vector<std::string>;

// Rows of the day files whose names begin so, in order of time, each with its fields.
std::vector<Fields> fields_of(const MemoryFiles& written, const std::string& prefix) {
  std::vector<Fields> rows;
  for (const auto& [path, text] : written.files) {
    if (!path.substr(path.rfind('/') + 1).starts_with(prefix)) continue;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream of_line(line + ",");
      Fields fields;
      for (std::string field; std::getline(of_line, field, ',');) fields.push_back(field);
      if (fields[0] != "time") rows.push_back(std::move(fields));
    }
  }
  std::ranges::stable_sort(rows, {}, [](const Fields& f) { return f[0]; });
  return rows;
}

Decimal plus(const Decimal& a, const std::string& text) { return add(a, parse_sum(text).value()).value(); }
}  // namespace

bool flow_adds_up(const MemoryFiles& written) {
  // A CVD row's columns buys … delta_quote are the ten from 10 on, a flow row's those from 7 on.
  constexpr std::size_t numbers = 8, of_row = 10, of_bucket = 7, delta = 13, cvd = 15;
  const auto key_of = [](const Fields& f, std::size_t rev) { return f[0] + f[1] + f[2] + f[3] + "/" + f[rev]; };
  std::map<std::string, std::vector<Decimal>> sums;
  std::map<std::string, Fields> all;
  std::map<std::string, std::map<std::string, Fields>> newest;  // instrument and bucket → time → at its highest rev
  for (const Fields& f : fields_of(written, "flow-")) {
    if (f[4] == "all") {
      all[key_of(f, 5)] = f;
      continue;
    }
    std::vector<Decimal>& sum = sums[key_of(f, 5)];
    sum.resize(numbers);
    for (std::size_t i = 0; i < numbers; ++i) sum[i] = plus(sum[i], f[of_bucket + i]);
    Fields& there = newest[f[1] + f[2] + f[3] + f[4]][f[0]];
    if (there.empty() || std::stoul(f[5]) >= std::stoul(there[5])) there = f;
  }
  std::size_t rows = 0, without = 0, wrong = 0, broken = 0;
  for (const Fields& f : fields_of(written, "cvd-")) {
    ++rows;
    const std::string key = key_of(f, 4);
    const auto told = all.find(key);
    bool same = told != all.end() && told->second[6] == f[5];
    for (std::size_t i = 0; same && i < numbers + 2; ++i) same = told->second[of_bucket + i] == f[of_row + i];
    const auto sum = sums.find(key);
    const auto is_zero = [](const Decimal& d) { return d.is_zero(); };
    const bool empty = sum == sums.end() || (f[4] != "0" && std::ranges::all_of(sum->second, is_zero));
    if (empty && (sum == sums.end() || f[of_row] != "0" || f[of_row + 1] != "0")) {
      ++without;
      same = same && f[5] != "live";
    }
    for (std::size_t i = 0; same && !empty && i < numbers; ++i) same = to_string(sum->second[i]) == f[of_row + i];
    if (!same && wrong++ < 3)
      fmt::print("  buckets are not the row: {} {} {}\n", key, f[5], told == all.end() ? "none" : "");
  }
  for (const auto& [bucket, bars] : newest) {
    Decimal base, quote;
    for (const auto& [time, f] : bars) {
      base = plus(base, f[delta]);
      quote = plus(quote, f[delta + 1]);
      const bool same = to_string(base) == f[cvd] && to_string(quote) == f[cvd + 1];
      if (!same && broken++ < 3) fmt::print("  a bucket's CVD is not its sum: {} {}\n", bucket, time);
      base = parse_sum(f[cvd]).value();
      quote = parse_sum(f[cvd + 1]).value();
    }
  }
  fmt::print("flow: {} rows, {} without buckets, {} wrong, {} broken CVDs\n", rows, without, wrong, broken);
  return rows > 0 && without < rows / 10 && wrong == 0 && broken == 0;
}

}  // namespace cvdd::simtest
