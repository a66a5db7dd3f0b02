"""Faults of connections and of the frames on them."""
from faults import Kind, fault


# -- connections

@fault("cut", 1, 4)
class Cut(Kind):
    def draw(self, r, w):
        return {"venue": self.venue(r, w), "how": r.choice(("fin", "rst", "close", "rst")),
                "refuse": r.random() < 0.4}

    def begin(self, w, c):
        for connection in c["venue"].live():
            connection.cut(c["how"])
        c["venue"].refusing = c["refuse"]

    def end(self, w, c):
        c["venue"].refusing = False


@fault("half-open", 5, 12)
class HalfOpen(Cut):
    def draw(self, r, w):
        return {"venue": self.venue(r, w), "how": "black", "refuse": False}


@fault("mute", 6, 20)
class Mute(Kind):
    """Pings and answers, no data; with `quiet` one thin instrument still speaks."""

    def draw(self, r, w):
        venue = self.venue(r, w)
        quiet = [i for i in venue.instruments if i.pace and not i.busy and i.listed]
        return {"venue": venue, "quiet": r.choice(quiet) if quiet and r.random() < 0.5 else None}

    def begin(self, w, c):
        for connection in c["venue"].live():
            connection.mute, connection.vouching, connection.by = True, c["quiet"], self

    def end(self, w, c):
        for connection in c["venue"].live():
            if getattr(connection, "by", None) is self:
                connection.mute, connection.vouching = False, None


@fault("young-mute", 5, 12)
class YoungMute(Kind):
    """Connections are cut; the new ones acknowledge and never speak."""

    def begin(self, w, c):
        c["venue"].young_mute = True
        for connection in c["venue"].live():
            connection.cut("fin")

    def end(self, w, c):
        c["venue"].young_mute = False
        for connection in c["venue"].live():
            connection.mute = False


@fault("deaf", 4, 20)
class Deaf(Kind):
    def draw(self, r, w):
        return {"instrument": self.instrument(r, w)}

    def begin(self, w, c):
        w.exchange_of(c["instrument"]).deaf.add(c["instrument"])

    def end(self, w, c):
        w.exchange_of(c["instrument"]).deaf.discard(c["instrument"])


# -- frames

class Share(Kind):
    field, shares = "", (0.1,)

    def draw(self, r, w):
        return {"venue": self.venue(r, w), "share": r.choice(self.shares)}

    def begin(self, w, c):
        setattr(c["venue"], self.field, c["share"])

    def end(self, w, c):
        setattr(c["venue"], self.field, 0.0)


@fault("swallow", 2, 10)
class Swallow(Share):
    field, shares = "swallow", (0.03, 0.1, 0.3, 0.9)


@fault("double", 4, 12)
class Double(Share):
    field, shares = "double", (0.2, 0.6)


@fault("reorder", 4, 12)
class Reorder(Share):
    field, shares = "reorder", (0.1, 0.4)


@fault("lag", 6, 16)
class Lag(Share):
    field, shares = "lag", (2.0, 3.5, 6.0, 12.0, 20.0)


@fault("late-print", 1, 2)
class LatePrint(Kind):
    """A trade that the exchange itself makes known seconds after its time."""

    def draw(self, r, w):
        return {"instrument": self.instrument(r, w), "back": r.randint(1500, 6000), "n": r.randint(1, 3)}

    def begin(self, w, c):
        last = c["instrument"].trades[-1:] or []
        for t in last:
            w.make(c["instrument"], [(t.price, "0.777", "sell", 1, c["back"] + k) for k in range(c["n"])])
