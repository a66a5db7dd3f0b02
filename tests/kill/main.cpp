// cvdd_kill_test --cvdd PROGRAM [--kills N] [--seed S]
// The daemon as users run it, against the simulated exchanges over real TLS, killed with SIGKILL at random moments and
// started again, now and then after longer than the exchanges' histories reach back. In the end every row must equal
// the tape, or say that it does not.
// How long a life and a history are follows from how long the first one took to write rows: a slow machine, or a slow
// build, gets as far as a fast one.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "cli/compare.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

extern char** environ;

namespace {
Timestamp wall_now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

class Child {
 public:
  Child(const std::string& program, const std::string& config, const std::string& log) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    std::string arguments[] = {program, "run", "--config", config};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), arguments[3].data(), nullptr};
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, environ) != 0) {
      throw std::runtime_error("can't start " + program);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  // How it ended.
  int end(int signal) {
    int status = 0;
    ::kill(pid_, signal);
    ::waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_ = 0;
};

using Millis = std::chrono::milliseconds;

std::uintmax_t bytes_in(const std::string& directory) {
  std::uintmax_t sum = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".csv" && !entry.is_symlink()) sum += entry.file_size();
  }
  return sum;
}

// How long it took until there were more than `before`; a minute at the most.
Millis wait_for_rows(const std::string& directory, std::uintmax_t before) {
  const auto begin = std::chrono::steady_clock::now();
  Millis waited{};
  while (bytes_in(directory) <= before && waited < std::chrono::minutes(1)) {
    std::this_thread::sleep_for(Millis(10));
    waited = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin);
  }
  return std::max(waited, Millis(500));
}

struct Told {
  std::map<std::string, std::size_t> gaps;  // by exchange
  std::size_t rows = 0, live = 0, repaired = 0, gap = 0, partial = 0, broken = 0;
};

// Of each bar what holds in the end.
Told read_rows(const std::string& directory) {
  std::map<std::string, Row> newest;
  Told told;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("cvd-") || !name.ends_with(".csv")) continue;
    std::ifstream in(entry.path());
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      const auto row = parse_row(line);
      if (!row) {
        ++told.broken;
        continue;
      }
      const std::string key = format_time(row->time) + row->exchange + std::string(name_of(row->market)) + row->symbol;
      const auto old = newest.find(key);
      const std::uint32_t due = old == newest.end() ? 0 : old->second.rev + 1;
      if (row->rev != due) ++told.broken;  // doubled, or left out
      newest.insert_or_assign(key, *row);
    }
  }
  for (const auto& [key, row] : newest) {
    ++told.rows;
    told.live += row.status == BarStatus::live ? 1U : 0U;
    told.repaired += row.status == BarStatus::repaired ? 1U : 0U;
    told.gap += row.status == BarStatus::gap ? 1U : 0U;
    if (row.status == BarStatus::gap) ++told.gaps[row.exchange];
    told.partial += row.status == BarStatus::partial ? 1U : 0U;
  }
  return told;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("the daemon, killed again and again");
  std::string program;
  std::size_t kills = 50;
  std::uint64_t seed = std::random_device{}();
  app.add_option("--cvdd", program, "the program")->required();
  app.add_option("--kills", kills, "how often");
  app.add_option("--seed", seed, "of the moments");
  CLI11_PARSE(app, argc, argv);

  const fs::path folder = fs::temp_directory_path() / fmt::format("cvdd-kill-{}", wall_now().us);
  fs::create_directories(folder / "data");
  const auto instruments = sim::make_instruments_everywhere(32, 240);
  const auto tape = std::make_shared<sim::Tape>(seed, wall_now() - seconds(30), instruments);
  boost::asio::io_context io(1);
  auto guard = boost::asio::make_work_guard(io);
  sim::Server server(io, {}, tape);
  server.start();
  std::thread thread([&] { io.run(); });

  std::ofstream(folder / "ca.pem", std::ios::binary) << server.ca_pem();
  std::ofstream(folder / "cvdd.toml") << "interval = \"1s\"\nclose_delay = \"300ms\"\n[net]\nca_file = \"ca.pem\"\n"
                                      << server.config_toml();
  std::map<std::string, std::map<Market, std::string>> wanted;
  for (const auto& what : instruments) {
    std::string& names = wanted[what.instrument.exchange][what.instrument.market];
    names += (names.empty() ? "\"" : ", \"") + what.instrument.symbol + "\"";
  }
  {
    std::ofstream symbols(folder / "symbols.toml");
    for (const auto& [exchange, markets] : wanted) {
      symbols << "[" << exchange << "]\n";
      for (const auto& [market, names] : markets) symbols << name_of(market) << " = [" << names << "]\n";
    }
  }

  std::mt19937_64 random(seed);
  bool good = true;
  const std::string config = (folder / "cvdd.toml").string(), log = (folder / "log").string();
  const std::string data = (folder / "data").string();
  Millis usual{}, reach{};
  for (std::size_t i = 0; i < kills; ++i) {
    const std::uintmax_t before = bytes_in(data);
    Child child(program, config, log);
    if (i == 0) {
      usual = wait_for_rows(data, before);
      reach = std::max(Millis(8'000), 4 * usual);
      boost::asio::post(io, [&tape, reach] { tape->set_reach(milliseconds(reach.count())); });
    } else if (i % 4 == 1) {  // before it has got anywhere
      std::this_thread::sleep_for(Millis(1 + random() % static_cast<std::uint64_t>(usual.count())));
    } else {
      (void)wait_for_rows(data, before);
      std::this_thread::sleep_for(Millis(random() % 1'300));
    }
    const int status = child.end(SIGKILL);
    // Now and then it is away for longer than any history reaches back.
    if (i % 12 == 7) std::this_thread::sleep_for(reach + Millis(2'000));
    if (!WIFSIGNALED(status)) {
      fmt::print("it ended by itself, see {}\n", log);
      good = false;
      break;
    }
  }
  Child last(program, config, log);
  std::this_thread::sleep_for(reach + usual);
  const int status = last.end(SIGTERM);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) good = false;
  boost::asio::post(io, [&] { server.stop(); });
  guard.reset();
  thread.join();

  const Comparison result = compare_with_tape((folder / "data").string(), *tape, seconds(1));
  const Told told = read_rows((folder / "data").string());
  for (const std::string& line : result.disagreements) fmt::print("{}\n", line);
  fmt::print(
      "kill: seed {}, {} kills; {} bars of {} instruments: {} live, {} repaired, {} gap, {} partial; {} malformed, "
      "doubled "
      "or lost, {} wrong\n",
      seed, kills, told.rows, result.instruments, told.live, told.repaired, told.gap, told.partial, told.broken,
      result.wrong);
  for (const auto& [exchange, gaps] : told.gaps) fmt::print("kill: {} bars of {} still say gap\n", gaps, exchange);
  good = good && result.wrong == 0 && told.broken == 0 && result.instruments == instruments.size() &&
         told.repaired > kills / 8 && (kills < 8 || told.gap > 0);
  if (good) {
    fs::remove_all(folder);
  } else {
    fmt::print("FAILED, see {}\n", folder.string());
  }
  return good ? 0 : 1;
}
