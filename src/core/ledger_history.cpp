// Bars that come from the exchange's own candles.
#include "cvdd/core/ledger.hpp"

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
  Book& book = books_.at(instrument);
  book.held = true;
  if (book.bars.empty()) return;
  const Bar& newest = book.bars.back();
  if (newest.written_status != BarStatus::partial && newest.written_status != BarStatus::gap) return;
  book.cut_row = row_of(book, newest_bar(book), newest);
}

void Ledger::give_candles(std::uint32_t instrument, std::vector<Candle> candles) {
  if (knows(instrument)) books_[instrument].candles = std::move(candles);
}

void Ledger::take_candles(Book& book, const Record& record) {
  const std::vector<Candle> candles = std::exchange(book.candles, {});
  for (const Candle& candle : candles) {
    if (book.held && candle.time < book.front) {
      tell_candle(book, candle);
      continue;
    }
    Bar* bar = bar_at(book, candle.time);
    const bool cut = bar != nullptr && book.held && bar->partial_end;
    if (bar == nullptr || (!bar->absent && !cut && missing_of(evidence_of(book, candle.time, *bar)) == 0U)) continue;
    Bar made = bar_of(candle);
    made.revs = bar->revs;
    made.written_status = bar->written_status;
    made.written_missing = bar->written_missing;
    made.absent = bar->absent && !book.held;  // else it is told when the hole that it is part of is closed
    *bar = made;
  }
  if (book.held) release(book, record.time());
  if (record.count() > 0) fill_hole(book, record.id(), record.id() + record.count() - 1);
}

// A bar before all that is in memory.
void Ledger::tell_candle(Book& book, const Candle& candle) {
  const Bar bar = bar_of(candle);
  Row row = row_of(book, candle.time, bar);
  Decimal base = book.cvd_base, quote = book.cvd_quote;
  if (book.cut_row && book.cut_row->time == candle.time) {
    row.rev = book.cut_row->rev;
    base = difference(base, book.cut_row->delta_base);
    quote = difference(quote, book.cut_row->delta_quote);
    ++counters_.revisions;
  }
  const auto cvd_base = add(base, row.delta_base), cvd_quote = add(quote, row.delta_quote);
  if (!cvd_base || !cvd_quote) return stop(book, book.front);
  row.status = BarStatus::history;
  row.missing = 0;
  if (bar.close) book.close = bar.close;
  if (!row.open) row.open = row.high = row.low = row.close = book.close;
  row.cvd_base = book.cvd_base = *cvd_base;
  row.cvd_quote = book.cvd_quote = *cvd_quote;
  ++counters_.rows;
  ready_.push_back(std::move(row));
}

// `whole`: the bar that the subscription began in, if its trades from before are there.
void Ledger::release(Book& book, Timestamp whole) {
  book.held = false;
  book.cut_row.reset();
  Bar* first = whole.us == 0 ? nullptr : bar_at(book, whole);
  if (first == nullptr) return;
  first->partial_begin = first->lost = false;
  first->recovered = first->changed = true;
  if (book.loss && !book.loss->open && book.loss->absence) book.loss.reset();
}

}  // namespace cvdd
