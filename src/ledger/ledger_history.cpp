// Bars that come from the exchange's own candles.
#include "bar_row.hpp"
#include "cvdd/ledger/ledger.hpp"

namespace cvdd {

void Ledger::hold(std::uint32_t instrument) {
  Account& account = accounts_.at(instrument);
  account.held = true;
  if (account.bars.empty()) return;
  const Bar& newest = account.bars.back();
  if (newest.written_status != BarStatus::partial && newest.written_status != BarStatus::gap) return;
  account.cut_row = row_of(*account.instrument, account.bars.newest(), newest, {});
}

void Ledger::give_candles(std::uint32_t instrument, std::vector<Candle> candles) {
  if (knows(instrument)) accounts_[instrument].candles = std::move(candles);
}

void Ledger::take_candles(Account& account, const Record& record) {
  const std::vector<Candle> candles = std::exchange(account.candles, {});
  for (const Candle& candle : candles) {
    if (account.held && candle.time < account.bars.oldest()) {
      tell_candle(account, candle);
      continue;
    }
    Bar* bar = account.bars.at(candle.time);
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
  Row row = row_of(*account.instrument, candle.time, bar, {});
  Totals before = account.bars.before();
  if (account.cut_row && account.cut_row->time == candle.time) {
    row.rev = account.cut_row->rev;
    before.base = subtract(before.base, account.cut_row->delta_base).value_or(Decimal{});
    before.quote = subtract(before.quote, account.cut_row->delta_quote).value_or(Decimal{});
    ++counters_.revisions;
  }
  if (!before.count(bar)) return stop(account, account.bars.oldest());
  row.status = BarStatus::history;
  row.missing = 0;
  if (!row.open) row.open = row.high = row.low = row.close = before.price;
  row.cvd_base = before.base;
  row.cvd_quote = before.quote;
  account.bars.set_before(before);
  ++counters_.rows;
  ready_.push_back(std::move(row));
}

// `whole`: the bar that the subscription began in, if its trades from before are there.
void Ledger::release(Account& account, Timestamp whole) {
  account.held = false;
  account.cut_row.reset();
  Bar* first = whole.us == 0 ? nullptr : account.bars.at(whole);
  if (first == nullptr) return;
  first->partial_begin = first->lost = false;
  first->recovered = first->changed = true;
  if (account.loss && !account.loss->open && account.loss->absence) account.loss.reset();
}

}  // namespace cvdd
