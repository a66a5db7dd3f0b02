#!/usr/bin/env python3
"""chaos.py --bin DIR [--seconds S] [--nodes 1|3] [--store sqlite|postgres] [--seed S] [--away S] [--delete-stream]

Two collectors against the same simulated exchanges, each with a ship, NATS JetStream, two sinks, a database. While rows
come, anything of it is killed (SIGKILL) or stopped (SIGSTOP) at random and started again. After that: the store holds each
collector's rows as their files do, each once; its bars are whole wherever one collector was; they equal the tape; their running
sum is exact; and its volume by size of trade adds up to them. If asked for also: the brokers all away for a while, and the stream deleted and published again."""
import argparse, os, random, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from servers import ClickHouse, Nats, Postgres, Process, Skipped, find, free_port, listening, wait_for
import same_rows

COLLECTORS = ("east", "west")


class World:
    def __init__(self, arguments, folder):
        self.a, self.folder, self.random = arguments, folder, random.Random(arguments.seed)
        self.bin = os.path.abspath(arguments.bin)
        self.engine = os.path.join(self.bin, "cvdd-engine")
        names = [f"n{i + 1}" for i in range(arguments.nodes)]
        ports, cluster = {n: free_port() for n in names}, {n: free_port() for n in names}
        self.nodes = [Nats(folder, n, ports, cluster if len(names) > 1 else None) for n in names]
        self.postgres = Postgres(folder).start() if arguments.store == "postgres" else None
        self.database = self.postgres.database if self.postgres else os.path.join(folder, "cvd.db")
        to = self.postgres.url if self.postgres else "sqlite:" + self.database
        self.tape = subprocess.Popen([os.path.join(self.bin, "tests/engine/cvdd_tape_server"), folder, "--seed", str(arguments.seed),
                                      "--instruments", str(arguments.instruments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.tape.stdout.readline() == "ready\n"
        self.collectors, self.ships = [], []
        exchanges = open(os.path.join(folder, "exchanges.toml")).read()
        for name in COLLECTORS:
            data = os.path.join(folder, name)
            os.makedirs(data)
            with open(os.path.join(folder, name + ".cvdd.toml"), "w") as f:
                # What one missed it does not fetch: the other has it.
                f.write(f'data_dir = "{data}"\nsymbols_file = "symbols.toml"\ninterval = "1s"\nclose_delay = "300ms"\nrepair = "off"\n'
                        f'size_buckets = ["1000", "20000"]\naudit = "off"\n[http]\nlisten = ""\n[net]\nca_file = "ca.pem"\n{exchanges}')
            self.collectors.append(Process([os.path.join(self.bin, "cvdd"), "run", "--config", f.name], os.path.join(folder, name + ".log")))
            self.ships.append(Process([self.engine, "ship", "--config", self.configure(name, to)], os.path.join(folder, name + ".ship.log")))
        self.sinks = [Process([self.engine, "sink", "--config", self.configure(f"sink{i}", to)], os.path.join(folder, f"sink{i}.log"))
                      for i in (1, 2)]
        self.counts, self.turns = {}, []

    def configure(self, name, to):
        path = os.path.join(self.folder, name + ".engine.toml")
        servers = ", ".join(f'"{n.url}"' for n in self.nodes)
        with open(path, "w") as f:
            f.write(f'data_dir = "{os.path.join(self.folder, name)}"\ncollector = "{name}"\ninterval = "1s"\n[nats]\nservers = [{servers}]\n'
                    f'create_stream = true\nreplicas = {len(self.nodes)}\n[ship]\ncheckpoint = "{self.folder}/{name}.checkpoint"\nlisten = ""\n'
                    f'[sink]\nto = "{to}"\nworkers = 2\nlisten = ""\n')
        return path

    def everything(self):
        return self.nodes + self.collectors + self.ships + self.sinks + ([self.postgres] if self.postgres else [])

    def start(self):
        for n in self.nodes:
            n.start()
        for p in self.collectors + self.ships + self.sinks:
            p.start()

    def stop(self):
        for p in self.collectors + self.ships + self.sinks + self.nodes + ([self.postgres] if self.postgres else []):
            p.kill()
        self.tape.kill()
        self.tape.wait()

    def name(self, p):
        return os.path.basename(p.log)[:-4]

    def one_fault(self):
        kinds = [self.nodes, self.collectors, self.ships, self.sinks] + ([[self.postgres]] if self.postgres else [])
        if not self.turns:  # each kind gets its turn, in any order
            self.turns = self.random.sample(kinds, len(kinds))
        victim = self.random.choice(self.turns.pop())
        if victim is not self.postgres and self.random.random() < 0.3:
            away, how = self.random.uniform(2, 12), "SIGSTOP"
            victim.pause()
            time.sleep(away)
            victim.go_on()
        else:
            away, how = self.random.uniform(0.1, 4), "SIGKILL"
            victim.kill()
            time.sleep(away)
            victim.start()
        self.counts[how] = self.counts.get(how, 0) + 1
        print(f"  {how} {self.name(victim)} for {away:.1f} s", flush=True)

    def faults(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self.random.uniform(0.2, 2))
            self.one_fault()

    def file_rows(self):
        return sum(len(same_rows.read_files(os.path.join(self.folder, c))) for c in COLLECTORS)

    def stored_rows(self):
        try:
            return int(self.ask("SELECT count(*) FROM rows"))
        except Exception:
            return 0

    def ask(self, sql):
        if self.postgres:
            return self.postgres.sql(sql)
        import sqlite3
        return str(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30).execute(sql).fetchone()[0])

    def settle(self, seconds=240):
        """Collectors end; everything that they wrote gets to the store."""
        for c in self.collectors:
            if c.end(signal.SIGTERM, 30) != 0:
                raise AssertionError(f"{self.name(c)} did not end well")
        wanted, begun = self.file_rows(), time.monotonic()
        wait_for(f"{wanted} rows in the store", lambda: self.stored_rows() >= wanted, seconds)
        # A last revision may still be on its way.
        def all_there():
            return self.compare(quiet=True) == 0
        wait_for("the store to equal the files", all_there, seconds)
        print(f"  the store had all {wanted} rows {time.monotonic() - begun:.1f} s after the collectors ended", flush=True)

    def compare(self, quiet=False):
        """The bars, and what stands beside them."""
        heard = subprocess.DEVNULL if quiet else None
        codes = [subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), program), self.database,
                                 *[f"{c}={os.path.join(self.folder, c)}" for c in COLLECTORS]], stdout=heard, stderr=heard).returncode
                 for program in ("same_rows.py", "same_side.py")]
        return max(codes)

    def against_the_tape(self):
        """The store's bars with the store's running sums, as a day file."""
        out = os.path.join(self.folder, "bars")
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        columns = same_rows.COLUMNS[:-1]
        bars = same_rows.ask(self.database, "bars", same_rows.COLUMNS)
        sums = {tuple(r[:4]): r[6:8] for r in same_rows.ask(self.database, "cvd", same_rows.CVD)}
        days = {}
        for bar in sorted(bars):
            bar[4], bar[18:20], bar[24] = "0", sums[tuple(bar[:4])], bar[24] or "?"
            days.setdefault(bar[0][:10], []).append(",".join(bar[:25]))
        for day, lines in days.items():
            with open(os.path.join(out, f"cvd-{day}.csv"), "w") as f:
                f.write("\n".join([",".join(columns)] + lines) + "\n")
        self.tape.stdin.write(f"compare {out}\n")
        self.tape.stdin.close()
        said = self.tape.stdout.read()
        print(said, end="", flush=True)
        return self.tape.wait()

    def share_whole(self):
        whole = {}
        for c in COLLECTORS:
            rows = same_rows.read_files(os.path.join(self.folder, c))
            good = sum(1 for r in rows.values() if r[5] in ("live", "repaired"))
            whole[c] = f"{c} {good} of {len(rows)} bars whole"
        total, good = self.ask("SELECT count(*) FROM bars"), self.ask("SELECT count(*) FROM bars WHERE status IN ('live','repaired')")
        print(f"  {', '.join(whole.values())}; the store {good} of {total}", flush=True)

    def broker_away(self, seconds):
        print(f"all brokers away for {seconds} s", flush=True)
        for n in self.nodes:
            n.kill()
        before = self.file_rows()
        time.sleep(seconds)
        waiting = self.file_rows() - before
        assert waiting > 0, "the collectors stood still without a broker"
        for n in self.nodes:
            n.start()
        begun = time.monotonic()
        wait_for("the store to catch up", lambda: self.stored_rows() >= before + waiting, 180)
        print(f"  {waiting} rows were waiting, and were in the store {time.monotonic() - begun:.1f} s after the brokers came back", flush=True)

    def stream_deleted(self):
        print("the stream is deleted, and the store's rows with it", flush=True)
        for p in self.sinks:
            p.kill()
        subprocess.run([sys.executable, "-c", DELETE_STREAM, str(self.nodes[0].port)], check=True)
        if self.postgres:
            self.postgres.sql("TRUNCATE rows, flow_rows")
        else:
            os.remove(self.database)
        log = self.ships[0].log
        wait_for("ship to notice", lambda: "that were acknowledged are not in it any more" in open(log).read(), 90)
        for p in self.ships:
            p.end()
        for p, name in zip(self.ships, COLLECTORS):
            config = os.path.join(self.folder, name + ".engine.toml")
            subprocess.run([self.engine, "ship", "--config", config, "--from", "2000-01-01", "--once"], check=True, stderr=subprocess.DEVNULL)
            p.start()
        for p in self.sinks:
            p.start()
        print("  noticed, and published again with --from", flush=True)


# A request of NATS' protocol is four lines.
DELETE_STREAM = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
s.sendall(b'CONNECT {"verbose":false}\\r\\nSUB reply 1\\r\\nPUB $JS.API.STREAM.DELETE.CVD reply 0\\r\\n\\r\\nPING\\r\\n')
text = b""
while b"io.nats.jetstream.api.v1.stream_delete_response" not in text:
    piece = s.recv(4096)
    assert piece, text
    text += piece
    if b"PING" in piece:
        s.sendall(b"PONG\\r\\n")
assert b'"success":true' in text, text
"""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--seconds", type=float, default=120)
    p.add_argument("--nodes", type=int, choices=(1, 3), default=3)
    p.add_argument("--store", choices=("sqlite", "postgres"), default="postgres")
    p.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    p.add_argument("--instruments", type=int, default=24)
    p.add_argument("--away", type=float, default=0, help="seconds without any broker")
    p.add_argument("--delete-stream", action="store_true")
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="cvdd-chaos-")
    print(f"seed {a.seed}, {a.nodes} nodes, {a.store}, {folder}", flush=True)
    world, good = None, False
    try:
        world = World(a, folder)
        world.start()
        wait_for("rows in the store", lambda: world.stored_rows() > 0, 60)
        world.faults(a.seconds)
        for each in world.everything():
            if not each.running():
                each.start()
        if a.away:
            world.broker_away(a.away)
        if a.delete_stream:
            world.stream_deleted()
        world.settle()
        world.share_whole()
        good = world.compare() == 0
        good = world.against_the_tape() == 0 and good
        print(f"chaos: {world.counts}, {'nothing lost, nothing doubled, nothing wrong' if good else 'FAILED'}", flush=True)
    except Skipped as what:
        print(f"SKIPPED: the engine is not tested against servers: {what}", file=sys.stderr)
        return 77
    finally:
        if world:
            world.stop()
        if good and not a.keep:
            shutil.rmtree(folder, ignore_errors=True)
        elif world:
            print(f"see {folder}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
