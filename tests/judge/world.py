"""One daemon and its exchanges: the tape runs, faults come and go by plan, rows are followed. judge.py runs several side by side."""
import asyncio
import heapq
import os
import random
import resource
import shutil
import time
from collections import Counter

import faults
import faults_feed  # noqa: F401: their kinds are registered
import faults_rows  # noqa: F401
import faults_site  # noqa: F401
import ws
from daemon import Daemon
from rows import Tail
from tape import Script, Trade

HEAD_START = 3.0  # seconds of tape before the daemon begins


class World:
    def __init__(self, scenario, seed, seconds, folder, program, ca, context, port):
        self.scenario, self.seed, self.seconds = scenario, "%s/%s" % (seed, scenario.name), seconds
        self.folder, self.shift = folder, 0.0
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.random = random.Random(self.seed + "/world")  # for what depends on the moment
        self.counts, self.notes, self.applied = Counter(), [], []
        self.life, self.lives, self.frozen, self.stops = 0, [], [], []
        self.removed, self.last_emit = {}, time.time()
        self.newly, self.disk = set(), []
        self.stopping, self.listings, self.direct = {}, [], []
        self.worst_lag, self.open_fault = 0.0, None
        self.interval_us = scenario.interval * 1_000_000
        self.exchanges = scenario.build(self)
        self.instruments = [i for e in self.exchanges for i in e.instruments]
        self.wanted = {i for i in self.instruments if i.listed}
        self.servers, hosts, base = [], "", port + 1
        for e in self.exchanges:
            self.servers += [ws.Server(e, host, base + host, context) for host in (0, 1)]
            address = "127.0.0.1:%d"
            hosts += '[exchange.%s]\nws = ["wss://%s", "wss://%s"]\nrest = ["https://%s", "https://%s"]\n' % (
                e.venue, *(2 * (address % base, address % (base + 1)))) + scenario.extra
            base += 2
        self.daemon = Daemon(program, os.path.join(folder, "daemon"), "%ds" % scenario.interval, hosts, ca, port)
        self.tail = Tail(self.daemon.data)
        self.settle = scenario.settle
        plan_random = random.Random(self.seed + "/plan")
        self.plan = faults.plan(scenario, plan_random, self, HEAD_START + 5 + scenario.warm, seconds - self.settle)

    # -- small services

    def chance(self, share):
        return share > 0 and self.random.random() < share

    def count(self, what):
        self.counts[what] += 1

    def note(self, text):
        self.notes.append((time.time(), text))

    def frozen_lately(self, seconds):
        now = time.time()
        return any(b is None or b > now - seconds for _, b in self.frozen) or \
            any(t > now - seconds for t, _ in self.lives[1:])

    def exchange_of(self, instrument):
        return next(e for e in self.exchanges if e.venue == instrument.venue)

    def peace_since(self):
        """Local time at which the last fault ended."""
        ends = [self.begun + p.end for p in self.plan]
        return max(ends, default=self.begun)

    # -- the tape

    def scripts(self):
        for number, i in enumerate(self.instruments):
            if i.pace is not None:
                script = Script(i, self.seed)
                at, levels = script.next()
                yield at, number, script, levels

    async def run_tape(self):
        queue = list(self.scripts())
        heapq.heapify(queue)
        while True:
            now = time.time() - self.begun
            self.worst_lag = max(self.worst_lag, time.time() - self.last_emit - 0.02)
            self.last_emit = time.time()
            while queue and queue[0][0] <= now:
                at, number, script, levels = heapq.heappop(queue)
                if script.instrument.state == "trading":
                    self.make(script.instrument, levels)
                at, levels = script.next()
                heapq.heappush(queue, (at, number, script, levels))
            await asyncio.sleep(0.01)

    def make(self, instrument, levels, number=None):
        """Trades happen now, or `back` milliseconds ago."""
        exchange, made, trades = self.exchange_of(instrument), time.time(), []
        for price, size, side, count, back in levels:
            us = int((made + self.shift) * 1000 - back) * 1000
            trade = Trade(instrument, price, size, side, us, made, 1 if self.scenario.single else count)
            trade.other = self.scenario.blocks and exchange.venue.split(".")[0] in ("bybit", "deribit") and \
                self.random.random() < 0.02
            (number or exchange.number)(trade)
            instrument.trades.append(trade)
            trades.append(trade)
        self.push(instrument, trades)
        return trades

    def push(self, instrument, trades):
        exchange = self.exchange_of(instrument)
        exchange.publish(instrument, trades)

    # -- the daemon

    async def start_daemon(self):
        self.life += 1
        self.lives.append((time.time(), None))
        for span in self.disk:  # a limit ends with its process
            span[1] = span[1] or time.time()
        self.daemon.write_symbols(self.symbols())  # a list that can't be read refuses a start: its owner mends it first
        await self.daemon.start()

    def life_ended(self, how, status=None):
        self.lives[-1] = (self.lives[-1][0], time.time())
        self.stops.append((time.time(), how, status))

    async def stop_daemon(self, how):
        if not self.daemon.running:
            return
        self.tail.poll(self.life)
        faults.KINDS["freeze"].end(self, None)
        self.stopping[self.life] = time.time()
        if how == "kill":
            await self.daemon.kill()
            self.life_ended("kill")
        else:
            status, seconds = await self.daemon.stop()
            self.life_ended("term", status)
            if status != 0:
                self.offend("exit", "SIGTERM: exit status %s" % status)
            if seconds > 10.5:
                self.offend("exit", "SIGTERM: it took %.1f s" % seconds)
        self.tail.poll(self.life)

    def offend(self, kind, text):
        self.direct.append((time.time(), kind, text))

    def symbols(self):
        lines, by = "", {}
        for i in sorted(self.wanted, key=lambda i: i.key):
            by.setdefault(i.exchange, {}).setdefault(i.market, []).append('"%s"' % i.symbol)
        for exchange, markets in by.items():
            lines += "[%s]\n%s" % (exchange, "".join("%s = [%s]\n" % (m, ", ".join(n)) for m, n in markets.items()))
        return lines

    # -- the run

    async def follow(self):
        while True:
            self.tail.poll(self.life)
            if self.daemon.process and self.daemon.process.returncode is not None and self.lives[-1][1] is None and \
                    not self.restarting:
                self.offend("crash", "the daemon ended with status %s" % self.daemon.process.returncode)
                self.life_ended("crash", self.daemon.process.returncode)
                await self.start_daemon()
            await asyncio.sleep(0.1)

    async def run(self):
        self.restarting = False
        self.begun = time.time()
        self.shift = self.scenario.shift_at(self.begun)
        for s in self.servers:
            await s.start()
        self.daemon.write_symbols(self.symbols())
        await asyncio.to_thread(self.daemon.write_config)
        self.last_emit, self.worst_lag = time.time(), 0.0
        tasks = [asyncio.ensure_future(self.run_tape())]
        await asyncio.sleep(HEAD_START)
        for p in self.plan:
            if not p.start:
                await faults.begin(self, p)
        await self.start_daemon()
        tasks.append(asyncio.ensure_future(self.follow()))
        tasks.append(asyncio.ensure_future(faults.run(self)))
        await asyncio.sleep(max(0.0, self.begun + self.seconds - time.time()))
        self.ended = time.time()
        self.restarting = True
        await self.stop_daemon("term")
        for task in tasks:
            if task.done() and task.exception():
                raise task.exception()
            task.cancel()
        for s in self.servers:
            s.stop()
        for e in self.exchanges:
            for c in e.live():
                c.cut("fin")
        self.tail.poll(self.life)
        self.daemon.save_log()


def raise_limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
