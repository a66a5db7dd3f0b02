"""Judges every row, at every revision, against the tape and what the daemon could know when it wrote it."""
import time
from collections import Counter, defaultdict

import explain
from figures import Figures
from knowledge import Knowledge
from sizes import Sizes
from tape import exact

FRESH = 5.0  # of trades made later than their bar, those this shortly before a row was seen may be in it or not
AHEAD = 0.6  # seconds by which a bar's end may be ahead of the exchange's time when it is seen


class Offence:
    def __init__(self, kind, what, row=None, more=""):
        self.kind, self.what, self.row, self.more = kind, what, row, more


class Oracle(Knowledge, Figures, Sizes):
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
        # Where its witnesses of the time disagree it waits with its bars, and a stop finds them open.
        wrong = any(p.kind == "time" and self.w.begun + p.start < row.seen for p in self.w.plan)
        slack = 10.0 if wrong else 2.5
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
                # A gap promises nothing, as long as it does not stay.
                if row.status == "gap" and self.final[(row.key, row.bar)] is not row:
                    self.note("a gap that was mended had more than the tape", row)
                    return
                # What was counted by the size before stays in doubt: no candle fits bars as short as these.
                if row.status == "gap" and len(instrument.sizes) > 1:
                    self.note("a gap that was counted by another contract size", row)
                    return
                self.offend("excess", "%s, yet more than the tape: %s" % (row.status, explain.difference(row, made)),
                            row, self.list_trades(made))
            elif row.status == "gap" and row.missing not in ("0", "?") and instrument.chained:
                self.missing_count(row, instrument, made)
            return
        if row.status == "live" and self.before_subscribed(row, instrument):
            self.offend("live-unwatched", "nobody was subscribed in all of this bar yet", row)
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
        if self.with_a_piece(row, target, sure, made):
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

    def with_a_piece(self, row, target, sure, made):
        """A page of single fills may end within what was one push: the row has some of its fills then."""
        rest = [t for t in made if t not in set(sure)]
        for t in rest:
            for first, behind in t.parts:
                piece = t.piece(first, behind)
                without = explain.exact(lambda: tuple(x - y for x, y in zip(target, explain.share(piece))))
                extra = explain.explained_by(without, sure, [o for o in rest if o is not t])
                if row.status == "live" and extra is not None:
                    row.verdict = "short"
                    self.provisional(row, t.instrument, [o for o in rest if o not in extra and not o.twin])
                    return True
        return False

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
        if instrument is None:
            return
        if row.verdict == "wrong":
            self.offend("live-final", "wrong at its highest rev, see above", row)
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
    seconds = round(seconds, digits)
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) + ("%.*f" % (digits, seconds % 1))[1:]
