"""OKX v5, spot and linear swaps: pushes merge fills, history tells single fills, sizes of swaps are contracts."""
import asyncio
import json
import time

import ws
from exchange import Exchange
from ws import Answer

SPANS = {"1s": 1000, "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1H": 3_600_000,
         "2H": 7_200_000, "4H": 14_400_000}
PER_TWO_SECONDS = {"history-trades": 20, "trades": 100, "instruments": 20, "candles": 40, "history-candles": 20,
                   "time": 10}


class Okx(Exchange):
    venue, kind = "okx.spot", "SPOT"
    channel_length = 65536

    def topic(self, instrument):
        return instrument.symbol

    def number(self, trade):
        i = trade.instrument
        trade.first, trade.last = i.next_id, i.next_id + trade.count - 1
        trade.id = trade.number = trade.last
        i.next_id += trade.count

    # -- the wire

    def encode(self, trades, form):
        t = trades[0]
        row = {"instId": t.instrument.symbol, "tradeId": str(t.id), "px": t.price, "sz": t.size, "side": t.side,
               "ts": str(t.time // 1000), "count": str(t.count), "source": "0", "seqId": t.id * 7}
        if self.world.scenario.single:
            del row["count"], row["seqId"]
        if form:
            form(row, "px", "sz", "ts", "tradeId", "side")
        return json.dumps({"arg": {"channel": self.channel(), "instId": t.instrument.symbol}, "data": [row]},
                          separators=(",", ":"))

    def channel(self):
        return "trades-all" if self.world.scenario.single else "trades"

    async def session(self, connection):
        connection.operations = 0
        await super().session(connection)

    def handle(self, connection, opcode, data):
        if data == b"ping":
            if not connection.black:
                connection.send("pong")
            return
        if opcode != ws.TEXT:
            return
        m = json.loads(data)
        if m.get("op") not in ("subscribe", "unsubscribe"):
            connection.send({"event": "error", "code": "60012", "msg": "Invalid request", "connId": "judge"})
            return
        now = time.time()
        self.manners.count("%s connection %d operations" % (self.venue, connection.number), 480, 3600, now)
        if len(json.dumps(m.get("args", []))) > self.channel_length:
            self.manners.offend(now, "rate-limit", "args of more than 64 KB")
        reply = {k: m[k] for k in ("id",) if k in m}
        if not str(m.get("id", "a")).isalnum():
            connection.send({"event": "error", "code": "60033", "msg": "id is not alphanumeric", "connId": "judge"})
            return
        for arg in m.get("args", []):
            instrument = self.by_name.get(arg.get("instId"))
            if instrument is None or arg.get("channel") != self.channel() or \
                    ("/business" if self.world.scenario.single else "/public") not in connection.request.path:
                connection.send({**reply, "event": "error", "code": "60018", "connId": "judge", "msg":
                                 "Wrong URL or channel:%s,instId:%s doesn't exist. Please use the correct URL, channel "
                                 "and parameters referring to API document." % (arg.get("channel"), arg.get("instId"))})
                continue
            if m["op"] == "subscribe":
                self.subscribe(connection, instrument.symbol, instrument)
            else:
                connection.topics.pop(instrument.symbol, None)
            connection.send({**reply, "event": m["op"], "arg": arg, "connId": "judge"})

    async def beat(self, connection):
        """Closes a connection on which nothing was pushed for 30 s, as the exchange does."""
        while connection.open:
            await asyncio.sleep(1.0)
            if time.time() - connection.last_out > 30 and not connection.black:
                self.manners.offend(time.time(), "protocol", "no ping for 30 s on a silent connection")
                connection.cut("close")

    # -- limits

    def count_connect(self, now):
        self.manners.count(self.venue.split(".")[0] + " handshakes", 3, 1.0, now)

    def count_request(self, request, now):
        name = request.path.rsplit("/", 1)[-1]
        kind = request.query.get("instType", "")
        most = PER_TWO_SECONDS.get(name)
        if most:
            self.manners.count("okx %s %s" % (name, kind), most, 2.0, now, what=request.target)

    def scope(self, request):
        return "%s %s" % (self.venue, request.path)

    # -- REST

    def is_list(self, path):
        return path.endswith("instruments")

    def respond(self, request, cut=None):
        name = request.path.rsplit("/", 1)[-1].replace("-", "_")
        answer = getattr(self, "get_" + name, None)
        if answer is None or not request.path.startswith("/api/v5/"):
            return Answer({"code": "50404", "msg": "no such path", "data": []}, 404)
        return answer(request, cut)

    @staticmethod
    def rows(data):
        return Answer({"code": "0", "msg": "", "data": data})

    def get_time(self, request, cut):
        return self.rows([{"ts": str(self.told_time(request.host))}])

    def get_instruments(self, request, cut):
        if request.query.get("instType") != self.kind:
            return self.rows([])
        return self.rows([self.describe(i) for i in self.listed()])

    def describe(self, i):
        return {"instId": i.symbol, "instType": "SPOT", "baseCcy": i.base, "quoteCcy": i.quote, "settleCcy": "",
                "ctVal": "", "ctMult": "", "ctValCcy": "", "ctType": "", "instFamily": "", "uly": "",
                "state": "live" if self.state_of(i) == "trading" else "suspend", "tickSz": "0.1", "lotSz": "0.0001"}

    @staticmethod
    def fills(trade):
        """A push of n fills is n rows in history. Their sizes add up to the push's."""
        return [{"instId": trade.instrument.symbol, "side": trade.side, "sz": format(size, "f"), "source": "0",
                 "px": trade.price, "tradeId": str(trade.first + k), "ts": str(trade.time // 1000)}
                for k, size in enumerate(trade.fill_sizes())]

    def get_trades(self, request, cut):
        return self.newest(request, cut, min(int(request.query.get("limit", 100)), 500))

    def newest(self, request, cut, limit):
        i = self.by_name.get(request.query.get("instId"))
        if i is None:
            return Answer({"code": "51001", "msg": "Instrument ID does not exist", "data": []})
        return self.fill_page([t for t in i.visible() if t.epoch == i.epoch], None, limit, cut)

    def get_history_trades(self, request, cut):
        q = request.query
        i, limit = self.by_name.get(q.get("instId")), min(int(q.get("limit", 100)), 100)
        if i is None:
            return Answer({"code": "51001", "msg": "Instrument ID does not exist", "data": []})
        trades = [t for t in i.visible() if t.epoch == i.epoch]
        before = None
        if q.get("type", "1") == "2":
            if "after" in q:
                trades = [t for t in trades if t.time // 1000 < int(q["after"])]
        elif "after" in q:
            before = int(q["after"])
        return self.fill_page(trades, before, limit, cut)

    def fill_page(self, trades, before, limit, cut):
        """Newest first, ids below `before`."""
        rows, used = [], []
        for trade in reversed(trades):
            if len(rows) >= limit:
                break
            if before is not None and trade.first >= before:
                continue
            fills = [f for f in reversed(self.fills(trade)) if before is None or int(f["tradeId"]) < before]
            if fills and len(rows) + len(fills) <= limit and len(fills) == trade.count:
                used.append(trade)
            elif fills:  # the page ends within a push
                most = limit - len(rows)
                trade.parts.add((max(0, len(fills) - most), len(fills)))
            rows += fills
        rows = rows[:limit]
        if cut in ("empty", "half"):
            rows, used = self.page(rows, cut), []
        self.told_by_rest(used)
        return self.rows(rows)

    def get_candles(self, request, cut):
        q = request.query
        i, span = self.by_name.get(q.get("instId")), SPANS.get(q.get("bar", "1m"))
        if i is None or span is None:
            return Answer({"code": "51000", "msg": "Parameter error", "data": []})
        limit = min(int(q.get("limit", 100)), 300)
        end = int(q["after"]) - 1 if "after" in q else self.now_ms()
        start = int(q["before"]) + 1 if "before" in q and "after" in q else end - limit * span
        self.answered.append(time.time())
        rows = [self.candle_row(c, span) for c in self.candles(i, span, start, end, 5000)]
        return self.rows(self.page(rows[::-1][:limit], cut))

    get_history_candles = get_candles

    def candle_row(self, c, span):
        at, opening, high, low, close, base, quote, contracts = c[:8]
        text = lambda d: format(d, "f")
        done = "1" if at + span <= self.now_ms() else "0"
        if self.kind == "SPOT":
            return [str(at), opening, high, low, close, text(base), text(quote), text(quote), done]
        return [str(at), opening, high, low, close, text(contracts), text(base), text(quote), done]


class OkxLinear(Okx):
    venue, kind = "okx.linear", "SWAP"

    def describe(self, i):
        family = i.symbol.rsplit("-", 1)[0]
        return {"instId": i.symbol, "instType": "SWAP", "ctType": "linear", "ctVal": format(i.contract, "f"),
                "ctMult": "1", "ctValCcy": i.base, "settleCcy": i.quote, "instFamily": family, "uly": family,
                "baseCcy": "", "quoteCcy": "", "expTime": "", "ruleType": "normal", "tickSz": "0.1", "lotSz": "0.01",
                "state": "live" if self.state_of(i) == "trading" else "suspend"}
