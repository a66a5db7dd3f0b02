#include "ops/web/live.hpp"

#include <cmath>
#include <utility>

namespace cvdd::web {

std::deque<Glance::Rows> Live::take_rows(bool& missed) { return engine_.aggregator().glance().take_rows(missed); }

void Live::add(const Glance::Rows& rows, std::size_t from, std::size_t to) {
  if (!has_past_) {
    held_.push_back({rows, from, to});
    return;
  }
  for (std::size_t i = from; i < to; ++i) board_.add((*rows)[i]);
}

void Live::set_past(Board past) {
  board_ = std::move(past);
  has_past_ = true;
  for (const Piece& piece : std::exchange(held_, {})) add(piece.rows, piece.from, piece.to);
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
  if (s->open_bars != snapshot_->open_bars) open_bars_at_ = std::chrono::steady_clock::now();
  snapshot_ = std::move(s);
  look_at_silence(std::chrono::steady_clock::now());
}

void Live::look_at_silence(std::chrono::steady_clock::time_point now) {
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
      const double passed = std::chrono::duration<double>(now - u.since).count();
      const double kept = std::exp(-passed / fading_s);
      u.time = u.time * kept + passed;
      u.trades = u.trades * kept + static_cast<double>(trades - u.seen);
      u.seen = trades;
      u.since = now;
    }
    const double silent = std::chrono::duration<double>(now - u.since).count();
    silence_[where] = {silent, u.time >= 30 && u.trades > 0 ? u.time / u.trades : 0};
  }
}

bool Live::ready() const {
  const Snapshot& s = *snapshot_;
  return !s.states.empty() && s.live == s.states.size() && disk_good() && making_progress(health_);
}

}  // namespace cvdd::web
