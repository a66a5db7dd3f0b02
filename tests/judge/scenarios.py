"""Worlds: which exchanges, how busy, which faults. A scenario's plan is drawn from its kinds by the seed."""
from binance import Binance, BinanceLinear
from bybit import Bybit, BybitSpot
from coinbase import Coinbase
from deribit import Deribit
from limits import Manners
from okx import Okx, OkxLinear
from tape import Instrument

# symbol, base, quote, pace (mean seconds between orders; None: never), price, digits of price and size
BUSY, BRISK, CALM, THIN, RARE = 0.18, 0.5, 2.0, 9.0, 45.0


def market(venue, names, first_ids, **named):
    made = []
    for k, (symbol, base, quote, pace, price, digits) in enumerate(names):
        i = Instrument(venue, symbol, base, quote, pace, price, digits, **named)
        i.next_id, i.next_fill = first_ids + k * 1000, first_ids * 2 + k * 5000
        made.append(i)
    made[-1].listed = False  # kept back: listed when a fault wants a new name
    return made


def binance_spot(w):
    return [Binance(w, market("binance.spot", [
        ("BTCUSDT", "BTC", "USDT", BUSY, "83100.12", (2, 5)), ("ETHUSDT", "ETH", "USDT", BRISK, "2911.07", (2, 4)),
        ("SOLUSDT", "SOL", "USDT", CALM, "131.55", (2, 3)), ("XRPUSDT", "XRP", "USDT", THIN, "2.1113", (4, 1)),
        ("ZILUSDT", "ZIL", "USDT", RARE, "0.01234", (5, 1)), ("QUIETUSDT", "QUIET", "USDT", None, "1", (2, 2)),
        ("NEWUSDT", "NEW", "USDT", CALM, "7.77", (2, 2))], 3_400_000_000))]


def binance_linear(w):
    return [BinanceLinear(w, market("binance.linear", [
        ("BTCUSDT", "BTC", "USDT", BUSY, "83090.2", (1, 3)), ("1000PEPEUSDT", "1000PEPE", "USDT", BRISK, "0.0044478",
                                                             (7, 0)),
        ("DOGEUSDT", "DOGE", "USDT", THIN, "0.15113", (5, 0)), ("BATUSDT", "BAT", "USDT", RARE, "0.2112", (4, 1)),
        ("NEWUSDT", "NEW", "USDT", CALM, "7.7", (1, 1))], 77_000))]


def okx(w):
    shared = Manners("okx")
    return [Okx(w, market("okx.spot", [
        ("BTC-USDT", "BTC", "USDT", BRISK, "83105.1", (1, 6)), ("LTC-USDT", "LTC", "USDT", THIN, "91.2", (2, 4)),
        ("NEW-USDT", "NEW", "USDT", CALM, "7.77", (2, 2))], 1_051_100_000), shared),
            OkxLinear(w, market("okx.linear", [
                ("BTC-USDT-SWAP", "BTC", "USDT", BUSY, "83111.1", (1, 2)),
                ("ETH-USDT-SWAP", "ETH", "USDT", CALM, "2911.15", (2, 1)),
                ("NEW-USDT-SWAP", "NEW", "USDT", CALM, "7.77", (2, 0))], 900_000, contract="0.1"), shared)]


def bybit(w):
    shared = Manners("bybit")
    return [Bybit(w, market("bybit.linear", [
        ("BTCUSDT", "BTC", "USDT", BUSY, "83077.5", (1, 3)), ("ETHUSDT", "ETH", "USDT", CALM, "2911.4", (2, 2)),
        ("XLMUSDT", "XLM", "USDT", THIN, "0.2511", (4, 0)), ("NEWUSDT", "NEW", "USDT", CALM, "7.7", (1, 1))], 1,
        chained=False), shared),
            BybitSpot(w, market("bybit.spot", [
                ("BTCUSDT", "BTC", "USDT", BRISK, "83077.5", (1, 6)), ("ADAUSDT", "ADA", "USDT", THIN, "0.41", (4, 1)),
                ("NEWUSDT", "NEW", "USDT", CALM, "7.7", (1, 1))], 1, chained=False), shared)]


def coinbase(w):
    return [Coinbase(w, market("coinbase.spot", [
        ("BTC-USD", "BTC", "USD", BUSY, "83120.01", (2, 8)), ("ETH-USD", "ETH", "USD", CALM, "2911.5", (2, 8)),
        ("ALGO-USD", "ALGO", "USD", THIN, "0.1433", (4, 2)), ("BAL-USD", "BAL", "USD", RARE, "1.11", (2, 3)),
        ("NEW-USD", "NEW", "USD", CALM, "7.7", (2, 2))], 882_000_000))]


def deribit(w):
    return [Deribit(w, market("deribit.inverse", [
        ("BTC-PERPETUAL", "BTC", "USD", BRISK, "83099.5", (1, -1)), ("ETH-PERPETUAL", "ETH", "USD", CALM, "2911.05",
                                                                     (2, 0)),
        ("BTC-25DEC26", "BTC", "USD", THIN, "84500.5", (1, -1)), ("BTC-26MAR27", "BTC", "USD", CALM, "85000", (1, -1))],
        298_000_000, inverse=True))]


EVERYWHERE = (binance_spot, binance_linear, okx, bybit, coinbase, deribit)


class Scenario:
    """every: mean seconds between faults; first: kinds that hold when the daemon begins; warm, settle: seconds of peace at
    first and at the end; extra: lines of configuration for every market; single: streams of single fills; shortest: seconds that it needs."""

    def __init__(self, name, kinds, venues=EVERYWHERE, interval=2, every=4.0, warm=2.0, settle=55.0, shift=None,
                 blocks=True, shortest=90, first=(), extra="", single=False):
        self.name, self.kinds, self.venues, self.interval, self.every = name, kinds, venues, interval, every
        self.warm, self.settle, self.shift, self.blocks, self.shortest = warm, settle, shift, blocks, shortest
        self.first, self.extra, self.single = first, extra, single

    def build(self, world):
        return [e for venue in self.venues for e in venue(world)]

    def shift_at(self, now):
        """Seconds by which the exchanges' time is ahead of the local clock."""
        if self.shift == "midnight":  # their day ends half a minute into the run
            return 86400 - (now + 35) % 86400
        return self.shift or 0.0


FRAMES = ("swallow", "double", "reorder", "lag", "late-print")
SCENARIOS = {s.name: s for s in (
    Scenario("peace", ("double",), every=30.0, settle=20.0, shortest=45),
    Scenario("cuts", ("cut", "cut", "half-open", "young-mute"), every=5.0),
    Scenario("mute", ("mute", "mute", "deaf", "young-mute"), every=5.0, interval=3),
    Scenario("frames", FRAMES, every=4.0),
    Scenario("lag", ("lag", "late-print", "swallow"), every=8.0, interval=5),
    Scenario("forms", ("form", "form", "swallow"), every=3.0),
    Scenario("ids", ("same-id", "same-fills", "renumber", "swallow"), every=4.0),
    Scenario("sizes", ("size", "cut", "swallow", "restart"), venues=(okx, binance_spot), every=5.0),
    Scenario("single", ("cut", "swallow", "double", "reorder", "deaf", "restart"), every=5.0, single=True,
             venues=(binance_spot, binance_linear, okx), extra='stream = "trade"\n'),
    Scenario("clock", ("cut", "swallow", "restart"), every=8.0, first=("time", "time")),
    Scenario("clock-later", ("time", "cut", "restart"), every=6.0),
    Scenario("slow-clock", ("cut", "swallow"), every=8.0, shift=-300.0, interval=5),
    Scenario("fast-clock", ("cut", "swallow"), every=8.0, shift=300.0, interval=5),
    Scenario("midnight", ("swallow", "cut", "restart"), every=8.0, shift="midnight"),
    Scenario("history", ("rest", "rest", "history-later", "page-cap", "cut"), every=5.0),
    Scenario("lists", ("list", "edit", "edit", "swallow", "restart"), every=5.0),
    Scenario("stops", ("restart",), every=5.0),
    Scenario("stops-in-trouble", ("restart", "swallow", "deaf", "cut", "rest"), every=4.0, interval=3),
    Scenario("freeze", ("freeze", "cut"), every=6.0),
    Scenario("disk", ("disk-full", "restart", "swallow"), every=6.0),
    Scenario("twins", ("cut", "mute", "young-mute", "swallow", "restart"), every=5.0, extra="redundancy = 2\n"),
    Scenario("mixed", ("cut", "half-open", "mute", "young-mute", "deaf", "form", "same-id", "same-fills", "renumber",
                       "time", "rest", "list", "edit", "restart", "freeze", "disk-full") + FRAMES, every=3.0),
    Scenario("minutes", ("swallow", "cut", "mute", "deaf", "rest", "restart", "lag"), every=20.0, interval=60,
             blocks=False, settle=200.0, shortest=480),
)}
