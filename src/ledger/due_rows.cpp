#include "due_rows.hpp"

#include <utility>

#include "bar_row.hpp"

namespace cvdd {

std::optional<Timestamp> append_due_rows(const Instrument& instrument, BarSeries& bars, const GapTracker& gaps,
                                         bool active, Timestamp last, std::vector<Row>& rows,
                                         std::vector<FlowRow>& flow) {
  Totals totals = bars.before();
  bool moved = false;  // an earlier bar's delta changed, so every later CVD does
  Timestamp time = bars.oldest();
  for (Bar& bar : bars.all()) {
    if (time > last) break;
    if (!totals.count(bar)) return time;
    if (!bar.absent) {
      const Evidence evidence = gaps.evidence(time, bar, active);
      const bool told = bar.written() && !bar.changed && !moved && missing_of(evidence) == bar.written_missing &&
                        status_of(evidence) == bar.written_status;
      if (!told) {
        Row row = row_of(instrument, time, bar, evidence);
        set_totals(row, totals);
        moved = moved || bar.delta_changed;
        bar.written_status = row.status;
        bar.written_missing = row.missing;
        bar.recovered = evidence.recovered && row.status != BarStatus::gap;
        bar.changed = bar.delta_changed = false;
        ++bar.revs;
        bars.tell_flow(bar, row, flow);
        rows.push_back(std::move(row));
      }
    }
    time = time + bars.interval();
  }
  return std::nullopt;
}

void forget_settled(BarSeries& bars, GapTracker& gaps, const Rebuilder& rebuilder, const LedgerOptions& options) {
  while (bars.size() > options.bars_kept()) {
    const Bar& bar = bars.front();
    const Timestamp time = bars.oldest();
    if (!bar.written() && !bar.absent) break;
    const bool room = bars.size() <= options.bars_kept_max();
    if (room && (rebuilder.keeps(time) || gaps.keeps(time, bar))) break;
    gaps.dropped(time);
    bars.drop_front();
  }
}

OpenBar open_bar_of(const BarSeries& bars, Timestamp now) {
  OpenBar open;
  Totals totals = bars.before();
  std::optional<Decimal> last = totals.price;  // before the newest
  for (const Bar& bar : bars.all()) {
    last = totals.price;
    (void)totals.count(bar);
  }
  const Bar& bar = bars.back();
  open.time = bars.newest();
  open.cvd_base = totals.base;
  open.cvd_quote = totals.quote;
  open.close = bar.open ? bar.close : last;
  const Timestamp current = bars.start_of(now);
  if (open.time < current) {  // nothing was traded in it yet
    open.time = current;
    open.open = open.high = open.low = open.close;
    return open;
  }
  open.open = bar.open ? bar.open : last;
  open.high = bar.open ? bar.high : last;
  open.low = bar.open ? bar.low : last;
  open.buys = bar.buys;
  open.sells = bar.sells;
  open.buy_base = bar.buy_base;
  open.sell_base = bar.sell_base;
  open.buy_quote = bar.buy_quote;
  open.sell_quote = bar.sell_quote;
  open.delta_base = bar.delta_base();
  open.delta_quote = bar.delta_quote();
  return open;
}

}  // namespace cvdd
