#include "live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "cvdd/base/counted.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd::web {

namespace {
// An instrument without a row for so long is shown no more, and takes its past with it; looked for every so many looks.
constexpr Duration remembered = seconds(3 * 86'400);
constexpr std::uint64_t forget_every = 600;
}  // namespace

std::deque<RowFeed::Rows> Live::take_rows(bool& missed) { return engine_.aggregator().row_feed().take_rows(missed); }

void Live::add(const RowFeed::Rows& rows, std::size_t from, std::size_t to) {
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

Live::Since& Live::since_of(const InstrumentState& state) {
  if (state.instrument != nullptr) return since_[state.instrument];
  return unlisted_since_[{{state.exchange, state.market}, state.symbol}];
}

void Live::look(Timestamp now) {
  auto s = std::make_shared<Snapshot>();
  s->time = now_ = now;
  for (const auto& [where, market] : engine_.markets()) market->look(s->states);
  s->since.reserve(s->states.size());
  s->not_live.reserve(s->states.size());
  if (++looks_ % forget_every == 0) board_.forget_before(now - remembered);
  for (const InstrumentState& state : s->states) {
    Since& known = since_of(state);
    const bool fresh = known.look == 0, live = state.state == FeedState::live;
    if (fresh || known.state != state.state) {
      if (fresh || known.state == FeedState::live || live) known.not_live_since = now;
      known.state_since = now;
      known.state = state.state;
    }
    if (fresh && looks_ > 1) changes_.come.push_back({{state.exchange, state.market}, state.symbol});
    known.look = looks_;
    s->since.push_back(known.state_since);
    s->not_live.push_back(known.not_live_since);
    s->live += live ? 1U : 0U;
  }
  note_gone(*s);
  s->open_bars = engine_.aggregator().row_feed().open_bars();
  if (s->open_bars) {
    s->open.reserve(s->open_bars->size());
    for (const OpenBar& bar : *s->open_bars) s->open.emplace(bar.instrument, &bar);
  }
  if (s->open_bars != snapshot_->open_bars) open_bars_at_ = std::chrono::steady_clock::now();
  snapshot_ = std::move(s);
  look_at_silence(std::chrono::steady_clock::now());
}

// An instrument that the exchange lists by now has another key inside, and is not gone.
void Live::note_gone(const Snapshot& s) {
  std::set<Board::Key> went;
  const auto gone = [&](const Board::Key& key) {
    went.insert(key);
    return true;
  };
  std::erase_if(since_, [&](const auto& entry) {
    const Instrument& i = *entry.first;
    return entry.second.look != looks_ && gone({{i.exchange, i.market}, i.symbol});
  });
  std::erase_if(unlisted_since_, [&](const auto& entry) { return entry.second.look != looks_ && gone(entry.first); });
  if (went.empty()) return;
  for (const InstrumentState& state : s.states) went.erase({{state.exchange, state.market}, state.symbol});
  changes_.gone.insert(changes_.gone.end(), went.begin(), went.end());
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

std::vector<std::string> Live::reasons(Timestamp now) const {
  const Snapshot& s = *snapshot_;
  std::vector<std::string> out;
  // A list without names is meant so (`empty = true`): else it would not have been taken.
  const bool any_wanted = std::ranges::any_of(engine_.markets(), [](const auto& market) {
    return market.second->instruments() + market.second->unlisted() > 0;
  });
  if (s.states.empty() && any_wanted) out.emplace_back("none of the wanted instruments is known yet");
  if (const std::size_t not_live = s.states.size() - s.live; not_live > 0) {
    out.push_back(counted(not_live, "instrument") + (not_live == 1 ? " is not live" : " are not live"));
  }
  if (!disk_good()) {
    out.push_back(fmt::format("rows can't be written since {}", format_time(disk_bad_since_.value_or(now))));
  }
  if (!making_progress(health_)) out.emplace_back("the aggregator hangs");
  if (now > s.time + seconds(5)) out.push_back(fmt::format("nobody has looked since {}", format_time(s.time)));
  return out;
}

}  // namespace cvdd::web
