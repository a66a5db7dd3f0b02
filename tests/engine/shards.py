#!/usr/bin/env python3
"""shards.py --bin DIR: three collectors of one symbol list, each with its [shard]: every instrument is collected once."""
import argparse, glob, os, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from servers import Process, wait_for

COUNT, INSTRUMENTS = 3, 48


def collected(directory):
    keys = set()
    for path in glob.glob(os.path.join(directory, "cvd-*.csv")):
        text = open(path).read()
        keys |= {tuple(line.split(",")[1:4]) for line in text[:text.rfind("\n") + 1].splitlines()[1:]}
    return keys


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="cvdd-shards-")
    tape = subprocess.Popen([os.path.join(a.bin, "tests/engine/cvdd_tape_server"), folder, "--instruments", str(INSTRUMENTS)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    collectors = []
    try:
        assert tape.stdout.readline() == "ready\n"
        exchanges = open(os.path.join(folder, "exchanges.toml")).read()
        for index in range(COUNT):
            data = os.path.join(folder, str(index))
            with open(data + ".toml", "w") as f:
                f.write(f'data_dir = "{data}"\ninterval = "1s"\nclose_delay = "300ms"\naudit = "off"\n[shard]\nindex = {index}\ncount = {COUNT}\n'
                        f'[http]\nlisten = ""\n[net]\nca_file = "ca.pem"\n{exchanges}')
            collectors.append(Process([os.path.join(a.bin, "cvdd"), "run", "--config", f.name], data + ".log").start())
        parts = lambda: [collected(os.path.join(folder, str(i))) for i in range(COUNT)]
        wait_for("every instrument", lambda: len(set().union(*parts())) == INSTRUMENTS, 60)
        shares = [len(part) for part in parts()]
        print(f"{INSTRUMENTS} instruments: {shares}")
        good = sum(shares) == INSTRUMENTS and min(shares) > 0
    finally:
        for c in collectors:
            c.end()
        tape.kill()
        tape.wait()
    if good:
        shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
