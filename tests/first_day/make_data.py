"""A data directory as cvdd writes it, of three days, with all that breaks a careless reader: a day that is packed, more than 20,000 rows
before the first "?" and the first id that is a name, later revisions at the end of the file and in the next part of the day, and digits
that no float holds."""
import datetime
import os
import random
import subprocess
from decimal import Decimal

COLUMNS = ("time,exchange,market,symbol,rev,status,open,high,low,close,buys,sells,buy_base,sell_base,buy_quote,sell_quote,delta_base,"
           "delta_quote,cvd_base,cvd_quote,other_base,other_quote,first_id,last_id,missing")
FLOW_COLUMNS = ("time,exchange,market,symbol,bucket,rev,status,buys,sells,buy_base,sell_base,buy_quote,sell_quote,delta_base,delta_quote,cvd_base,"
                "cvd_quote,delta_min_base,delta_max_base,largest_buy_quote,largest_sell_quote")
BUCKETS = ["0", "1000", "10000.5"]
INSTRUMENTS = [("binance", "spot", "BTCUSDT"), ("binance", "linear", "BTCUSDT"), ("bybit", "spot", "BTCUSDT"), ("bybit", "linear", "BTCUSDT")] + [("bybit", "spot", "C%02dUSDT" % n) for n in range(14)]
DAYS = [datetime.date(2026, 11, 18), datetime.date(2026, 11, 19), datetime.date(2026, 11, 20)]


def plain(number):
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.cvd = {i: [Decimal(0), Decimal(0)] for i in INSTRUMENTS}
        self.ids = {i: 1_000_000_000 for i in INSTRUMENTS}
        self.odd = []  # rows of the last day that are said anew

    def row(self, instrument, moment, late):
        buy, sell = (Decimal(self.random.randrange(10**15)).scaleb(-12) for _ in range(2))
        price = Decimal(self.random.randrange(10**6, 10**7)).scaleb(-2)
        base, quote = self.cvd[instrument]
        self.cvd[instrument] = [base + buy - sell, quote + (buy - sell) * price]
        first, self.ids[instrument] = self.ids[instrument], self.ids[instrument] + 7
        names = late and instrument[0] == "bybit"
        gap = late and self.random.random() < 0.01
        fields = [moment, *instrument, "0", "gap" if gap else "live"] + [plain(price)] * 4 + ["4", "3", plain(buy), plain(sell),
                  plain(buy * price), plain(sell * price), plain(buy - sell), plain((buy - sell) * price),
                  plain(self.cvd[instrument][0]), plain(self.cvd[instrument][1]), "0", "0",
                  "ETH-%d" % first if names else str(first), "ETH-%d" % (first + 6) if names else str(first + 6), "?" if gap else "0"]
        if gap:
            self.odd.append(fields)
        return fields

    def day(self, day, late):
        for minute in range(1440):
            moment = "%sT%02d:%02d:00Z" % (day.isoformat(), minute // 60, minute % 60)
            for instrument in INSTRUMENTS:
                yield self.row(instrument, moment, late)


def make(folder, seed=7):
    data = os.path.join(folder, "data")
    os.makedirs(data, exist_ok=True)
    maker = Maker(seed)
    for n, day in enumerate(DAYS):
        path = os.path.join(data, "cvd-%s.csv" % day.isoformat())
        rows = list(maker.day(day, late=n == 2))
        half = maker.odd[: len(maker.odd) // 2]
        with open(path, "w", newline="\n") as f:
            f.write(COLUMNS + "\n")
            f.writelines(",".join(r) + "\n" for r in rows)
            f.writelines(",".join(again(r)) + "\n" for r in half)
        if n == 0:
            subprocess.run(["zstd", "-q", "--rm", "-f", path], check=True)
    with open(os.path.join(data, "cvd-%s.1.csv" % DAYS[2].isoformat()), "w", newline="\n") as f:
        f.write(COLUMNS + "\n")
        f.writelines(",".join(again(r)) + "\n" for r in maker.odd[len(maker.odd) // 2:])
    make_flow(data)
    os.symlink("cvd-%s.1.csv" % DAYS[2].isoformat(), os.path.join(data, "latest.csv"))


def make_flow(data, seed=8):
    """Two days of an hour, one of them packed; later revisions, of one of which only the row of all is left, its buckets empty."""
    dice = random.Random(seed)
    for n, day in enumerate(DAYS[1:]):
        path = os.path.join(data, "flow-%s.csv" % day.isoformat())
        rows = []
        for minute in range(60):
            for instrument in INSTRUMENTS[:2]:
                start = ["%sT00:%02d:00Z" % (day.isoformat(), minute), *instrument]
                for rev in range(1 + (minute % 7 == 0)):
                    deltas = [Decimal(dice.randrange(-10**9, 10**9)).scaleb(-6) if rev == 0 or minute % 2 else Decimal(0) for _ in BUCKETS]
                    for bucket, delta in [*zip(BUCKETS, deltas), ("all", sum(deltas, Decimal(0)))]:
                        bought, sold = max(delta, Decimal(0)), max(-delta, Decimal(0))
                        rows.append(start + [bucket, str(rev), "repaired" if rev else "live", "4", "3", *map(plain, [bought, sold, bought, sold, delta, delta, delta, delta])]
                                    + (["", "", "", ""] if bucket != "all" else ["-1.5", "2", "900", ""]))
        rows.sort(key=lambda r: int(r[5]))  # revisions come later
        with open(path, "w", newline="\n") as f:
            f.write(FLOW_COLUMNS + "\n")
            f.writelines(",".join(r) + "\n" for r in rows)
        if n == 0:
            subprocess.run(["zstd", "-q", "--rm", "-f", path], check=True)


def again(fields):
    """Some of them are repaired; of the others only the count is known now."""
    repaired = int(fields[22].rsplit("-", 1)[-1]) % 2 == 0
    return fields[:4] + ["1", "repaired" if repaired else "gap"] + fields[6:24] + ["0" if repaired else "12"]
