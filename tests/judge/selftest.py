"""Does the oracle see anything? Rows of a perfect daemon must pass; each planted defect must be found, by its kind."""
import time
from decimal import Decimal

import explain
from binance import Binance
from limits import Manners
from liveness import Liveness
from oracle import Oracle
from rows import COLUMNS, Row
from scenarios import SCENARIOS
from tape import Instrument, Script, Trade, ZERO, exact

STEP = 2_000_000


class Stub:
    """A world in which nothing is wrong: every trade is delivered at once."""

    shift, interval_us, life, seed = 0.0, STEP, 1, "self-test"
    scenario = SCENARIOS["peace"]

    def __init__(self):
        self.begun = int(time.time()) // 60 * 60 - 600.0
        self.ended = self.begun + 120
        self.lives, self.frozen, self.removed, self.listings = [(self.begun - 1, self.ended)], [], {}, []
        self.stopping, self.worst_lag, self.disk, self.newly, self.plan = {}, 0.0, [], set(), []
        symbols = [("AAAUSDT", 0.3), ("BBBUSDT", 7.0)]
        self.instruments = [Instrument("binance.spot", s, s[:3], "USDT", pace, "100.5", (2, 3)) for s, pace in symbols]
        self.exchanges = [Binance(self, self.instruments)]
        self.wanted = set(self.instruments)
        for i in self.instruments:
            i.next_id = 1000
            i.acks.append((self.begun - 0.5, 1, 1))
            self.fill(i)

    def chance(self, share):
        return False

    def exchange_of(self, instrument):
        return self.exchanges[0]

    def peace_since(self):
        return self.begun

    def fill(self, i):
        script = Script(i, "self-test")
        while True:
            at, levels = script.next()
            if at >= 119:
                return
            for price, size, side, count, back in levels:
                made = self.begun + at
                t = Trade(i, price, size, side, int(made * 1000 - back) * 1000, made, count)
                self.exchanges[0].number(t)
                t.sent.append((made + 0.01, 1, None))
                i.told.append((made + 0.01, 1, 0, t.number, None))
                self.exchanges[0].data.append((made + 0.01, 1, t.time))
                i.trades.append(t)


def perfect(w, tape=None, status="live"):
    """Rows as a perfect daemon writes them, oldest bar first. tape: {instrument: trades} if not the true one."""
    made = []
    for i in w.instruments:
        trades = (tape or {}).get(i, i.trades)
        cvd, last = [ZERO, ZERO], None
        start = int(w.begun * 1e6)
        earlier = [t for t in i.trades if t.time < start]
        last = earlier[-1].price if earlier else None
        for bar in range(start, int(w.ended * 1e6) - STEP, STEP):
            inside = sorted((t for t in trades if bar <= t.time < bar + STEP), key=lambda t: t.number)
            made.append((bar, i.symbol, line(i, bar, inside, cvd, last, status), i))
            last = inside[-1].price if inside else last
    made.sort(key=lambda m: m[:2])
    return [at_time(w, text) for _, _, text, _ in made]


def line(i, bar, inside, cvd, last, status):
    sums = explain.total(inside)
    prices = [t.price for t in inside]
    if prices:
        both = sorted(map(Decimal, prices))
        ohlc = [Decimal(prices[0]), both[-1], both[0], Decimal(prices[-1])]
    else:
        ohlc = [Decimal(last)] * 4 if last else [None] * 4

    def add():
        cvd[0] += sums[2] - sums[3]
        cvd[1] += sums[4] - sums[5]
        return sums[2] - sums[3], sums[4] - sums[5]
    delta = exact(add)
    numbers = [*ohlc, *sums[:6], *delta, *cvd, *sums[6:]]
    text = [explain.plain(x) if x is not None else "" for x in numbers]
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(bar // 1_000_000))
    ids = [str(inside[0].id), str(inside[-1].id)] if inside else ["", ""]
    return ",".join([when, i.exchange, i.market, i.symbol, "0", status, *text, *ids, "0"])


def at_time(w, text, after=1.1):
    row = Row(text)
    row.seen, row.life, row.file = (row.bar + STEP) / 1e6 + after, 1, "cvd.csv"
    return row


def changed(w, row, **fields):
    """The row once more, with other fields."""
    f = dict(zip(COLUMNS, row.text.split(",")))
    f.update(fields)
    new = Row(",".join(f[c] for c in COLUMNS))
    new.seen, new.life, new.file = row.seen, row.life, row.file
    return new


def verdict(w, rows):
    oracle = Oracle(w, rows)
    oracle.judge()
    Liveness(oracle).judge()
    return oracle


def with_tape(w, change):
    """Rows of a daemon whose idea of the busy instrument's tape is another."""
    i = w.instruments[0]
    trades = list(i.trades)
    change(trades)
    return perfect(w, {i: trades})


def moved(trades):
    k = len(trades) // 2
    t, copy = trades[k], Trade.__new__(Trade)
    for name in Trade.__slots__:
        setattr(copy, name, getattr(t, name))
    return k, copy


def flip(trades):
    k, copy = moved(trades)
    copy.side = "buy" if copy.side == "sell" else "sell"
    trades[k] = copy


def shift_bar(trades):
    k, copy = moved(trades)
    copy.time += STEP
    trades[k] = copy


def size_digit(trades):
    k, copy = moved(trades)
    copy.size = str(exact(lambda: Decimal(copy.size) + Decimal("0.000000000001")))
    trades[k] = copy


def never_told(w):
    """The last trade of a quiet spell came by no frame and no later id; the row without it is provisional, not final."""
    i = w.instruments[1]
    lost = i.trades[-1]
    lost.sent, i.told = [], [e for e in i.told if e[3] < lost.number]
    return perfect(w, {i: i.trades[:-1]})


def busy_bar(w, rows, at=0.5):
    mine = [k for k, r in enumerate(rows) if r.key == w.instruments[0].key and r.buys + r.sells > 2]
    return mine[int(len(mine) * at)]


def replace(rows, k, *new):
    return rows[:k] + list(new) + rows[k + 1:]


def defects():
    """(what, expected kind, rows of a world)"""
    yield "a dropped trade", "live-told", lambda w: with_tape(w, lambda t: t.pop(len(t) // 2))
    yield "a doubled trade", "live-excess", lambda w: with_tape(w, lambda t: t.insert(len(t) // 2, t[len(t) // 2]))
    yield "a flipped side", "live-excess", lambda w: with_tape(w, flip)
    yield "a trade in the next bar", "live-told", lambda w: with_tape(w, shift_bar)
    yield "a size off in its twelfth digit", "live-excess", lambda w: with_tape(w, size_digit)
    yield "a trade that nobody told of, for good", "live-final", never_told

    def on_row(expected, change, what):
        def rows_of(w):
            rows = perfect(w)
            k = busy_bar(w, rows)
            return change(w, rows, k)
        return what, expected, rows_of
    plus = lambda text, x: explain.plain(exact(lambda: Decimal(text) + Decimal(x)))
    yield on_row("absent", lambda w, rows, k: replace(rows, k), "a lost row")
    yield on_row("revision", lambda w, rows, k: replace(rows, k, rows[k], rows[k]), "a doubled row")
    yield on_row("revision", lambda w, rows, k: replace(rows, k, rows[k], changed(w, rows[k], rev="2")), "a rev left out")
    yield on_row("cvd", lambda w, rows, k: replace(rows, k, changed(
        w, rows[k], cvd_base=plus(rows[k].text.split(",")[18], "0.001"))), "a CVD that drifts")
    yield on_row("delta", lambda w, rows, k: replace(rows, k, changed(
        w, rows[k], delta_quote=plus(rows[k].text.split(",")[17], "1"))), "a delta that is none")
    yield on_row("prices", lambda w, rows, k: replace(rows, k, changed(
        w, rows[k], high=plus(rows[k].text.split(",")[7], "0.01"))), "a wrong high")
    yield on_row("ids", lambda w, rows, k: replace(rows, k, changed(w, rows[k], last_id="1")), "a wrong last id")
    yield on_row("missing", lambda w, rows, k: replace(rows, k, changed(w, rows[k], missing="3")), "live, 3 missing")
    yield on_row("open-gap", lambda w, rows, k: replace(rows, k, changed(w, rows[k], status="gap", missing="?")),
                 "a gap that stays open")
    yield on_row("partial", lambda w, rows, k: replace(rows, k, changed(w, rows[k], status="partial")),
                 "partial in the middle")

    def ahead(w, rows, k):
        rows[k].seen -= 3
        return rows
    yield on_row("ahead", ahead, "a row ahead of time")

    def repaired(w):
        rows = with_tape(w, lambda t: t.pop(len(t) // 2))
        right = perfect(w)
        return [changed(w, a, status="repaired") if a.text != b.text and
                a.text.split(",")[10:12] != b.text.split(",")[10:12] else a for a, b in zip(rows, right)]
    yield "repaired, and a trade is missing", "repaired-wrong", repaired

    def excess(w):
        rows = with_tape(w, lambda t: t.insert(len(t) // 2, t[len(t) // 2]))
        right = perfect(w)
        return [changed(w, a, status="gap", missing="?") if a.text.split(",")[10:12] != b.text.split(",")[10:12] else a
                for a, b in zip(rows, right)]
    yield "a gap with a trade twice", "excess", excess

    def unwatched(w):
        """The feed is 5 s late and nothing has reached the bars' ends: live rows without the late trades."""
        i = w.instruments[0]
        late = [t for t in i.trades if w.begun + 60 <= t.made < w.begun + 70]
        for t in late:
            t.sent = [(t.made + 5, 1, None)]
        i.told = [(m + 5 if w.begun + 60 <= m < w.begun + 70.01 else m, *rest) for m, *rest in i.told]
        w.exchanges[0].data = [(m + 5 if w.begun + 60 <= m < w.begun + 70.01 else m, *rest)
                               for m, *rest in w.exchanges[0].data]
        gone = set(late)
        return perfect(w, {i: [t for t in i.trades if t not in gone]})
    yield "live while the feed is late", "live-unwatched", unwatched

    def before(w):
        """A row of a time when nobody was subscribed."""
        i, bar = w.instruments[0], int(w.begun * 1e6) - 5 * STEP
        return [at_time(w, line(i, bar, [], [ZERO, ZERO], None, "live"), 12.0)] + perfect(w)
    yield "live before anybody was subscribed", "live-unwatched", before


MALFORMED = (("a trailing zero", 12, "1.50"), ("an exponent", 12, "1e3"), ("a minus zero", 16, "-0"),
             ("an unknown status", 5, "fine"), ("a quoted field", 3, '"AAAUSDT"x'[:0] + "A,B"), ("an empty count", 10, ""))


def manners():
    """Limits: just within is no offence, one more is; who comes too early after a ban is seen."""
    failed = 0
    for what, expected, moments, ban in (
            ("five messages in a second", 0, [0, .2, .4, .6, .8, 1.01], None), ("six messages in a second", 1,
                                                                               [0, .2, .4, .6, .8, .9], None),
            ("asking after the ban", 0, [12.1], 10), ("asking during the ban", 1, [5], 10)):
        m = Manners("self-test")
        if ban:
            m.tell_to_wait(1, "all", 1, ban, "429")
        for moment in moments:
            if ban:
                m.asked(moment, "all", 1, what)
            else:
                m.count("messages", 5, 1.0, moment)
        good = len(m.offences) == expected
        failed += not good
        print("%-42s %-16s %s" % (what, "%d offences" % expected, "found" if good else "NOT FOUND: %s" % m.offences))
    return failed


def main():
    failed = 0
    w = Stub()
    clean = verdict(w, perfect(w))
    print("%d rows of a perfect daemon: %d offences" % (len(clean.rows), len(clean.offences)))
    for o in clean.offences[:5]:
        print("   %s %s %s" % (o.kind, o.what, o.row and o.row.text))
    failed += bool(clean.offences)
    for what, expected, rows_of in defects():
        w = Stub()
        kinds = {o.kind for o in verdict(w, rows_of(w)).offences}
        good = expected in kinds
        failed += not good
        print("%-42s %-16s %s" % (what, expected, "found" if good else "NOT FOUND; instead %s" % sorted(kinds)))
    failed += manners()
    text = perfect(Stub())[0].text.split(",")
    for what, column, value in MALFORMED:
        try:
            Row(",".join(text[:column] + [value] + text[column + 1:]))
            failed += 1
            print("%-42s NOT FOUND" % what)
        except ValueError:
            print("%-42s malformed        found" % what)
    print("self-test: %s" % ("everything planted was found" if not failed else "%d failures" % failed))
    return 1 if failed else 0
