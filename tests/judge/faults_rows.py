"""Faults of rows: another form, another identity, another size."""
import time

from faults import Kind, exchange_us, fault, new_name
from tape import Trade


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
        i, now = c["instrument"], exchange_us(w)
        i.resize(time.time(), c["factor"])
        i.unclosable.append((now - 30_000_000, now + 60_000_000, "contract size changed"))

    def end(self, w, c):
        new_name(w, w.exchange_of(c["instrument"]))
