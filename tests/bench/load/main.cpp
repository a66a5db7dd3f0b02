// cvdd_load_bench --cvdd PROGRAM: what a burst brings, and what everyday load costs, beside yardsticks in the same
// run.
//
// A server of its own sends prepared aggTrade frames (TLS, WebSocket) to one client process at a time: the
// yardsticks (yardsticks.hpp) and `cvdd run`, queue, ledger and files included. Throughput is how fast the server gets
// rid of its messages; CPU is the client's, from /proc; latency is from the moment a message is handed to TLS until it
// is summed up (yardsticks) or in the ledger (cvdd). Read as ratios.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "load/measure.hpp"
#include "load/yardsticks.hpp"

using namespace cvdd;
using namespace cvdd::load;

namespace {
// Who is measured: the yardsticks, the daemon, and the daemon at its quickest.
const std::vector<std::string> everyone{"naive", "floor",           "floor and a hop", "floor every 10 ms",
                                        "cvdd",  "cvdd, coalesce 0"};

Client client_of(Bench& bench, const std::string& who, std::size_t connections) {
  if (!who.starts_with("cvdd")) return bench.yardstick(who, connections);
  return bench.daemon(connections, who == "cvdd" ? "50ms" : "0");
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
  std::erase_if(who, [](const std::string& name) { return name != "naive" && name != "floor" && name != "cvdd"; });
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

// Two builds of the daemon by turns, half a second each: what one does at a time when the machine is slow, the other
// does too.
void against(Bench& bench, Bench& other, std::size_t connections, std::size_t rate, int turns) {
  const Client clients[] = {bench.daemon(connections, "50ms"), other.daemon(connections, "50ms")};
  if (!bench.open(clients[0]) || !other.open(clients[1])) return;
  std::vector<double> cpu[2], ratios;
  for (int i = 0; i < turns; ++i) {
    cpu[0].push_back(bench.a_while(rate, std::chrono::milliseconds(500)));
    cpu[1].push_back(other.a_while(rate, std::chrono::milliseconds(500)));
    ratios.push_back(cpu[1].back() / cpu[0].back());
  }
  bench.close(clients[0]);
  other.close(clients[1]);
  const auto at = [](std::vector<double>& values, std::size_t quarter) {
    std::sort(values.begin(), values.end());
    return values[values.size() * quarter / 4];
  };
  fmt::print(
      "{}/s, {} turns: CPU us/msg {:.2f}, the other {:.2f}; the other / this: {:.3f} (quartiles {:.3f}, {:.3f})\n",
      rate, turns, at(cpu[0], 2), at(cpu[1], 2), at(ratios, 2), at(ratios, 1), at(ratios, 3));
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
  const Measured m = bench.paced(bench.daemon(connections, "50ms"), 50'000, time);
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
  CLI::App app("burst and everyday load, beside yardsticks");
  std::string program, client, ca, only, listen, other;
  std::uint16_t port = 0;
  std::size_t connections = 0, messages = 2'000'000;
  int rounds = 3, time = 10, endure = 0;
  std::vector<std::size_t> rates{5'000, 20'000, 50'000};
  std::vector<std::string> who = everyone;
  app.add_option("--cvdd", program, "the program");
  app.add_option("--against", other, "another build of it: the two at everyday load, by turns, and nothing else");
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
  if (client == "floor every 10 ms") return ticking_floor_client(port, ca, connections);
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
  if (!other.empty()) {
    Bench second(argv[0], other, "", !together);
    for (const std::size_t rate : rates) against(bench, second, connections > 0 ? connections : 10, rate, rounds * 10);
    return 0;
  }
  for (const std::size_t n : connections > 0 ? std::vector{connections} : std::vector<std::size_t>{1, 10}) {
    if (only.empty() || only == "burst") bursts(bench, n, messages, rounds, who);
    if (only.empty() || only == "paced") paces(bench, n, std::chrono::seconds(time), rates, rounds, who);
  }
  if (endure > 0) endurance(bench, 10, std::chrono::seconds(endure));
  return bench.failed ? 1 : 0;
}
