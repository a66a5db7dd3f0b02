"""Prices, ids, counts of missing ids and running sums of rows."""
from collections import defaultdict
from decimal import Decimal

import explain
from tape import ZERO, exact


# What is first and last: by id, by time, or as it came. The contract leaves it open; each will do.
ORDERS = (lambda t: t.number, lambda t: t.time, lambda t: t.made)


class Figures:
    """Needs w, bars, final, history, first_bar, wholes, by_key, offend, note, list_trades of the oracle that it is a part of."""

    def told_right(self, row, instrument, held):
        held = [t for t in held if not t.twin]
        trades = [t for t in held if not t.other]
        if not trades:
            if not held and (row.first_id or row.last_id):
                self.offend("ids", "a quiet bar with ids", row)
            if len(set(row.prices)) != 1:
                self.offend("prices", "a quiet bar's prices differ", row)
            return
        openings, closings, firsts, lasts = set(), set(), set(), set()
        for some in (trades, held):
            for order in ORDERS:
                low, high = min(map(order, some)), max(map(order, some))
                openings |= {Decimal(t.price) for t in some if order(t) == low}
                firsts |= {str(t.first if t.instrument.exchange == "okx" else t.id) for t in some if order(t) == low}
                closings |= {Decimal(t.price) for t in some if order(t) == high}
                lasts |= {str(t.id) for t in some if order(t) == high}
        opening, high, low, close = row.prices
        spans = [(max(Decimal(t.price) for t in some), min(Decimal(t.price) for t in some)) for some in (trades, held)]
        if opening not in openings or close not in closings or (high, low) not in spans:
            self.offend("prices", "open %s of %s, close %s of %s, high and low %s of %s" % (
                opening, sorted(openings), close, sorted(closings), (str(high), str(low)),
                [(str(a), str(b)) for a, b in spans]), row)
        if row.first_id not in firsts or row.last_id not in lasts:
            self.offend("ids", "first %s of %s, last %s of %s" % (row.first_id, sorted(firsts), row.last_id,
                                                                  sorted(lasts)), row)

    def quiet_price(self, row):
        """At the end: a quiet bar repeats the last price before it, where the bar of that price is whole."""
        instrument = self.by_key.get(row.key)
        if instrument is None or row.verdict != "right" or self.bars[instrument].get(row.bar):
            return
        before = [t for t in instrument.trades if t.time < row.bar and t.time >= self.first_bar[row.key] and not t.twin]
        if not before:
            return
        last = []
        for some in (before, [t for t in before if not t.other]):
            for order in ORDERS if some else ():
                high = max(map(order, some))
                last += [t for t in some if order(t) == high]
        bars = {t.time - t.time % self.w.interval_us for t in last}
        if any(b not in self.whole(row.key) for b in bars):
            return
        fine = {Decimal(t.price) for t in last}
        if all(t.other for t in before):
            fine.add(None)
        if row.prices[0] not in fine:
            self.offend("prices", "a quiet bar's price is not the last: %s" % [t.price for t in last], row)

    def whole(self, key):
        """Bars whose row at the end says that it is whole."""
        if key not in self.wholes:
            self.wholes[key] = {bar for (k, bar), r in self.final.items() if k == key and r.verdict == "right"}
        return self.wholes[key]

    def missing_count(self, row, instrument, made):
        """`missing` is exact where the whole hole lies between two trades of the bar."""
        held = explain.explained_by(explain.held(row), [], [t for t in made if not t.twin])
        if not held or len({t.epoch for t in made}) > 1:
            return
        low, high = min(t.number for t in held), max(t.number for t in held)
        span = [t for t in instrument.trades if low <= t.number <= high and t.epoch == held[0].epoch]
        inside = {id(t) for t in made}
        before = [r for r in self.history[row.key, row.bar - self.w.interval_us] if r.seen <= row.seen]
        before = before[-1] if before else None
        if any(id(t) not in inside for t in span) or any(not low < t.number < high for t in made if t not in held) or \
                before is None or before.status not in ("live", "repaired"):
            return
        earlier = self.bars[instrument].get(before.bar, [])
        if not any(t.last == min(x.first for x in held) - 1 if instrument.exchange == "okx" else t.number == low - 1
                   for t in earlier) or not explain.same(explain.total(earlier), explain.held(before)):
            return  # the hole may have begun in an earlier bar, and its count stands here
        chosen = set(held)
        ids = sum(t.count if instrument.exchange == "okx" else 1 for t in span if t not in chosen)
        if ids != int(row.missing):
            self.offend("missing", "%s ids are said to be missing, it is %d" % (row.missing, ids), row,
                        self.list_trades(made))

    def sums(self):
        by_key = defaultdict(list)
        for (key, _), row in self.final.items():
            by_key[key].append(row)
        for rows in by_key.values():
            rows.sort(key=lambda r: r.bar)
            base = quote = ZERO
            for row in rows:
                base = exact(lambda: base + row.numbers["delta_base"])
                quote = exact(lambda: quote + row.numbers["delta_quote"])
                if (base, quote) != (row.numbers["cvd_base"], row.numbers["cvd_quote"]):
                    self.offend("cvd", "the deltas so far add up to %s and %s" % (explain.plain(base),
                                                                                  explain.plain(quote)), row)
                    base, quote = row.numbers["cvd_base"], row.numbers["cvd_quote"]
