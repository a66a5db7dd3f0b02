// /metrics: what the daemon counts, in Prometheus' text format (docs/operations.md).
#pragma once

#include <string>

#include "cvdd/app/engine.hpp"
#include "ops/web/board.hpp"
#include "ops/web/live.hpp"

namespace cvdd::web {

struct MetricsInput {
  const Engine* engine = nullptr;
  const Board* board = nullptr;
  Health health;
  bool ready = false;
  // By exchange and market: seconds since the last trade, and the usual gap between trades; absent: not known.
  std::map<std::pair<std::string, Market>, std::pair<double, double>> silence;
  bool instruments = false;  // four series for each of them too
  std::shared_ptr<const Snapshot> snapshot;
  std::size_t streams = 0;
};
[[nodiscard]] std::string metrics_text(const MetricsInput& input);

}  // namespace cvdd::web
