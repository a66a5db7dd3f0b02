"""What the daemon could know when it made a row: frames it was sent, pages it was answered, ids it was told of."""
import bisect
from collections import defaultdict

IN_TIME = 0.7  # seconds before a row is seen: what came until then must be in it
READ_BY_REST = 1.5
# Usual gaps of a connection: longer silence is no chance. Fifteen would do for who knows the true pace; who has it from the
# frames of half a minute may be off by a third.
SILENCE = 22


class Knowledge:
    """Needs w (the world) and told, known_from (by instrument) of the oracle that it is a part of."""

    def certain(self, moment, connection, seen):
        """Was a frame that left at `moment` surely read by the time a row was made? What the daemon leaves unread when it
        ends a connection itself is its own loss; so is what waits in a socket while it is stopped."""
        cut = connection.cut_at if connection is not None else None
        if cut is not None and moment > cut - 1.0:
            return False
        for begun, ended in self.w.frozen:
            ended = ended or 1e18
            if begun - 0.3 <= moment <= ended and (seen < ended or (cut is not None and cut <= ended + 1.0)):
                return False
        return True

    @staticmethod
    def earliest(instrument):
        """Per epoch: what was told, by time."""
        told = defaultdict(list)
        for event in instrument.told:
            told[event[2]].append(event)
        for events in told.values():
            events.sort(key=lambda e: e[0])
        return told

    def must(self, trade, row, lowest):
        """The daemon had this trade, or an id beyond it, in time for this row."""
        until = row.basis - IN_TIME
        for moment, life, connection in trade.sent:
            if life == row.life and moment <= until and self.certain(moment, connection, row.basis):
                return "was delivered %.1f s before" % (row.basis - moment)
        for moment, life in trade.rest:
            if life == row.life and moment <= row.basis - READ_BY_REST and self.certain(moment, None, row.basis):
                return "was in a page of history %.1f s before" % (row.basis - moment)
        if trade.instrument.chained and lowest.get(trade.epoch, 1 << 62) < trade.number:
            told = self.told[trade.instrument].get(trade.epoch, ())
            for k in range(bisect.bisect_left(told, (trade.made,)), bisect.bisect_right(told, (until, 1 << 62))):
                moment, life, _, number, connection = told[k]
                margin = READ_BY_REST if connection is None else IN_TIME
                if number > trade.number and life == row.life and moment <= row.basis - margin and \
                        self.certain(moment, connection, row.basis):
                    return "was told of by id %d %.1f s before" % (number, row.basis - moment)
        return None

    def lowest(self, instrument):
        """The first id that the daemon learnt, per epoch: nothing before it is known to be missing."""
        return {epoch: min(e[3] for e in events) for epoch, events in self.told[instrument].items()}

    def unwatched(self, instrument, row):
        """Why nothing showed that the bar was whole when the row was written; None if something may have."""
        e = self.w.exchange_of(instrument)
        end = row.bar + self.w.interval_us
        numbers = {n for _, life, n in instrument.acks if life == row.life}
        local_end = end / 1e6 - self.w.shift
        if any(local_end <= m <= row.basis for m in e.answered):
            return None
        newest = None
        for moment, number, us in e.data[:bisect.bisect_right(e.data, (row.basis, 1 << 62))]:
            if number in numbers:
                if us >= end:
                    return None
                newest = (moment, us)
        pace = sum(1 / i.pace for i in e.instruments if i.pace and i in self.w.wanted)
        begun = self.w.lives[row.life - 1][0] + 2.0
        silent = row.basis - 0.3 - (newest[0] if newest else begun)
        if newest and newest[0] - (newest[1] / 1e6 - self.w.shift) > 1.5 and silent < 5:
            return "its feed was %.1f s late" % (newest[0] - (newest[1] / 1e6 - self.w.shift))
        if silent * pace >= SILENCE:
            return "its connections had been silent for %.1f s, %.0f of their usual gaps" % (silent, silent * pace)
        return None
