"""Trouble with databases: each is said with what to do about it, and nothing is lost."""
import os, subprocess, sys, time
import fakes
from e2e_base import Base, DAY, sqlite
from servers import Process, free_port, wait_for


class DatabaseTrouble(Base):
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
