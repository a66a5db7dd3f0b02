// How a market is doing, for who looks on.
#include <algorithm>

#include "cvdd/daemon/market_runner.hpp"

namespace cvdd {

std::string_view name_of(FeedState state) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(FeedState::count_)> names = {
      "unlisted", "connecting", "subscribing", "refused", "live"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(EndCause cause) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(EndCause::count_)> names = {
      "closed", "mute", "silent", "network", "refused", "renewed"};
  return names[static_cast<std::size_t>(cause)];
}

void MarketRunner::look(std::vector<InstrumentState>& out) const {
  const std::string exchange(exchange_.name);
  for (const auto& [instrument, session] : active_) {
    InstrumentState& s = out.emplace_back();
    s.exchange = exchange;
    s.market = exchange_.market;
    s.symbol = instrument->symbol;
    s.instrument = instrument;
    s.state = intake_.confirmed(*instrument) ? FeedState::live : session->feed_state(*instrument);
    if (prover_) s.proven_until = prover_->proven_until(*instrument);
    if (s.state == FeedState::live) continue;
    const auto refusal = refusals_.find(instrument->symbol);
    s.reason =
        s.state == FeedState::refused && refusal != refusals_.end() ? refusal->second : session->state().last_reason;
  }
  const auto unlisted = [&](const std::string& symbol, const std::string& why) {
    InstrumentState& s = out.emplace_back();
    s.exchange = exchange;
    s.market = exchange_.market;
    s.symbol = symbol;
    s.reason = why;
  };
  if (listed_.empty()) {
    for (const std::string& name : wanted_) unlisted(name, "the list of instruments has not come yet");
  } else {
    for (const auto& [symbol, why] : unlisted_) unlisted(symbol, why);
  }
}

void MarketRunner::look(std::vector<ConnectionState>& out) const {
  for (const auto& session : sessions_) {
    if (session->ended() || session->stopping()) continue;
    ConnectionState& s = out.emplace_back(session->state());
    s.exchange = exchange_.name;
    s.market = exchange_.market;
  }
}

MarketState MarketRunner::state() const {
  MarketState s;
  s.exchange = exchange_.name;
  s.market = exchange_.market;
  s.counters = &intake_.counters();
  for (const auto& [instrument, session] : active_) {
    const FeedState state = intake_.confirmed(*instrument) ? FeedState::live : session->feed_state(*instrument);
    ++s.instruments[static_cast<std::size_t>(state)];
  }
  s.instruments[static_cast<std::size_t>(FeedState::unlisted)] += unlisted();
  s.ends = ends_before_;
  s.queue_max = queue_max_before_;
  for (const auto& session : sessions_) {
    for (std::size_t i = 0; i < s.ends.size(); ++i) s.ends[i] += session->counters().ends[i];
    s.queue_max = std::max(s.queue_max, session->counters().queue_max);
    if (session->ended() || session->stopping()) continue;
    ++s.connections;
    s.queue = std::max(s.queue, session->writer()->channel()->waiting());
  }
  s.ends[static_cast<std::size_t>(EndCause::renewed)] = renewed_;
  s.stalls = stalls_;
  s.backpressure_us = backpressure_us();
  if (prover_) {
    s.audited = prover_->counters().bars;
    s.audit_mismatches = prover_->counters().mismatches;
    s.remade = prover_->counters().remade;
    const Timestamp time = time_->now();
    for (const auto& [instrument, session] : active_) {
      const auto proven = prover_->proven_until(*instrument);
      if (proven) s.proven_lag = std::max(s.proven_lag.value_or(Duration{}), time - *proven);
    }
  }
  s.rest_requests = rest_requests_;
  s.rest_refusals = rest_refusals_;
  const Timestamp now = undated(*context_.clock);
  if (context_.history_budget != nullptr) {
    s.history_used = context_.history_budget->used(now);
    s.history_allowed = context_.history_budget->capacity();
  }
  s.banned = context_.gate->blocked(now);
  s.clock_ahead = time_->local_clock_ahead();
  s.last_trade_heard = intake_.last_heard();
  return s;
}

}  // namespace cvdd
