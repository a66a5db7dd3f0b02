// /metrics: what the daemon counts, in Prometheus' text format (docs/operations.md).
#pragma once

#include <span>
#include <string>

#include "board.hpp"
#include "cvdd/daemon/engine.hpp"
#include "live.hpp"

namespace cvdd::web {

struct MetricsInput {
  const Engine* engine = nullptr;
  const Board* board = nullptr;
  Health health;
  bool ready = false;
  // By exchange and market: seconds since the last trade, and the usual gap between trades; absent: not known.
  std::map<std::pair<std::string, Market>, std::pair<double, double>> silence;
  bool instruments = false;  // four series for each of them too, which are made in pieces (below)
  std::shared_ptr<const Snapshot> snapshot;
  std::size_t streams = 0;
};
[[nodiscard]] std::string metrics_text(const MetricsInput& input);

// One number of each instrument. There may be tens of thousands: in pieces, and no object for each.
struct InstrumentSeries {
  const char *name, *help;
  // False: this instrument has none.
  bool (*value)(std::string& out, const InstrumentState& state, const OpenBar* open);
};
[[nodiscard]] std::span<const InstrumentSeries> instrument_series();
void append_series_head(std::string& out, const InstrumentSeries& series);
// Of the instruments [from, to), as far as there are any.
void append_series(std::string& out, const InstrumentSeries& series, const Snapshot& snapshot, std::size_t from,
                   std::size_t to);

}  // namespace cvdd::web
