// How the daemon is doing, in the log: every ten minutes, and at its end.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/daemon/engine.hpp"

namespace cvdd {

namespace {
// From their own time to our receipt, `part` per cent of the live trades of all markets took no longer; trades that
// were fetched from history are not among them.
template <class Markets>
Duration receipt_quantile(const Markets& markets, std::uint64_t part) {
  const auto up_to = [&](Duration time) {
    std::uint64_t sum = 0;
    for (const auto& [where, market] : markets) sum += market->event_to_receipt().up_to(time);
    return sum;
  };
  const std::uint64_t wanted = (up_to({INT64_MAX}) * part + 99) / 100;
  if (wanted == 0) return {};
  std::int64_t below = 0, enough = std::int64_t{1} << 41;  // us: more than the longest that is counted
  while (enough - below > 1) {
    const std::int64_t middle = below + (enough - below) / 2;
    (up_to({middle}) >= wanted ? enough : below) = middle;
  }
  return {enough};
}
}  // namespace

// One line. Of a market there is another one where something is wrong since the last report; of the others at level
// debug.
void Engine::report() {
  const AggregatorStats& all = aggregator_->stats();
  spdlog::info(
      "status live={} instruments={} gaps={} trades={} rows={} backlog_rows={} event_to_receipt_p50_us={} "
      "event_to_receipt_p99_us={} event_to_ledger_p50_us={} event_to_ledger_p99_us={} queue_max={}",
      health_.live, health_.instruments, health_.gaps, health_.trades, all.rows.load(), health_.backlog_rows,
      receipt_quantile(markets_, 50).us, receipt_quantile(markets_, 99).us, all.event_to_ledger.quantile(50, 100).us,
      all.event_to_ledger.quantile(99, 100).us, all.queue_max.load());
  for (const auto& [where, market] : markets_) report_market(*market, reported_[where]);
}

void Engine::report_market(const MarketRunner& market, Reported& before) const {
  const IntakeCounters& c = market.counters();
  const Prover* prover = market.prover();
  // What was fetched is not missing any more.
  const std::uint64_t missing = c.missing - std::min(c.missing, c.fetched);
  Reported now{c.refused_total(), missing, market.stalls(), market.backpressure_us(), 0, before.failures};
  if (prover != nullptr) {
    now.mismatches = prover->counters().mismatches;
    if (running_) now.failures = prover->counters().failures;  // who stops does not wait for answers
  }
  const bool all_live = !running_ || (market.unlisted() == 0 && market.live_instruments() == market.instruments());
  const auto level = all_live && now == before ? spdlog::level::debug : spdlog::level::info;
  before = now;
  spdlog::log(level,
              "status market=\"{}\" instruments={} live={} unlisted={} messages={} trades={} duplicates={} refused={} "
              "holes={} missing={} fetched={} stalls={} backpressure_ms={}",
              market.name(), market.instruments(), market.live_instruments(), market.unlisted(), c.messages, c.trades,
              c.duplicates, now.refused, c.holes, c.missing, c.fetched, now.stalls, now.backpressure_us / 1'000);
  if (c.twins > 0) {
    spdlog::log(level, "status market=\"{}\" seen_twice={} mean_lead_us={}", market.name(), c.twins,
                c.twin_lead_us / c.twins);
  }
  if (prover == nullptr) return;
  const Prover::Counters& p = prover->counters();
  spdlog::log(level, "status market=\"{}\" compared={} mismatches={} remade={} not_answered={}", market.name(), p.bars,
              p.mismatches, p.remade, p.failures);
}

}  // namespace cvdd
