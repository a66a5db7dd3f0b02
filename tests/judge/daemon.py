"""The program under judgement: its configuration, its lives, its log."""
import asyncio
import os
import resource
import signal
import subprocess
import time


class Daemon:
    def __init__(self, program, folder, interval, hosts, ca, http):
        self.program, self.folder, self.interval = program, folder, interval
        self.process, self.log, self.exits = None, [], []
        self.reader = None
        self.data = os.path.join(folder, "data")
        os.makedirs(folder, exist_ok=True)
        self.config = os.path.join(folder, "cvdd.toml")
        text = ('data_dir = "data"\nsymbols_file = "symbols.toml"\ninterval = "%s"\nclose_delay = "1s"\n%%s'
                '[http]\nlisten = "%s"\n[log]\nlevel = "info"\n[net]\nca_file = "%s"\n%s' % (
                    interval, "127.0.0.1:%d" % http if http else "", ca, hosts))
        self.text = text
        self.proof_within = None

    def write_config(self):
        """proof_within is written where the program knows it."""
        for seconds, line in ((20, 'proof_within = "20s"\n'), (None, "")):
            with open(self.config, "w", encoding="utf-8") as f:
                f.write(self.text % line)
            self.proof_within = seconds
            done = subprocess.run([self.program, "check", "--config", self.config], capture_output=True, text=True,
                                  check=False)
            if done.returncode == 0:
                return
        raise SystemExit("cvdd check refuses the configuration:\n" + done.stderr + done.stdout)

    def write_symbols(self, text, how="in place"):
        path = os.path.join(self.folder, "symbols.toml")
        target = path if how == "in place" else path + ".new"
        with open(target, "w", encoding="utf-8") as f:
            f.write(text)
        if target != path:
            os.replace(target, path)

    @property
    def running(self):
        return self.process is not None and self.process.returncode is None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            self.program, "run", "--config", self.config, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True)
        self.reader = asyncio.ensure_future(self.read_log(self.process))

    async def read_log(self, process):
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:
                continue
            if not line:
                return
            self.log.append((time.time(), line.decode("utf-8", "replace").rstrip()))

    async def stop(self):
        """SIGTERM; returns (exit status, seconds)."""
        if not self.running:
            return None, 0.0
        begun = time.time()
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), 25)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
            return "killed", time.time() - begun
        return self.process.returncode, time.time() - begun

    async def kill(self):
        if self.running:
            self.process.kill()
            await self.process.wait()

    def reload(self):
        if self.running:
            self.process.send_signal(signal.SIGHUP)

    def freeze(self, on):
        if self.running:
            self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def limit_files(self, size):
        """size: bytes a file may have; None: as before."""
        if self.running:
            hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def save_log(self):
        """At the end: a busy disk would hold up the exchanges."""
        with open(os.path.join(self.folder, "log"), "w", encoding="utf-8") as copy:
            copy.writelines(line + "\n" for _, line in self.log)

    def near(self, moment, before=3.0, after=1.5, most=8):
        lines = [l for t, l in self.log if moment - before <= t <= moment + after]
        return lines[-most:]
