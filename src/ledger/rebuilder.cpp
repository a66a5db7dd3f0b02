#include "cvdd/ledger/rebuilder.hpp"

#include <algorithm>
#include <utility>

namespace cvdd {

namespace {
bool says_whole(const Bar& bar) {
  return bar.written() && bar.written_status != BarStatus::gap && bar.written_status != BarStatus::partial;
}
}  // namespace

void Rebuilder::restore(BarSeries& bars, std::span<const RebuildPlan> plans, Timestamp end, bool killed) {
  end_ = end;
  killed_ = killed;
  for (const RebuildPlan& plan : plans) {
    if (plan.open) {
      bars.each(plan.open_from, plan.to + bars.interval(), [](Timestamp, Bar& bar) {
        if (bar.written()) bar.inherited = bar.lost = true;
      });
    }
    Rebuild rebuild{plan, plan.last + 1 - plan.first, {}};
    if (rebuild.left > 0) {
      rebuilds_.push_back(std::move(rebuild));
    } else if (!plan.open) {
      finish(bars, rebuild, {});  // nothing was traded between the whole bars
    }
  }
}

bool Rebuilder::take(BarSeries& bars, const Record& record, const InDoubt& in_doubt) {
  const auto r = std::ranges::find_if(rebuilds_, [&](const Rebuild& x) { return x.holds(record); });
  if (r == rebuilds_.end() || record.id() == 0) return false;
  const Timestamp time = bars.start_of(record.time());
  // A trade of a bar that said to be whole: then our idea of what is missing is wrong.
  const Bar* old = bars.at(time);
  r->dead = r->dead || !r->covers(time) || (old != nullptr && says_whole(*old));
  if (r->dead) return true;
  r->dead = !add_record(r->fresh[time], record, {}, bars.flow_rules());
  const std::uint64_t from = std::max(record.first_id(), r->plan.first), to = std::min(record.id(), r->plan.last);
  r->left -= std::min(r->left, to - from + 1);
  if (r->left > 0 || r->dead) return true;
  Rebuild done = std::move(*r);
  rebuilds_.erase(r);
  finish(bars, done, in_doubt);
  return true;
}

void Rebuilder::also(const BarSeries& bars, Timestamp bar, const Record& record, const IdText& name) {
  for (Rebuild& r : rebuilds_) {
    if (r.covers(bar) && !r.dead) (void)add_record(r.fresh[bar], record, name, bars.flow_rules());
  }
}

void Rebuilder::give_up(std::uint64_t id) {
  for (Rebuild& r : rebuilds_) r.dead = r.dead || (id >= r.plan.first && id <= r.plan.last);
}

void Rebuilder::finish(BarSeries& bars, Rebuild& rebuild, const InDoubt& in_doubt) const {
  const RebuildPlan& plan = rebuild.plan;
  bars.each(plan.from, plan.to + bars.interval(), [&](Timestamp t, Bar& bar) {
    if (says_whole(bar)) return;
    Bar made = rebuild.fresh[t];
    // What its row counted and these ids do not have is of ids beyond its neighbours': the bar is made again by time.
    if (made.buys < bar.buys || made.sells < bar.sells) {
      bar.contradicted = true;
      bar.absent = false;  // who is to make it again must know of it
      return;
    }
    made.revs = bar.revs;
    made.written_status = bar.written_status;
    made.written_missing = bar.written_missing;
    made.recovered = made.changed = made.delta_changed = true;
    // The end of an open run is settled with the loss that begins there.
    const bool unsettled = plan.open && t >= plan.open_from && in_doubt(t);
    made.lost = made.inherited = unsettled;
    made.settled = !unsettled;
    // Behind the last id that a row names others may have earlier times, and before it others later ones, which were
    // lost with their process: what was near an end is made again by time.
    const Timestamp reach = t + bars.interval() + near_the_end;
    made.contradicted = reach > end_ || t < plan.from + near_the_end || (plan.open && reach > plan.open_from);
    made.absent = bar.absent && unsettled;
    bar = made;
  });
}

const Rebuilder::Rebuild* Rebuilder::making(Timestamp bar) const {
  const auto r = std::ranges::find_if(rebuilds_, [&](const Rebuild& x) { return x.left > 0 && x.covers(bar); });
  return r == rebuilds_.end() ? nullptr : &*r;
}

void Rebuilder::uncover(const BarSeries& bars, Bar& bar, Timestamp time) const {
  const Rebuild* rebuild = making(time);
  if (rebuild != nullptr && !rebuild->dead) return;
  const bool was_absent = std::exchange(bar.absent, false);
  if (was_absent && rebuild != nullptr) bar.contradicted = true;
  if (!by_time_) return;
  bool behind_an_end = killed_ && time >= end_ && time < end_ + near_the_end;
  if (!was_absent) {  // somebody listens again in it
    if (behind_an_end && !bar.restored && !bar.settled) bar.contradicted = true;
    return;
  }
  for (Timestamp t = time - bars.interval(); t >= bars.oldest() && t + bars.interval() + near_the_end > time;
       t = t - bars.interval()) {
    const Bar* before = bars.at(t);
    behind_an_end = behind_an_end || (before->restored && says_whole(*before));
  }
  if (behind_an_end) bar.contradicted = true;
}

void Rebuilder::heal(Bar& bar, Timestamp time) const {
  if (!bar.inherited || making(time) != nullptr) return;
  bar.inherited = bar.lost = false;
  bar.missing = 0;
}

bool Rebuilder::keeps(Timestamp bar) const {
  return std::ranges::any_of(rebuilds_, [&](const Rebuild& r) { return !r.dead && bar >= r.plan.from; });
}

}  // namespace cvdd
