// cvdd_crash_test [--kills N] [--instruments N]: a process that writes bars is killed at random moments, again and
// again. After each start no row may be malformed, doubled or lost, and every CVD must go on.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/file_syncer.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

namespace {
constexpr Duration interval = seconds(1'800);  // 48 bars a day: many midnights, small files
constexpr Timestamp begin{1'763'596'800'000'000};

std::string symbol_of(std::size_t instrument) { return fmt::format("S{:04}USDT", instrument); }

// Bar `n` of an instrument buys n+1 coins more than it sells, so that CVD after it is (n+1)(n+2)/2.
Row row_of(std::size_t instrument, std::int64_t n) {
  Row row;
  row.time = {begin.us + n * interval.us};
  row.exchange = "test";
  row.symbol = symbol_of(instrument);
  row.open = row.high = row.low = row.close = Decimal{83'000'12, 2};
  row.buys = static_cast<std::uint64_t>(n + 1);
  row.buy_base = row.delta_base = Decimal{n + 1, 0};
  row.buy_quote = row.delta_quote = Decimal{(n + 1) * 83'000'12, 2};
  row.cvd_base = Decimal{(n + 1) * (n + 2) / 2, 0};
  row.cvd_quote = Decimal{static_cast<Int128>(83'000'12) * (n + 1) * (n + 2) / 2, 2};
  row.first_id = row.last_id = std::to_string(n + 1);
  return row;
}

// The process that will be killed. Tells each bar that is written for good; ends by itself only if something is wrong.
[[noreturn]] void write_bars(const std::string& directory, std::size_t instruments, int pipe) {
  const auto files = make_file_sink();
  CsvStore store(*files, directory);
  FileSyncer syncer(*files, true);
  const Remembered known = store.open();
  if (!known.empty() && known.size() != instruments) _exit(3);
  std::int64_t next = 0;
  if (!known.empty()) next = (known.begin()->second.row.time.us - begin.us) / interval.us + 1;
  for (std::size_t i = 0; i < instruments && next > 0; ++i) {
    const auto found = known.find({"test", Market::spot, symbol_of(i)});
    const Row expected = row_of(i, next - 1);
    if (found == known.end() || found->second.row.time != expected.time ||
        found->second.row.cvd_base != expected.cvd_base || found->second.last_id != expected.last_id) {
      _exit(4);
    }
  }
  std::vector<Row> rows;
  for (;; ++next) {
    rows.clear();
    for (std::size_t i = 0; i < instruments; ++i) rows.push_back(row_of(i, next));
    // Two bars at once around midnight: a batch of two files.
    if (next % 48 == 47) {
      ++next;
      for (std::size_t i = 0; i < instruments; ++i) rows.push_back(row_of(i, next));
    }
    if (store.write(rows) != 0) _exit(5);
    syncer.request(store.take_sync_requests());
    for (const auto& result : syncer.results()) store.synced(result);
    if (::write(pipe, &next, sizeof next) != sizeof next) _exit(6);
  }
}

struct Checked {
  std::int64_t bars = 0;  // whole, from the first on
  std::string wrong;
};

// Every row of every file of whole days before `upto`; those files are deleted, so that the next look is short.
void check_days(const std::string& directory, std::size_t instruments, bool all, Checked& checked) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (day_file_from(entry.path().filename().string())) names.push_back(entry.path().string());
  }
  std::sort(names.begin(), names.end());
  if (!all) names.resize(names.size() > 2 ? names.size() - 2 : 0);
  for (const std::string& name : names) {
    std::ifstream in(name, std::ios::binary);
    std::string line, expected;
    std::getline(in, line);
    if (line != csv_header()) checked.wrong = name + ": no header";
    std::size_t instrument = 0;
    while (std::getline(in, line) && checked.wrong.empty()) {
      expected.clear();
      append_row(expected, row_of(instrument, checked.bars));
      expected.pop_back();
      if (line != expected) checked.wrong = fmt::format("{}: '{}' where '{}' should be", name, line, expected);
      if (in.eof()) checked.wrong = name + ": its last line has no end";
      if (++instrument == instruments) {
        instrument = 0;
        ++checked.bars;
      }
    }
    if (instrument != 0 && checked.wrong.empty()) checked.wrong = name + ": a bar is not whole";
    if (!all) fs::remove(name);
  }
}

// The disk is full for ten bars (a limit on file sizes does as well), then there is room again.
std::string fill_the_disk(const std::string& directory, std::size_t instruments) {
  signal(SIGXFSZ, SIG_IGN);
  const auto files = make_file_sink();
  CsvStore store(*files, directory);
  (void)store.open();
  std::vector<Row> rows;
  std::int64_t bar = 0;
  const auto write_bar = [&] {
    rows.clear();
    for (std::size_t i = 0; i < instruments; ++i) rows.push_back(row_of(i, bar));
    ++bar;
    return store.write(rows);
  };
  for (int i = 0; i < 3; ++i) {
    if (write_bar() != 0) return "the first bars could not be written";
  }
  std::uint64_t size = 0;
  for (const auto& entry : fs::directory_iterator(directory)) size = std::max<std::uint64_t>(size, entry.file_size());
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = size + 1'000;  // a part of the next batch fits
  setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = 0; i < 10; ++i) {
    if (write_bar() == 0) return "a full disk went unnoticed";
    std::uint64_t now = 0;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (day_file_from(entry.path().filename().string())) now = std::max<std::uint64_t>(now, entry.file_size());
    }
    if (now > size) return "a torn batch was left in the file";
  }
  if (store.backlog_rows() != 10 * instruments) return "rows are missing in memory";
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = 0; i < 3; ++i) {
    if (write_bar() != 0) return "there is room again, but nothing is written";
  }
  Checked checked;
  check_days(directory, instruments, true, checked);
  if (checked.wrong.empty() && checked.bars != bar) return fmt::format("{} bars of {}", checked.bars, bar);
  return checked.wrong;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("kills a process that writes bars, and looks at what it left");
  std::size_t kills = 500, instruments = 1'000;
  std::uint64_t seed = std::random_device{}();
  app.add_option("--kills", kills, "how often");
  app.add_option("--instruments", instruments, "rows per bar");
  app.add_option("--seed", seed, "of the moments");
  bool full = false;
  app.add_flag("--full", full, "instead: the disk is full for ten bars");
  CLI11_PARSE(app, argc, argv);
  std::string directory = (fs::temp_directory_path() / "cvdd_crash_XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 2;
  if (full) {
    const std::string wrong = fill_the_disk(directory, instruments);
    fmt::print("disk full for ten bars of {} instruments: {}\n", instruments,
               wrong.empty() ? "every row is there, in order" : wrong);
    fs::remove_all(directory);
    return wrong.empty() ? 0 : 1;
  }
  std::mt19937_64 random(seed);
  Checked checked;
  std::int64_t told = -1;
  std::size_t torn = 0;
  for (std::size_t kill_number = 0; kill_number < kills && checked.wrong.empty(); ++kill_number) {
    int ends[2];
    if (pipe(ends) != 0) return 2;
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      write_bars(directory, instruments, ends[1]);
    }
    close(ends[1]);
    std::int64_t bar = 0;
    const bool started = read(ends[0], &bar, sizeof bar) == sizeof bar;
    if (started) {
      told = std::max(told, bar);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 12'000));
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    while (read(ends[0], &bar, sizeof bar) == sizeof bar) told = std::max(told, bar);
    close(ends[0]);
    if (!started) {
      checked.wrong = fmt::format("the process ended by itself with status {} (3, 4: what it read back is wrong)",
                                  WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    for (const auto& entry : fs::directory_iterator(directory)) {  // how often there was something to complete
      if (!day_file_from(entry.path().filename().string())) continue;
      std::ifstream in(entry.path(), std::ios::binary | std::ios::ate);
      const auto size = in.tellg();
      if (size <= 0) continue;
      in.seekg(-1, std::ios::end);
      if (in.get() != '\n') ++torn;
    }
    check_days(directory, instruments, false, checked);
  }
  if (checked.wrong.empty()) {
    const auto files = make_file_sink();
    CsvStore store(*files, directory);
    (void)store.open();
    const std::int64_t before = checked.bars;
    check_days(directory, instruments, true, checked);
    if (checked.wrong.empty() && checked.bars <= told) {
      checked.wrong = fmt::format("bar {} was written, but only {} (from {}) are there", told, checked.bars, before);
    }
  }
  fmt::print("{} kills, seed {}: {} bars of {} instruments, {} files with a torn last line completed: {}\n", kills,
             seed, checked.bars, instruments, torn,
             checked.wrong.empty() ? "none malformed, doubled or lost" : checked.wrong);
  fs::remove_all(directory);
  return checked.wrong.empty() && checked.bars > 0 ? 0 : 1;
}
