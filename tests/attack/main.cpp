// cvdd_attack --cvdd PROGRAM: hostile servers and clients over real TLS and sockets on loopback, and what a daemon
// among them does. One line for each attack, with figures; exit status 1 if something did not hold. --short: some of
// them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "attack/table.hpp"

using namespace cvdd::attack;

namespace cvdd::attack {

void Table::head() {
  fmt::print("{:<58}{:>7}{:>9}{:>12}{:>16}{:>7}{:>7}  {}\n", "attack", "holds", "RSS MiB", "health", "p99 ms", "late",
             "CPU %", "what must hold, or what did not");
}

void Table::add(const Attack& attack, const Outcome& o) {
  std::string words;
  for (const std::string& broken : o.broken) words += (words.empty() ? "NOT: " : "; ") + broken;
  if (words.empty()) words = attack.must_hold + (o.note.empty() ? "" : " (" + o.note + ")");
  fmt::print("{:<58}{:>7}{:>+9.1f}{:>12}{:>16}{:>7.0f}{:>+7.0f}  {}\n", attack.name, o.broken.empty() ? "yes" : "NO",
             o.rss_more, fmt::format("{}/{} {}", o.health_answered, o.health_asked, o.health_slowest.count()),
             fmt::format("{:.0f} -> {:.0f}", o.p99_calm * 1e3, o.p99 * 1e3), o.late, o.cpu_more, words);
  std::fflush(stdout);
  good_ = good_ && o.broken.empty();
}

void judge(const Bench& bench, const Victim&, Watcher& watcher, const Seen& calm_from, const Seen& calm_to,
           const Seen& from, const Seen& to, const Limits& limits, Outcome& out) {
  watcher.stop();
  out.rss_more = watcher.rss_most - watcher.rss_before;
  out.health_asked = watcher.asked;
  out.health_answered = watcher.answered;
  out.health_slowest = watcher.slowest;
  out.p99_calm = p99_between(calm_from, calm_to);
  out.p99 = p99_between(from, to);
  out.late = to.late - from.late;
  const auto share = [](const Seen& a, const Seen& b) {
    return 100 * (b.cpu_seconds - a.cpu_seconds) / std::max(0.1, std::chrono::duration<double>(b.at - a.at).count());
  };
  out.cpu_more = share(from, to) - share(calm_from, calm_to);
  const auto hold = [&](bool held, const std::string& what) {
    if (!held) out.broken.push_back(what);
  };
  hold(out.rss_more <= limits.rss_more * (bench.instrumented ? 3 : 1), fmt::format("{:.0f} MiB more", out.rss_more));
  hold(out.health_answered * 100 >= out.health_asked * 95, "health is not answered");
  // A machine that is busy with other tests is late by itself.
  if (bench.short_run) return;
  hold(out.late == 0, "trades came too late");
  hold(out.p99 <= std::max(2 * out.p99_calm, limits.p99), "the other exchanges' trades are slow");
}
}  // namespace cvdd::attack

int main(int argc, char** argv) {
  CLI::App app("hostile servers and clients, and a daemon among them");
  Bench bench;
  std::string only, which;
  std::size_t seconds = 0;
  app.add_option("--cvdd", bench.cvdd, "the program")->required();
  app.add_flag("--short", bench.short_run, "a selection that takes half a minute");
  app.add_flag("--instrumented", bench.instrumented,
               "the program is a sanitizer's build: three times the memory is right");
  app.add_flag("--logs", bench.tell_logs, "print the daemon's log of each hostile server");
  app.add_option("--only", only, "attacks whose names have this in them");
  app.add_option("--side", which, "servers or readers; default: both")->check(CLI::IsMember({"servers", "readers"}));
  app.add_option("--seconds", seconds, "of each attack (default 5; 1 with --short)");
  app.add_option("--instruments", bench.instruments, "that readers ask for (default 200)");
  app.add_option("--trades-per-minute", bench.trades_per_minute, "of each (default 300)");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  if (bench.short_run) bench.time = std::chrono::milliseconds(1'000);
  if (seconds > 0) bench.time = std::chrono::seconds(seconds);
  stay_on(other_processor);  // the daemon has the other
  Table::head();
  Table table(bench.short_run);
  try {
    if (which != "readers") run_servers(bench, only, table);
    if (which != "servers") run_readers(bench, only, table);
  } catch (const std::exception& error) {
    fmt::print(stderr, "cvdd_attack: {}\n", error.what());
    return 1;
  }
  return table.good() ? 0 : 1;
}
