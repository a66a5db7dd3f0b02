// cvdd-engine ship: the service around the shipper.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cvdd/base/time_text.hpp"
#include "cvdd/engine/commands.hpp"
#include "cvdd/system/logging.hpp"
#include "cvdd/system/systemd.hpp"
#include "shipper.hpp"
#include "stop.hpp"

namespace cvdd::engine {

int ship_command(const ServiceCommand& command) {
  const auto config = load_engine_config(command.config);
  if (!config) return 2;
  if (!command.from.empty() && !parse_time(command.from + "T00:00:00Z")) {
    fmt::print(stderr, "cvdd-engine ship: --from: expected a day such as 2026-11-20\n");
    return 2;
  }
  if (!broker_built()) {
    fmt::print(stderr,
               "cvdd-engine ship: this cvdd-engine was built without NATS; install libnats-dev and build it again\n");
    return 2;
  }
  start_logging(config->log_level, secrets_in(*config));
  try {
    const std::string collector = collector_name(config->collector);
    Metrics metrics(config->ship_listen);
    Shipper shipper(*config, collector, metrics);
    if (!command.from.empty()) shipper.publish_again_from(command.from);
    spdlog::info("shipping {} as collector={} to stream={}", config->data_dir, collector, config->nats.stream);
    Systemd systemd;
    while (!stop_flag()) {
      const bool more = shipper.round();
      systemd.tick(true, shipper.status());
      if (command.once && !more) break;
    }
    systemd.stopping();
    shipper.save();
    spdlog::info("{}", shipper.status());
    return 0;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return 2;
  }
}

}  // namespace cvdd::engine
