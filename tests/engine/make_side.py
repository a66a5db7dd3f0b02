#!/usr/bin/env python3
"""make_side.py DIR DAY [--instruments N]

Beside a day file of make_day.py what a collector with context and size buckets writes: context-DAY.csv and flow-DAY.csv, to
the letter of their contracts. The buckets of a bar add up to its row in the day file to the last digit, at every revision;
what a market does not have is empty. Numbers are integers with a scale; nothing here is a float."""
import argparse, os, random
from make_day import plain

CONTEXT = ("time,exchange,market,symbol,rev,status,bid,bid_size,ask,ask_size,book_age_ms,mark,index,mark_age_ms,funding_rate,"
           "funding_time,open_interest_base,open_interest_quote,open_interest_age_ms,liq_buys,liq_sells,liq_buy_base,"
           "liq_sell_base,liq_buy_quote,liq_sell_quote,liq_kind")
FLOW = ("time,exchange,market,symbol,bucket,rev,status,buys,sells,buy_base,sell_base,buy_quote,sell_quote,delta_base,delta_quote,"
        "cvd_base,cvd_quote,delta_min_base,delta_max_base,largest_buy_quote,largest_sell_quote")
BUCKETS = ("0", "1000", "10000", "100000")
SCALE = 10


def number(text):
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(SCALE, "0"))


def shares(total, r):
    """As many parts as there are buckets, some of them nothing, that add up to `total`."""
    cuts = sorted(r.randrange(total + 1) for _ in BUCKETS[1:])
    return [b - a for a, b in zip([0] + cuts, cuts + [total])]


def context_row(row, r, rev):
    head = row[:4] + [str(rev), {"live": "live", "gap": "gap"}.get(row[5], "live")]
    price = number(row[9]) // 10 ** (SCALE - 2)
    book = [plain(price - 1, 2), plain(r.randrange(1, 10 ** 6), 4), plain(price + 1, 2), plain(r.randrange(1, 10 ** 6), 4), str(r.randrange(900))]
    if r.randrange(20) == 0:  # one side of the book is empty
        book[0:2] = ["", ""]
    if row[2] == "spot":
        return head + book + [""] * 15
    mark = [plain(price * 10 + r.randrange(10), 3), plain(price * 10 - r.randrange(10), 3), str(r.randrange(1_500))]
    if row[2] == "option":
        return head + book + mark + [""] * 12
    funding = [plain(r.randrange(-400, 400), 7), row[0][:11] + "16:00:00Z"]
    interest = [plain(r.randrange(10 ** 9), 3), plain(r.randrange(10 ** 13), 3), str(r.randrange(60_000))]
    buys, sells = r.randrange(3) + rev, r.randrange(3)
    b, s = (r.randrange(1, 10 ** 7) if buys else 0), (r.randrange(1, 10 ** 7) if sells else 0)
    liquidations = [str(buys), str(sells), plain(b, 4), plain(s, 4), plain(b * price, 6), plain(s * price, 6), r.choice(["all", "sampled"])]
    return head + book + mark + funding + interest + liquidations


def flow_rows(row, r, sums, before):
    """`before`: by bucket, what the bar's last revision added to the sums, which a later one replaces."""
    columns = [shares(int(row[10]), r), shares(int(row[11]), r)] + [shares(number(row[i]), r) for i in range(12, 16)]
    out = []
    for i, bucket in enumerate(BUCKETS + ("all",)):
        if bucket == "all":
            buys, sells = int(row[10]), int(row[11])
            bb, sb, bq, sq = (number(row[c]) for c in range(12, 16))
        else:
            buys, sells, bb, sb, bq, sq = (c[i] for c in columns)
        of, old = sums.setdefault(bucket, [0, 0]), before.get(bucket, (0, 0))
        of[0] += bb - sb - old[0]
        of[1] += bq - sq - old[1]
        before[bucket] = (bb - sb, bq - sq)
        extremes = [plain(min(0, bb - sb), SCALE), plain(max(0, bb - sb), SCALE), plain(bq // 2, SCALE), plain(sq // 2, SCALE)]
        out.append(row[:4] + [bucket, row[4], row[5], str(buys), str(sells)] +
                   [plain(v, SCALE) for v in (bb, sb, bq, sq, bb - sb, bq - sq, *of)] + (extremes if bucket == "all" else [""] * 4))
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir"); p.add_argument("day"); p.add_argument("--instruments", type=int, default=40)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    r, sums, before, wanted = random.Random(a.seed), {}, {}, {}
    with open(os.path.join(a.dir, f"cvd-{a.day}.csv")) as bars, open(os.path.join(a.dir, f"context-{a.day}.csv"), "w") as context, \
         open(os.path.join(a.dir, f"flow-{a.day}.csv"), "w") as flow:
        context.write(CONTEXT + "\n")
        flow.write(FLOW + "\n")
        next(bars)
        for line in bars:
            row = line.rstrip("\n").split(",")
            key = tuple(row[1:4])
            if key not in wanted and len(wanted) >= a.instruments:
                continue
            wanted[key] = True
            if row[4] == "0" or row[2] == "inverse":  # there, a liquidation came late
                context.write(",".join(context_row(row, r, int(row[4]))) + "\n")
            for one in flow_rows(row, r, sums.setdefault(key, {}), before.setdefault((key, row[0]), {})):
                flow.write(",".join(one) + "\n")


if __name__ == "__main__":
    main()
