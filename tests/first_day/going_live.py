"""The README's "Going live", line by line in a shell, as it stands; only the exchanges are simulated, and a bar is a second."""
import os
import re
import signal
import subprocess
import tempfile
import time


def blocks(readme):
    part = readme[readme.index("## Going live"):]
    part = part[: part.index("\n## ", 4)]
    return [[line.split(" #")[0].rstrip() for line in block.splitlines()] for block in re.findall("```sh\n(.*?)```", part, re.S)]


class Simulated:
    """Simulated exchanges, and what a configuration has to say to find them."""

    def __init__(self, cvdd, folder):
        self.ca = os.path.join(folder, "ca.pem")
        said = os.path.join(folder, "simulated.toml")
        command = [cvdd, "simulate", "--listen", "127.0.0.1:%d" % free_port(), "--ca-out", self.ca]
        self.process = subprocess.Popen(command, stdout=open(said, "w"))
        until = time.time() + 20
        while time.time() < until and os.path.getsize(said) == 0:  # it is written at once
            time.sleep(0.05)
        self.toml = open(said).read()

    def into(self, path):
        text = open(path).read().replace('interval     = "1m"', 'interval = "1s"').replace('close_delay  = "2s"', 'close_delay = "200ms"')
        text = text.replace('ca_file = ""', 'ca_file = "%s"' % self.ca).replace('"127.0.0.1:9480"', '"127.0.0.1:%d"' % free_port())
        open(path, "w").write(text + "\n" + "".join(l + "\n" for l in self.toml.splitlines() if not l.startswith("#")))
        symbols = os.path.join(os.path.dirname(path), "symbols.toml")
        listed = open(symbols).read().replace(', "SOLUSDT"', "").replace(', "1000PEPEUSDT"', "")  # they have two of each
        open(symbols, "w").write(listed)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(cvdd, expect):
    """cvdd: the program, in a folder build/release."""
    readme = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")).read()
    first, second = blocks(readme)
    tree = os.path.dirname(os.path.dirname(os.path.dirname(cvdd)))
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home}
        simulated = Simulated(cvdd, home)
        daemon = None
        try:
            here = tree
            for line in first:
                if line == "./dev build":
                    continue
                if line.startswith("cd "):
                    here = os.path.join(home, line[len("cd ~/"):])
                    continue
                if line.endswith(" run"):
                    daemon = subprocess.Popen(line.split(), cwd=here, env=environment, stderr=open(home + "/log", "w"))
                    continue
                line = line.replace("build/release/cvdd", cvdd)  # of whichever build is tested
                done = subprocess.run(line, shell=True, cwd=here, env=environment, capture_output=True, text=True, timeout=60)
                expect("going live: %s" % line, done.returncode == 0 or print(done.stdout, done.stderr))
                if " init " in line:
                    simulated.into(os.path.join(home, "cvdd/cvdd.toml"))
            here = os.path.join(home, second[0][len("cd ~/"):])
            until = time.time() + 20
            while time.time() < until and not os.path.exists(here + "/data/latest.csv"):
                time.sleep(0.1)
            expect("going live: the first bar makes data/latest.csv", os.path.exists(here + "/data/latest.csv"))
            for line in second[1:]:
                asked = subprocess.Popen("exec " + line, shell=True, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                time.sleep(3)
                asked.send_signal(signal.SIGINT)
                said = asked.communicate(timeout=20)[0]
                expect("going live: %s" % line, "BTCUSDT" in said or print(said))
            daemon.send_signal(signal.SIGINT)
            expect("going live: Ctrl-C ends it in order", daemon.wait(timeout=20) == 0 or print(open(home + "/log").read()))
        finally:
            simulated.stop()
            if daemon and daemon.poll() is None:
                daemon.kill()
