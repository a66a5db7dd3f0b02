"""What the parts of e2e.py have in common: the program is run as users run it, what it says is compared, and so is what is in a
database afterwards."""
import json, os, socket, subprocess, sys, time, urllib.request
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from servers import Process

DAY = "2026-11-20"


class Base:
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

    def make_days(self):
        for faults, directory in enumerate(self.data.values(), 1):
            subprocess.run([sys.executable, os.path.join(HERE, "make_day.py"), directory, DAY, "200", "1440", "--step", "15",
                            "--faults", str(faults)], check=True)
            subprocess.run([sys.executable, os.path.join(HERE, "make_side.py"), directory, DAY, "--seed", str(faults)], check=True)

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
