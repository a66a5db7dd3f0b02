#include "cvdd/ledger/gap.hpp"

namespace cvdd {

void close(const Hole& hole, BarSeries& bars, const Rebuilder& rebuilder) {
  bars.each(hole.cut_from, hole.at + bars.interval(), [&](Timestamp t, Bar& bar) {
    // A hole that closed before anybody read of it was only a matter of order, unless we had been cut off.
    const bool told = bar.written() && bar.written_status == BarStatus::gap;
    if (!hole.cut && !told) return;
    bar.recovered = true;
    rebuilder.heal(bar, t);
    if (!hole.cut) return;
    rebuilder.uncover(bars, bar, t);
    bar.partial_end = false;
  });
}

void give_up(const Hole& hole, BarSeries& bars) {
  // What was found of the time when nobody ran, or still is, is told with its hole.
  bars.each(hole.cut_from, hole.at, [](Timestamp, Bar& bar) {
    if (!bar.absent) return;
    bar.absent = !bar.has_trades();
    bar.lost = true;
  });
  if (Bar* bar = bars.at(hole.at)) bar->missing += hole.left;
  bars.each(hole.doubt_from, hole.at, [](Timestamp, Bar& bar) { bar.lost = bar.lost || !bar.proven; });
}

void give_up(const Loss& loss, BarSeries& bars) {
  Hole hole;
  hole.at = loss.to + bars.interval();
  hole.cut_from = loss.from;
  hole.doubt_from = std::max(loss.from, loss.visible_from);
  give_up(hole, bars);
}

bool settle(Loss& loss, Timestamp until, Timestamp ids_since, BarSeries& bars, const Rebuilder& rebuilder) {
  const bool all = until >= loss.to;
  const Timestamp end = all ? loss.to + bars.interval() : until;
  bars.each(loss.from, end, [&](Timestamp t, Bar& bar) {
    const bool absent = bar.absent;
    rebuilder.uncover(bars, bar, t);
    if (t < ids_since) {
      bar.contradicted = bar.contradicted || absent;
      return;
    }
    bar.recovered = bar.recovered || loss.cause != Loss::Cause::doubt;
    bar.partial_end = false;
    rebuilder.heal(bar, t);
  });
  if (!all) loss.from = std::max(loss.from, end);
  return all;
}

}  // namespace cvdd
