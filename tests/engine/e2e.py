#!/usr/bin/env python3
"""e2e.py --bin DIR [--clickhouse]

cvdd-engine as users run it, against databases and a broker that this test starts: a day of two collectors, with what stands
beside the bars, equals the files row by row, however often it is loaded and wherever it is killed; every trouble is said
with what to do about it; poison is parked; the dashboard's queries work. What a machine lacks is skipped, loudly."""
import argparse, os, shutil, sys, tempfile
from e2e_base import sqlite
from e2e_clickhouse import ByClickHouse
from e2e_load import Loads
from e2e_stream import Streams
from e2e_trouble import DatabaseTrouble
from servers import Postgres, Skipped, find


class Test(Loads, DatabaseTrouble, Streams, ByClickHouse):
    pass


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--clickhouse", action="store_true", help="Debian's takes too long to install for every run")
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="cvdd-e2e-", dir="/tmp")
    t, skipped, servers = Test(a, folder), [], []
    try:
        t.make_days()
        db = os.path.join(folder, "cvd.db")
        t.day("sqlite:" + db, db, "SQLite", lambda sql: sqlite(db, sql))
        t.packed("sqlite:" + db, db)
        t.terminal()
        t.follow()
        t.trouble_sqlite()
        try:
            pg = Postgres(folder).start()
            servers.append(pg)
            t.day(pg.url, pg.database, "PostgreSQL", pg.sql)
            t.dashboard(pg)
            t.trouble_postgres(pg)
            pg.kill()
        except Skipped as what:
            skipped.append(f"PostgreSQL: {what}")
        try:
            find("nats-server", "nats-server")
            t.stream()
            t.tls()
            t.creds()
        except Skipped as what:
            skipped.append(f"JetStream: {what}")
        try:
            if not a.clickhouse:
                raise Skipped("not asked for (--clickhouse)")
            t.clickhouse(servers)
        except Skipped as what:
            skipped.append(f"ClickHouse: {what}")
    finally:
        for s in servers:
            s.kill()
        if t.failed == 0:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"see {folder}")
    for what in skipped:
        print(f"SKIPPED: {what}", file=sys.stderr)
    return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
