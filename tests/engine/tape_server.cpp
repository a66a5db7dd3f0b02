// cvdd_tape_server FOLDER [--seed S] [--instruments N] [--interval 1s]
// Simulated exchanges from one tape for the collectors of a test. Writes ca.pem, exchanges.toml and symbols.toml to
// FOLDER and says "ready"; then, for each line "compare DIR" on standard input, says whether the rows there equal the
// tape.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>

#include "cli/compare.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"

using namespace cvdd;

int main(int argc, char** argv) {
  CLI::App app("simulated exchanges from one tape, and what rows should be");
  std::string folder;
  std::uint64_t seed = 1;
  std::size_t instruments_wanted = 24;
  app.add_option("folder", folder)->required();
  app.add_option("--seed", seed);
  app.add_option("--instruments", instruments_wanted);
  CLI11_PARSE(app, argc, argv);
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto instruments = sim::make_instruments_everywhere(instruments_wanted, 120);
  const auto tape = std::make_shared<sim::Tape>(seed, Timestamp{now.count()} - seconds(30), instruments);
  boost::asio::io_context io(1);
  auto guard = boost::asio::make_work_guard(io);
  sim::Server server(io, {}, tape);
  server.start();
  std::thread thread([&] { io.run(); });
  std::ofstream(folder + "/ca.pem", std::ios::binary) << server.ca_pem();
  std::ofstream(folder + "/exchanges.toml") << server.config_toml();
  std::map<std::string, std::map<Market, std::string>> wanted;
  for (const auto& what : instruments) {
    std::string& names = wanted[what.instrument.exchange][what.instrument.market];
    names += (names.empty() ? "\"" : ", \"") + what.instrument.symbol + "\"";
  }
  {
    std::ofstream symbols(folder + "/symbols.toml");
    for (const auto& [exchange, markets] : wanted) {
      symbols << "[" << exchange << "]\n";
      for (const auto& [market, names] : markets) symbols << name_of(market) << " = [" << names << "]\n";
    }
  }
  std::cout << "ready" << std::endl;
  bool good = true;
  for (std::string word, directory; std::cin >> word >> directory;) {
    const Comparison result = compare_with_tape(directory, *tape, seconds(1));
    for (const std::string& line : result.disagreements) std::cout << line << "\n";
    std::cout << fmt::format("{} bars of {} instruments against the tape: {} live, {} wrong", result.rows,
                             result.instruments, result.live, result.wrong)
              << std::endl;
    good = good && result.wrong == 0 && result.rows > 0;
  }
  boost::asio::post(io, [&] { server.stop(); });
  guard.reset();
  thread.join();
  return good ? 0 : 1;
}
