"""Candles, made from the tape."""
import bisect
from decimal import Decimal

from tape import ZERO, exact


class Candles:
    """A part of an exchange."""

    def candles(self, instrument, length_ms, start, end, limit, fill=True):
        """[(start ms, open, high, low, close, base, quote, contracts, fills, taker base, taker quote)], oldest first;
        closed and running ones; quiet ones repeat the last close if `fill`."""
        trades = sorted((t for t in instrument.trades if not t.twin and not t.other), key=lambda t: t.time)
        times = [t.time for t in trades]
        first = -(-start // length_ms) * length_ms
        rows, at = [], first
        while at <= min(end, self.now_ms()) and len(rows) < limit:
            low, high = bisect.bisect_left(times, at * 1000), bisect.bisect_left(times, (at + length_ms) * 1000)
            inside = trades[low:high]
            if inside or (fill and low):
                rows.append(self.candle(at, inside, trades[low - 1].price if low else None))
            at += length_ms
        return rows

    @staticmethod
    def candle(at, inside, before):
        if not inside:
            return (at, before, before, before, before, ZERO, ZERO, ZERO, 0, ZERO, ZERO)
        prices = [Decimal(t.price) for t in inside]
        sums = [ZERO] * 5

        def add():
            for t in inside:
                base, quote = t.amounts()
                sums[0] += base
                sums[1] += quote
                sums[2] += Decimal(t.size)
                if t.side == "buy":
                    sums[3] += base
                    sums[4] += quote
        exact(add)
        plain = [format(p, "f") for p in (max(prices), min(prices))]
        return (at, inside[0].price, plain[0], plain[1], inside[-1].price, *sums[:3],
                sum(t.count for t in inside), *sums[3:])
