// One client process at a time, fed by the bench's server and measured from outside.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "load/clients.hpp"
#include "load/server.hpp"

extern char** environ;

namespace cvdd::load {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// What a process has used, in seconds: all of it, and its first thread (the daemon's io thread).
struct Cpu {
  double all = 0, first = 0;
};
inline Cpu cpu_of(pid_t pid) {
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
inline double rss_mib_of(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/statm", pid));
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Where the calling thread runs, and what it starts from now on. Does nothing on a machine with one processor.
inline void stay_on(int processor) {
  static const bool several = std::thread::hardware_concurrency() > 1;
  if (!several) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  (void)::sched_setaffinity(0, sizeof set, &set);
}
inline constexpr int server_processor = 0, client_processor = 1;

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
    static int benches = 0;
    folder_ = fs::temp_directory_path() / fmt::format("cvdd-load-{}-{}", ::getpid(), ++benches);
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
      return send_paced(lines, p, per_second, time, [&](auto passed) {
        if (rss_early_ == 0 && passed > time / 10) rss_early_ = rss_mib_of(pid_);
      });
    });
  }

  // The same for a client that is kept, a while at a time: CPU microseconds a message of each while.
  bool open(const Client& client) {
    start(client);
    held_ = ready(client.connections);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    server_.sending = true;
    return held_.size() >= client.connections;
  }
  double a_while(std::size_t per_second, std::chrono::milliseconds time) {
    const Cpu before = cpu_of(pid_);
    const std::size_t sent = send_paced(held_, prepared_, per_second, time, [](auto) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return (cpu_of(pid_).all - before.all) * 1e6 / static_cast<double>(sent);
  }
  void close(const Client& client) {
    Measured m;
    held_.clear();
    stop(client, m);
  }

 private:
  template <class Lines, class Look>
  static std::size_t send_paced(const Lines& lines, Prepared& p, std::size_t per_second, Clock::duration time,
                                Look look) {
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
      look(passed);
    }
    return sent;
  }
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
  std::vector<std::shared_ptr<Line>> held_;
  Prepared prepared_;
  double rss_early_ = 0;
};

}  // namespace cvdd::load
