"""What exchanges allow, counted as they count it. A breach is recorded, never enforced: the judge tells of it."""
from collections import deque


class Window:
    """At most `most` units in any `seconds`."""

    def __init__(self, name, most, seconds):
        self.name, self.most, self.seconds = name, most, seconds
        self.events, self.sum, self.peak = deque(), 0, 0

    def add(self, now, units=1):
        """True if this one is too many. Counting stretches the window by nothing: the exchange is strict."""
        self.events.append((now, units))
        self.sum += units
        while self.events and self.events[0][0] <= now - self.seconds:
            self.sum -= self.events.popleft()[1]
        self.peak = max(self.peak, self.sum)
        return self.sum > self.most


class Manners:
    """All windows of one address at one exchange, and bans that are to be heeded."""

    def __init__(self, exchange):
        self.exchange, self.windows, self.offences = exchange, {}, []
        self.bans = {}  # scope -> (since, until, life of the daemon that was told, why)

    def count(self, name, most, seconds, now, units=1, what=""):
        window = self.windows.setdefault(name, Window(name, most, seconds))
        if window.add(now, units):
            self.offend(now, "rate-limit", "%s: %s of %s in %g s; %s" % (name, window.sum, most, seconds, what))

    def offend(self, now, kind, text):
        if len(self.offences) < 200:
            self.offences.append((now, kind, "%s: %s" % (self.exchange, text)))

    def tell_to_wait(self, now, scope, life, seconds, why):
        if now + seconds > self.bans.get(scope, (0, 0))[1]:
            self.bans[scope] = (now, now + seconds, life, why)

    def asked(self, now, scope, life, what):
        """A request came: was it to wait? What was under way when the ban was told may still come."""
        since, until, told, why = self.bans.get(scope, (0, 0, 0, ""))
        if since + 1.0 < now < until - 0.05 and life == told:
            self.offend(now, "retry-after", "%s although told to stay away for %.1f s more (%s)" % (
                what, until - now, why))
