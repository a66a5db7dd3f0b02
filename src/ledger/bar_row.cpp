#include "bar_row.hpp"

namespace cvdd {

Bar bar_of(const Row& row, Ids ids, bool oldest) {
  Bar bar;
  bar.buys = row.buys;
  bar.sells = row.sells;
  bar.buy_base = row.buy_base;
  bar.sell_base = row.sell_base;
  bar.buy_quote = row.buy_quote;
  bar.sell_quote = row.sell_quote;
  bar.other_base = row.other_base;
  bar.other_quote = row.other_quote;
  if (row.buys + row.sells > 0 || (row.status == BarStatus::history && !row.buy_base.is_zero()) ||
      (row.status == BarStatus::history && !row.sell_base.is_zero())) {
    bar.open = row.open;
    bar.high = row.high;
    bar.low = row.low;
    bar.close = row.close;
    bar.open_time = bar.close_time = row.time;
  }
  if (!row.last_id.empty()) {
    bar.first_time = bar.last_time = row.time;
    if (ids == Ids::sequence) {
      bar.first_id = sequence_id(row.first_id).value_or(0);
      bar.last_id = sequence_id(row.last_id).value_or(0);
    } else {
      bar.first_name = row.first_id;
      bar.last_name = row.last_id;
    }
  }
  bar.restored = true;
  bar.revs = row.rev + 1;
  bar.written_status = row.status;
  bar.written_missing = row.missing;
  bar.missing = row.missing.value_or(0);
  bar.lost = !row.missing.has_value();
  bar.recovered = row.status == BarStatus::repaired;
  bar.history = row.status == BarStatus::history;
  const bool first_ever = oldest && row.cvd_base == row.delta_base && row.cvd_quote == row.delta_quote;
  bar.partial_begin = row.status == BarStatus::partial && first_ever;
  bar.partial_end = row.status == BarStatus::partial && !first_ever;
  return bar;
}

Bar bar_of(const Candle& candle) {
  Bar bar;
  bar.buy_base = candle.buy_base;
  bar.buy_quote = candle.buy_quote;
  bar.sell_base = subtract(candle.base, candle.buy_base).value_or(Decimal{});
  bar.sell_quote = subtract(candle.quote, candle.buy_quote).value_or(Decimal{});
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

Row row_of(const Instrument& instrument, Timestamp time, const Bar& bar, const Evidence& evidence) {
  Row row;
  row.time = time;
  row.exchange = instrument.exchange;
  row.market = instrument.market;
  row.symbol = instrument.symbol;
  row.rev = bar.revs;
  row.missing = missing_of(evidence);
  row.status = status_of(evidence);
  row.open = bar.open;
  row.high = bar.high;
  row.low = bar.low;
  row.close = bar.close;
  row.buys = bar.buys;
  row.sells = bar.sells;
  row.buy_base = bar.buy_base;
  row.sell_base = bar.sell_base;
  row.buy_quote = bar.buy_quote;
  row.sell_quote = bar.sell_quote;
  row.delta_base = bar.delta_base();
  row.delta_quote = bar.delta_quote();
  row.other_base = bar.other_base;
  row.other_quote = bar.other_quote;
  if (bar.has_ids()) {
    row.first_id = bar.first_name.empty() ? std::to_string(bar.first_id) : bar.first_name;
    row.last_id = bar.last_name.empty() ? std::to_string(bar.last_id) : bar.last_name;
  }
  return row;
}

void set_totals(Row& row, const Totals& totals) {
  if (!row.open) row.open = row.high = row.low = row.close = totals.price;
  row.cvd_base = totals.base;
  row.cvd_quote = totals.quote;
}

}  // namespace cvdd
