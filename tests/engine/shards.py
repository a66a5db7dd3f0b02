#!/usr/bin/env python3
"""shards.py --bin DIR: three collectors of one symbol list, each with its [shard]: every instrument is collected once. Then a
fourth comes: what moves, moves to it alone, begins its file's CVD anew, and the store's goes on."""
import argparse, glob, os, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from servers import Process, wait_for

COUNT, INSTRUMENTS = 3, 48
HERE = os.path.dirname(os.path.abspath(__file__))


def rows_of(directory):
    """By instrument, its rows in their order."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(directory, "cvd-*.csv"))):
        text = open(path).read()
        for line in text[:text.rfind("\n") + 1].splitlines()[1:]:
            row = line.split(",")
            rows.setdefault(tuple(row[1:4]), []).append(row)
    return rows


class Shards:
    def __init__(self, bin, folder):
        self.bin, self.folder, self.collectors = bin, folder, []
        self.exchanges = open(os.path.join(folder, "exchanges.toml")).read()

    def data(self, index):
        return os.path.join(self.folder, f"c{index}")

    def start(self, count):
        for index in range(count):
            with open(self.data(index) + ".toml", "w") as f:
                f.write(f'data_dir = "{self.data(index)}"\ninterval = "1s"\nclose_delay = "300ms"\naudit = "off"\n[shard]\nindex = {index}\n'
                        f'count = {count}\n[http]\nlisten = ""\n[net]\nca_file = "ca.pem"\n{self.exchanges}')
            self.collectors.append(Process([os.path.join(self.bin, "cvdd"), "run", "--config", f.name], self.data(index) + ".log").start())

    def end(self):
        for c in self.collectors:
            c.end()
        self.collectors = []

    def owners(self, count, since=""):
        """By instrument, whose files have a row of it that is not older."""
        owners = {}
        for index in range(count):
            for key, rows in rows_of(self.data(index)).items():
                if any(row[0] >= since for row in rows):
                    owners.setdefault(key, set()).add(index)
        return owners

    def settled(self, count, since=""):
        wait_for("every instrument", lambda: len(self.owners(count, since)) == INSTRUMENTS, 180)
        self.end()
        owners = self.owners(count, since)
        return owners if all(len(of) == 1 for of in owners.values()) else {}


def store_goes_on(shards, count):
    """All files in one store, and its sums against them by arithmetic of the test's own."""
    database = os.path.join(shards.folder, "cvd.db")
    for index in range(count):
        subprocess.run([os.path.join(shards.bin, "cvdd-engine"), "load", "--data", shards.data(index), "--to", "sqlite:" + database,
                        "--collector", f"c{index}"], check=True, stderr=subprocess.DEVNULL)
    return subprocess.run([sys.executable, os.path.join(HERE, "same_rows.py"), database, *[f"c{i}={shards.data(i)}" for i in range(count)]]).returncode == 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    a = p.parse_args()
    folder, good = tempfile.mkdtemp(prefix="cvdd-shards-"), False
    tape = subprocess.Popen([os.path.join(a.bin, "tests/engine/cvdd_tape_server"), folder, "--instruments", str(INSTRUMENTS)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    shards = None
    try:
        assert tape.stdout.readline() == "ready\n"
        shards = Shards(a.bin, folder)
        shards.start(COUNT)
        before = shards.settled(COUNT)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
        shards.start(COUNT + 1)
        after = shards.settled(COUNT + 1, since)
        moved = [key for key in before if before[key] != after.get(key)]
        new = rows_of(shards.data(COUNT))
        anew = all(new[key][0][18:20] == new[key][0][16:18] for key in moved if key in new)
        shares = [sum(1 for of in before.values() if index in of) for index in range(COUNT)]
        print(f"{INSTRUMENTS} instruments: {shares}; with one more {len(moved)} moved")
        good = (len(before) == len(after) == INSTRUMENTS and min(shares) > 0 and 0 < len(moved) < INSTRUMENTS / 2
                and all(after[key] == {COUNT} for key in moved) and anew and store_goes_on(shards, COUNT + 1))
    finally:
        if shards:
            shards.end()
        tape.kill()
        tape.wait()
    if good:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
