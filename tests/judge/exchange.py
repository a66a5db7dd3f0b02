"""What all exchange servers share: who listens to what, how frames go out under faults, what REST answers under faults."""
import asyncio
import time

import ws
from candles import Candles
from limits import Manners

HTML = "<html><head><title>502 Bad Gateway</title></head><body>cloud</body></html>"


class Exchange(Candles):
    """One market at one exchange, on two hosts. Knowledge of the wire is in the subclasses:
    topic(instrument), encode(trades, form) -> text, handle(connection, opcode, data), respond(request) -> Answer."""

    venue = ""
    ping_every = None  # seconds between the server's ping frames
    beat_every = None  # seconds between heartbeats of the protocol

    def __init__(self, world, instruments, manners=None):
        self.world, self.instruments = world, instruments
        self.manners = manners or Manners(self.venue)
        self.by_name = {i.symbol: i for i in instruments}
        self.connections = []
        self.requests = []  # (local time, life, host, target, status)
        self.unknown = {}
        self.answered = []  # local times at which REST told something
        self.data = []  # (local time, connection, event time us): data frames that left
        # faults that hold now
        self.lag, self.swallow, self.double, self.reorder = 0.0, 0.0, 0.0, 0.0
        self.deaf, self.forms, self.young_mute = set(), {}, False
        self.time_fault, self.rest_fault, self.list_fault, self.refusing = {}, None, None, False
        self.rest_turn = 0
        self.page_cap = None  # rows a page has at most, whatever `limit` says

    # -- time

    def now(self):
        return time.time() + self.world.shift

    def now_ms(self):
        return int(self.now() * 1000)

    def told_time(self, host):
        """Milliseconds as this host tells them now, or None if it tells none."""
        shift = self.time_fault.get(host, 0)
        return None if shift is None else self.now_ms() + int(shift * 1000)

    def life(self):
        return self.world.life

    # -- connections

    def refuse(self, host):
        now = time.time()
        self.count_connect(now)
        if self.refusing:
            return b"HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        return None

    async def session(self, connection):
        self.connections.append(connection)
        connection.mute = self.young_mute
        connection.until_mute = self.young_mute
        beats = asyncio.ensure_future(self.beat(connection))
        try:
            while connection.open:
                message = await connection.read()
                if message is None:
                    break
                opcode, data = message
                if not connection.black:
                    self.count_message(connection, opcode, data, time.time())
                    if opcode == ws.CLOSE:
                        connection.write(ws.frame(ws.CLOSE, data[:2]))
                        break
                    if opcode == ws.PING:
                        connection.write(ws.frame(ws.PONG, data))
                    else:
                        self.handle(connection, opcode, data)
        finally:
            beats.cancel()
            connection.end()

    async def beat(self, connection):
        turn = 0
        while connection.open:
            await asyncio.sleep(1.0)
            turn += 1
            if self.ping_every and turn % self.ping_every == 0:
                connection.write(ws.frame(ws.PING, str(self.now_ms()).encode()))
            if self.beat_every and turn % self.beat_every == 0 and not connection.mute:
                self.heartbeat(connection)

    def heartbeat(self, connection):
        pass

    def live(self):
        return [c for c in self.connections if c.open]

    def subscribe(self, connection, topic, instrument):
        connection.topics[topic] = instrument
        instrument.acks.append((time.time(), connection.life, connection.number))

    # -- what goes out

    def publish(self, instrument, trades):
        """The trades were just made; each listener gets its frame, unless a fault has it otherwise."""
        topic = self.topic(instrument)
        for trade in trades:
            trade.lost = "nobody was subscribed"
        for connection in self.live():
            if topic not in connection.topics:
                continue
            if instrument in self.deaf or (connection.mute and connection.vouching is not instrument):
                for trade in trades:
                    trade.lost = "deaf" if instrument in self.deaf else "mute connection"
                continue
            for part in self.parts(trades):
                if self.world.chance(self.swallow):
                    self.world.count("frames swallowed")
                    for trade in part:
                        trade.lost = "swallowed"
                    continue
                for trade in part:
                    trade.lost = ""
                self.schedule(connection, part)
                if self.world.chance(self.double):
                    self.world.count("frames doubled")
                    self.schedule(connection, part)

    def parts(self, trades):
        """Frames: most exchanges push one trade each."""
        return [[t] for t in trades]

    def schedule(self, connection, trades):
        if self.world.chance(self.reorder) and len(connection.held) < 4:
            connection.held.append(trades)
            self.world.count("frames reordered")
            asyncio.get_running_loop().call_later(0.6, self.release, connection)
            return
        self.queue(connection, lambda: self.deliver(connection, trades))
        self.release(connection)

    def release(self, connection):
        held, connection.held = connection.held, []
        for trades in held:
            self.queue(connection, lambda trades=trades: self.deliver(connection, trades))

    def queue(self, connection, send):
        """In order, and `lag` seconds late."""
        now = time.time()
        connection.busy_until = max(now + self.lag, connection.busy_until)
        if connection.busy_until <= now + 0.001:
            send()
        else:
            asyncio.get_running_loop().call_later(connection.busy_until - now, send)

    def deliver(self, connection, trades):
        if connection.mute and connection.vouching is not trades[0].instrument:
            return
        instrument = trades[0].instrument
        form = self.forms.get(instrument)
        odd = form is not None and self.world.chance(form[1])
        text = self.encode(trades, form[0] if odd else None)
        sent = connection.write(ws.frame(ws.TEXT, text.encode()))
        if not sent:
            return
        now = time.time()
        for trade in trades:
            trade.sent.append((now, connection.life, connection))
            if odd:
                trade.refused = form[0].__name__
        if odd:
            self.world.count("frames of another form")
        else:
            instrument.told.append((now, connection.life, trades[-1].epoch, trades[-1].number, connection))
        self.data.append((now, connection.number, max(t.time for t in trades)))

    # -- REST

    def rest(self, request):
        now = time.time()
        self.count_request(request, now)
        self.manners.asked(now, self.scope(request), self.life(), request.path)
        answer = self.fault_answer(request, now) or self.respond(request)
        self.requests.append((now, self.life(), request.host, request.target, answer.status))
        if answer.status == 404:
            self.unknown[request.path] = self.unknown.get(request.path, 0) + 1
        return answer

    def fault_answer(self, request, now):
        if self.is_time(request.path) and self.told_time(request.host) is None:
            return ws.Answer(HTML, 502)
        if not self.rest_fault or self.is_time(request.path) or self.is_list(request.path):
            return None
        kind = self.rest_fault
        if kind == "mix":
            self.rest_turn += 1
            kind = ("html", "503", "empty", "half", "slow")[self.rest_turn % 5]
        self.world.count("REST " + kind)
        if kind in ("429", "418"):
            wait = 2 if kind == "429" else 5
            self.manners.tell_to_wait(now, self.scope(request), self.life(), wait, kind)
            return ws.Answer({"code": -1003, "msg": "Too many requests."}, int(kind), {"Retry-After": wait})
        if kind == "503":
            return ws.Answer({"msg": "Service Unavailable"}, 503)
        if kind == "html":
            return ws.Answer(HTML, 200, {"Content-Type": "text/html"})
        if kind == "hang":
            return ws.Answer(status=None, delay=20)
        self.slowness = 4.0 if kind == "slow" else 0.0
        answer = self.respond(request, cut=kind)
        answer.delay, self.slowness = self.slowness, 0.0
        return answer

    slowness = 0.0  # seconds until the answer that is being made leaves

    def scope(self, request):
        """What being told to wait holds for: the whole address, unless the exchange counts apart."""
        return self.venue.split(".")[0] if self.venue != "binance.spot" else self.venue

    def page(self, trades, cut):
        """A page of history under a fault: `trades` are the rows it should hold, in the order of the answer."""
        if cut == "empty":
            return []
        if cut == "half":
            return trades[:len(trades) // 2]
        return trades

    def told_by_rest(self, trades):
        """What an answer with these trades lets the daemon know."""
        now, life = time.time() + self.slowness, self.life()
        self.answered.append(now)
        for trade in trades:
            trade.rest.append((now, life))
        for trade in {min(trades, key=lambda t: t.number), max(trades, key=lambda t: t.number)} if trades else ():
            trade.instrument.told.append((now, life, trade.epoch, trade.number, None))

    def listed(self):
        """Instruments as the list tells them now."""
        fault = self.list_fault
        if fault == "empty":
            return []
        rows = [i for i in self.instruments if i.listed]
        if fault == "partial":
            rows = rows[:max(1, len(rows) // 2)]
        for i in rows:
            i.size_told(time.time())
        return rows

    def state_of(self, instrument):
        return "halted" if self.list_fault == "halted" else instrument.state

    # -- to be counted by those who have limits

    def count_connect(self, now):
        pass

    def count_message(self, connection, opcode, data, now):
        pass

    def count_request(self, request, now):
        pass

    def is_time(self, path):
        return path.endswith("time")

    def is_list(self, path):
        return False
