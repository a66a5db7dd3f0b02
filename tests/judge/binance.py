"""Binance spot and USD-M futures: combined streams, aggTrade and trade, REST with weights."""
import json
import time
from decimal import Decimal

import ws
from exchange import Exchange
from ws import Answer

SPANS = {"1s": 1000, "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000,
         "2h": 7_200_000, "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000, "1d": 86_400_000}


class Binance(Exchange):
    venue, prefix = "binance.spot", "/api/v3"
    weights = {"time": 1, "exchangeInfo": 20, "trades": 25, "aggTrades": 4, "historicalTrades": 25, "klines": 2,
               "historicalBlockTrades": 25, "ping": 1}
    allowed, messages_per_second, ping_every, longest = 6000, 5, 20, 1000

    def topic(self, instrument):
        return instrument.symbol

    def number(self, trade):
        i = trade.instrument
        trade.id = trade.number = i.next_fill if self.world.scenario.single else i.next_id
        trade.first, trade.last = i.next_fill, i.next_fill + trade.count - 1
        i.next_id += 1
        hole = not self.world.scenario.single and self.world.chance(self.fill_holes)
        i.next_fill += trade.count + hole

    fill_holes = 0.0

    # -- the wire

    def encode(self, trades, form):
        t = trades[0]
        data = {"e": "aggTrade", "E": self.now_ms(), "s": t.instrument.symbol, **self.row(t)}
        self.extra(data)
        if self.world.scenario.single:
            data.update(e="trade", t=data.pop("a"))
            del data["f"], data["l"]
        if form:
            form(data, "p", "q", "T", "a" if "a" in data else "t", "m")
        return json.dumps({"stream": t.instrument.symbol.lower() + self.kind(), "data": data}, separators=(",", ":"))

    def kind(self):
        return "@trade" if self.world.scenario.single else "@aggTrade"

    def extra(self, data):
        data["M"] = True

    @staticmethod
    def row(t):
        return {"a": t.id, "p": t.price, "q": t.size, "f": t.first, "l": t.last, "T": t.time // 1000,
                "m": t.side == "sell"}

    async def session(self, connection):
        path = connection.request.path
        self.wrong_route = not self.routed(path)
        connection.deaf_route = not self.routed(path)
        names = connection.request.query.get("streams", "").split("/") if "streams" in connection.request.query else []
        if "/ws/" in path:
            names = path.split("/ws/", 1)[1].split("/")
        connection.names = set()
        for name in filter(None, names):
            self.add(connection, name)
        await super().session(connection)

    def routed(self, path):
        return path.startswith(("/stream", "/ws"))

    def add(self, connection, name):
        connection.names.add(name)
        symbol, _, kind = name.partition("@")
        instrument = self.by_name.get(symbol.upper())
        if symbol == symbol.lower() and instrument and "@" + kind == self.kind() and not connection.deaf_route:
            self.subscribe(connection, instrument.symbol, instrument)
        if len(connection.names) > 1024:
            self.manners.offend(time.time(), "rate-limit", "more than 1024 streams on a connection")

    def handle(self, connection, opcode, data):
        if opcode == ws.PONG:
            return
        if opcode != ws.TEXT:
            self.manners.offend(time.time(), "protocol", "a message that is not text")
            return
        m = json.loads(data)
        method, names = m.get("method"), m.get("params", [])
        if method == "SUBSCRIBE":
            for name in names:
                self.add(connection, name)
        elif method == "UNSUBSCRIBE":
            for name in names:
                connection.names.discard(name)
                connection.topics.pop(name.partition("@")[0].upper(), None)
        elif method == "LIST_SUBSCRIPTIONS":
            connection.send({"result": sorted(connection.names), "id": m.get("id")})
            return
        else:
            connection.send({"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": m.get("id")})
            return
        connection.send({"result": None, "id": m.get("id")})

    # -- limits

    def count_connect(self, now):
        self.manners.count(self.venue + " connections", 300, 300, now)

    def count_message(self, connection, opcode, data, now):
        self.manners.count("%s connection %d messages" % (self.venue, connection.number), self.messages_per_second, 1.0,
                           now, what="opcode %d %r" % (opcode, data[:60]))

    def count_request(self, request, now):
        weight = self.weights.get(request.path.rsplit("/", 1)[-1], 1)
        self.manners.count(self.pool + " weight", self.allowed, 60, now, weight, request.path)

    pool = "spot"

    # -- REST

    def is_list(self, path):
        return path.endswith("exchangeInfo")

    def respond(self, request, cut=None):
        name = request.path[len(self.prefix) + 1:] if request.path.startswith(self.prefix + "/") else ""
        answer = getattr(self, "get_" + name, None)
        if answer is None:
            return Answer({"code": -1, "msg": "no such path"}, 404)
        return answer(request, cut)

    def get_ping(self, request, cut):
        return Answer({})

    def get_time(self, request, cut):
        return Answer({"serverTime": self.told_time(request.host)})

    def get_exchangeInfo(self, request, cut):
        return Answer({"timezone": "UTC", "serverTime": self.told_time(request.host) or self.now_ms(), "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.allowed}],
            "symbols": [self.describe(i) for i in self.listed()]})

    def describe(self, i):
        return {"symbol": i.symbol, "status": "TRADING" if self.state_of(i) == "trading" else "HALT",
                "baseAsset": i.base, "quoteAsset": i.quote, "isSpotTradingAllowed": True,
                "permissionSets": [["SPOT"]], "filters": []}

    def wanted(self, request):
        return self.by_name.get(request.query.get("symbol", ""))

    def bad_symbol(self):
        return Answer({"code": -1121, "msg": "Invalid symbol."}, 400)

    def get_aggTrades(self, request, cut):
        i, q = self.wanted(request), request.query
        if i is None:
            return self.bad_symbol()
        limit = min(int(q.get("limit", 500)), 1000)
        trades = i.visible()
        if i.epoch:  # the old numbering is gone from history
            trades = [t for t in trades if t.epoch == i.epoch]
        if self.world.scenario.single:
            return Answer([])  # aggregates have another numbering, and nobody needs it there
        if "fromId" in q:
            trades = [t for t in trades if t.id >= int(q["fromId"])][:limit]
        elif "startTime" in q:
            start, end = int(q["startTime"]), int(q.get("endTime", 1 << 60))
            trades = [t for t in trades if start <= t.time // 1000 <= end][:limit]
        else:
            trades = trades[-limit:]
        trades = self.page(trades, cut)
        self.told_by_rest(trades)
        return Answer([self.row(t) for t in trades])

    def get_trades(self, request, cut):
        """Single fills: the newest ones; ids are those of fills, which say nothing of aggregates."""
        i = self.wanted(request)
        if i is None:
            return self.bad_symbol()
        limit = min(int(request.query.get("limit", 500)), 1000)
        fills = [{"id": n, "price": t.price, "qty": t.size, "time": t.time // 1000, "isBuyerMaker": t.side == "sell",
                  "isBestMatch": True} for t in i.visible()[-limit:] for n in range(t.first, t.last + 1)]
        self.answered.append(time.time())
        return Answer([] if cut == "empty" else fills[-limit:])

    def get_historicalTrades(self, request, cut):
        i, q = self.wanted(request), request.query
        if i is None:
            return self.bad_symbol()
        limit, low = min(int(q.get("limit", 500)), 1000), int(q.get("fromId", 0))
        trades = [t for t in i.visible() if t.last >= low and t.epoch == i.epoch]
        trades = trades[:limit] if "fromId" in q else trades[-limit:]
        if self.world.scenario.single:
            self.told_by_rest(trades)
        rows = [{"id": n, "price": t.price, "qty": t.size, "time": t.time // 1000, "isBuyerMaker": t.side == "sell",
                 "isBestMatch": True} for t in trades for n in range(t.first, t.last + 1) if n >= low]
        return Answer(rows[:limit])

    def get_klines(self, request, cut):
        i, q = self.wanted(request), request.query
        if i is None:
            return self.bad_symbol()
        span = SPANS.get(q.get("interval"))
        if span is None:
            return Answer({"code": -1120, "msg": "Invalid interval."}, 400)
        limit = min(int(q.get("limit", 500)), self.longest)
        end = int(q.get("endTime", self.now_ms()))
        start = int(q.get("startTime", end - limit * span))
        self.answered.append(time.time())
        return Answer(self.page([self.candle_row(c, span) for c in self.candles(i, span, start, end, limit)], cut))

    @staticmethod
    def candle_row(c, span):
        at, opening, high, low, close, base, quote, _, fills, taker_base, taker_quote = c
        text = lambda d: format(Decimal(d), "f")
        return [at, opening, high, low, close, text(base), at + span - 1, text(quote), fills, text(taker_base),
                text(taker_quote), "0"]


class BinanceLinear(Binance):
    """Fills of the insurance fund leave holes between f and l; ids of aggregates stay consecutive."""

    venue, prefix, pool = "binance.linear", "/fapi/v1", "futures"
    weights = {"time": 1, "exchangeInfo": 1, "trades": 5, "aggTrades": 20, "klines": 5, "historicalTrades": 20}
    allowed, messages_per_second, ping_every, longest, fill_holes = 2400, 10, 180, 1500, 0.03

    def routed(self, path):
        return path.startswith("/public/" if self.world.scenario.single else "/market/")

    def extra(self, data):
        data.update({"X": "MARKET"} if self.world.scenario.single else {"nq": data["q"]}, st=1)

    def describe(self, i):
        return {"symbol": i.symbol, "pair": i.symbol, "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
                "onboardDate": 1569398400000, "status": "TRADING" if self.state_of(i) == "trading" else "SETTLING",
                "baseAsset": i.base, "quoteAsset": i.quote, "marginAsset": i.quote, "filters": []}
