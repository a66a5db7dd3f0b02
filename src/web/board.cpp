#include "board.hpp"

#include <algorithm>

namespace cvdd::web {

namespace {
constexpr Duration five_minutes = seconds(300), an_hour = seconds(3'600);
}

void Board::point(Track& track, const Point& point, bool again) const {
  if (again) {
    track.bars.revise(point);
    track.hour.revise(point);
    track.day.revise(point);
  } else {
    track.bars.add(point, {});
    track.hour.add(point, five_minutes);
    track.day.add(point, an_hour);
  }
}

void Board::add(const Row& row) {
  Track& track = tracks_[{{row.exchange, row.market}, row.symbol}];
  point(track, {row.time + interval_, row.cvd_base, row.cvd_quote}, row.rev > 0);
  if (!track.newest || row.time >= track.newest->time) track.newest = Written{row.time, row.status};
  const auto number = static_cast<std::uint32_t>(row.time.us / interval_.us);
  Track::Given& known = track.recent[number % track.recent.size()];
  const bool same = row.rev > 0 && known.bar == number && known.status == row.status;
  if (number >= known.bar) known = {number, row.status};
  if (!same) ++counts_[{row.exchange, row.market}][static_cast<std::size_t>(row.status)];
}

void Board::add_past(const Key& key, const Written& row, const Decimal& cvd_base, const Decimal& cvd_quote,
                     bool again) {
  Track& track = tracks_[key];
  if (!track.newest || row.time >= track.newest->time) track.newest = row;
  point(track, {row.time + interval_, cvd_base, cvd_quote}, again);
}

void Board::forget_before(Timestamp time) {
  std::erase_if(tracks_, [&](const auto& entry) { return !entry.second.newest || entry.second.newest->time < time; });
}

const Board::Track* Board::find(const Key& key) const {
  const auto found = tracks_.find(key);
  return found == tracks_.end() ? nullptr : &found->second;
}

Board::Change Board::change(const Track& track, Timestamp now, Duration span, Duration slack, const Decimal& base,
                            const Decimal& quote) {
  const Timestamp then = now - span;
  const Point* from = nullptr;
  for (const Point* p : {track.bars.until(then), track.hour.until(then), track.day.until(then)}) {
    if (p != nullptr && (from == nullptr || p->end > from->end)) from = p;
  }
  if (from == nullptr || from->end < then - slack) return {};
  return {subtract(base, from->base), subtract(quote, from->quote)};
}

}  // namespace cvdd::web
