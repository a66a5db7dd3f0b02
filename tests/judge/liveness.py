"""When faults have ceased, everything that can be whole must be whole within a bound: rows that are absent, gaps left open."""
from collections import defaultdict

RECENT = 12.0  # seconds before the end: such bars may still be open
PATIENCE = 45.0  # seconds of peace within which a hole is to be closed


class Liveness:
    def __init__(self, oracle):
        self.o, self.w = oracle, oracle.w
        self.bars = defaultdict(dict)
        for (key, bar), row in oracle.final.items():
            self.bars[key][bar] = row

    def local(self, bar):
        return bar / 1e6 - self.w.shift

    def judge(self):
        peace = self.w.ended - self.w.peace_since()
        for i in self.w.instruments:
            if i not in self.w.wanted:
                continue
            if not self.bars[i.key] and i in self.w.newly:
                self.o.note("a name listed and wanted while it ran has no row (%s)" % i.venue)
                continue
            if not self.bars[i.key]:
                self.o.offend("absent", "%s/%s/%s has no row at all" % i.key)
                continue
            self.every_bar(i)
            if peace >= PATIENCE:
                self.open_gaps(i)

    def open_to_doubt(self, i, bar):
        return next((why for begin, end, why in i.unclosable
                     if begin - self.w.interval_us < bar + self.w.interval_us and bar <= end), None)

    def gone_from_history(self, i, bar):
        """History began later, from some moment on, than this bar."""
        return 0 < i.history_from < len(i.trades) and bar < i.trades[i.history_from].time

    def away(self, i, bar):
        """The instrument was off the list around this bar."""
        start, end = self.local(bar), self.local(bar + self.w.interval_us)
        return any(begun - 3 <= end and (ended is None or start <= ended + 6)
                   for begun, ended in self.w.removed.get(i, ()))

    def every_bar(self, i):
        """No bar is left out from the first one on: quiet ones are rows, and those of a stop that can be recovered."""
        rows = self.bars[i.key]
        first, step = min(rows), self.w.interval_us
        last = int((self.w.ended + self.w.shift - 1.0 - 2.5) * 1e6) // step * step - step
        if self.w.scenario.interval >= 60:
            last -= step
        absent = [b for b in range(first, last + 1, step) if b not in rows and not self.away(i, b)]
        running = [b for b in absent if self.was_running(b)]
        if running and self.started_by_a_wrong_list(i):
            self.o.note("rows are absent after a start at which the list was wrong (%s)" % i.venue)
        elif running:
            kind = "absent" if max(running) < last - 4 * step else "late"
            self.o.offend(kind, "%s/%s/%s: %d bars have no row though the daemon ran, first %s, last %s" % (
                *i.key, len(running), self.name(running[0]), self.name(running[-1])))
        down = [b for b in absent if not self.was_running(b) and not self.open_to_doubt(i, b)]
        down = [b for b in down if self.known(i, b)]
        if down and i.chained and not (self.w.scenario.single and i.exchange == "binance") and self.w.ended - self.local(max(down)) > PATIENCE:
            self.o.offend("absent-recoverable", "%s/%s/%s: %d bars of a stop have no row though history has them, "
                          "first %s, last %s" % (*i.key, len(down), self.name(down[0]), self.name(down[-1])))

    def known(self, i, bar):
        """The daemon knew an id of the instrument from before this bar."""
        return any(m <= self.local(bar) for m, *_ in i.told)

    def started_by_a_wrong_list(self, i):
        """The list lacked the instrument, or said that it is halted, when the daemon began."""
        spans = [(self.w.begun + p.start, self.w.begun + p.end) for p in self.w.plan
                 if p.kind == "list" and p.choice["venue"].venue == i.venue]
        return any(start - 1 < begun + 5 and begun - 1 < end for start, end in spans for begun, _ in self.w.lives)

    def was_running(self, bar):
        start, end = self.local(bar), self.local(bar + self.w.interval_us)
        return any(begun + 8.0 < start and (ended is None or end + 3.0 < ended) for begun, ended in self.w.lives)

    def name(self, bar):
        from oracle import clock
        return clock(bar / 1e6, 0)

    def open_gaps(self, i):
        still, began = [], min(self.bars[i.key])
        for bar, row in sorted(self.bars[i.key].items()):
            if row.status not in ("gap", "partial") or self.local(bar) > self.w.ended - RECENT - PATIENCE:
                continue
            if self.away(i, bar) or bar == began:
                continue
            if self.w.scenario.single and i.exchange == "binance":
                self.o.note("gap left open of single fills, whose history needs a key", row)
            elif not i.chained:
                self.o.note("gap left open where ids prove nothing", row)
            elif not self.known(i, bar):
                self.o.note("gap left open of an instrument of which no id had been told", row)
            elif self.open_to_doubt(i, bar):
                self.o.note("gap left open (%s)" % self.open_to_doubt(i, bar), row)
            elif self.gone_from_history(i, bar):
                self.o.note("gap left open (history begins later)", row)
            else:
                still.append(row)
        for row in still[:40]:
            trades = self.o.bars[i].get(row.bar, [])
            self.o.offend("open-" + row.status, "still %s after %.0f s of peace though history has it" % (
                row.status, self.w.ended - self.w.peace_since()), row, self.o.list_trades(trades, 6))
