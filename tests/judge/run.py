"""Rounds of worlds side by side until the minutes are over, and the verdict."""
import asyncio
import os
import random
import time
from collections import Counter

import rows
import tls
from liveness import Liveness
from oracle import Oracle, Offence, clock
from scenarios import SCENARIOS
from world import World, raise_limits

PORTS_PER_WORLD = 40


ROUND = 150.0  # seconds, where the minutes allow it


def supply(options, seed, seconds):
    """Without end: (scenario, seed), all scenarios that fit in an order by seed, then again by the next seed."""
    names = options.scenario or [s.name for s in SCENARIOS.values() if s.shortest <= seconds]
    while True:
        order = list(names)
        random.Random(str(seed)).shuffle(order)
        for name in order:
            yield SCENARIOS[name], seed
        seed += 1_000_003


def fitting(scenarios, left):
    """The next scenario that can still be had in the time that is left; the first round takes any."""
    for _ in range(len(SCENARIOS)):
        scenario, seed = next(scenarios)
        if scenario.shortest <= left + 5:
            break
    return scenario, seed


def one_round(options, supplies, seconds, left, work, number, ca, context):
    """Worlds that run side by side; seeds take turns."""
    most = options.side_by_side
    if options.scenario:
        most = min(most, len(options.scenario) * len(supplies))
    worlds = []
    for k in range(most):
        scenario, seed = fitting(supplies[k % len(supplies)], left)
        folder = os.path.join(work, "%d-%s-%s" % (number, scenario.name, seed))
        worlds.append(World(scenario, seed, max(seconds, scenario.shortest), folder,
                            options.cvdd and os.path.abspath(options.cvdd), ca, context,
                            options.port + PORTS_PER_WORLD * k))
    return worlds


async def all_rounds(options, seeds, work):
    raise_limits()
    ca, context = tls.make_authority(os.path.join(work, "tls"))
    total, clean, number = Report(), True, 0
    end = time.time() + options.minutes * 60
    supplies = [supply(options, seed, options.minutes * 60) for seed in seeds]
    while True:
        left = end - time.time()
        if number and left < 90:
            break
        number += 1
        # The last round takes what is left rather than leave a rest that is too short for another.
        worlds = one_round(options, supplies, left if left < 2 * ROUND - 60 else ROUND, left, work, number, ca, context)
        for w in worlds:
            print("world %s (%s), %.0f s, %d faults planned" % (w.scenario.name, w.seed, w.seconds, len(w.plan)))
            if options.plan:
                print("\n".join("    %s" % p for p in w.plan))
        if options.plan:
            return True
        for done in await asyncio.gather(*(w.run() for w in worlds), return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
        for w in worlds:
            oracle = judge(w)
            total.add(w, oracle)
            clean = show(w, oracle, options.most, options.for_good) and clean
    total.show()
    return clean


def judge(world):
    complaints = []
    all_rows = rows.read_all(world.tail, lambda kind, text: complaints.append(Offence(kind, text)))
    oracle = Oracle(world, all_rows)
    oracle.judge()
    Liveness(oracle).judge()
    oracle.offences += complaints
    oracle.offences += [Offence(kind, "%s at %s" % (text, clock(t, 1))) for t, kind, text in world.direct]
    seen = set()
    for e in world.exchanges:
        if id(e.manners) not in seen:
            seen.add(id(e.manners))
            oracle.offences += [Offence(kind, "%s at %s" % (text, clock(t, 1))) for t, kind, text in
                                e.manners.offences]
        for path, n in e.unknown.items():
            oracle.notes["asked %s for what it does not have: %s" % (e.venue, path)] += n
    if world.worst_lag > 1.0:
        oracle.notes["the judge itself was held up for %.1f s" % world.worst_lag] += 1
    for _, text in world.notes:
        oracle.notes[text] += 1
    return oracle


# What a later row says better, or may yet say after the end.
FOR_A_WHILE = {"live-told", "live-unwatched", "partial", "late", "open-gap", "open-partial", "absent-recoverable"}


def show(world, oracle, most, for_good=False):
    statuses = ", ".join("%d %s" % (n, s) for s, n in sorted(oracle.statuses.items()))
    print("\n=== %s (%s): %d rows: %s" % (world.scenario.name, world.seed, len(oracle.rows), statuses))
    print("    trades %d; lives %d; faults: %s" % (sum(len(i.trades) for i in world.instruments), world.life, ", ".join(
        "%s %d" % (k.replace("fault ", ""), n) for k, n in sorted(world.counts.items())) or "none"))
    for kind, n in sorted(oracle.notes.items()):
        print("    note: %d x %s" % (n, kind))
        for text in oracle.examples.get(kind, [])[:1]:
            print("          e.g. " + text)
    kinds = Counter(o.kind for o in oracle.offences)
    shown = Counter()
    for o in oracle.offences:
        shown[o.kind] += 1
        if shown[o.kind] <= most:
            explain_offence(world, o)
    if kinds:
        print("    OFFENCES: " + ", ".join("%s %d" % k for k in sorted(kinds.items())))
    else:
        print("    nothing to object to")
    return not (set(kinds) - FOR_A_WHILE if for_good else kinds)


def explain_offence(world, o):
    print("  ** %s: %s" % (o.kind, o.what))
    if o.row is None:
        return
    print("      row  %s" % o.row.text)
    print("      seen %s in life %d; the bar ended at %s" % (clock(o.row.seen, 2), o.row.life, clock(
        (o.row.bar + world.interval_us) / 1e6 - world.shift, 0)))
    if o.more:
        print(o.more.rstrip("\n"))
    start = (o.row.bar / 1e6) - world.shift
    for p in world.plan:
        begun, ended = world.begun + p.start, world.begun + p.end
        if begun < o.row.seen and ended > start - 15 and concerns(p, o.row):
            print("      fault %s to %s: %s" % (clock(begun, 0), clock(ended, 0), p))
    for line in world.daemon.near(o.row.seen):
        print("      log  " + line[:220])


def concerns(planned, row):
    venue, instrument = planned.choice.get("venue"), planned.choice.get("instrument")
    if planned.kind in ("restart", "freeze", "disk-full"):
        return True
    return (instrument.key == row.key) if instrument else venue is None or venue.venue == ".".join(row.key[:2])


class Report:
    def __init__(self):
        self.statuses, self.faults, self.offences, self.rows, self.worlds = Counter(), Counter(), Counter(), 0, 0
        self.where = {}

    def add(self, world, oracle):
        self.worlds += 1
        self.rows += len(oracle.rows)
        self.statuses.update(oracle.statuses)
        self.faults.update(world.counts)
        for o in oracle.offences:
            self.offences[o.kind] += 1
            self.where.setdefault(o.kind, set()).add(world.scenario.name)

    def show(self):
        print("\n%d worlds, %d rows judged: %s" % (self.worlds, self.rows, ", ".join(
            "%d %s" % (n, s) for s, n in sorted(self.statuses.items()))))
        print("faults: " + ", ".join("%s %d" % (k.replace("fault ", ""), n) for k, n in sorted(self.faults.items())))
        for kind, n in sorted(self.offences.items()):
            print("offences: %5d %-20s in %s" % (n, kind, ", ".join(sorted(self.where[kind]))))
        if not self.offences:
            print("offences: none")
