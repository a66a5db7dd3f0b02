"""ClickHouse by TLS, and behind a stream. Debian's takes too long to install for every run: only where it is asked for."""
import os, shutil, subprocess
from e2e_base import Base
from servers import ClickHouse, Nats, Process, wait_for


def certify(folder):
    """An authority, and a certificate of it for this host."""
    at = lambda name: os.path.join(folder, "clickhouse-" + name)
    run = lambda *arguments: subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=ca")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at("key.pem"), "-out", at("csr"), "-subj", "/CN=x")
    with open(at("ext"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    run("x509", "-req", "-in", at("csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", at("ext"),
        "-out", at("cert.pem"))
    return at("ca.pem"), at("cert.pem"), at("key.pem")


class ByClickHouse(Base):
    def clickhouse(self, servers):
        roots, *identity = certify(self.folder) if shutil.which("openssl") else ["", None, None]
        ch = ClickHouse(self.folder, *identity)
        servers.append(ch)
        ch.start()
        self.day(ch.url, ch.database, "ClickHouse")
        self.says(self.load(ch.url.replace("secret", "wrong"), "a"), ["Wrong password", "USER:PASSWORD"], "ClickHouse, wrong password", 2)
        if identity[0]:
            trusted = self.run("load", "--data", self.data["a"], "--to", ch.tls_url, "--collector", "a", "--ca-file", roots)
            self.check(trusted[0] == 0 and trusted[1].startswith("0 rows"), "ClickHouse by TLS, of an authority that is named")
            self.says(self.load(ch.tls_url, "a"), ["certificate verify failed", "ca_file"], "… of one that is not", 2)
        ch.ask("DROP DATABASE default")
        ch.ask("CREATE DATABASE default")
        self.stream_into(ch)

    def stream_into(self, ch):
        """Sinks and the database killed while rows come."""
        nats = Nats(self.folder, "by-clickhouse").start()
        config = self.configure(nats.url, ch.url, "clickhouse")
        sinks = [Process([self.engine, "sink", "--config", config], os.path.join(self.folder, f"clickhouse-sink{i}.log")).start() for i in (1, 2)]
        ship = Process([self.engine, "ship", "--config", config], os.path.join(self.folder, "clickhouse-ship.log")).start()
        for one in (sinks[0], ch, sinks[1], ch, sinks[0]):
            wait_for("a row", lambda: int(ch.ask("SELECT count() FROM rows", "0")) > 0, 60)
            one.kill()
            one.start()
        wait_for("every row", lambda: "0 messages wait, 0 are with workers" in self.run("doctor", "--config", config)[1], 120)
        data, self.data = self.data, {"a": self.data["a"]}
        ended = [p.end() for p in (ship, *sinks)]
        self.check(ended == [0, 0, 0] and self.equals(ch.database), "ClickHouse behind a stream, all of it killed: equals the files")
        self.data = data
        nats.kill()
