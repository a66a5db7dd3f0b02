"""Trouble with a broker, poison, and TLS to it."""
import calendar, os, shutil, subprocess, sys, time
import credentials, fakes
from e2e_base import Base, DAY, api, publish, scrape
from make_day import HEADER
from servers import Nats, Process, free_port, wait_for


class Streams(Base):
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
        self.contradiction(config, db)
        nats.kill()
        self.says(self.run("doctor", "--config", config), ["can't connect"], "doctor without a broker", 1)

    def contradiction(self, config, db):
        """Two collectors call a bar of yesterday live, and tell of other trades."""
        with open(os.path.join(self.data["a"], f"cvd-{DAY}.csv")) as f:
            row = next(r for r in (line.rstrip("\n").split(",") for line in f) if r[5] == "live" and r[4] == "0")
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
        row[0], buys = day + "T12:00:00Z", int(row[10])
        for name in ("honest", "liar"):
            directory = os.path.join(self.folder, name)
            os.makedirs(directory)
            row[10] = str(buys + (name == "liar"))
            with open(os.path.join(directory, f"cvd-{day}.csv"), "w") as f:
                f.write(HEADER + "\n" + ",".join(row) + "\n")
            self.check(self.run("load", "--data", directory, "--to", "sqlite:" + db, "--collector", name)[0] == 0, f"the {name} collector's row")
        self.says(self.run("doctor", "--config", config), [f"WRONG   {' '.join(row[:4])}: honest and liar both say live", f"buys {buys} and {buys + 1}"],
                  "doctor names a contradiction", 1)

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
        # A server that wants to see who comes, too.
        node = Nats(self.folder, "tls-both", extra=f'tls {{ cert_file: "{at("right.pem")}", key_file: "{at("right.key")}", ca_file: "{at("ca.pem")}", verify: true }}').start()
        mine = f'\ncertificate = "{at("right.pem")}"\nkey = "{at("right.key")}"'
        for extra, words in (("", ["can't connect"]), (mine, ["ok      broker: connected"])):
            config = self.configure(node.url.replace("nats:", "tls:"), "sqlite:" + at("tls.db"), "tls", nats_extra=f'ca_file = "{at("ca.pem")}"{extra}')
            self.says(self.run("doctor", "--config", config), words, f"TLS, {'a certificate of our own' if extra else 'no certificate where one is asked for'}", 1)
        node.kill()

    def creds(self):
        """A file of credentials: of the server's account, and of none that it knows."""
        if not shutil.which("openssl"):
            print("SKIPPED: openssl is missing, so credentials of NATS are not tested", file=sys.stderr)
            return
        node = Nats(self.folder, "operated", extra=credentials.make(self.folder)).start()
        db = os.path.join(self.folder, "creds.db")
        file = lambda name: 'credentials = "%s"' % os.path.join(self.folder, name + ".creds")
        self.says(self.service("ship", self.configure(node.url, "sqlite:" + db, "stranger", nats_extra=file("stranger"))), ["Authorization"],
                  "a stranger's credentials", 0)
        self.says(self.run("doctor", "--config", self.configure(node.url, "sqlite:" + db, "nobody", nats_extra=file("nobody"))), ["nobody.creds"],
                  "no file of credentials", 1)
        config = self.configure(node.url, "sqlite:" + db, "creds", nats_extra=file("user"))
        self.check(self.run("ship", "--config", config, "--once")[0] == 0, "credentials: ship publishes by them")
        sink = Process([self.engine, "sink", "--config", config], os.path.join(self.folder, "creds.log")).start()
        data, self.data = self.data, {"a": self.data["a"]}
        wait_for("every row", lambda: "0 messages wait, 0 are with workers" in self.run("doctor", "--config", config)[1], 60)
        self.check(sink.end() == 0 and self.equals(db), "… and sink reads by them")
        self.data = data
        node.kill()
