// Bars that come from the exchange's own candles.
#include "cvdd/ledger/ledger.hpp"

namespace cvdd {

namespace {
Decimal difference(const Decimal& a, const Decimal& b) { return subtract(a, b).value_or(Decimal{}); }

Bar bar_of(const Candle& candle) {
  Bar bar;
  bar.buy_base = candle.buy_base;
  bar.buy_quote = candle.buy_quote;
  bar.sell_base = difference(candle.base, candle.buy_base);
  bar.sell_quote = difference(candle.quote, candle.buy_quote);
  if (!candle.base.is_zero()) {
    bar.open = candle.open;
    bar.high = candle.high;
    bar.low = candle.low;
    bar.close = candle.close;
    bar.open_time = bar.close_time = candle.time;
  }
  bar.history = bar.changed = bar.delta_changed = true;
  return bar;
}
}  // namespace

void Ledger::hold(std::uint32_t instrument) {
  Account& account = accounts_.at(instrument);
  account.held = true;
  if (account.bars.empty()) return;
  const Bar& newest = account.bars.back();
  if (newest.written_status != BarStatus::partial && newest.written_status != BarStatus::gap) return;
  account.cut_row = row_of(account, newest_bar(account), newest);
}

void Ledger::give_candles(std::uint32_t instrument, std::vector<Candle> candles) {
  if (knows(instrument)) accounts_[instrument].candles = std::move(candles);
}

void Ledger::take_candles(Account& account, const Record& record) {
  const std::vector<Candle> candles = std::exchange(account.candles, {});
  for (const Candle& candle : candles) {
    if (account.held && candle.time < account.front) {
      tell_candle(account, candle);
      continue;
    }
    Bar* bar = bar_at(account, candle.time);
    const bool cut = bar != nullptr && account.held && bar->partial_end;
    if (bar == nullptr || (!bar->absent && !cut && missing_of(evidence_of(account, candle.time, *bar)) == 0U)) continue;
    Bar made = bar_of(candle);
    made.revs = bar->revs;
    made.written_status = bar->written_status;
    made.written_missing = bar->written_missing;
    made.absent = bar->absent && !account.held;  // else it is told when the hole that it is part of is closed
    *bar = made;
  }
  if (account.held) release(account, record.time());
  if (record.count() > 0) fill_hole(account, record.id(), record.id() + record.count() - 1);
}

// A bar before all that is in memory.
void Ledger::tell_candle(Account& account, const Candle& candle) {
  const Bar bar = bar_of(candle);
  Row row = row_of(account, candle.time, bar);
  Decimal base = account.cvd_base, quote = account.cvd_quote;
  if (account.cut_row && account.cut_row->time == candle.time) {
    row.rev = account.cut_row->rev;
    base = difference(base, account.cut_row->delta_base);
    quote = difference(quote, account.cut_row->delta_quote);
    ++counters_.revisions;
  }
  const auto cvd_base = add(base, row.delta_base), cvd_quote = add(quote, row.delta_quote);
  if (!cvd_base || !cvd_quote) return stop(account, account.front);
  row.status = BarStatus::history;
  row.missing = 0;
  if (bar.close) account.close = bar.close;
  if (!row.open) row.open = row.high = row.low = row.close = account.close;
  row.cvd_base = account.cvd_base = *cvd_base;
  row.cvd_quote = account.cvd_quote = *cvd_quote;
  ++counters_.rows;
  if (account.flow) tell_flow(account, bar, row);
  ready_.push_back(std::move(row));
}

// `whole`: the bar that the subscription began in, if its trades from before are there.
void Ledger::release(Account& account, Timestamp whole) {
  account.held = false;
  account.cut_row.reset();
  Bar* first = whole.us == 0 ? nullptr : bar_at(account, whole);
  if (first == nullptr) return;
  first->partial_begin = first->lost = false;
  first->recovered = first->changed = true;
  if (account.loss && !account.loss->open && account.loss->absence) account.loss.reset();
}

}  // namespace cvdd
