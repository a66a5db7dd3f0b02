// The daemon in the simulation.
#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>

#include "cvdd/daemon/engine.hpp"
#include "sim/world.hpp"
#include "support/memory_files.hpp"

namespace cvdd::simtest {

constexpr Timestamp simulated_start{1'763'675'730'000'000};  // 2025-11-20T21:55:30Z: midnight comes soon

// One life of the process.
struct Life {
  Life(EngineOptions options, VirtualClock& clock, MemoryFiles& files, World& world) {
    clock.use(io.get_executor());
    engine.emplace(std::move(options),
                   Environment{io.get_executor(), &clock, &files, [&world] { return world.make_transport(); },
                               [&world] { return world.make_http_get(); }, false});
    engine->aggregator().begin();
    engine->start();
  }
  // Everything that can happen now.
  void settle() {
    do {
      io.restart();
      io.poll();
    } while (engine->aggregator().turn());
  }
  asio::io_context io{1};
  std::optional<Engine> engine;
};

// All that the world has. Where several markets share their hosts, addresses have a prefix to tell them apart by.
inline EngineOptions options_for(const World& world) {
  EngineOptions options;
  options.config.data_dir = "data";
  for (const auto& s : world.tape().instruments()) {
    options.symbols.wanted[{s.instrument.exchange, s.instrument.market}].push_back(s.instrument.symbol);
  }
  for (const auto& [exchange, market] : world.sides()) {
    if (exchange == sim::protocols().front()->name()) continue;
    const std::string where = exchange + ".example/" + exchange + "/" + std::string(cvdd::name_of(market));
    options.config.exchanges[{exchange, market}].ws = {"wss://" + where};
    options.config.exchanges[{exchange, market}].rest = {"https://" + where};
  }
  return options;
}

}  // namespace cvdd::simtest
