"""Judges every row, at every revision, against the tape and what the daemon could know when it wrote it."""
import bisect
import time
from collections import Counter, defaultdict
from decimal import Decimal

import explain
from tape import ZERO, exact

IN_TIME = 0.7  # seconds before a row is seen: what came until then must be in it
READ_BY_REST = 1.5
FRESH = 5.0  # of trades made later than their bar, those this shortly before a row was seen may be in it or not
SILENCE = 15  # usual gaps of a connection: longer silence is no chance
AHEAD = 0.6  # seconds by which a bar's end may be ahead of the exchange's time when it is seen


class Offence:
    def __init__(self, kind, what, row=None, more=""):
        self.kind, self.what, self.row, self.more = kind, what, row, more


class Oracle:
    def __init__(self, world, rows):
        self.w, self.rows = world, rows
        self.offences, self.notes, self.statuses = [], Counter(), Counter()
        self.examples = {}
        self.by_key = {i.key: i for i in world.instruments}
        self.bars = {i: self.cut(i) for i in world.instruments}
        self.final = {}  # (key, bar) -> the row that holds
        self.history = defaultdict(list)  # (key, bar) -> its rows in order
        self.first_bar, self.wholes = {}, {}
        self.told = {i: self.earliest(i) for i in world.instruments}
        self.known_from = {i: self.lowest(i) for i in world.instruments}

    def offend(self, kind, what, row=None, more=""):
        self.offences.append(Offence(kind, what, row, more))

    def note(self, kind, row=None, more=""):
        self.notes[kind] += 1
        if len(self.examples.setdefault(kind, [])) < 3:
            self.examples[kind].append("%s %s" % (row.text if row else "", more))

    def cut(self, instrument):
        bars = defaultdict(list)
        for t in instrument.trades:
            bars[t.time - t.time % self.w.interval_us].append(t)
        return bars

    # -- what the daemon could know

    def certain(self, moment, connection, seen):
        """Was a frame that left at `moment` surely read by the time a row was made? What the daemon leaves unread when it
        ends a connection itself is its own loss; so is what waits in a socket while it is stopped."""
        cut = connection.cut_at if connection is not None else None
        if cut is not None and moment > cut - 1.0:
            return False
        for begun, ended in self.w.frozen:
            ended = ended or 1e18
            if begun - 0.3 <= moment <= ended and (seen < ended or (cut is not None and cut <= ended + 1.0)):
                return False
        return True

    @staticmethod
    def earliest(instrument):
        """Per epoch: what was told, by time."""
        told = defaultdict(list)
        for event in instrument.told:
            told[event[2]].append(event)
        for events in told.values():
            events.sort(key=lambda e: e[0])
        return told

    def must(self, trade, row, lowest):
        """The daemon had this trade, or an id beyond it, in time for this row."""
        until = row.basis - IN_TIME
        for moment, life, connection in trade.sent:
            if life == row.life and moment <= until and self.certain(moment, connection, row.basis):
                return "was delivered %.1f s before" % (row.basis - moment)
        for moment, life in trade.rest:
            if life == row.life and moment <= row.basis - READ_BY_REST and self.certain(moment, None, row.basis):
                return "was in a page of history %.1f s before" % (row.basis - moment)
        if trade.instrument.chained and lowest.get(trade.epoch, 1 << 62) < trade.number:
            told = self.told[trade.instrument].get(trade.epoch, ())
            for moment, life, _, number, connection in told[bisect.bisect_left(told, (trade.made,)):]:
                if moment > until:
                    break
                margin = READ_BY_REST if connection is None else IN_TIME
                if number > trade.number and life == row.life and moment <= row.basis - margin and \
                        self.certain(moment, connection, row.basis):
                    return "was told of by id %d %.1f s before" % (number, row.basis - moment)
        return None

    def lowest(self, instrument):
        """The first id that the daemon learnt, per epoch: nothing before it is known to be missing."""
        return {epoch: min(e[3] for e in events) for epoch, events in self.told[instrument].items()}

    def unwatched(self, instrument, row):
        """Why nothing showed that the bar was whole when the row was written; None if something may have."""
        e = self.w.exchange_of(instrument)
        end = row.bar + self.w.interval_us
        numbers = {n for _, life, n in instrument.acks if life == row.life}
        local_end = end / 1e6 - self.w.shift
        if any(local_end <= m <= row.basis for m in e.answered):
            return None
        newest = None
        for moment, number, us in e.data:
            if moment <= row.basis and number in numbers:
                if us >= end:
                    return None
                newest = (moment, us)
        pace = sum(1 / i.pace for i in e.instruments if i.pace and i in self.w.wanted)
        begun = self.w.lives[row.life - 1][0] + 2.0
        silent = row.basis - 0.3 - (newest[0] if newest else begun)
        if newest and newest[0] - (newest[1] / 1e6 - self.w.shift) > 1.5 and silent < 5:
            return "its feed was %.1f s late" % (newest[0] - (newest[1] / 1e6 - self.w.shift))
        if silent * pace >= SILENCE:
            return "its connections had been silent for %.1f s, %.0f of their usual gaps" % (silent, silent * pace)
        return None

    # -- all rows

    def judge(self):
        self.revisions()
        for row in self.rows:
            instrument = self.by_key.get(row.key)
            row.basis = self.basis(row)
            if instrument is None:
                self.offend("foreign", "a row of an instrument that nobody wanted", row)
                continue
            self.first_bar.setdefault(row.key, row.bar)
            self.statuses[row.status] += 1
            self.plain_rules(row, instrument)
            self.content(row, instrument)
        for row in self.final.values():
            if row.verdict == "of another size":
                self.final_size(row, self.by_key[row.key])
            elif row.status == "live":
                self.final_live(row)
            self.quiet_price(row)
        self.sums()

    def basis(self, row):
        """When the row was made, at the latest. While the disk is full rows are made in time and seen later."""
        for begun, ended in self.w.disk:
            if begun <= row.seen <= (ended or 1e18) + 8:
                close = (row.bar + self.w.interval_us) / 1e6 - self.w.shift + 1.3
                return min(row.seen, close) if row.rev == 0 else min(row.seen, begun)
        return row.seen

    def revisions(self):
        seen = {}
        for row in self.rows:
            at = (row.key, row.bar)
            expected = seen.get(at, -1) + 1
            if row.rev != expected:
                self.offend("revision", "rev %d, expected %d" % (row.rev, expected), row)
            before = self.final.get(at)
            if before is not None and before.text.split(",")[5:] == row.text.split(",")[5:]:
                self.note("a revision that changes nothing", row)
            seen[at] = row.rev
            self.final[at] = row
            self.history[at].append(row)

    def plain_rules(self, row, instrument):
        n = row.numbers
        if exact(lambda: n["buy_base"] - n["sell_base"] != n["delta_base"] or
                 n["buy_quote"] - n["sell_quote"] != n["delta_quote"]):
            self.offend("delta", "delta is not buy - sell", row)
        if row.bar % self.w.interval_us:
            self.offend("bar", "its time is no bar's start", row)
        if row.status in ("live", "repaired", "history") and row.missing != "0":
            self.offend("missing", "%s with missing %s" % (row.status, row.missing), row)
        end = (row.bar + self.w.interval_us) / 1e6 - self.w.shift
        stopping = any(row.seen >= begun - 0.3 for begun in self.stop_moments(row.life))
        removing = instrument in self.w.removed or instrument.state != "trading"
        if end > row.seen + AHEAD and not stopping and not (row.status == "partial" and removing):
            self.offend("ahead", "its bar ends %.1f s after it was seen" % (end - row.seen), row)
        if row.status == "partial" and not self.touched(row, instrument):
            self.offend("partial", "nothing began or ended in this bar", row)

    def stop_moments(self, life):
        """When this life was asked to end: open bars are written then."""
        moment = self.w.stopping.get(life)
        return [] if moment is None else [moment]

    def touched(self, row, instrument):
        slack = 2.5
        start = row.bar / 1e6 - self.w.shift
        moments = [m for life in self.w.lives for m in life if m] + [a[0] for a in instrument.acks]
        moments += [m for span in self.w.removed.get(instrument, ()) for m in span if m] + self.w.listings
        return any(start - slack <= m <= start + self.w.scenario.interval + slack for m in moments)

    def content(self, row, instrument):
        """The heart: is what the row says what the tape has?"""
        trades = self.bars[instrument].get(row.bar, [])
        made = [t for t in trades if t.made <= row.seen]
        target = explain.held(row)
        if row.status == "history":
            self.history_content(row, made, target)
            return
        if row.status in ("gap", "partial"):
            whole = explain.total(made)
            if any(h > w for h, w in zip(target, whole)):
                if self.of_another_size(row, instrument, made):
                    return
                self.offend("excess", "%s, yet more than the tape: %s" % (row.status, explain.difference(row, made)),
                            row, self.list_trades(made))
            elif row.status == "gap" and row.missing not in ("0", "?") and instrument.chained:
                self.missing_count(row, instrument, made)
            return
        if row.status == "repaired":
            usual = (row.bar + self.w.interval_us) / 1e6 - self.w.shift + 0.3
            sure = [t for t in made if t.made <= max(usual, row.seen - FRESH)]
            why = {}
        else:
            lowest = self.known_from[instrument]
            why = {t: self.must(t, row, lowest) for t in made}
            sure = [t for t in made if why[t]]
        chosen = set(sure)
        extra = explain.explained_by(target, sure, [t for t in made if t not in chosen])
        if extra is not None:
            held = sure + extra
            row.verdict = "right" if len(held) == len(trades) else "short"
            self.told_right(row, instrument, held)
            missing = [t for t in made if t not in set(held) and not t.twin]
            if row.status == "live" and missing and row.verdict == "short":
                self.provisional(row, instrument, missing)
            return
        row.verdict = "wrong"
        if self.of_another_size(row, instrument, made):
            return
        if self.side_untold(target, made):
            self.note("a trade whose side was not told counts as other", row)
            return
        more = any(h > w for h, w in zip(target, explain.total(made)))
        kind = "repaired-wrong" if row.status == "repaired" else "live-excess" if more else "live-told"
        reasons = "" if not why else "; ".join("%s %s" % (t.id, why[t]) for t in sure[-6:])
        self.offend(kind, explain.difference(row, made), row, self.list_trades(made) + reasons)

    def of_another_size(self, row, instrument, made):
        """Is the row what the tape would be by another contract size? Until a list tells of the change, nobody knows."""
        if len(instrument.sizes) < 2:
            return False
        true = [t.contract for t in made]
        found = False
        for _, size, _ in instrument.sizes:
            for t in made:
                t.contract = size
            found = found or not any(h > w for h, w in zip(explain.held(row), explain.total(made)))
        for t, size in zip(made, true):
            t.contract = size
        told = [said for _, _, said in instrument.sizes[1:] if said is not None and said <= row.seen - READ_BY_REST]
        if found and not told:
            row.verdict = "of another size"
            self.note("by a contract size that no list had told to be over", row)
            return True
        return False

    def final_size(self, row, instrument):
        """At the end, a list has told of the change: no whole row may keep the wrong size."""
        trades = self.bars[instrument].get(row.bar, [])
        told = [said for _, _, said in instrument.sizes[1:] if said is not None]
        if told and row.seen < max(told) + READ_BY_REST and row.status in ("live", "repaired") and \
                self.w.ended - max(told) > 20 and not explain.same(explain.total(trades), explain.held(row)):
            self.offend("size-final", "a list told of another contract size, and the row stays: %s" %
                        explain.difference(row, trades), row, self.list_trades(trades))

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

    @staticmethod
    def side_untold(target, made):
        """Trades whose side no frame told may count as other."""
        turned = [t for t in made if t.refused.startswith("side")]
        for t in turned:
            t.other = True
        same = bool(turned) and explain.same(explain.total(made), target)
        for t in turned:
            t.other = False
        return same

    def provisional(self, row, instrument, missing):
        """A live row lacks trades that nobody had told of. It is an offence where nothing showed the bar to be whole."""
        why = self.unwatched(instrument, row)
        if why:
            self.offend("live-unwatched", "%s: %s" % (why, explain.difference(
                row, [t for t in self.bars[instrument].get(row.bar, [])])), row, self.list_trades(missing))
        else:
            self.note("live, provisionally wrong (%s)" % (missing[0].lost or "late"), row)

    def history_content(self, row, made, target):
        plain = [t for t in made if not t.other and not t.twin]
        want = explain.total(plain)
        if target[2:6] != want[2:6] or target[:2] != (0, 0) or row.first_id or row.last_id:
            self.offend("history-wrong", explain.difference(row, made), row, self.list_trades(made))

    def final_live(self, row):
        instrument = self.by_key.get(row.key)
        if instrument is None or row.verdict == "wrong":
            return
        trades = self.bars[instrument].get(row.bar, [])
        if explain.same(explain.total(trades), explain.held(row)):
            return
        lacking = [t for t in trades if not t.sent]
        if not instrument.chained and self.w.scenario.interval < 60 and lacking and \
                all(t.lost in ("swallowed", "deaf") for t in lacking):
            self.note("live at the end and wrong, where ids prove nothing and no candle fits", row)
            return
        self.offend("live-final", "wrong at its highest rev %.0f s after it was seen: %s" % (
            self.w.ended - row.seen, explain.difference(row, trades)), row, self.list_trades(trades))

    # -- prices, ids, sums

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
            for order in (lambda t: t.number, lambda t: t.time, lambda t: t.made):
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
        latest = max(t.time for t in before)
        last = [before[-1]] + [t for t in before if t.time == latest] + [t for t in before if not t.other][-1:]
        bars = {t.time - t.time % self.w.interval_us for t in last}
        if any(b not in self.whole(row.key) for b in bars):
            return
        if row.prices[0] not in {Decimal(t.price) for t in last}:
            self.offend("prices", "a quiet bar's price is not the last: %s" % [t.price for t in last], row)

    def whole(self, key):
        """Bars whose row at the end says that it is whole."""
        if key not in self.wholes:
            self.wholes[key] = {bar for (k, bar), r in self.final.items() if k == key and r.verdict == "right"}
        return self.wholes[key]

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

    def list_trades(self, trades, most=6):
        """The tape's truth, in short lines."""
        lines = []
        for t in trades[-most:]:
            sent = ", ".join("sent +%.2f" % (m - t.made) for m, _, _ in t.sent[:3]) or (t.lost or "not sent")
            lines.append("      id %s%s %s %s @ %s at %s (made %s; %s; REST %s)%s" % (
                t.id, " e%d" % t.epoch if t.epoch else "", t.side, t.size, t.price, clock(t.time / 1e6, 3),
                clock(t.made, 2), sent, ", ".join("+%.1f" % (m - t.made) for m, _ in t.rest[:2]) or "-",
                " FORM " + t.refused if t.refused else " TWIN" if t.twin else ""))
        return "\n".join(lines) + "\n"


def clock(seconds, digits):
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) + ("%.*f" % (digits, seconds % 1))[1:]
