// cvdd_load_bench --cvdd PROGRAM: what a burst brings, and what everyday load costs, beside two yardsticks in the same
// run.
//
// A server of its own sends prepared aggTrade frames (TLS, WebSocket) to one client process at a time: the two
// yardsticks (yardsticks.hpp) and `cvdd run`, queue, ledger and files included. Throughput is how fast the server gets
// rid of its messages; CPU is the client's, from /proc; latency is from the moment a message is handed to TLS until it
// is summed up (yardsticks) or in the ledger (cvdd). Read as ratios.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "load/clients.hpp"
#include "load/server.hpp"
#include "load/yardsticks.hpp"

namespace fs = std::filesystem;
using namespace cvdd;
using namespace cvdd::load;
using Clock = std::chrono::steady_clock;

extern char** environ;

namespace {
// What a process has used, in seconds: all of it, and its first thread (the daemon's io thread).
struct Cpu {
  double all = 0, first = 0;
};
Cpu cpu_of(pid_t pid) {
  Cpu out;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    std::ifstream in(task.path() / "schedstat");
    double ns = 0;
    in >> ns;
    out.all += ns / 1e9;
    if (task.path().filename() == std::to_string(pid)) out.first = ns / 1e9;
  }
  return out;
}
double rss_mib_of(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/statm", pid));
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Where the calling thread runs, and what it starts from now on. Does nothing on a machine with one processor.
void stay_on(int processor) {
  static const bool several = std::thread::hardware_concurrency() > 1;
  if (!several) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  (void)::sched_setaffinity(0, sizeof set, &set);
}
constexpr int server_processor = 0, client_processor = 1;

struct Client {
  std::string name;
  std::vector<std::string> arguments;
  std::size_t connections = 1;
  bool daemon = false;
};

struct Measured {
  double per_second = 0, cpu_us = 0, io_us = 0, core_percent = 0, rss_early = 0, rss = 0;
  std::uint64_t p50 = 0, p99 = 0;
  Clients::Told looking;
  std::uint64_t sent = 0, trades = 0, holes = 0, backpressure_ms = 0;  // the last three by the daemon
};

class Bench {
 public:
  Bench(std::string self, std::string cvdd, std::string listen, bool apart)
      : self_(std::move(self)), cvdd_(std::move(cvdd)), listen_(std::move(listen)), apart_(apart) {
    folder_ = fs::temp_directory_path() / fmt::format("cvdd-load-{}", ::getpid());
    fs::create_directories(folder_);
    std::ofstream(folder_ / "ca.pem", std::ios::binary) << server_.ca();
  }
  ~Bench() { fs::remove_all(folder_); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Client yardstick(const std::string& kind, std::size_t connections) {
    return {kind,
            {self_, "--client", kind, "--port", std::to_string(server_.port), "--ca", (folder_ / "ca.pem").string(),
             "--connections", std::to_string(connections)},
            connections};
  }
  Client daemon(std::size_t connections, const std::string& coalesce) {
    const fs::path home = folder_ / std::to_string(++homes_);
    fs::create_directories(home);
    std::ofstream(home / "cvdd.toml") << fmt::format(
        "audit = \"off\"\nrepair = \"off\"\n[http]\nlisten = \"{}\"\n[net]\nca_file = \"{}\"\ncoalesce = \"{}\"\n"
        "[exchange.binance.linear]\ninstruments_per_connection = {}\nws = [\"wss://127.0.0.1:{}\"]\n"
        "rest = [\"https://127.0.0.1:{}\"]\n",
        listen_, (folder_ / "ca.pem").string(), coalesce, symbols / connections, server_.port, server_.port);
    std::ofstream names(home / "symbols.toml");
    names << "[binance]\nlinear = [";
    for (const auto& what : instruments()) names << '"' << what.instrument.symbol << "\", ";
    names << "]\n";
    return {"cvdd", {cvdd_, "run", "--config", (home / "cvdd.toml").string()}, connections, true};
  }

  bool failed = false;  // the daemon did not count all that was sent

  // As fast as the client takes them.
  Measured burst(const Client& client, bool record_per_message, std::size_t messages) {
    return measure(client, [&](const auto& lines, Prepared& p) {
      std::int64_t now = wall_us();
      std::size_t n = 0;
      for (; n < messages; ++n) {
        if (n % 1'024 == 0) now = wall_us();
        Line& line = *lines[n % lines.size()];
        if (!line.write(p.next(line.wanted[n / lines.size() % line.wanted.size()], now), record_per_message)) break;
      }
      for (const auto& line : lines) line->push();
      return n;
    });
  }

  // Clients that look on from when the daemon is ready.
  std::size_t pollers = 0, streams = 0;

  // So many a second, spread evenly.
  Measured paced(const Client& client, std::size_t per_second, std::chrono::seconds time) {
    return measure(client, [&](const auto& lines, Prepared& p) {
      const auto begin = Clock::now();
      std::size_t sent = 0;
      for (auto passed = Clock::duration{}; passed < time; passed = Clock::now() - begin) {
        const auto due =
            static_cast<std::size_t>(std::chrono::duration<double>(passed).count() * static_cast<double>(per_second));
        if (sent >= due) {
          std::this_thread::sleep_for(std::chrono::microseconds(50));
          continue;
        }
        Line& line = *lines[sent % lines.size()];
        const std::size_t symbol = line.wanted[sent / lines.size() % line.wanted.size()];
        if (!line.write(p.next(symbol, wall_us()), true) || !line.flush(1)) break;
        ++sent;
        if (rss_early_ == 0 && passed > time / 10) rss_early_ = rss_mib_of(pid_);
      }
      return sent;
    });
  }

 private:
  template <class Send>
  Measured measure(const Client& client, Send send) {
    Measured m;
    rss_early_ = 0;
    start(client);
    std::size_t sent = 0;
    const auto lines = ready(client.connections);
    if (lines.size() >= client.connections) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      Prepared p;
      server_.sending = true;
      std::optional<Clients> looking;
      if (client.daemon && pollers + streams > 0) looking.emplace(listen_, pollers, streams);
      const Cpu before = cpu_of(pid_);
      const auto begin = Clock::now();
      sent = send(lines, p);
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      const Cpu after = cpu_of(pid_);
      if (looking) m.looking = looking->told();
      looking.reset();
      m.per_second = static_cast<double>(sent) / seconds;
      m.cpu_us = (after.all - before.all) * 1e6 / static_cast<double>(sent);
      m.io_us = client.daemon ? (after.first - before.first) * 1e6 / static_cast<double>(sent) : m.cpu_us;
      m.core_percent = (after.all - before.all) * 100 / seconds;
      m.rss = rss_mib_of(pid_);
      m.rss_early = rss_early_;
    } else {
      fmt::print(stderr, "{}: {} of {} connections came\n", client.name, lines.size(), client.connections);
    }
    stop(client, m);
    m.sent = sent;
    if (client.daemon && (m.trades != sent || m.holes != 0)) {
      fmt::print(stderr, "cvdd counted {} of {} trades, {} holes\n", m.trades, sent, m.holes);
      failed = true;
    }
    return m;
  }
  void start(const Client& client) {
    server_.sending = false;
    std::vector<char*> argv;
    for (const std::string& argument : client.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, (folder_ / "said.txt").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (apart_) stay_on(client_processor);
    if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = 0;
    if (apart_) stay_on(server_processor);
    posix_spawn_file_actions_destroy(&actions);
  }
  std::vector<std::shared_ptr<Line>> ready(std::size_t connections) {
    const auto end = Clock::now() + std::chrono::seconds(20);
    while (server_.lines().size() < connections && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return server_.lines();
  }
  // The daemon tells on its way out; a yardstick when the server hangs up.
  void stop(const Client& client, Measured& m) {
    if (client.daemon) {
      ::kill(pid_, SIGTERM);
    } else {
      server_.forget();
    }
    const auto end = Clock::now() + std::chrono::seconds(5);
    while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
      if (Clock::now() > end) ::kill(pid_, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    server_.forget();
    std::ifstream in(folder_ / "said.txt");
    const std::string said((std::istreambuf_iterator<char>(in)), {});
    const auto number = [&](const std::string& name) -> std::uint64_t {
      const auto at = said.rfind(name + "=");
      return at == said.npos ? 0 : std::stoull("0" + said.substr(at + name.size() + 1, 20));
    };
    m.p50 = number("event_to_ledger_p50_us");
    m.p99 = number("event_to_ledger_p99_us");
    m.trades = number(" trades");
    m.holes = number(" holes");
    m.backpressure_ms = number("backpressure_ms");
  }
  Server server_;
  std::string self_, cvdd_, listen_;
  bool apart_;
  fs::path folder_;
  pid_t pid_ = 0;
  int homes_ = 0;
  double rss_early_ = 0;
};

// Who is measured: the two yardsticks, the daemon, and the daemon at its quickest.
const std::vector<std::string> everyone{"naive", "floor", "floor and a hop", "cvdd", "cvdd, coalesce 0"};

Client client_of(Bench& bench, const std::string& who, std::size_t connections) {
  if (!who.starts_with("cvdd")) return bench.yardstick(who, connections);
  return bench.daemon(connections, who == "cvdd" ? "10ms" : "0");
}

// Round by round, one after the other, so that what they are compared with is from the same minute of a machine whose
// speed drifts. Figures are medians, ratios the medians of each round's.
class Compared {
 public:
  Compared(const std::vector<std::string>& who, int rounds,
           const std::function<Measured(const std::string&)>& measure) {
    for (int i = 0; i < rounds; ++i) {
      for (const std::string& name : who) all_[name].push_back(measure(name));
    }
  }
  template <class Value>
  [[nodiscard]] double figure(const std::string& name, Value value) const {
    std::vector<double> values;
    for (const Measured& m : all_.at(name)) values.push_back(static_cast<double>(value(m)));
    return middle(std::move(values));
  }
  // NaN without the other.
  template <class Of, class By>
  [[nodiscard]] double ratio(const std::string& name, Of of, const std::string& other, By by) const {
    const auto found = all_.find(other);
    if (found == all_.end()) return std::nan("");
    std::vector<double> values;
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      values.push_back(static_cast<double>(of(all_.at(name)[i])) / static_cast<double>(by(found->second[i])));
    }
    return middle(std::move(values));
  }

 private:
  static double middle(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  std::map<std::string, std::vector<Measured>> all_;
};

const auto rate_of = [](const Measured& m) { return m.per_second; };
const auto cpu_us_of = [](const Measured& m) { return m.cpu_us; };
const auto io_us_of = [](const Measured& m) { return m.io_us; };
const auto p99_of = [](const Measured& m) { return m.p99; };

void bursts(Bench& bench, std::size_t connections, std::size_t messages, int rounds, std::vector<std::string> who) {
  std::erase_if(who, [](const std::string& name) { return name == "cvdd, coalesce 0" || name == "floor and a hop"; });
  fmt::print("\n{:<32}{:>12}{:>12}{:>12}{:>9}{:>9}{:>12}\n", fmt::format("burst, {} connection(s)", connections),
             "messages/s", "CPU us/msg", "io us/msg", "x floor", "x naive", "io x floor");
  for (const bool small : {true, false}) {
    const std::size_t n = small ? messages : messages * 2;
    const Compared all(who, rounds, [&](const std::string& name) {
      return bench.burst(client_of(bench, name, connections), small, n);
    });
    for (const std::string& name : who) {
      fmt::print("{:<32}{:>12.0f}{:>12.3f}{:>12.3f}{:>9.2f}{:>9.2f}{:>12.2f}\n",
                 fmt::format("  {}, {}", name, small ? "record per message" : "large records"),
                 all.figure(name, rate_of), all.figure(name, cpu_us_of), all.figure(name, io_us_of),
                 all.ratio(name, rate_of, "floor", rate_of), all.ratio(name, rate_of, "naive", rate_of),
                 1 / all.ratio(name, io_us_of, "floor", cpu_us_of));
    }
  }
}

void paces(Bench& bench, std::size_t connections, std::chrono::seconds time, const std::vector<std::size_t>& rates,
           int rounds, const std::vector<std::string>& who) {
  fmt::print("\n{:<32}{:>12}{:>12}{:>9}{:>9}{:>12}{:>12}{:>12}{:>12}\n",
             fmt::format("paced, {} connection(s)", connections), "messages/s", "CPU us/msg", "% core", "x naive",
             "p50 us", "p99 us", "p99 x floor", "p99 x hop");
  for (const std::size_t rate : rates) {
    const Compared all(who, rounds, [&](const std::string& name) {
      return bench.paced(client_of(bench, name, connections), rate, time);
    });
    for (const std::string& name : who) {
      fmt::print("{:<32}{:>12.0f}{:>12.2f}{:>9.2f}{:>9.2f}{:>12.0f}{:>12.0f}{:>12.2f}{:>12.2f}\n",
                 fmt::format("  {}", name), all.figure(name, rate_of), all.figure(name, cpu_us_of),
                 all.figure(name, [](const Measured& m) { return m.core_percent; }),
                 all.ratio(name, cpu_us_of, "naive", cpu_us_of),
                 all.figure(name, [](const Measured& m) { return m.p50; }), all.figure(name, p99_of),
                 all.ratio(name, p99_of, "floor", p99_of), all.ratio(name, p99_of, "floor and a hop", p99_of));
    }
  }
}

void tell(const Clients::Told& l, std::size_t pollers, std::size_t streams, std::chrono::seconds time) {
  fmt::print(
      "{} pollers and {} streams: {:.0f} answers/s, {} refused, /metrics p50 {:.1f} ms, p99 {:.1f} ms, {} bytes; {} "
      "streams ended\n",
      pollers, streams, static_cast<double>(l.answers) / static_cast<double>(time.count()), l.refused,
      static_cast<double>(l.metrics_p50.us) / 1e3, static_cast<double>(l.metrics_p99.us) / 1e3, l.metrics_bytes,
      l.ended);
}

void endurance(Bench& bench, std::size_t connections, std::chrono::seconds time) {
  const Measured m = bench.paced(bench.daemon(connections, "10ms"), 50'000, time);
  fmt::print(
      "\n50,000/s over {} connections for {} s: {:.0f}/s, {} trades, {} holes, {} ms not read because of full "
      "queues, {:.1f} MiB resident early, {:.1f} at the end, {:.2f} % of a core, p99 {} us\n",
      connections, time.count(), m.per_second, m.trades, m.holes, m.backpressure_ms, m.rss_early, m.rss, m.core_percent,
      m.p99);
  if (bench.pollers + bench.streams > 0) tell(m.looking, bench.pollers, bench.streams, time);
}

// Clients alone, of a daemon that runs already: a demo of a thousand instruments, say.
void look(const std::string& listen, std::size_t pollers, std::size_t streams, std::chrono::seconds time) {
  const Clients clients(listen, pollers, streams);
  std::this_thread::sleep_for(time);
  tell(clients.told(), pollers, streams, time);
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("burst and everyday load, beside two yardsticks");
  std::string program, client, ca, only, listen;
  std::uint16_t port = 0;
  std::size_t connections = 0, messages = 2'000'000;
  int rounds = 3, time = 10, endure = 0;
  std::vector<std::size_t> rates{5'000, 20'000, 50'000};
  std::vector<std::string> who = everyone;
  app.add_option("--cvdd", program, "the program");
  app.add_option("--only", only, "burst, paced, endurance, or look: clients alone, at --listen")
      ->check(CLI::IsMember({"burst", "paced", "endurance", "look"}));
  app.add_option("--connections", connections, "default: 1 and 10");
  app.add_option("--messages", messages, "of a burst");
  app.add_option("--who", who, "these alone")->check(CLI::IsMember(everyone));
  app.add_option("--rounds", rounds, "of each measurement, of which the median counts")->check(CLI::Range(1, 99));
  app.add_option("--rates", rates, "messages a second of paced load");
  app.add_option("--seconds", time, "of paced load")->check(CLI::Range(2, 3'600));
  app.add_option("--endure", endure, "seconds of 50,000/s over ten connections; 0: not at all");
  app.add_option("--listen", listen, "the daemon's [http] listen, for who asks it meanwhile; default: none");
  app.add_option("--client", client)->group("");
  app.add_option("--port", port)->group("");
  app.add_option("--ca", ca)->group("");
  bool together = false;
  std::size_t pollers = 0, streams = 0;
  app.add_option("--pollers", pollers, "clients that ask --listen for everything, as fast as they can");
  app.add_option("--streams", streams, "and listeners of its stream")->check(CLI::Range(0, 64));
  app.add_flag("--together", together, "server and client share all processors; default: one for each");
  CLI11_PARSE(app, argc, argv);
  if (client.starts_with("floor")) return floor_client(port, ca, connections, client != "floor");
  if (client == "naive") return naive_client(port, ca, connections);

  if (only == "look") {
    look(listen, pollers, streams, std::chrono::seconds(time));
    return 0;
  }
  if (!together) stay_on(server_processor);  // the server's threads come from here
  Bench bench(argv[0], program, listen, !together);
  bench.pollers = pollers;
  bench.streams = streams;
  for (const std::size_t n : connections > 0 ? std::vector{connections} : std::vector<std::size_t>{1, 10}) {
    if (only.empty() || only == "burst") bursts(bench, n, messages, rounds, who);
    if (only.empty() || only == "paced") paces(bench, n, std::chrono::seconds(time), rates, rounds, who);
  }
  if (endure > 0) endurance(bench, 10, std::chrono::seconds(endure));
  return bench.failed ? 1 : 0;
}
