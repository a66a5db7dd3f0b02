#!/usr/bin/env python3
"""same_rows.py DATABASE COLLECTOR=DIR…

The store against the files, by arithmetic of its own: `rows` holds each collector's bars at their highest revision and
nothing else, `bars` the better one of each bar, `cvd` the exact running sum. DATABASE: a file of SQLite, or
postgres:CONNECTION (by psql), or clickhouse:URL (by curl). Prints one line; exit 1 on any difference."""
import csv, glob, gzip, io, os, subprocess, sys, urllib.request

SCALE = 36


def number(text):
    """A decimal as an integer at 36 places."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(SCALE, "0"))


def read_files(directory):
    """(exchange, market, symbol, time) → the fields of the highest revision."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(directory, "cvd-*.csv*"))):
        if path.endswith(".zst"):
            text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout.decode()
        else:
            text = (gzip.open if path.endswith(".gz") else open)(path, "rt").read()
        for line in text[:text.rfind("\n")].split("\n")[1:]:
            row = line.split(",")
            key = (row[1], row[2], row[3], row[0])
            if key not in rows or int(row[4]) >= int(rows[key][4]):
                rows[key] = row
    return rows


COLUMNS = ("time,exchange,market,symbol,rev,status,open,high,low,close,buys,sells,buy_base,sell_base,buy_quote,sell_quote,"
           "delta_base,delta_quote,cvd_base,cvd_quote,other_base,other_quote,first_id,last_id,missing,collector").split(",")
TIMES = ("time", "funding_time")
CVD = ["time", "exchange", "market", "symbol", "status", "collector", "cvd_base", "cvd_quote"]


def ask(database, table, columns):
    if database.startswith("postgres:"):
        shown = [f"to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS {c}" if c in TIMES else f'"{c}"' for c in columns]
        out = subprocess.run(["psql", "-X", "-q", database[9:], "-c", f"COPY (SELECT {','.join(shown)} FROM {table}) TO STDOUT (FORMAT csv)"],
                             stdout=subprocess.PIPE, check=True).stdout.decode()
        return list(csv.reader(io.StringIO(out)))
    if database.startswith("clickhouse:"):
        shown = [f"formatDateTime({c}, '%Y-%m-%dT%H:%M:%SZ', 'UTC') AS t_{c}" if c in TIMES else f"`{c}`" for c in columns]
        with urllib.request.urlopen(database[11:], f"SELECT {','.join(shown)} FROM {table + ' FINAL' if table.endswith('rows') else table} FORMAT CSV".encode(), timeout=120) as answer:
            return [["" if v == "\\N" else v for v in r] for r in csv.reader(io.StringIO(answer.read().decode()))]
    import sqlite3
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    return [["" if v is None else v if type(v) is str else str(v) for v in r]
            for r in db.execute("SELECT " + ",".join(f'"{c}"' for c in columns) + f" FROM {table}")]


def main():
    database, collectors = sys.argv[1], dict(a.split("=", 1) for a in sys.argv[2:])
    wrong = []

    def differ(what):
        wrong.append(what)
        if len(wrong) <= 5:
            print(what, file=sys.stderr)
    files = {name: read_files(directory) for name, directory in collectors.items()}
    seen = set()
    for row in ask(database, "rows", COLUMNS):
        key, collector = (row[1], row[2], row[3], row[0]), row[25]
        if (collector, key) in seen:
            differ(f"twice: {collector} {key}")
        seen.add((collector, key))
        expected = files.get(collector, {}).get(key)
        if expected is None:
            differ(f"not in the files: {collector} {key}")
            continue
        row[24] = row[24] or "?"
        if row[:25] != expected:
            for column, value, there in zip(COLUMNS, expected, row):
                if there != value:
                    differ(f"{collector} {key} {column}: {there} in the store, {value} in the files")
    for name, rows in files.items():
        for key in rows:
            if (name, key) not in seen:
                differ(f"not in the store: {name} {key}")
    quality = {"live": 3, "repaired": 3, "history": 2, "partial": 1, "gap": 0}
    best = {}
    for name in sorted(files):
        for key, row in files[name].items():
            merit = (quality[row[5]], int(row[10]) + int(row[11]), int(row[4]))
            if key not in best or merit > best[key][0]:
                best[key] = (merit, name, row)
    bars = ask(database, "bars", COLUMNS)
    if len(bars) != len(best):
        differ(f"{len(bars)} bars in the store, {len(best)} in the files")
    for bar in bars:
        key = (bar[1], bar[2], bar[3], bar[0])
        bar[24] = bar[24] or "?"
        if key not in best or best[key][1] != bar[25] or best[key][2] != bar[:25]:
            differ(f"bars: {key} is of {bar[25]}, and should be of {best[key][1] if key in best else 'nobody'}")
    sums, known = {}, {}
    for key in sorted(best):
        of = sums.setdefault(key[:3], [0, 0])
        of[0] += number(best[key][2][16])
        of[1] += number(best[key][2][17])
        known[key] = tuple(of)
    running = ask(database, "cvd", CVD)
    if len(running) != len(best):
        differ(f"{len(running)} rows of cvd, {len(best)} bars")
    for row in running:
        key = (row[1], row[2], row[3], row[0])
        if known.get(key) != (number(row[6]), number(row[7])):
            differ(f"cvd: {key}: {row[6]} {row[7]}")
    whole = sum(1 for m, _, _ in best.values() if m[0] == 3)
    print(f"{len(seen)} rows of {len(collectors)} collectors, {len(bars)} bars, {whole} of them whole; {len(wrong)} wrong")
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
