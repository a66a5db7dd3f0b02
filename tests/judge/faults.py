"""Faults by seed: what, where, from when to when. The plan is drawn before the run and depends on the seed alone."""
import asyncio
import time

KINDS = {}


class Planned:
    def __init__(self, start, end, kind, choice):
        self.start, self.end, self.kind, self.choice = start, end, kind, choice

    def __str__(self):
        shown = {k: getattr(v, "symbol", getattr(v, "venue", getattr(v, "__name__", v)))
                 for k, v in self.choice.items()}
        return "%5.1f-%5.1f %s %s" % (self.start, self.end, self.kind, shown)


def fault(name, shortest, longest):
    def register(cls):
        cls.name, cls.shortest, cls.longest = name, shortest, longest
        KINDS[name] = cls()
        return cls
    return register


def plan(scenario, r, world, start, end):
    """At most one fault a kind and target at once; kinds overlap as they like."""
    planned, at = [], start
    for name in scenario.first:  # they hold when the daemon begins
        planned.append(Planned(0.0, min(end, start + r.uniform(8, 30)), name, KINDS[name].draw(r, world)))
    while True:
        kind = KINDS[r.choice(scenario.kinds)]
        length = r.uniform(kind.shortest, kind.longest)
        choice = kind.draw(r, world)
        at += r.expovariate(1 / scenario.every)
        if at + kind.shortest > end:
            break
        until = min(at + length, end)
        busy = [p for p in planned if p.kind == kind.name and p.end + 1 > at and
                (p.choice == choice or kind.alone)]
        if not busy:
            planned.append(Planned(at, until, kind.name, choice))
    return planned


async def begin(world, planned):
    kind = KINDS[planned.kind]
    world.count("fault " + planned.kind)
    world.applied.append((time.time(), planned))
    result = kind.begin(world, planned.choice)
    if asyncio.iscoroutine(result):
        await result


async def run(world):
    """Begins and ends all faults of the plan at their times."""
    async def one(p):
        if p.start:
            await asyncio.sleep(max(0.0, world.begun + p.start - time.time()))
            await begin(world, p)
        await asyncio.sleep(max(0.0, world.begun + p.end - time.time()))
        result = KINDS[p.kind].end(world, p.choice)
        if asyncio.iscoroutine(result):
            await result
    await asyncio.gather(*(one(p) for p in world.plan))


class Kind:
    alone = False  # one at a time, whatever its target

    def venue(self, r, w, only=None):
        return r.choice([e for e in w.exchanges if only is None or e.venue in only])

    def instrument(self, r, w, test=lambda i: i.pace is not None):
        return r.choice([i for i in w.instruments if i.listed and test(i)])

    def draw(self, r, w):
        return {"venue": self.venue(r, w)}

    def begin(self, w, c):
        pass

    def end(self, w, c):
        pass


def exchange_us(w):
    return int((time.time() + w.shift) * 1e6)


def new_name(w, exchange):
    """Lists an instrument that was kept back, wants it, and asks the daemon to read everything again."""
    for i in exchange.instruments:
        if not i.listed:
            i.listed = True
            w.wanted.add(i)
            w.newly.add(i)
            w.listings.append(time.time())
            w.daemon.write_symbols(w.symbols())
            w.daemon.reload()
            w.count("names added")
            return
