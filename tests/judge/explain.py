"""Which trades are in a row? Sums are compared exactly; a row is explained by a set of trades or it is not."""
from decimal import Decimal

from tape import BUY, ZERO, exact

FIELDS = ("buys", "sells", "buy_base", "sell_base", "buy_quote", "sell_quote", "other_base", "other_quote")
NOTHING = (0, 0, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)
MOST_SUBSETS = 1 << 14


def share(trade):
    """What a trade adds to the row's fields."""
    if trade.twin:
        return NOTHING
    base, quote = trade.amounts()
    if trade.other:
        return (0, 0, ZERO, ZERO, ZERO, ZERO, base, quote)
    if trade.side == BUY:
        return (trade.count, 0, base, ZERO, quote, ZERO, ZERO, ZERO)
    return (0, trade.count, ZERO, base, ZERO, quote, ZERO, ZERO)


def add(a, b):
    return tuple(x + y for x, y in zip(a, b))


def total(trades):
    def work():
        sums = NOTHING
        for t in trades:
            sums = add(sums, share(t))
        return sums
    return exact(work)


def held(row):
    n = row.numbers
    return (row.buys, row.sells, n["buy_base"], n["sell_base"], n["buy_quote"], n["sell_quote"], n["other_base"],
            n["other_quote"])


def same(a, b):
    return all(x == y for x, y in zip(a, b))


def explained_by(target, sure, perhaps):
    """The trades of `perhaps` that go with all of `sure` to make the target, or None."""
    base = total(sure)
    if same(base, target):
        return []
    if not perhaps:
        return None
    whole = exact(add, base, total(perhaps))
    if same(whole, target):
        return list(perhaps)

    def work():
        sums = base
        for k, t in enumerate(perhaps):  # those that came first
            sums = add(sums, share(t))
            if same(sums, target):
                return perhaps[:k + 1]
        for left in range(len(perhaps)):  # all but one
            if same(tuple(x - y for x, y in zip(whole, share(perhaps[left]))), target):
                return perhaps[:left] + perhaps[left + 1:]
        return subsets(base, target, perhaps)
    return exact(work)


def subsets(base, target, perhaps):
    """All sums that can still be reached, trade by trade; bounded."""
    reached = {base: ()}
    for k, t in enumerate(perhaps):
        part = share(t)
        more = {}
        for sums, used in reached.items():
            next_sums = add(sums, part)
            if all(x <= y for x, y in zip(next_sums, target)) and next_sums not in reached:
                more[next_sums] = used + (k,)
        reached.update(more)
        if target in reached:
            return [perhaps[k] for k in reached[target]]
        if len(reached) > MOST_SUBSETS:
            return None
    return None


def difference(row, trades):
    """In words: what the row has and what the tape has."""
    want, have = total(trades), held(row)
    return "; ".join("%s %s, tape %s" % (f, plain(h), plain(w)) for f, h, w in zip(FIELDS, have, want) if h != w)


def plain(x):
    if not isinstance(x, Decimal):
        return str(x)
    text = format(x, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
