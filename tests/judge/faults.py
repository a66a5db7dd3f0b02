"""Faults by seed: what, where, from when to when. The plan is drawn before the run and depends on the seed alone."""
import asyncio
import random
import time

from tape import Trade

KINDS = {}


class Planned:
    def __init__(self, start, end, kind, choice):
        self.start, self.end, self.kind, self.choice = start, end, kind, choice

    def __str__(self):
        shown = {k: getattr(v, "symbol", getattr(v, "venue", getattr(v, "__name__", v)))
                 for k, v in self.choice.items()}
        return "%5.1f-%5.1f %s %s" % (self.start, self.end, self.kind, shown)


def fault(name, shortest, longest):
    def register(cls):
        cls.name, cls.shortest, cls.longest = name, shortest, longest
        KINDS[name] = cls()
        return cls
    return register


def plan(scenario, r, world, start, end):
    """At most one fault a kind and target at once; kinds overlap as they like."""
    planned, at = [], start
    while True:
        kind = KINDS[r.choice(scenario.kinds)]
        length = r.uniform(kind.shortest, kind.longest)
        choice = kind.draw(r, world)
        at += r.expovariate(1 / scenario.every)
        if at + kind.shortest > end:
            break
        until = min(at + length, end)
        busy = [p for p in planned if p.kind == kind.name and p.end + 1 > at and
                (p.choice == choice or kind.alone)]
        if not busy:
            planned.append(Planned(at, until, kind.name, choice))
    return planned


async def begin(world, planned):
    kind = KINDS[planned.kind]
    world.count("fault " + planned.kind)
    world.applied.append((time.time(), planned))
    result = kind.begin(world, planned.choice)
    if asyncio.iscoroutine(result):
        await result


async def run(world):
    """Begins and ends all faults of the plan at their times."""
    async def one(p):
        await asyncio.sleep(max(0.0, world.begun + p.start - time.time()))
        await begin(world, p)
        await asyncio.sleep(max(0.0, world.begun + p.end - time.time()))
        result = KINDS[p.kind].end(world, p.choice)
        if asyncio.iscoroutine(result):
            await result
    await asyncio.gather(*(one(p) for p in world.plan))


class Kind:
    alone = False  # one at a time, whatever its target

    def venue(self, r, w, only=None):
        return r.choice([e for e in w.exchanges if only is None or e.venue in only])

    def instrument(self, r, w, test=lambda i: i.pace is not None):
        return r.choice([i for i in w.instruments if i.listed and test(i)])

    def draw(self, r, w):
        return {"venue": self.venue(r, w)}

    def begin(self, w, c):
        pass

    def end(self, w, c):
        pass


def exchange_us(w):
    return int((time.time() + w.shift) * 1e6)


# -- connections

@fault("cut", 1, 4)
class Cut(Kind):
    def draw(self, r, w):
        return {"venue": self.venue(r, w), "how": r.choice(("fin", "rst", "close", "rst")),
                "refuse": r.random() < 0.4}

    def begin(self, w, c):
        for connection in c["venue"].live():
            connection.cut(c["how"])
        c["venue"].refusing = c["refuse"]

    def end(self, w, c):
        c["venue"].refusing = False


@fault("half-open", 5, 12)
class HalfOpen(Cut):
    def draw(self, r, w):
        return {"venue": self.venue(r, w), "how": "black", "refuse": False}


@fault("mute", 6, 20)
class Mute(Kind):
    """Pings and answers, no data; with `quiet` one thin instrument still speaks."""

    def draw(self, r, w):
        venue = self.venue(r, w)
        quiet = [i for i in venue.instruments if i.pace and not i.busy and i.listed]
        return {"venue": venue, "quiet": r.choice(quiet) if quiet and r.random() < 0.5 else None}

    def begin(self, w, c):
        for connection in c["venue"].live():
            connection.mute, connection.vouching, connection.by = True, c["quiet"], self

    def end(self, w, c):
        for connection in c["venue"].live():
            if getattr(connection, "by", None) is self:
                connection.mute, connection.vouching = False, None


@fault("young-mute", 5, 12)
class YoungMute(Kind):
    """Connections are cut; the new ones acknowledge and never speak."""

    def begin(self, w, c):
        c["venue"].young_mute = True
        for connection in c["venue"].live():
            connection.cut("fin")

    def end(self, w, c):
        c["venue"].young_mute = False
        for connection in c["venue"].live():
            connection.mute = False


@fault("deaf", 4, 20)
class Deaf(Kind):
    def draw(self, r, w):
        return {"instrument": self.instrument(r, w)}

    def begin(self, w, c):
        w.exchange_of(c["instrument"]).deaf.add(c["instrument"])

    def end(self, w, c):
        w.exchange_of(c["instrument"]).deaf.discard(c["instrument"])


# -- frames

class Share(Kind):
    field, shares = "", (0.1,)

    def draw(self, r, w):
        return {"venue": self.venue(r, w), "share": r.choice(self.shares)}

    def begin(self, w, c):
        setattr(c["venue"], self.field, c["share"])

    def end(self, w, c):
        setattr(c["venue"], self.field, 0.0)


@fault("swallow", 2, 10)
class Swallow(Share):
    field, shares = "swallow", (0.03, 0.1, 0.3, 0.9)


@fault("double", 4, 12)
class Double(Share):
    field, shares = "double", (0.2, 0.6)


@fault("reorder", 4, 12)
class Reorder(Share):
    field, shares = "reorder", (0.1, 0.4)


@fault("lag", 6, 16)
class Lag(Share):
    field, shares = "lag", (2.0, 3.5, 6.0, 12.0, 20.0)


@fault("late-print", 1, 2)
class LatePrint(Kind):
    """A trade that the exchange itself makes known seconds after its time."""

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w), "back": r.randint(1500, 6000), "n": r.randint(1, 3)}

    def begin(self, w, c):
        last = c["instrument"].trades[-1:] or []
        for t in last:
            w.make(c["instrument"], [(t.price, "0.777", "sell", 1, c["back"] + k) for k in range(c["n"])])


# -- rows of another form, and of another identity

def as_number(row, price, size, moment, number, side):
    row[price] = float(row[price])


def size_null(row, price, size, moment, number, side):
    row[size] = None


def size_renamed(row, price, size, moment, number, side):
    row[size.upper() + "_"] = row.pop(size)


def side_absent(row, price, size, moment, number, side):
    row.pop(side)


def side_other(row, price, size, moment, number, side):
    row[side] = "unknown"


def time_text(row, price, size, moment, number, side):
    row[moment] = "yesterday"


def id_other(row, price, size, moment, number, side):
    row[number] = "T2026-%s" % row[number]


def price_exponent(row, price, size, moment, number, side):
    row[price] = "1e2x"


@fault("form", 3, 10)
class Form(Kind):
    forms = (as_number, size_null, size_renamed, side_absent, side_other, time_text, id_other, price_exponent)

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w), "form": r.choice(self.forms), "share": r.choice((0.5, 1.0))}

    def begin(self, w, c):
        w.exchange_of(c["instrument"]).forms[c["instrument"]] = (c["form"], c["share"])

    def end(self, w, c):
        w.exchange_of(c["instrument"]).forms.pop(c["instrument"], None)


@fault("same-id", 1, 2)
class SameId(Kind):
    """The next trades carry the id of the last one, but are others."""

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w, lambda i: i.busy), "n": r.randint(1, 3)}

    def begin(self, w, c):
        i = c["instrument"]
        if not i.trades:
            return
        last = i.trades[-1]

        def number(trade):
            trade.id, trade.number, trade.first, trade.last = last.id, last.number, last.first, last.last
            trade.count = last.count
        for k in range(c["n"]):
            made = w.make(i, [(last.price, format(k + 1, "d") + ".5", "buy", 1, 0)], number)
            i.unclosable.append((min(made[0].time, last.time), max(made[0].time, last.time), "one id, several trades"))


@fault("same-fills", 1, 2)
class SameFills(Kind):
    """The fills of an aggregate once more, under a new aggregate id."""

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w, lambda i: i.exchange == "binance" and i.busy)}

    def begin(self, w, c):
        i = c["instrument"]
        old = [t for t in i.trades[-6:-1] if not t.twin and t.epoch == i.epoch]
        if not old:
            return
        old = old[0]
        t = Trade(i, old.price, old.size, old.side, old.time, time.time(), old.count)
        t.id = t.number = i.next_id
        i.next_id += 1
        t.first, t.last, t.twin = old.first, old.last, True
        i.trades.append(t)
        i.unclosable.append((old.time, old.time, "same fills under two ids"))
        w.push(i, [t])


@fault("renumber", 1, 2)
class Renumber(Kind):
    def draw(self, r, w):
        return {"instrument": self.instrument(r, w, lambda i: i.chained and i.pace and i.pace < 5),
                "first": r.choice((0, 1, 1, 500, 9_000_000_000_000))}

    def begin(self, w, c):
        i = c["instrument"]
        now = exchange_us(w)
        i.epoch += 1
        i.next_id = i.next_fill = c["first"]
        i.unclosable.append((now - 8_000_000, now + 15_000_000, "numbering begun anew"))


@fault("size", 6, 8)
class Size(Kind):
    """The contract size changes; some seconds later a new name in the symbol list makes the daemon read the list."""
    alone = True

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w, lambda i: i.venue == "okx.linear"),
                "factor": r.choice(("10", "0.1"))}

    def begin(self, w, c):
        from decimal import Decimal
        i, now = c["instrument"], exchange_us(w)
        i.contract *= Decimal(c["factor"])
        i.unclosable.append((now - 30_000_000, now + 60_000_000, "contract size changed"))

    def end(self, w, c):
        new_name(w, w.exchange_of(c["instrument"]))


def new_name(w, exchange):
    """Lists an instrument that was kept back and wants it."""
    for i in exchange.instruments:
        if not i.listed:
            i.listed = True
            w.wanted.add(i)
            w.listings.append(time.time())
            w.daemon.write_symbols(w.symbols())
            w.count("names added")
            return


# -- time, REST, lists

@fault("time", 10, 30)
class Time(Kind):
    alone = True

    def draw(self, r, w):
        return {"venue": self.venue(r, w), "hosts": r.choice(((0, 1), (0,), (1,))),
                "shift": r.choice((300, -300, None, 4, -4, 90))}

    def begin(self, w, c):
        c["venue"].time_fault = {h: c["shift"] for h in c["hosts"]}

    def end(self, w, c):
        c["venue"].time_fault = {}


@fault("rest", 6, 18)
class Rest(Kind):
    """History fails while there are holes to be filled."""

    def draw(self, r, w):
        return {"venue": self.venue(r, w), "how": r.choice(("429", "418", "503", "html", "half", "empty", "slow",
                                                            "hang", "mix")), "share": r.choice((0.05, 0.2))}

    def begin(self, w, c):
        c["venue"].rest_fault = c["how"]
        c["venue"].swallow = c["share"]

    def end(self, w, c):
        c["venue"].rest_fault, c["venue"].swallow = None, 0.0


@fault("page-cap", 15, 30)
class PageCap(Kind):
    """A page has fewer rows than asked for although there are more."""

    def draw(self, r, w):
        return {"venue": self.venue(r, w, ("coinbase.spot",)), "rows": r.choice((5, 20, 100))}

    def begin(self, w, c):
        c["venue"].page_cap = c["rows"]
        c["venue"].swallow = 0.5

    def end(self, w, c):
        c["venue"].page_cap, c["venue"].swallow = None, 0.0


@fault("history-later", 3, 5)
class HistoryLater(Kind):
    """A hole, and a history that begins inside it."""

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w, lambda i: i.busy and i.chained)}

    def begin(self, w, c):
        c["since"] = exchange_us(w)
        w.exchange_of(c["instrument"]).deaf.add(c["instrument"])

    def end(self, w, c):
        i = c["instrument"]
        w.exchange_of(i).deaf.discard(i)
        i.history_from = max(0, len(i.trades) - 2)
        i.unclosable.append((c["since"] - 5_000_000, exchange_us(w) + 1_000_000, "history begins later"))


@fault("list", 6, 14)
class List(Kind):
    """The list is wrong for a moment, just when it is read because of a new name."""
    alone = True

    def draw(self, r, w):
        return {"venue": self.venue(r, w), "how": r.choice(("empty", "partial", "halted"))}

    def begin(self, w, c):
        c["venue"].list_fault = c["how"]
        w.listings.append(time.time())
        new_name(w, c["venue"])

    def end(self, w, c):
        c["venue"].list_fault = None
        w.listings.append(time.time())


@fault("edit", 4, 12)
class Edit(Kind):
    alone = True

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w), "how": r.choice(("remove", "remove", "broken", "unknown")),
                "saved": r.choice(("in place", "renamed"))}

    def begin(self, w, c):
        if c["how"] == "remove":
            w.wanted.discard(c["instrument"])
            w.removed.setdefault(c["instrument"], []).append([time.time(), None])
            w.daemon.write_symbols(w.symbols(), c["saved"])
        elif c["how"] == "broken":
            w.daemon.write_symbols(w.symbols() + '\n[binance\nspot = ["', c["saved"])
        else:
            w.daemon.write_symbols(w.symbols() + '\n[nowhere]\nspot = ["BTCUSDT"]\n', c["saved"])

    def end(self, w, c):
        if c["how"] == "remove":
            w.wanted.add(c["instrument"])
            w.removed[c["instrument"]][-1][1] = time.time()
        w.daemon.write_symbols(w.symbols(), c["saved"])


# -- the daemon

@fault("restart", 3, 14)
class Restart(Kind):
    """Stopped or killed, down for a while. Before it, some instruments may fall silent while their bars close, or the
    last trade may have a higher id and an earlier time than those before."""
    alone = True

    def draw(self, r, w):
        return {"how": r.choice(("term", "kill")), "silent": r.choice((None, None, "venue", "instrument")),
                "venue": self.venue(r, w), "instrument": self.instrument(r, w, lambda i: i.busy),
                "inversion": r.random() < 0.4, "size": r.random() < 0.2, "renumber": r.random() < 0.15,
                "silence": r.uniform(2.5, 5.5)}

    async def begin(self, w, c):
        if w.restarting:
            return
        if c["silent"]:
            deaf = c["venue"].instruments if c["silent"] == "venue" else [c["instrument"]]
            w.exchange_of(c["instrument"]).deaf.update(i for i in deaf if i.venue == c["instrument"].venue)
            c["venue"].deaf.update(i for i in deaf if i.venue == c["venue"].venue)
            await asyncio.sleep(c["silence"])
        if c["inversion"] and c["instrument"].trades:
            price = c["instrument"].trades[-1].price
            w.make(c["instrument"], [(price, "0.5", "buy", 1, 0)])
            w.make(c["instrument"], [(price, "0.25", "sell", 1, int(w.interval_us / 1000) + 300)])
            await asyncio.sleep(0.05)
        w.restarting = True
        await w.stop_daemon(c["how"])
        for e in w.exchanges:
            e.deaf.clear()
        if c["size"]:
            swaps = [i for i in w.instruments if i.venue == "okx.linear"]
            for i in swaps[:1]:
                i.contract *= 10
                now = exchange_us(w)
                i.unclosable.append((now - 20_000_000, now + 30_000_000, "contract size changed while stopped"))
        if c["renumber"] and c["instrument"].chained:
            KINDS["renumber"].begin(w, {"instrument": c["instrument"], "first": 1})

    async def end(self, w, c):
        if w.restarting and not w.daemon.running:
            await w.start_daemon()
            w.restarting = False


@fault("freeze", 2, 15)
class Freeze(Kind):
    alone = True

    def draw(self, r, w):
        return {"hangup": r.choice((None, None, "fin", "rst")), "venue": self.venue(r, w)}

    async def begin(self, w, c):
        if w.restarting:
            return
        w.daemon.freeze(True)
        w.frozen.append([time.time(), None])
        if c["hangup"]:
            await asyncio.sleep(1.0)
            for connection in c["venue"].live():
                connection.cut(c["hangup"])

    def end(self, w, c):
        if w.frozen and w.frozen[-1][1] is None:
            w.daemon.freeze(False)
            w.frozen[-1][1] = time.time()


@fault("disk-full", 4, 10)
class DiskFull(Kind):
    """Files may not grow any more; SIGXFSZ or EFBIG is what a full disk looks like here."""
    alone = True

    def draw(self, r, w):
        return {"room": r.randint(0, 3000)}

    def begin(self, w, c):
        import os
        sizes = [os.stat(p).st_size for p in w.tail.files()]
        try:
            w.daemon.limit_files(max(sizes, default=0) + c["room"])
        except (OSError, ValueError) as e:
            w.note("SKIPPED disk-full: %s" % e)

    def end(self, w, c):
        try:
            w.daemon.limit_files(None)
        except (OSError, ValueError):
            pass


def seeded(text):
    return random.Random(text)
