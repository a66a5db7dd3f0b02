"""What really happened: instruments, their trades, and what the daemon was told of each. Exact decimals throughout."""
import copy
import random
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

BUY, SELL = "buy", "sell"  # the taker's side
ZERO = Decimal(0)


def exact(function, *arguments):
    with localcontext() as context:
        context.prec = 120
        return function(*arguments)


class Instrument:
    """pace: mean seconds between two orders; None: it never trades."""

    def __init__(self, venue, symbol, base, quote, pace, price, digits, contract="1", inverse=False, chained=True):
        self.venue, self.symbol, self.base, self.quote = venue, symbol, base, quote
        self.exchange, self.market = venue.split(".")
        self.pace, self.price, self.digits = pace, Decimal(price), digits
        self.contract, self.inverse = Decimal(contract), inverse
        self.chained = chained  # ids are consecutive, so one tells of those before it
        self.listed, self.state = True, "trading"
        self.trades = []  # all that the exchange made, in the order of making
        self.epoch, self.next_id, self.next_fill = 0, 0, 0
        self.history_from = 0  # index in trades: REST has nothing before it
        self.unclosable = []  # (from, to, why): exchange time in us; whether such bars can be made whole is open
        self.told = []  # (local time, life, epoch, id, connection or None for REST): the daemon was told of this id
        self.sizes = [[0.0, self.contract, 0.0]]  # (since when, contract size, when a list first told it)
        self.acks = []  # (local time, life, connection number)

    @property
    def key(self):
        return (self.exchange, self.market, self.symbol)

    @property
    def busy(self):
        return self.pace is not None and self.pace < 1.5

    def resize(self, moment, factor):
        self.contract = exact(lambda: self.contract * Decimal(factor))
        self.sizes.append([moment, self.contract, None])

    def size_told(self, moment):
        """A list with this instrument was answered."""
        if self.sizes[-1][2] is None:
            self.sizes[-1][2] = moment

    def visible(self):
        """What REST's history has."""
        return self.trades[self.history_from:]


class Trade:
    """An aggregate of `count` fills of one taker order at one price; size in the exchange's own unit."""

    __slots__ = ("instrument", "epoch", "id", "first", "last", "count", "price", "size", "side", "time", "made",
                 "other", "contract", "twin", "sent", "rest", "number", "refused", "lost", "parts")

    def __init__(self, instrument, price, size, side, time, made, count=1):
        self.instrument, self.price, self.size, self.side = instrument, price, size, side
        self.time, self.made, self.count = time, made, count  # us of the exchange's time; local seconds
        self.contract, self.epoch = instrument.contract, instrument.epoch
        self.other = self.twin = False  # counts apart; a repetition of fills that were told already
        self.sent = []  # (local time, life, connection): frames that left with it
        self.rest = []  # (local time, life): pages with it that were answered
        self.id = self.first = self.last = self.number = 0
        self.refused = ""  # the form in which it was sent, if nobody can read it
        self.lost = ""  # why no frame went out with it
        self.parts = set()  # (first, behind the last) of its fills that a page ended with or began with

    def fill_sizes(self):
        """A tenth of it each, the last what remains."""
        def split():
            whole = Decimal(self.size)
            part = whole.scaleb(-1)
            return [part] * (self.count - 1) + [whole - part * (self.count - 1)]
        return exact(split)

    def piece(self, first, behind):
        """A trade of some of its fills."""
        out = copy.copy(self)
        out.count = behind - first
        out.size = format(exact(lambda: sum(self.fill_sizes()[first:behind], Decimal(0))), "f")
        return out

    def amounts(self):
        """(base, quote), as the contract of rows has it."""
        price, size = Decimal(self.price), Decimal(self.size)

        def work():
            if self.instrument.inverse:
                quote = size * self.contract
                return (quote / price).quantize(Decimal(1).scaleb(-12), rounding=ROUND_HALF_EVEN), quote
            base = size * self.contract
            return base, base * price
        return exact(work)


class Script:
    """Orders of one instrument, by seed alone: (seconds since the start, [(price, size, side, fills, back)]),
    `back` milliseconds by which its time lies before the moment of making."""

    def __init__(self, instrument, seed):
        self.instrument = instrument
        self.random = random.Random("%s/%s/%s" % (seed, instrument.venue, instrument.symbol))
        self.at = self.random.uniform(0, instrument.pace or 1)
        self.price = instrument.price
        self.tick = Decimal(1).scaleb(-instrument.digits[0])
        self.burst = 0

    def next(self):
        r, i = self.random, self.instrument
        if self.burst:
            self.burst -= 1
            self.at += r.choice((0, 0, 0.001, 0.004))
        else:
            self.at += r.expovariate(1 / i.pace)
            if r.random() < 0.02 and i.pace < 5:
                self.burst = r.randint(5, 40)
        return self.at, self.order()

    def order(self):
        r = self.random
        side = r.choice((BUY, SELL))
        back = r.choice((0, 1, 2, 3, 5, 8, 12, 20))
        if r.random() < 0.01:  # the time is out of order, also across a bar's end
            back = r.randint(30, 400)
        levels = []
        for _ in range(r.choice((1, 1, 1, 1, 2, 3))):
            self.price += self.tick * r.choice((-3, -1, -1, 0, 0, 1, 1, 3))
            self.price = max(self.price, self.tick * 50)
            whole = r.choice((r.randint(1, 9), r.randint(1, 999), r.randint(1, 99999)))
            size = Decimal(whole).scaleb(-self.instrument.digits[1])
            levels.append((format(self.price, "f"), format(size, "f"), side, r.choice((1, 1, 1, 2, 4)), back))
        return levels
