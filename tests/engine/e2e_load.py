"""Days into databases: killed on the way, again and again, packed, followed, of an earlier version; and the dashboard's queries."""
import gzip, json, os, pty, random, re, shutil, subprocess, time
from e2e_base import Base, DAY, HERE
from servers import Process, wait_for


class Loads(Base):
    def day(self, to, database, name, forget=None):
        # Killed at random on the way, then to the end; then again.
        r = random.Random(1)
        for _ in range(3):
            child = subprocess.Popen([self.engine, "load", "--data", self.data["a"], "--to", to, "--collector", "a"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(r.uniform(0.02, 0.5))
            child.kill()
            child.wait()
        results = [self.load(to, c) for c in self.data]
        self.check(all(r[0] == 0 for r in results), f"{name}: a day of two collectors, killed on the way")
        again = [self.load(to, c) for c in self.data]
        self.check(all(r[0] == 0 and r[1].startswith("0 rows") for r in again), f"{name}: nothing is loaded again")
        if forget:  # … unless the database has forgotten that it has it: then it is there once all the same
            forget("DELETE FROM positions WHERE collector = 'b'")
            self.check(self.load(to, "b")[0] == 0, f"{name}: the positions lost, loaded again")
        self.check(self.equals(database), f"{name}: equals the files row by row")

    def packed(self, to, database):
        plain = os.path.join(self.data["a"], f"cvd-{DAY}.csv")
        with open(plain, "rb") as f, gzip.open(plain + ".gz", "wb") as out:
            shutil.copyfileobj(f, out)
        os.remove(plain)
        code, text = self.load(to, "a")
        self.check(code == 0 and text.startswith("0 rows"), "a file that was packed is not read again")
        code, text = self.run("load", "--data", self.data["a"], "--to", "sqlite:" + os.path.join(self.folder, "packed.db"), "--collector", "a")
        rows = re.match(r"(\d+) rows", text)
        self.check(code == 0 and rows and int(rows[1]) > 19_200, "a packed file is loaded")
        with gzip.open(plain + ".gz", "rb") as f, open(plain, "wb") as out:
            shutil.copyfileobj(f, out)
        os.remove(plain + ".gz")

    def terminal(self):
        """On a terminal it draws how far it is, over and over in one line, and leaves nothing of it behind."""
        master, slave = pty.openpty()
        db = os.path.join(self.folder, "terminal.db")
        child = subprocess.Popen([self.engine, "load", "--data", self.data["a"], "--to", "sqlite:" + db, "--collector", "a"], stdout=slave, stderr=slave)
        os.close(slave)
        said = b""
        while True:
            try:
                piece = os.read(master, 4_096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            said += piece
        os.close(master)
        bars = re.findall(rb"\r\[=* *\] +(\d+) %  (\d+) rows, \d+ rows/s", said)
        rows = [int(r) for _, r in bars]
        self.check(child.wait() == 0 and bars and rows == sorted(rows) and bool(re.search(rb"\r\x1b\[K\d+ rows of [^\r\n]*$", said.rstrip())), f"a bar on a terminal: {len(bars)} times")

    def follow(self):
        """A row is in the database within a second of its being written, half rows, midnight and a packed yesterday included."""
        directory, db = os.path.join(self.folder, "live"), os.path.join(self.folder, "live.db")
        os.makedirs(directory)
        lines = [l for l in open(os.path.join(self.data["a"], f"cvd-{DAY}.csv")).read().split("\n") if l.split(",")[4:5] in (["rev"], ["0"])]
        child = Process([self.engine, "load", "--data", directory, "--to", "sqlite:" + db, "--collector", "a", "--follow"],
                        os.path.join(self.folder, "follow.log")).start()
        import sqlite3

        def count():
            try:
                return sqlite3.connect(f"file:{db}?mode=ro", uri=True).execute("SELECT count(*) FROM rows").fetchone()[0]
            except sqlite3.Error:
                return -1
        slowest, expected = 0, 0
        for day in (DAY, "2026-11-21"):
            with open(os.path.join(directory, f"cvd-{day}.csv"), "w", buffering=1) as f:
                f.write(lines[0] + "\n")
                for bar in range(3):
                    part = "\n".join(l.replace(DAY, day) for l in lines[1 + bar * 200:201 + bar * 200]) + "\n"
                    f.write(part[:1_000])
                    f.flush()
                    time.sleep(0.05)
                    f.write(part[1_000:])
                    f.flush()
                    expected, begun = expected + 200, time.monotonic()
                    wait_for("rows", lambda: count() == expected, 10)
                    slowest = max(slowest, time.monotonic() - begun)
        self.check(child.end() == 0, "--follow ends on SIGTERM")
        self.check(slowest < 1, f"--follow: rows are there {slowest:.2f} s after they were written, at the most")

    def older_postgres(self, pg):
        """The tables of an earlier version become this one's, with the rows that are there."""
        pg.sql("CREATE DATABASE older")
        to = pg.url[:-8] + "older"
        ask = lambda sql: subprocess.run(["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", to, "-c", sql], stdout=subprocess.PIPE, check=True).stdout.decode()
        for c in self.data:
            self.load(to, c)
        ask("DROP VIEW flow_cvd, flow, context; DROP TABLE flow_rows, context_rows; DELETE FROM positions WHERE file NOT LIKE 'cvd-%';"
            "DROP INDEX rows_best; ALTER TABLE rows DROP CONSTRAINT rows_pkey;"
            "ALTER TABLE rows ADD PRIMARY KEY(exchange, market, symbol, time, collector) INCLUDE (rev, status, quality, buys, sells, close, delta_base, delta_quote);"
            "UPDATE schema_version SET version = 2")
        results = [self.load(to, c) for c in self.data]
        self.check(all(r[0] == 0 for r in results) and "become those of" in results[0][1] and self.equals("postgres:" + to), "tables of an earlier version are brought up")
        plan = ask("VACUUM ANALYZE rows") + ask("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN SELECT time, status, close, delta_base, delta_quote FROM bars "
                   f"WHERE exchange = 'binance' AND market = 'spot' AND symbol = 'SYM0000USDT' AND time >= '{DAY}'")
        self.check("rows_best" in plan and "Sort" not in plan, "the better rows of an instrument come without sorting")

    def dashboard(self, pg):
        board = json.load(open(os.path.join(HERE, "../../config/monitoring/engine/grafana-store.json")))
        names = {"exchange": "binance", "market": "spot", "symbol": "SYM0000USDT"}
        empty = []
        queries = [(p["title"], p["targets"][0]["rawSql"]) for p in board["panels"]]
        queries += [(v["name"], v["query"]) for v in board["templating"]["list"] if v["type"] == "query"]
        for title, sql in queries:
            sql = sql.replace("$__timeFilter(time)", f"time BETWEEN '{DAY}T00:00:00Z' AND '{DAY}T23:59:59Z'")
            sql = sql.replace("now() - interval '1 day'", f"'{DAY}T00:00:00Z'::timestamptz")
            for name, value in names.items():
                sql = sql.replace(f"${name}", value)
            # What tells of trouble may be empty; that it can be asked is seen.
            if not pg.sql(sql) and title not in ("Contradictions between collectors", "Bars that are not whole"):
                empty.append(title)
        self.check(not empty, f"{len(queries)} queries of the dashboard have an answer {empty or ''}")
