// Bars of an earlier run that are made again from history.
#include <algorithm>
#include <utility>

#include "cvdd/ledger/ledger.hpp"

namespace cvdd {

namespace {
bool says_whole(const Bar& bar) {
  return bar.written() && bar.written_status != BarStatus::gap && bar.written_status != BarStatus::partial;
}
bool same_sums(const Bar& a, const Bar& b) {
  return a.buys == b.buys && a.sells == b.sells && a.buy_base == b.buy_base && a.sell_base == b.sell_base &&
         a.buy_quote == b.buy_quote && a.sell_quote == b.sell_quote && a.open == b.open && a.high == b.high &&
         a.low == b.low && a.close == b.close && a.other_base == b.other_base && a.other_quote == b.other_quote;
}
bool same_ids(const Bar& a, const Bar& b) {
  return a.first_id == b.first_id && a.last_id == b.last_id && a.first_name == b.first_name &&
         a.last_name == b.last_name;
}
// What is missing between the rows before a bar and its first trade stays so until the bars between are made, but for
// what came with the bar itself.
std::uint64_t not_come(const Bar& bar, const Bar& made) {
  const std::uint64_t had = bar.buys + bar.sells, has = made.buys + made.sells;
  return bar.missing - std::min(bar.missing, has - std::min(has, had));
}
}  // namespace

void Ledger::remake(Account& account, const Record& record) {
  const Timestamp to = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  account.remake = Remake{record.time(), to, record.id(), {}};
  if (account.remake->left == 0) finish_remake(account);
}

void Ledger::again(Account& account, const Record& record) {
  IdText name;
  if (!account.next_name.empty()) name = std::exchange(account.next_name, {});
  if (!account.remake) return;
  const Timestamp time = bar_start(record.time(), options_.interval);
  if (!account.remake->covers(time)) {
    account.remake.reset();  // not what was announced
    return;
  }
  Bar& bar = account.remake->fresh[time];
  const bool fits = record.kind() == RecordKind::again ? add_trade(bar, record, name, account.rules())
                                                       : add_other(bar, record, name, account.rules());
  if (!fits) return stop(account, time);
  if (--account.remake->left == 0) finish_remake(account);
}

// What the exchange's history has is all that they have: nothing of before is in doubt any more.
void Ledger::finish_remake(Account& account) {
  Remake done = std::move(*account.remake);
  account.remake.reset();
  for (Timestamp t = std::max(done.from, account.front); t < done.to; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr) return;
    Bar& made = done.fresh[t];
    const bool same = same_sums(*bar, made);
    if (same) made = *bar;
    made.revs = bar->revs;
    made.written_status = bar->written_status;
    made.written_missing = bar->written_missing;
    made.recovered = bar->recovered || !same || (bar->written() && bar->written_status != BarStatus::live);
    made.changed = bar->changed || !same;
    made.delta_changed = bar->delta_changed || !same;
    made.lost = made.inherited = made.contradicted = made.restored = made.history = false;
    made.partial_begin = made.partial_end = made.absent = false;
    made.settled = true;
    made.recovered = made.recovered || bar->absent;
    const Bar* const before = bar_at(account, t - options_.interval);
    const bool follows = before != nullptr ? !before->absent : done.from >= t;
    made.missing = follows ? 0 : not_come(*bar, made);
    *bar = made;
  }
}

// False if the trade is of no bar that is made again.
bool Ledger::take_rebuild(Account& account, const Record& record) {
  const auto r =
      std::find_if(account.rebuilds.begin(), account.rebuilds.end(), [&](const Rebuild& x) { return x.holds(record); });
  if (r == account.rebuilds.end() || record.id() == 0) return false;
  const Timestamp time = bar_start(record.time(), options_.interval);
  // A trade of a bar that said to be whole: then our idea of what is missing is wrong.
  const Bar* old = bar_at(account, time);
  r->dead = r->dead || !r->covers(time) || (old != nullptr && says_whole(*old));
  if (r->dead) return true;
  Bar& bar = r->fresh[time];
  if (record.kind() == RecordKind::trade) r->dead = !add_trade(bar, record, {}, account.rules());
  if (record.kind() == RecordKind::other) r->dead = !add_other(bar, record, {}, account.rules());
  const std::uint64_t from = std::max(record.first_id(), r->plan.first), to = std::min(record.id(), r->plan.last);
  r->left -= std::min(r->left, to - from + 1);
  if (r->left > 0 || r->dead) return true;
  Rebuild done = std::move(*r);
  account.rebuilds.erase(r);
  finish_rebuild(account, done);
  return true;
}

void Ledger::finish_rebuild(Account& account, Rebuild& rebuild) {
  for (Timestamp t = rebuild.plan.from; t <= rebuild.plan.to; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr || says_whole(*bar)) continue;
    Bar made = rebuild.fresh[t];
    // What its row counted and these ids do not have is of ids beyond its neighbours': the bar is made again by time.
    if (made.buys < bar->buys || made.sells < bar->sells) {
      bar->contradicted = bar->changed = true;
      bar->absent = false;  // who is to make it again must know of it
      continue;
    }
    made.revs = bar->revs;
    made.written_status = bar->written_status;
    made.written_missing = bar->written_missing;
    made.recovered = true;
    // What comes out as it was is no revision, neither of this bar nor of the CVDs behind it.
    const bool same = same_sums(*bar, made) && same_ids(*bar, made) && !moves_flow(account, *bar, made);
    made.delta_changed = bar->delta_changed || !same;
    // The end of an open run is settled with the loss that begins there.
    const bool hole = std::any_of(account.holes.begin(), account.holes.end(),
                                  [&](const Hole& h) { return h.cut_from <= t && t <= h.at; });
    const bool unsettled = rebuild.plan.open && t >= rebuild.plan.open_from && (account.loss.has_value() || hole);
    made.lost = made.inherited = unsettled;
    made.settled = !unsettled;
    // Behind the last id that a row names others may have earlier times, and before it others later ones, which were
    // lost with their process: what was near an end is made again by time.
    made.contradicted = t + options_.interval + near_the_end > account.restored_end ||
                        t < rebuild.plan.from + near_the_end ||
                        (rebuild.plan.open && t + options_.interval + near_the_end > rebuild.plan.open_from);
    // Who makes bars again is told by a row that this one is to be.
    made.changed = bar->changed || !same || made.contradicted;
    made.absent = bar->absent && unsettled;
    *bar = made;
  }
}

// What is known of a bar of the time when nobody ran is all there. Just behind the end of the files ids do not show
// that: a trade whose id the files have passed may be of this bar, and was lost with the process. It is made again by
// time.
void Ledger::uncover(Account& account, Bar& bar, Timestamp time) {
  const auto making =
      std::ranges::find_if(account.rebuilds, [&](const Rebuild& r) { return r.left > 0 && r.covers(time); });
  const bool made_again = making != account.rebuilds.end();
  if (made_again && !making->dead) return;  // its trades are on their way
  const bool was_absent = std::exchange(bar.absent, false);
  if (was_absent && made_again) bar.contradicted = true;
  if (account.instrument->ids != Ids::sequence || !options_.repairs) return;
  bool behind_an_end = account.killed && time >= account.restored_end && time < account.restored_end + near_the_end;
  if (!was_absent) {  // somebody listens again in it
    if (behind_an_end && !bar.restored && !bar.settled) bar.contradicted = true;
    return;
  }
  for (Timestamp t = time - options_.interval; t >= account.front && t + options_.interval + near_the_end > time;
       t = t - options_.interval) {
    const Bar* before = bar_at(account, t);
    behind_an_end = behind_an_end || (before->restored && says_whole(*before));
  }
  if (behind_an_end) bar.contradicted = true;
}

// The loss that a bar of an earlier run was part of is settled: nothing of it is missing.
void Ledger::heal(const Account& account, Bar& bar, Timestamp time) {
  const bool making = std::any_of(account.rebuilds.begin(), account.rebuilds.end(),
                                  [&](const Rebuild& r) { return r.left > 0 && r.covers(time); });
  if (!bar.inherited || making) return;
  bar.inherited = bar.lost = false;
  bar.missing = 0;
}

}  // namespace cvdd
