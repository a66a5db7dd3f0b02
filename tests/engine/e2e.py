#!/usr/bin/env python3
"""e2e.py --bin DIR [--clickhouse]

cvdd-engine as users run it, against databases and a broker that this test starts: a day of two collectors, with what stands
beside the bars, equals the files row by row, however often it is loaded and wherever it is killed; every trouble is said with what to do about it; poison is
parked; the dashboard's queries work. What a machine lacks is skipped, loudly."""
import argparse, calendar, gzip, json, os, random, re, shutil, socket, subprocess, sys, tempfile, time, urllib.request
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import fakes
from servers import ClickHouse, Nats, Postgres, Process, Skipped, find, free_port, wait_for

DAY = "2026-11-20"


class Test:
    def __init__(self, a, folder):
        self.engine, self.folder, self.failed, self.begun = os.path.join(a.bin, "cvdd-engine"), folder, 0, time.monotonic()
        self.data = {c: os.path.join(folder, c) for c in ("a", "b")}

    def check(self, good, what):
        print(f"{'ok     ' if good else 'FAILED '} {time.monotonic() - self.begun:5.1f} s  {what}", flush=True)
        self.failed += 0 if good else 1

    def run(self, *arguments, env=None, limit=None, timeout=120, user=None):
        def prepare():
            if limit:
                import resource
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        done = subprocess.run([self.engine, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              env={**os.environ, **(env or {})}, preexec_fn=prepare, **(user or {}))
        return done.returncode, done.stdout.decode()

    def load(self, to, collector, **options):
        return self.run("load", "--data", self.data[collector], "--to", to, "--collector", collector, **options)

    def says(self, result, words, what, status=None):
        code, text = result
        good = all(w in text for w in words) and (code != 0 if status is None else code == status)
        self.check(good, f"{what}: {' … '.join(words)}")
        if not good:
            print(f"        status {code}: {text.strip()[-600:]}", flush=True)

    def equals(self, database):
        return all(subprocess.run([sys.executable, os.path.join(HERE, program), database,
                                   *[f"{c}={d}" for c, d in self.data.items()]]).returncode == 0 for program in ("same_rows.py", "same_side.py"))

    # ---- load ----

    def make_days(self):
        for faults, directory in enumerate(self.data.values(), 1):
            subprocess.run([sys.executable, os.path.join(HERE, "make_day.py"), directory, DAY, "200", "1440", "--step", "15",
                            "--faults", str(faults)], check=True)
            subprocess.run([sys.executable, os.path.join(HERE, "make_side.py"), directory, DAY, "--seed", str(faults)], check=True)

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

    # ---- trouble ----

    def trouble_sqlite(self):
        self.says(self.load("sqlite:" + os.path.join(self.folder, "none", "x.db"), "a"), ["unable to open", "folder must exist"], "no folder", 2)
        self.says(self.run("load", "--data", os.path.join(self.folder, "none"), "--to", "sqlite:" + os.path.join(self.folder, "y.db")),
                  ["data directory", "data_dir"], "no data", 2)
        self.says(self.load("mysql://x/y", "a"), ["expected \"sqlite:FILE\""], "an unknown database", 2)
        if os.getuid() == 0:
            small = os.path.join(self.folder, "small")
            os.makedirs(small)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", small], stderr=subprocess.DEVNULL).returncode == 0:
                try:
                    self.says(self.load(f"sqlite:{small}/cvd.db", "a"), ["full", "make room"], "a full disk", 1)
                    subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
                    result = [self.load(f"sqlite:{small}/cvd.db", c) for c in self.data]
                    rows = sqlite(f"{small}/cvd.db", "SELECT count(*) FROM rows")
                    self.check(all(r[0] == 0 for r in result) and rows == 38_400, "a disk that has room again: nothing is lost")
                    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
                    self.says(self.load(f"sqlite:{small}/cvd.db", "a"), ["not read-only"], "a disk that can only be read", 2)
                finally:
                    subprocess.run(["umount", small])
            else:
                print("SKIPPED: no file system can be mounted here, so no disk is filled", file=sys.stderr)
            readable = {"user": 65534, "group": 65534, "extra_groups": []}
            db = os.path.join(self.folder, "owned.db")
            self.load("sqlite:" + db, "a")
            os.chmod(self.folder, 0o755)
            self.says(self.load("sqlite:" + db, "a", user=readable), ["readonly", "right to write"], "a database of another user", 2)

    def trouble_postgres(self, pg):
        self.says(self.load(pg.url.replace("secret", "wrong"), "a"), ["password authentication failed", "USER:PASSWORD"], "wrong password", 2)
        self.says(self.load(pg.url.replace("/postgres", "/none", 1) if pg.url.endswith("/none") else pg.url[:-8] + "none", "a"),
                  ["does not exist", "CREATE DATABASE"], "no such database", 2)
        self.says(self.load(pg.url + "?sslmode=require", "a"), ["does not verify"], "TLS that does not verify", 2)
        self.says(self.load(f"postgres://cvd:secret@127.0.0.1:{free_port()}/postgres", "a"), ["refused", "is it running"], "nobody there", 1)
        with fakes.Fake(fakes.old_postgres) as old, fakes.Fake(fakes.mute) as mute:
            self.says(self.load(f"postgres://cvd:secret@127.0.0.1:{old.port}/postgres", "a"), ["is version 12", "upgrade"], "an old server", 2)
            self.says(self.load(f"postgres://cvd:secret@127.0.0.1:{mute.port}/postgres", "a"), ["timeout", "is the address right"], "a host that does not answer", 1)
        pg.sql("CREATE ROLE poor LOGIN PASSWORD 'poor'")
        pg.sql("CREATE DATABASE other")
        poor = pg.url.replace("cvd:secret", "poor:poor")
        self.says(self.load(poor[:-8] + "other", "a"), ["permission denied", "GRANT"], "no permission", 2)
        self.says(self.load(poor, "a"), ["permission denied", "GRANT"], "no permission on the tables", 2)
        pg.sql("ALTER ROLE cvd SET default_transaction_read_only = on")
        self.says(self.load(pg.url[:-8] + "other", "a"), ["read-only", "primary"], "a read-only database", 1)
        pg.sql("BEGIN READ WRITE; ALTER ROLE cvd RESET default_transaction_read_only; COMMIT")
        self.older_postgres(pg)
        self.full_postgres(pg)
        # A database that vanishes while it is followed, and comes back.
        pg.sql("CREATE DATABASE again")
        again = pg.url[:-8] + "again"
        child = Process([self.engine, "load", "--data", self.data["b"], "--to", again, "--collector", "b", "--follow"],
                        os.path.join(self.folder, "again.log")).start()
        time.sleep(0.5)
        pg.kill()
        time.sleep(1)
        pg.start()
        rows = sum(1 for _ in set(tuple(l.split(",")[:4]) for l in open(os.path.join(self.data["b"], f"cvd-{DAY}.csv")))) - 1
        count = lambda: subprocess.run(["psql", "-X", "-qAt", again, "-c", "SELECT count(*) FROM rows"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL).stdout.decode().strip()
        wait_for("the rows", lambda: count() == str(rows), 60)
        self.check(child.end() == 0, "a database that is killed while it is followed: nothing is lost")

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

    def full_postgres(self, pg):
        small = os.path.join(self.folder, "tablespace")
        os.makedirs(small)
        if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", small], stderr=subprocess.DEVNULL).returncode != 0:
            print("SKIPPED: no file system can be mounted here, so no disk of PostgreSQL is filled", file=sys.stderr)
            return
        try:
            os.chown(small, pg.owner["user"], pg.owner["group"])
            pg.sql(f"CREATE TABLESPACE small LOCATION '{small}'")
            pg.sql("CREATE DATABASE small TABLESPACE small")
            to = pg.url[:-8] + "small"
            self.says(self.load(to, "a"), ["No space left", "make room", "nothing is lost"], "PostgreSQL, a full disk", 1)
            subprocess.run(["mount", "-o", "remount,size=400m", small], check=True)
            results = [self.load(to, c) for c in self.data]
            self.check(all(r[0] == 0 for r in results) and self.equals("postgres:" + to), "… that has room again: nothing is lost")
            pg.sql("DROP DATABASE small")
            pg.sql("DROP TABLESPACE small")
        finally:
            subprocess.run(["umount", small])

    def configure(self, nats, to, name="a", extra="", nats_extra=""):
        path = os.path.join(self.folder, f"{name}.toml")
        with open(path, "w") as f:
            f.write(f'data_dir = "{self.data["a"]}"\ncollector = "a"\n[nats]\nservers = ["{nats}"]\nreplicas = 1\ncreate_stream = true\n'
                    f'{nats_extra}\n[ship]\ncheckpoint = "{self.folder}/{name}.checkpoint"\nlisten = ""\n[sink]\nto = "{to}"\nlisten = ""\n{extra}')
        return path

    def service(self, command, config, seconds=1.5, look=None):
        """What a service says in a short life; `look` is called in it."""
        log = os.path.join(self.folder, "service.log")
        if os.path.exists(log):
            os.remove(log)
        child = Process([self.engine, command, "--config", config], log).start()
        time.sleep(seconds)
        if look:
            look()
        code = child.end()
        return code, open(log).read()

    def stream(self):
        """Trouble with a broker, and poison."""
        path = os.path.join(self.folder, "wrong.toml")
        with open(path, "w") as f:
            f.write('interval = "1 minute"\n[nats]\nserver = ["nats://x"]\n[sink]\nto = "mysql:x"\n')
        self.says(self.run("check", "--config", path), ["wrong.toml:1: interval:", "wrong.toml:3: nats.server: unknown key, did you mean",
                                                        "wrong.toml:5: sink.to:"], "a wrong configuration", 2)
        guarded = Nats(self.folder, "guarded", extra='authorization { users: [{user: cvd, password: secret, permissions: {publish: {deny: "cvd.>"}}}] }\n'
                       'max_payload: 1048576').start()
        db = os.path.join(self.folder, "stream.db")
        self.says(self.service("ship", self.configure(guarded.url, "sqlite:" + db, "guard1")), ["Authorization", "[nats] user"], "no password", 0)
        self.says(self.service("ship", self.configure(guarded.url, "sqlite:" + db, "guard1", nats_extra='user = "cvd"\npassword = "wrong"')),
                  ["Authorization", "[nats] user"], "wrong password of the broker", 0)
        rights = 'user = "cvd"\npassword = "secret"'
        self.says(self.service("ship", self.configure(guarded.url, "sqlite:" + db, "guard2", nats_extra=rights), 4.5),
                  ["does not answer", "ermissions Violation", "let this user publish"], "no permission to publish", 0)
        self.says(self.run("doctor", "--config", self.configure(guarded.url, "sqlite:" + db, "guard2", nats_extra=rights)),
                  ["publishing to cvd.v1.>", "ermissions Violation", "rights"], "doctor tells of it", 1)
        guarded.kill()
        deaf = Nats(self.folder, "deaf", extra='authorization { users: [{user: cvd, password: secret, permissions: {publish: {deny: "$JS.API.CONSUMER.>"}}}] }').start()
        api(deaf.port, "STREAM.CREATE.CVD", {"name": "CVD", "subjects": ["cvd.v1.>"], "storage": "file", "num_replicas": 1}, "cvd", "secret")
        self.says(self.service("sink", self.configure(deaf.url, "sqlite:" + db, "deaf", nats_extra=rights), 5),
                  ["consumer sink", "ermissions Violation", "rights"], "no permission to read", 0)
        deaf.kill()
        with fakes.Fake(fakes.old_nats) as old, fakes.Fake(fakes.mute) as mute:
            self.says(self.service("ship", self.configure(f"nats://127.0.0.1:{old.port}", "sqlite:" + db, "old")), ["too old", "upgrade"], "an old broker", 0)
            self.says(self.service("ship", self.configure(f"nats://127.0.0.1:{mute.port}", "sqlite:" + db, "mute"), 7), ["can't connect", "reached from here"],
                      "a broker that does not answer", 0)
        nats = Nats(self.folder, "n1").start()
        config = self.configure(nats.url, "sqlite:" + db)
        # A stream that is full, and refuses.
        make = {"name": "CVD", "subjects": ["cvd.v1.>"], "max_msgs": 1000, "discard": "new", "storage": "file", "num_replicas": 1,
                "retention": "limits", "max_consumers": -1, "max_bytes": -1, "max_age": 0}
        api(nats.port, "STREAM.CREATE.CVD", make)
        watched, metrics = self.configure(nats.url, "sqlite:" + db, "watched"), f"127.0.0.1:{free_port()}"
        with open(watched) as f:
            text = f.read().replace('listen = ""', f'listen = "{metrics}"', 1)
        with open(watched, "w") as f:
            f.write(text)
        told = {}
        self.says(self.service("ship", watched, look=lambda: told.update(scrape(metrics))), ["maximum messages exceeded", "kept"], "a full stream", 0)
        since = time.time() - calendar.timegm(time.strptime(DAY, "%Y-%m-%d"))
        oldest = told.get("cvdd_engine_oldest_unacknowledged_seconds", -1)
        self.check(since - 86_400 < oldest < since, f"… and how long the oldest row has been waiting: {oldest:.0f} s")
        self.says(self.run("doctor", "--config", config), ["ok      stream CVD: 1000 messages"], "doctor", 0)
        make["max_msgs"] = -1
        api(nats.port, "STREAM.UPDATE.CVD", make)
        code, text = self.run("ship", "--config", config, "--once")
        self.check(code == 0, "… that has room again takes the rest")
        publish(nats.port, "cvd.v1.binance.spot.POISON", b"not a row")
        sink = Process([self.engine, "sink", "--config", config], os.path.join(self.folder, "sink.log")).start()
        import sqlite3

        def ask(sql):
            try:
                return sqlite3.connect(f"file:{db}?mode=ro", uri=True).execute(sql).fetchone()[0]
            except sqlite3.Error:
                return -1
        wait_for("the rows", lambda: ask("SELECT count(*) FROM rows") == 19_200, 60)
        wait_for("the poison", lambda: ask("SELECT count(*) FROM rejected WHERE text = 'not a row'") == 1, 10)
        self.check(sink.end() == 0, "every row once, poison parked")
        data, self.data = self.data, {"a": self.data["a"]}
        self.check(self.equals(db), "the store equals the files")
        self.data = data
        self.says(self.run("doctor", "--config", config), ["rejected"], "doctor tells of what was parked", 1)
        nats.kill()
        self.says(self.run("doctor", "--config", config), ["can't connect"], "doctor without a broker", 1)

    def tls(self):
        """Certificates are verified, and the name in them."""
        if not shutil.which("openssl"):
            print("SKIPPED: openssl is missing, so TLS to NATS is not tested", file=sys.stderr)
            return
        at = lambda name: os.path.join(self.folder, name)
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2",
                        "-subj", "/CN=ca"], **quiet)
        for name, who in (("right", "IP:127.0.0.1"), ("other", "DNS:other.example")):
            subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", at(name + ".key"), "-out", at(name + ".csr"), "-subj", "/CN=x"], **quiet)
            with open(at("ext"), "w") as f:
                f.write(f"subjectAltName={who}\n")
            subprocess.run(["openssl", "x509", "-req", "-in", at(name + ".csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial",
                            "-days", "2", "-extfile", at("ext"), "-out", at(name + ".pem")], **quiet)
        for name, roots, words in (("right", "ca.pem", ["ok      broker: connected"]), ("right", "", ["unable to get local issuer", "ca_file"]),
                                   ("other", "ca.pem", ["mismatch"])):
            node = Nats(self.folder, "tls-" + name + roots, extra=f'tls {{ cert_file: "{at(name + ".pem")}", key_file: "{at(name + ".key")}" }}').start()
            config = self.configure(node.url.replace("nats:", "tls:"), "sqlite:" + at("tls.db"), "tls", nats_extra=f'ca_file = "{at(roots) if roots else ""}"')
            self.says(self.run("doctor", "--config", config), words, "TLS", 1)
            node.kill()

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


def sqlite(file, sql):
    import sqlite3
    db = sqlite3.connect(file)
    try:
        with db:
            return (db.execute(sql).fetchone() or [None])[0]
    finally:
        db.close()


def talk(port, text, until, user="", password=""):
    s = socket.create_connection(("127.0.0.1", port), 10)
    hello = {"verbose": False, "headers": True, **({"user": user, "pass": password} if user else {})}
    s.sendall(b"CONNECT " + json.dumps(hello).encode() + b"\r\nSUB reply 1\r\n" + text + b"PING\r\n")
    got = b""
    while until not in got:
        piece = s.recv(4096)
        assert piece, got
        got += piece
    s.close()
    return got


def scrape(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        lines = [l.split(" ") for l in answer.read().decode().split("\n") if l and not l.startswith("#")]
    return {l[0]: float(l[1]) for l in lines}


def api(port, what, body, *login):
    text = json.dumps(body).encode()
    got = talk(port, b"PUB $JS.API.%s reply %d\r\n%s\r\n" % (what.encode(), len(text), text), b"io.nats.jetstream", *login)
    assert b'"error"' not in got, got


def publish(port, subject, body):
    head = b"NATS/1.0\r\nCvdd-Collector: a\r\n\r\n"
    talk(port, b"HPUB %s reply %d %d\r\n%s%s\r\n" % (subject.encode(), len(head), len(head) + len(body), head, body), b'"seq"')


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
        except Skipped as what:
            skipped.append(f"JetStream: {what}")
        try:
            if not a.clickhouse:
                raise Skipped("not asked for (--clickhouse)")
            ch = ClickHouse(folder)
            servers.append(ch)
            ch.start()
            t.day(ch.url, ch.database, "ClickHouse")
            t.says(t.load(ch.url.replace("secret", "wrong"), "a"), ["Wrong password", "USER:PASSWORD"], "ClickHouse, wrong password", 2)
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
