#!/usr/bin/env python3
"""run.py CVDD FOLDER: the README's "Going live" in a shell, and every python and sql snippet of the README's "Reading the files", run as it stands on files that break careless
readers, and compared with a reader that knows nothing but csv and Decimal. What can't be installed is skipped, loudly: exit status 77
if nothing could be run."""
import collections
import csv
import glob
import io
import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal

import commands
import going_live
import make_data

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = ("time", "exchange", "market", "symbol")
WHOLE = ("live", "repaired", "history")


def snippets():
    readme = open(os.path.join(HERE, "..", "..", "README.md")).read()
    part = readme[readme.index("## Reading the files"):]
    part = part[: part.index("\n## ", 4)]
    return {kind: re.findall("```%s\n(.*?)```" % kind, part, re.S) for kind in ("python", "sql")}


def files(data, kind="cvd"):
    for path in sorted(glob.glob(data + "/%s-*.csv*" % kind)):
        text = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True, text=True).stdout if path.endswith(".zst") else open(path).read()
        yield list(csv.DictReader(io.StringIO(text)))


class Truth:
    def __init__(self, data):
        self.rows = [r for f in files(data) for r in f]
        best = {}
        for r in self.rows:
            key = tuple(r[k] for k in KEY)
            if key not in best or int(r["rev"]) > int(best[key]["rev"]):
                best[key] = r
        self.bars = [best[k] for k in sorted(best)]
        self.sums = collections.defaultdict(Decimal)
        for r in self.bars:
            self.sums[(r["exchange"], r["market"], r["symbol"])] += Decimal(r["delta_base"])
        self.last = {(r["exchange"], r["market"], r["symbol"]): Decimal(r["cvd_base"]) for r in self.bars}
        self.hours = collections.defaultdict(list)
        for r in self.bars:
            self.hours[(r["exchange"], r["market"], r["symbol"], r["time"][:13])].append(r)
        parts = {}
        for r in (r for f in files(data, "flow") for r in f):
            key = tuple(r[k] for k in KEY) + (r["bucket"],)
            if r["bucket"] != "all" and (key not in parts or int(r["rev"]) > int(parts[key]["rev"])):
                parts[key] = r
        self.by_size = {key: Decimal(r["delta_base"]) for key, r in parts.items()}
        at = {k: r for k, r in best.items() if r["symbol"] == "BTCUSDT" and r["status"] in WHOLE}
        self.apart = [(k[0], Decimal(at[(k[0], k[1], "linear", k[3])]["cvd_base"]) - Decimal(r["cvd_base"]))
                      for k, r in sorted(at.items()) if k[2] == "spot" and (k[0], k[1], "linear", k[3]) in at]


def expect(what, good):
    if not good:
        sys.exit("FAILED: " + what)
    print("good: " + what)


def close(a, b):
    return abs(Decimal(a) - b) <= Decimal("1e-6") * max(1, abs(b))


def run_pandas(code, truth):
    space = {}
    for one in code:
        exec(compile(one, "README.md", "exec"), space)  # each goes on from the one before
    rows, bars, both, total, hours, by_size = (space[n] for n in ("rows", "bars", "both", "total", "hours", "by_size"))
    expect("pandas reads every row", len(rows) == len(truth.rows))
    expect("pandas: one row for each bar, sorted, at its highest rev",
           [tuple(r) for r in bars[["exchange", "market", "symbol", "rev", "status", "missing", "first_id"]].astype(str).itertuples(index=False)]
           == [tuple(r[c] for c in ("exchange", "market", "symbol", "rev", "status", "missing", "first_id")) for r in truth.bars])
    expect("pandas: times are times of UTC", bars["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist() == [r["time"] for r in truth.bars]
           and str(bars["time"].dt.tz) == "UTC")
    expect("pandas: spot against perpetual", len(both) == len(truth.apart)
           and all(close(a, b) for a, (_, b) in zip(both["apart"], truth.apart)))
    expect("pandas: exact decimals, of each bar the last word", total.to_dict() == dict(truth.sums) == truth.last)
    told = {(time.strftime("%Y-%m-%dT%H:%M:%SZ"), *names, bucket): delta for (time, *names), row in by_size.iterrows() for bucket, delta in row.items()}
    expect("pandas: the delta of each size of trades, at its highest rev, small ones first", list(by_size.columns) == make_data.BUCKETS
           and told.keys() == truth.by_size.keys() and len(told) > 600 and all(close(told[k], d) for k, d in truth.by_size.items()))
    order = ["gap", "partial", "history", "repaired", "live"]
    made = {(*r[:3], r[3].strftime("%Y-%m-%dT%H")): r[4:] for r in
            hours[["exchange", "market", "symbol", "time", "status", "open", "high", "close", "buys", "delta_base", "cvd_base"]].itertuples(index=False, name=None)}
    expect("pandas: hours", made.keys() == truth.hours.keys() and all(
        made[k][0] == min((r["status"] for r in bars_of), key=order.index) and close(made[k][1], Decimal(bars_of[0]["open"]))
        and close(made[k][2], max(Decimal(r["high"]) for r in bars_of)) and close(made[k][3], Decimal(bars_of[-1]["close"]))
        and made[k][4] == sum(int(r["buys"]) for r in bars_of) and close(made[k][5], sum(Decimal(r["delta_base"]) for r in bars_of))
        and close(made[k][6], Decimal(bars_of[-1]["cvd_base"])) for k, bars_of in truth.hours.items()))


def run_duckdb(code, truth, folder):
    modules = os.path.join(folder, "modules")
    os.makedirs(modules, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), modules)
    got = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=modules, capture_output=True, text=True)
    if got.returncode != 0:
        print("SKIPPED: the DuckDB snippets are not run, npm can't fetch DuckDB: " + got.stderr.strip()[-300:], file=sys.stderr)
        return False
    path = os.path.join(folder, "snippets.sql")
    with open(path, "w") as f:
        f.write("\n".join(code) + "\nSELECT exchange, market, symbol, rev, status, missing, first_id, epoch(time)::BIGINT FROM bars ORDER BY time, exchange, market, symbol;\n")
    done = subprocess.run(["node", os.path.join(HERE, "duck.mjs"), modules, path], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("FAILED: DuckDB: " + done.stderr)
    results = [r for r in json.loads(done.stdout)]
    apart, sums, bars = results[-3], results[-2], results[-1]
    expect("DuckDB: one row for each bar at its highest rev, ids and missing as they are",
           [tuple(r[:7]) for r in bars] == [tuple(r[c] for c in ("exchange", "market", "symbol", "rev", "status", "missing", "first_id")) for r in truth.bars])
    expect("DuckDB: spot against perpetual", len(apart) == len(truth.apart) and all(close(r[2], b) for r, (_, b) in zip(apart, truth.apart)))
    expect("DuckDB: exact decimals", {tuple(r[:3]): Decimal(r[3]) for r in sums} == dict(truth.sums))
    return True


def main():
    cvdd, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if not shutil.which("zstd"):
        print("SKIPPED: the README's snippets are not run, zstd is missing", file=sys.stderr)
        return 77
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    make_data.make(folder)
    code, truth = snippets(), Truth(os.path.join(folder, "data"))
    expect("the README has snippets of both kinds", len(code["python"]) >= 3 and len(code["sql"]) >= 1)
    # The files above are made up; their columns are not.
    real = os.path.join(folder, "real")
    subprocess.run([cvdd, "demo", "--out", real, "--bars", "1", "--interval", "1s", "--instruments", "2", "--listen", "", "--quiet"], check=True,
                   capture_output=True)
    expect("the columns are those of the program", open(real + "/latest.csv").readline().strip() == make_data.COLUMNS)
    commands.run(cvdd, expect)
    going_live.run(cvdd, expect)
    os.chdir(folder)
    ran = False
    try:
        import pandas  # noqa: F401
        import zstandard  # noqa: F401
    except ImportError as error:
        print("SKIPPED: the pandas snippets are not run: %s" % error, file=sys.stderr)
    else:
        run_pandas(code["python"], truth)
        ran = True
    if not (shutil.which("npm") and shutil.which("node")):
        print("SKIPPED: the DuckDB snippets are not run, npm is missing", file=sys.stderr)
    elif run_duckdb(code["sql"], truth, folder):
        ran = True
    return 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main())
