#include "cvdd/ledger/gap_tracker.hpp"

#include <algorithm>

namespace cvdd {

namespace {
// What was traded so shortly before the history was asked may not be in it yet.
constexpr Duration history_late = seconds(10);
// Trades may have ids in another order than their times; neighbours' times are mostly no further apart.
constexpr Duration time_beside = seconds(1);
}  // namespace

void GapTracker::restore(Timestamp from, Timestamp end, std::optional<std::uint64_t> last_id, Timestamp last_trade) {
  restored_ = true;
  last_id_ = last_id;
  last_trade_ = last_trade;
  ids_since_ = last_id ? last_trade : Timestamp{};
  watched_ = end;
  loss_ = Loss{from, from, from, true, Loss::Cause::absence};
}

void GapTracker::reaches_back(Timestamp bar) {
  if (loss_) loss_->from = std::min(loss_->from, bar);
}

// ------------------------------------------------------------------ marks

void GapTracker::lost(const BarSeries& bars, const Record& record) {
  const bool over = record.count() > 0;
  const Timestamp since = options_.event_time ? last_trade_ : record.time();
  const Timestamp from = std::max(bars.start_of(since), bars.first());
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  const Timestamp to = std::max(bars.start_of(end), from);
  const auto cause = over && record.id() == doubt_alone ? Loss::Cause::doubt : Loss::Cause::cut;
  const Loss loss{from, to, from, !over, cause};
  if (loss_) {
    loss_->merge(loss);
  } else {
    loss_ = loss;
  }
}

void GapTracker::found(Timestamp last) {
  if (!cut_off()) return;
  loss_->open = false;
  loss_->to = std::max(loss_->from, last);
}

void GapTracker::hide_before(Timestamp bar) {
  if (loss_) loss_->visible_from = bar;
}

void GapTracker::forget_before(Timestamp bar) {
  if (loss_) loss_->from = bar;
}

void GapTracker::watched(Timestamp time, bool at_most) {
  watched_ = at_most ? std::min(watched_, time) : std::max(watched_, time);
}

void GapTracker::ended(BarSeries& bars, Timestamp last) {
  if (options_.watched) {
    bars.each(bars.start_of(std::max(watched_, by_ids_)), last,
              [](Timestamp, Bar& bar) { bar.lost = bar.lost || !bar.absent; });
  }
  if (!loss_) loss_ = Loss{last, last, last, true, Loss::Cause::cut};
}

// That trade's bar counts them; the bars since the last trade, or since the connection was lost, can't know how many of
// them are theirs.
void GapTracker::hole(BarSeries& bars, const Record& record) {
  const Timestamp at = std::max(bars.start_of(record.time()), bars.first());
  if (!bars.extend(at)) return;
  const Timestamp since = std::min(std::max(bars.start_of(last_trade_), bars.first()), at);
  if (!last_id_) first_id_ever(bars);
  Hole hole{record.id(), record.id() + record.count() - 1, record.count(), at, at, at, since, loss_.has_value()};
  if (loss_) {
    hole.cut_from = loss_->from;
    hole.touch_from = std::min(std::max(loss_->from, loss_->visible_from), at);
    // An older trade than the subscription tells nothing of what was between.
    if (!loss_->open && loss_->to > at) {
      loss_->from = std::max(loss_->from, at);
    } else {
      loss_.reset();
    }
  } else if (last_id_) {
    hole.touch_from = hole.cut_from = since;
  }
  hole.doubt_from = std::min(hole.doubt_from, hole.touch_from);
  // While it is open nobody knows that its trades have no earlier times than their neighbours.
  if (options_.watched && !hole.cut) {
    const Timestamp beside = bars.start_of(last_trade_ - time_beside);
    hole.touch_from = std::min(hole.touch_from, std::max(beside, bars.first()));
  }
  if (hole.left == 0) {  // size unknown
    if (Bar* bar = bars.at(at)) bar->lost = true;
    return give_up(hole, bars);
  }
  if (holes_.size() == holes_max) {
    give_up(holes_.front(), bars);
    holes_.erase(holes_.begin());
  }
  holes_.push_back(hole);
}

void GapTracker::verdict(BarSeries& bars, const Rebuilder& rebuilder, const Record& record) {
  const bool all_there = record.count() == 0;
  if (!ordered_) {
    if (!loss_ || loss_->open) return;
    if (!all_there) return give_up_loss(bars);
    bars.each(loss_->from, bars.start_of(record.time()), [](Timestamp, Bar& bar) { bar.settled = true; });
    return resolve(bars, rebuilder, loss_->to);
  }
  if (all_there) {
    if (!last_id_) {  // of before there were rows
      first_id_ever(bars);
      last_id_ = record.id();
    }
    if (last_id_ != record.id()) return;
    by_ids_ = std::max(by_ids_, record.time() - history_late);
    if (loss_ && !loss_->open) resolve(bars, rebuilder, loss_->to);
    return;
  }
  const auto hole = std::ranges::find_if(holes_, [&](const Hole& h) { return h.has_any(record.id(), record.id()); });
  if (hole == holes_.end()) return;
  give_up(*hole, bars);
  holes_.erase(hole);
}

// ------------------------------------------------------------------ trades

bool GapTracker::waits_for(const Record& trade) const {
  return std::ranges::any_of(holes_, [&](const Hole& h) { return h.has_any(trade.first_id(), trade.id()); });
}

void GapTracker::found_alone(Timestamp bar) {
  if (loss_) loss_->visible_from = std::min(loss_->visible_from, bar);
  for (Hole& h : holes_) {
    if (h.cut && h.cut_from <= bar) h.touch_from = std::min(h.touch_from, bar);
  }
}

void GapTracker::fill(BarSeries& bars, const Rebuilder& rebuilder, std::uint64_t first, std::uint64_t last) {
  const auto hole = std::ranges::find_if(holes_, [&](const Hole& h) { return h.has_any(first, last); });
  if (hole == holes_.end()) return;
  hole->left -= std::min(hole->left, std::min(last, hole->last) - std::max(first, hole->first) + 1);
  if (hole->left > 0) return;
  close(*hole, bars, rebuilder);
  holes_.erase(hole);
}

void GapTracker::settle_absence() {
  if (loss_ && !loss_->open && loss_->cause == Loss::Cause::absence) loss_.reset();
}

void GapTracker::resolve(BarSeries& bars, const Rebuilder& rebuilder, Timestamp until) {
  if (settle(*loss_, until, ids_since_, bars, rebuilder)) loss_.reset();
}

void GapTracker::give_up_loss(BarSeries& bars) {
  if (!loss_ || loss_->open) return;
  give_up(*loss_, bars);
  loss_.reset();
}

// An earlier run knew of no id, and the first that anybody heard of says nothing of the time before it.
void GapTracker::first_id_ever(BarSeries& bars) {
  if (restored_) give_up_loss(bars);
}

// ------------------------------------------------------------------ what may be said of a bar

// All that is known of a bar, gathered from where it is kept.
Evidence GapTracker::evidence(Timestamp time, const Bar& bar, bool active) const {
  const Timestamp end = time + options_.interval;
  Evidence e;
  e.proven = bar.proven;
  e.missing = bar.missing;
  e.contradicted = bar.lost || bar.contradicted;
  e.cut = bar.partial_begin || bar.partial_end;
  e.candles = bar.history;
  e.recovered = bar.recovered || (bar.written() && bar.written_status == BarStatus::gap);
  e.final = !options_.watched || bar.settled || bar.restored || (ordered_ && end <= by_ids_);
  const bool reached = !active || end <= std::max(watched_, by_ids_);
  e.covered = reached || !options_.watched || bar.history || bar.partial_end;
  if (loss_ && time >= std::max(loss_->from, loss_->visible_from) && (loss_->open ? active : time <= loss_->to)) {
    e.contradicted = true;
  }
  for (const Hole& h : holes_) {
    if (h.at == time) {
      e.missing += h.left;
    } else if (h.touches(time)) {
      e.contradicted = true;
    }
  }
  return e;
}

bool GapTracker::in_doubt(Timestamp bar) const {
  return loss_ || std::ranges::any_of(holes_, [&](const Hole& h) { return h.cut_from <= bar && bar <= h.at; });
}

bool GapTracker::keeps(Timestamp time, const Bar& bar) const {
  if (loss_ && (bar.absent || time >= loss_->from)) return true;
  if (!options_.repairs) return false;
  if (std::ranges::any_of(holes_, [&](const Hole& h) { return h.cut_from <= time; })) return true;
  // Nothing more is to be said of it: the exchange's figures agree, or its ids go on behind it.
  if (bar.proven || bar.absent || bar.history || !options_.watched) return false;
  if (bar.written_status == BarStatus::gap || bar.restored) return true;
  return !ordered_ || time + options_.interval > last_trade_;
}

void GapTracker::dropped(Timestamp bar) {
  std::erase_if(holes_, [&](const Hole& h) { return h.at == bar; });
}

}  // namespace cvdd
