"""Faults of time, history and lists, of the symbol list, and of the daemon itself."""
import asyncio
import os
import time

from faults import KINDS, Kind, exchange_us, fault, new_name


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
        return {"venue": self.venue(r, w, ("coinbase.spot", "deribit.inverse")), "rows": r.choice((5, 20, 100))}

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
                i.resize(time.time(), 10)
                now = exchange_us(w)
                i.unclosable.append((now - 20_000_000, now + 30_000_000, "contract size changed while stopped"))
        if c["renumber"] and c["instrument"].chained:
            KINDS["renumber"].begin(w, {"instrument": c["instrument"], "first": 1})
            since, until, why = c["instrument"].unclosable[-1]
            # Which numbers are of before nobody knows until it runs again and has seen some.
            c["instrument"].unclosable[-1] = (since, until + 15_000_000, why)

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
        sizes = [os.stat(p).st_size for p in w.tail.files()]
        try:
            w.daemon.limit_files(max(sizes, default=0) + c["room"])
            w.disk.append([time.time(), None])
        except (OSError, ValueError) as e:
            w.note("SKIPPED disk-full: %s" % e)

    def end(self, w, c):
        if not w.disk:
            return
        try:
            w.daemon.limit_files(None)
            w.disk[-1][1] = w.disk[-1][1] or time.time()
        except (OSError, ValueError):
            pass
