#!/usr/bin/env python3
"""same_side.py DATABASE COLLECTOR=DIR…

What stands beside the bars, as same_rows.py does it for them: context_rows and flow_rows hold each collector's rows at their
highest revision and nothing else; `context` the better one of each bar; `flow` the buckets of the collector whose bar is the
better one, which add up to that bar; `flow_cvd` their exact running sums. Prints one line; exit 1 on any difference."""
import glob, os, sys
import make_side, same_rows
from same_rows import number

CONTEXT, FLOW = make_side.CONTEXT.split(","), make_side.FLOW.split(",")
SUMS = ["time", "exchange", "market", "symbol", "bucket", "collector", "cvd_base", "cvd_quote"]
QUALITY = {"live": 3, "repaired": 3, "history": 2, "partial": 1, "gap": 0}


def read_files(directory, kind, rev, key_of):
    rows = {}
    for path in sorted(glob.glob(os.path.join(directory, kind + "-*.csv"))):
        for line in open(path).read().rstrip("\n").split("\n")[1:]:
            row = line.split(",")
            if key_of(row) not in rows or int(row[rev]) >= int(rows[key_of(row)][rev]):
                rows[key_of(row)] = row
    return rows


def main():
    database, collectors = sys.argv[1], dict(a.split("=", 1) for a in sys.argv[2:])
    wrong = []

    def differ(what):
        wrong.append(what)
        if len(wrong) <= 5:
            print(what, file=sys.stderr)

    def ask(table, columns):
        return same_rows.ask(database, table, columns)

    def same(table, columns, expected, key_of):
        seen = set()
        for row in ask(table, columns):
            key = key_of(row)
            if key in seen:
                differ(f"{table}: twice: {key}")
            seen.add(key)
            if expected.get(key) != row[:len(columns)]:
                differ(f"{table}: {key}: {row}, and should be {expected.get(key)}")
        for key in expected.keys() - seen:
            differ(f"{table}: not there: {key}")
        return len(seen)

    bar_of, bucket_of = lambda r: (r[1], r[2], r[3], r[0]), lambda r: (r[1], r[2], r[3], r[0], r[4])
    context = {c: read_files(d, "context", 4, bar_of) for c, d in collectors.items()}
    flow = {c: read_files(d, "flow", 5, bucket_of) for c, d in collectors.items()}
    bars = {c: same_rows.read_files(d) for c, d in collectors.items()}
    n = same("context_rows", CONTEXT + ["collector"], {k + (c,): r + [c] for c in context for k, r in context[c].items()},
             lambda r: bar_of(r) + (r[-1],))
    n += same("flow_rows", FLOW + ["collector"], {k + (c,): r + [c] for c in flow for k, r in flow[c].items()},
              lambda r: bucket_of(r) + (r[-1],))
    best = {}
    for c in sorted(context):
        for key, row in context[c].items():
            merit = (QUALITY[row[5]], int(row[19] or 0) + int(row[20] or 0), int(row[4]))
            if key not in best or merit > best[key][0]:
                best[key] = (merit, row + [c])
    same("context", CONTEXT + ["collector"], {k: r for k, (_, r) in best.items()}, bar_of)
    winner = {}
    for c in sorted(bars):
        for key, row in bars[c].items():
            merit = (QUALITY[row[5]], int(row[10]) + int(row[11]), int(row[4]))
            if key not in winner or merit > winner[key][0]:
                winner[key] = (merit, c)
    chosen = {k: r + [winner[k[:4]][1]] for c in flow for k, r in flow[c].items() if winner[k[:4]][1] == c}
    same("flow", FLOW + ["collector"], chosen, bucket_of)
    totals, sums, expected = {}, {}, {}
    for key in sorted(chosen):
        row = chosen[key]
        base, quote = number(row[13]), number(row[14])
        if key[4] != "all":
            of = totals.setdefault(key[:4], [0, 0])
            of[0] += base
            of[1] += quote
        of = sums.setdefault(key[:3] + key[4:], [0, 0])
        of[0] += base
        of[1] += quote
        expected[key] = tuple(of)
    for key, total in totals.items():
        bar = bars[winner[key][1]][key]
        if bar[5] == "history":  # its trades are not known one by one: what was written of buckets before is zeros now
            continue
        if total != [number(bar[16]), number(bar[17])]:
            differ(f"the buckets of {key} do not add up to its bar")
    running = ask("flow_cvd", SUMS)
    if len(running) != len(expected):
        differ(f"flow_cvd: {len(running)} rows, and should be {len(expected)}")
    for row in running:
        if expected.get(bucket_of(row)) != (number(row[6]), number(row[7])):
            differ(f"flow_cvd: {bucket_of(row)}: {row[6]} {row[7]}")
    print(f"{n} rows beside the bars, of {len(collectors)} collectors; {len(wrong)} wrong")
    return 1 if wrong or not n else 0


if __name__ == "__main__":
    sys.exit(main())
