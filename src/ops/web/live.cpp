#include "ops/web/live.hpp"

#include <cmath>
#include <utility>

namespace cvdd::web {

std::deque<Glance::Rows> Live::take_rows(bool& missed) {
  std::deque<Glance::Rows> batches = engine_.aggregator().glance().take_rows(missed);
  if (!has_past_) {
    held_.insert(held_.end(), batches.begin(), batches.end());
    return batches;
  }
  for (const Glance::Rows& rows : batches) {
    for (const Row& row : *rows) board_.add(row);
  }
  return batches;
}

void Live::set_past(Board past) {
  board_ = std::move(past);
  has_past_ = true;
  for (const Glance::Rows& rows : std::exchange(held_, {})) {
    for (const Row& row : *rows) board_.add(row);
  }
}

void Live::look(Timestamp now) {
  auto s = std::make_shared<Snapshot>();
  s->time = now_ = now;
  for (const auto& [where, market] : engine_.markets()) market->look(s->states);
  std::map<Board::Key, std::pair<FeedState, Timestamp>> since;
  s->since.reserve(s->states.size());
  for (const InstrumentState& state : s->states) {
    const Board::Key key{{state.exchange, state.market}, state.symbol};
    const auto known = since_.find(key);
    const bool same = known != since_.end() && known->second.first == state.state;
    const Timestamp begun = same ? known->second.second : now;
    s->since.push_back(begun);
    since.emplace(key, std::pair(state.state, begun));
    s->live += state.state == FeedState::live ? 1U : 0U;
  }
  since_ = std::move(since);
  s->open_bars = engine_.aggregator().glance().open_bars();
  if (s->open_bars) {
    s->open.reserve(s->open_bars->size());
    for (const OpenBar& bar : *s->open_bars) s->open.emplace(bar.instrument, &bar);
  }
  snapshot_ = std::move(s);
  look_at_silence(now);
}

void Live::look_at_silence(Timestamp now) {
  constexpr double fading_s = 600;
  for (const auto& [where, market] : engine_.markets()) {
    if (market->instruments() == 0) {
      silence_.erase(where);
      usual_.erase(where);
      continue;
    }
    Usual& u = usual_[where];
    const std::uint64_t trades = market->counters().trades;
    if (!u.begun) {
      u = {0, 0, trades, now, true};
    } else if (trades > u.seen) {
      const double passed = static_cast<double>((now - u.since).us) / 1e6;
      const double kept = std::exp(-passed / fading_s);
      u.time = u.time * kept + passed;
      u.trades = u.trades * kept + static_cast<double>(trades - u.seen);
      u.seen = trades;
      u.since = now;
    }
    const double silent = static_cast<double>((now - u.since).us) / 1e6;
    silence_[where] = {silent, u.time >= 30 && u.trades > 0 ? u.time / u.trades : 0};
  }
}

bool Live::ready() const {
  const Snapshot& s = *snapshot_;
  return !s.states.empty() && s.live == s.states.size() && disk_good() && making_progress(health_);
}

}  // namespace cvdd::web
