#include "cvdd/ledger/remaker.hpp"

#include <utility>

namespace cvdd {

namespace {
bool same_sums(const Bar& a, const Bar& b) {
  return a.buys == b.buys && a.sells == b.sells && a.buy_base == b.buy_base && a.sell_base == b.sell_base &&
         a.buy_quote == b.buy_quote && a.sell_quote == b.sell_quote && a.open == b.open && a.high == b.high &&
         a.low == b.low && a.close == b.close && a.other_base == b.other_base;
}
}  // namespace

void Remaker::announce(BarSeries& bars, Timestamp from, Timestamp to, std::uint64_t trades) {
  remake_ = Remake{from, to, trades, {}};
  if (trades == 0) finish(bars);
}

bool Remaker::take(BarSeries& bars, const Record& record, const IdText& name) {
  if (!remake_) return true;
  const Timestamp bar = bars.start_of(record.time());
  if (!remake_->covers(bar)) {
    remake_.reset();
    return true;
  }
  if (!add_record(remake_->fresh[bar], record, name, bars.flow_rules())) return false;
  if (--remake_->left == 0) finish(bars);
  return true;
}

void Remaker::also(const BarSeries& bars, Timestamp bar, const Record& record, const IdText& name) {
  if (remake_ && remake_->covers(bar)) (void)add_record(remake_->fresh[bar], record, name, bars.flow_rules());
}

// What the exchange's history has is all that the bars have: nothing of before is in doubt any more.
void Remaker::finish(BarSeries& bars) {
  Remake done = std::move(*remake_);
  remake_.reset();
  bars.each(done.from, done.to, [&](Timestamp t, Bar& bar) {
    Bar& made = done.fresh[t];
    const bool same = same_sums(bar, made);
    if (same) made = bar;
    made.revs = bar.revs;
    made.written_status = bar.written_status;
    made.written_missing = bar.written_missing;
    made.recovered = bar.recovered || bar.absent || !same || (bar.written() && bar.written_status != BarStatus::live);
    made.changed = bar.changed || !same;
    made.delta_changed = bar.delta_changed || !same;
    made.lost = made.inherited = made.contradicted = made.restored = made.history = false;
    made.partial_begin = made.partial_end = made.absent = false;
    made.settled = true;
    made.missing = 0;
    bar = made;
  });
}

}  // namespace cvdd
