#!/usr/bin/env python3
"""make_day.py DIR DAY INSTRUMENTS MINUTES [SEED] [--revise PERCENT] [--gaps PERCENT] [--skip PERCENT]

A day file as a collector writes it, from a tape that the seed alone decides: two collectors (two seeds of faults, one of
the tape) tell of the same market. Numbers are integers with a scale; nothing here is a float."""
import argparse, datetime, os, random, sys

HEADER = ("time,exchange,market,symbol,rev,status,open,high,low,close,buys,sells,buy_base,sell_base,buy_quote,sell_quote,"
          "delta_base,delta_quote,cvd_base,cvd_quote,other_base,other_quote,first_id,last_id,missing")


def plain(mantissa, scale):
    sign, digits = ("-" if mantissa < 0 else ""), str(abs(mantissa)).rjust(scale + 1, "0")
    whole, fraction = digits[:-scale] if scale else digits, (digits[-scale:] if scale else "").rstrip("0")
    text = whole + ("." + fraction if fraction else "")
    return "0" if text == "0" else sign + text


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir"); p.add_argument("day"); p.add_argument("instruments", type=int); p.add_argument("minutes", type=int)
    p.add_argument("--seed", type=int, default=1, help="of the tape")
    p.add_argument("--faults", type=int, default=0, help="of the collector's faults; 0: none")
    p.add_argument("--revise", type=int, default=3); p.add_argument("--gaps", type=int, default=10)
    p.add_argument("--from-minute", type=int, default=0)
    p.add_argument("--step", type=int, default=1, help="minutes of a bar")
    a = p.parse_args()
    os.makedirs(a.dir, exist_ok=True)
    faults = random.Random(a.faults)
    start = datetime.datetime.fromisoformat(a.day).replace(tzinfo=datetime.timezone.utc)
    cvd = [[0, 0] for _ in range(a.instruments)]
    waiting = []  # revisions
    with open(os.path.join(a.dir, f"cvd-{a.day}.csv"), "a") as out:
        if out.tell() == 0:
            out.write(HEADER + "\n")
        for minute in range(a.from_minute, a.from_minute + a.minutes, a.step):
            time = (start + datetime.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
            text, waiting_now, waiting = [], waiting, []
            for i in range(a.instruments):
                tape = random.Random(f"{a.seed}/{i}/{a.day}/{minute}")
                price = 10 ** 6 + tape.randrange(10 ** 6)  # scale 2
                buys, sells = tape.randrange(20), tape.randrange(20)
                bb, sb = (tape.randrange(1, 10 ** 9) if buys else 0), (tape.randrange(1, 10 ** 9) if sells else 0)  # scale 8
                first = minute * 100 + 1

                def row(rev, status, missing, share):
                    b, s = bb * share // 100, sb * share // 100
                    nb, ns = (buys * share // 100, sells * share // 100) if share < 100 else (buys, sells)
                    db, dq = b - s, (b - s) * price
                    traded = nb + ns > 0
                    return [db, dq, lambda cb, cq: ",".join([
                        time, ["binance", "okx", "bybit"][i % 3], ["spot", "linear", "inverse", "option"][i // 3 % 4],
                        f"SYM{i:04d}USDT", str(rev), status] + [plain(price, 2)] * 4 + [
                        str(nb), str(ns), plain(b, 8), plain(s, 8), plain(b * price, 10), plain(s * price, 10), plain(db, 8),
                        plain(dq, 10), plain(cb, 8), plain(cq, 10), "0", "0", str(first) if traded else "",
                        str(first + nb + ns - 1) if traded else "", missing])]
                bad = a.faults and faults.randrange(100) < a.gaps
                one = row(0, "gap", "?", 50) if bad else row(0, "live", "0", 100)
                cvd[i][0] += one[0]; cvd[i][1] += one[1]
                text.append(one[2](*cvd[i]))
                if bad and faults.randrange(100) < 50:
                    two = row(1, "repaired", "0", 100)
                    cvd[i][0] += two[0] - one[0]; cvd[i][1] += two[1] - one[1]
                    waiting.append(two[2](*cvd[i]))
                elif not bad and faults.randrange(100) < a.revise:
                    waiting.append(row(1, "live", "0", 100)[2](*cvd[i]))
            out.write("".join(line + "\n" for line in waiting_now + text))
        out.write("".join(line + "\n" for line in waiting))


if __name__ == "__main__":
    sys.exit(main())
