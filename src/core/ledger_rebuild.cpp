// Bars of an earlier run that are made again from history.
#include <algorithm>

#include "cvdd/core/ledger.hpp"

namespace cvdd {

namespace {
bool says_whole(const Bar& bar) {
  return bar.written() && bar.written_status != BarStatus::gap && bar.written_status != BarStatus::partial;
}
bool same_sums(const Bar& a, const Bar& b) {
  return a.buys == b.buys && a.sells == b.sells && a.buy_base == b.buy_base && a.sell_base == b.sell_base &&
         a.buy_quote == b.buy_quote && a.sell_quote == b.sell_quote && a.open == b.open && a.high == b.high &&
         a.low == b.low && a.close == b.close && a.other_base == b.other_base;
}
}  // namespace

void Ledger::remake(Book& book, const Record& record) {
  const Timestamp at = record.time();
  if (record.count() == 0) return;
  Rebuild rebuild{{record.id(), record.id() + record.count() - 1, at, at, false, at}, record.count(), {}, true};
  // No longer in memory, or it has got trades since that row: then what comes again is passed over.
  const Bar* bar = bar_at(book, at);
  rebuild.dead = bar == nullptr || bar->first_id != rebuild.plan.first || bar->last_id != rebuild.plan.last;
  book.rebuilds.push_back(std::move(rebuild));
}

// False if the trade is of no bar that is made again.
bool Ledger::take_rebuild(Book& book, const Record& record) {
  const auto r =
      std::find_if(book.rebuilds.begin(), book.rebuilds.end(), [&](const Rebuild& x) { return x.holds(record); });
  if (r == book.rebuilds.end() || record.id() == 0) return false;
  const Timestamp time = bar_start(record.time(), options_.interval);
  // A trade of a bar that said to be whole: then our idea of what is missing is wrong.
  const Bar* old = bar_at(book, time);
  r->dead = r->dead || !r->covers(time) || (!r->doubted && old != nullptr && says_whole(*old));
  if (r->dead) return true;
  Bar& bar = r->fresh[time];
  if (record.kind() == RecordKind::trade) r->dead = !add_trade(bar, record);
  if (record.kind() == RecordKind::other) r->dead = !add_other(bar, record);
  const std::uint64_t from = std::max(record.first_id(), r->plan.first), to = std::min(record.id(), r->plan.last);
  r->left -= std::min(r->left, to - from + 1);
  if (r->left > 0 || r->dead) return true;
  Rebuild done = std::move(*r);
  book.rebuilds.erase(r);
  finish_rebuild(book, done);
  return true;
}

void Ledger::finish_rebuild(Book& book, Rebuild& rebuild) {
  for (Timestamp t = rebuild.plan.from; t <= rebuild.plan.to; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar == nullptr || (!rebuild.doubted && says_whole(*bar))) continue;
    Bar made = rebuild.fresh[t];
    if (rebuild.doubted && same_sums(*bar, made)) continue;
    made.revs = bar->revs;
    made.written_status = bar->written_status;
    made.written_missing = bar->written_missing;
    made.recovered = made.changed = made.delta_changed = true;
    // The end of an open run is settled with the loss that begins there.
    const bool hole =
        std::any_of(book.holes.begin(), book.holes.end(), [&](const Hole& h) { return h.cut_from <= t && t <= h.at; });
    const bool unsettled = rebuild.plan.open && t >= rebuild.plan.open_from && (book.loss.has_value() || hole);
    made.lost = made.inherited = unsettled;
    made.absent = bar->absent && unsettled;
    *bar = made;
  }
}

// The loss that a bar of an earlier run was part of is settled: nothing of it is missing.
void Ledger::heal(const Book& book, Bar& bar, Timestamp time) {
  const bool making = std::any_of(book.rebuilds.begin(), book.rebuilds.end(),
                                  [&](const Rebuild& r) { return r.left > 0 && r.covers(time); });
  if (!bar.inherited || making) return;
  bar.inherited = bar.lost = false;
  bar.missing = 0;
}

}  // namespace cvdd
