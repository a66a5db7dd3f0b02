// How a market is doing, for who looks on.
#include <algorithm>

#include "market_connections.hpp"

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
  for (const auto& [instrument, connection] : connections_->carried()) {
    InstrumentState& s = out.emplace_back();
    s.exchange = exchange;
    s.market = exchange_.market;
    s.symbol = instrument->symbol;
    s.instrument = instrument;
    s.state = connections_->feed_state(*instrument);
    if (prover_) {
      s.proven_until = prover_->proven_until(*instrument);
      s.unproven = prover_->standstill(*instrument);
    }
    if (s.state == FeedState::live) continue;
    const auto refusal = refusals_.find(instrument->symbol);
    const bool known = s.state == FeedState::refused && refusal != refusals_.end();
    s.reason = known ? refusal->second : connections_->last_reason(*instrument);
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
  const std::size_t before = out.size();
  connections_->look(out);
  for (ConnectionState& s : std::span(out).subspan(before)) {
    s.exchange = exchange_.name;
    s.market = exchange_.market;
  }
}

MarketState MarketRunner::state() const {
  MarketState s;
  s.exchange = exchange_.name;
  s.market = exchange_.market;
  s.counters = &intake_.counters();
  connections_->look(s);
  s.instruments[static_cast<std::size_t>(FeedState::unlisted)] += unlisted();
  if (prover_) {
    s.audited = prover_->counters().bars;
    s.audit_mismatches = prover_->counters().mismatches;
    s.remade = prover_->counters().remade;
    const Timestamp time = time_->now();
    for (const auto& [instrument, connection] : connections_->carried()) {
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

std::size_t MarketRunner::instruments() const { return connections_->carried().size(); }

std::size_t MarketRunner::live_instruments() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_->carried(), [&](const auto& entry) { return intake_.confirmed(*entry.first); }));
}

std::uint64_t MarketRunner::backpressure_us() const { return connections_->backpressure_us(); }
std::uint64_t MarketRunner::renewed() const { return connections_->renewed(); }
std::uint64_t MarketRunner::stalls() const { return connections_->stalls(); }

void MarketRunner::watch() { connections_->watch(); }
void MarketRunner::nudge(Timestamp end) { connections_->nudge(end); }

}  // namespace cvdd
