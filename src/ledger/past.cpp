#include "cvdd/ledger/past.hpp"

#include <utility>

#include "bar_row.hpp"

namespace cvdd {

void Past::hold(const BarSeries& bars) {
  held_ = true;
  if (bars.empty()) return;
  const Bar& newest = bars.back();
  if (newest.written_status != BarStatus::partial && newest.written_status != BarStatus::gap) return;
  cut_ = Cut{bars.newest(), newest.revs, newest.delta_base(), newest.delta_quote()};
}

void Past::release() {
  held_ = false;
  cut_.reset();
}

bool Past::take_effect(const Instrument& instrument, BarSeries& bars, const GapTracker& gaps, bool active,
                       LedgerOutput& out) {
  bool fit = true;
  for (const Candle& candle : std::exchange(candles_, {})) {
    if (held_ && candle.time < bars.oldest()) {
      fit = tell_before(candle, instrument, bars, out) && fit;
    } else if (Bar* bar = bars.at(candle.time)) {
      const bool cut = held_ && bar->partial_end;
      if (!bar->absent && !cut && missing_of(gaps.evidence(candle.time, *bar, active)) == 0U) continue;
      Bar made = bar_of(candle);
      made.revs = bar->revs;
      made.written_status = bar->written_status;
      made.written_missing = bar->written_missing;
      made.absent = bar->absent && !held_;  // else it is told when the hole that it is part of is closed
      *bar = made;
    }
  }
  return fit;
}

// It becomes a part of what is before the bars in memory.
bool Past::tell_before(const Candle& candle, const Instrument& instrument, BarSeries& bars, LedgerOutput& out) const {
  Bar bar = bar_of(candle);
  Totals totals = bars.before();
  if (cut_ && cut_->time == candle.time) {
    bar.revs = cut_->rev;
    totals.base = subtract(totals.base, cut_->delta_base).value_or(Decimal{});
    totals.quote = subtract(totals.quote, cut_->delta_quote).value_or(Decimal{});
  }
  if (!totals.count(bar)) return false;
  Evidence evidence;
  evidence.covered = evidence.candles = true;
  Row row = row_of(instrument, candle.time, bar, evidence);
  set_totals(row, totals);
  bars.set_before(totals);
  out.count_rows({&row, 1});
  bars.tell_flow(bar, row, out.flow);
  out.ready.push_back(std::move(row));
  return true;
}

}  // namespace cvdd
