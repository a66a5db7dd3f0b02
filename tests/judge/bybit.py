"""Bybit v5: ids without order, the newest trades alone by REST, one bad topic refuses its whole request."""
import asyncio
import json
import random
import time
import uuid

import ws
from exchange import Exchange
from ws import Answer

SPANS = {"1": 60_000, "3": 180_000, "5": 300_000, "15": 900_000, "30": 1_800_000, "60": 3_600_000}


class Bybit(Exchange):
    venue, category, newest_rows, args_per_request = "bybit.linear", "linear", 1000, 2000

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.random = random.Random("%s/%s" % (self.world.seed, self.venue))
        self.sequence = 113508069853

    def topic(self, instrument):
        return "publicTrade." + instrument.symbol

    def number(self, trade):
        self.sequence += self.random.randint(1, 40)
        trade.number = trade.instrument.next_id
        trade.instrument.next_id += 1
        trade.count = 1
        trade.id = self.new_id()
        trade.first = trade.last = trade.id

    def new_id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    # -- the wire

    def parts(self, trades):
        return [trades]

    def encode(self, trades, form):
        rows = []
        for t in trades:
            row = {"T": t.time // 1000, "s": t.instrument.symbol, "S": t.side.capitalize(), "v": t.size, "p": t.price,
                   "L": "PlusTick", "i": t.id, "BT": t.other, "RPI": False, "seq": self.sequence}
            if form:
                form(row, "p", "v", "T", "i", "S")
            rows.append(row)
        return json.dumps({"topic": self.topic(trades[0].instrument), "type": "snapshot", "ts": self.now_ms(),
                           "data": rows}, separators=(",", ":"))

    def handle(self, connection, opcode, data):
        if opcode != ws.TEXT:
            return
        m = json.loads(data)
        operation, args = m.get("op"), m.get("args", [])
        reply = {"conn_id": "judge-%d" % connection.number, "req_id": m.get("req_id", ""), "op": operation}
        if operation == "ping":
            connection.send({"success": True, "ret_msg": "pong", **reply})
            return
        if operation == "subscribe":
            if len(args) > self.args_per_request:
                connection.send({"success": False, "ret_msg": "args size >%d" % self.args_per_request, **reply})
                return
            connection.letters = getattr(connection, "letters", 0) + sum(map(len, args))
            if connection.letters > 21000:
                self.manners.offend(time.time(), "rate-limit", "more than 21,000 characters of args")
            for topic in args:
                if topic in connection.topics:
                    connection.send({"success": False, "ret_msg": "error:already subscribed,topic:" + topic, **reply})
                    return
                if topic.partition(".")[2] not in self.by_name or not topic.startswith("publicTrade."):
                    connection.send({"success": False, "ret_msg": "error:handler not found,topic:" + topic, **reply})
                    return
            for topic in args:
                self.subscribe(connection, topic, self.by_name[topic.partition(".")[2]])
        elif operation == "unsubscribe":
            for topic in args:
                connection.topics.pop(topic, None)
        connection.send({"success": True, "ret_msg": "", **reply})

    async def beat(self, connection):
        while connection.open:
            await asyncio.sleep(1.0)
            if time.time() - max(connection.last_out, connection.last_in) > 60 and not connection.black:
                self.manners.offend(time.time(), "protocol", "no ping for 60 s")
                connection.cut("fin")

    # -- limits

    def count_connect(self, now):
        self.manners.count("bybit connections", 500, 300, now)

    def count_request(self, request, now):
        self.manners.count("bybit REST", 600, 5, now, what=request.target)

    # -- REST

    def is_list(self, path):
        return path.endswith("instruments-info")

    def respond(self, request, cut=None):
        name = request.path.rsplit("/", 1)[-1].replace("-", "_")
        answer = getattr(self, "get_" + name, None)
        if answer is None or not request.path.startswith("/v5/market/"):
            return Answer({"retCode": 10404, "retMsg": "no such path"}, 404)
        if name != "time" and request.query.get("category") != self.category:
            return Answer({"retCode": 10001, "retMsg": "category", "result": {}, "time": self.now_ms()})
        return answer(request, cut)

    def result(self, result):
        return Answer({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": self.now_ms()})

    def get_time(self, request, cut):
        now = self.told_time(request.host)
        return Answer({"retCode": 0, "retMsg": "OK", "result": {"timeSecond": str(now // 1000), "timeNano":
                       str(now * 1_000_000)}, "retExtInfo": {}, "time": now})

    def get_instruments_info(self, request, cut):
        rows = [{"symbol": i.symbol, "contractType": "LinearPerpetual", "baseCoin": i.base, "quoteCoin": i.quote,
                 "status": "Trading", "settleCoin": i.quote, "launchTime": "1585526400000", "deliveryTime": "0",
                 "lotSizeFilter": {"qtyStep": "0.001", "basePrecision": "0.000001"}, "priceFilter": {"tickSize": "0.1"}}
                for i in self.listed() if self.state_of(i) == "trading"]
        if "symbol" in request.query:
            rows = [r for r in rows if r["symbol"] == request.query["symbol"]]
        return self.result({"category": self.category, "list": rows, "nextPageCursor": ""})

    def get_recent_trade(self, request, cut):
        i = self.by_name.get(request.query.get("symbol"))
        if i is None:
            return Answer({"retCode": 10001, "retMsg": "Symbol Is Invalid", "result": {}, "time": self.now_ms()})
        limit = min(int(request.query.get("limit", 500)), self.newest_rows)
        trades = self.page(i.visible()[-limit:][::-1], cut)
        self.told_by_rest(trades)
        return self.result({"category": self.category, "list": [
            {"execId": t.id, "symbol": i.symbol, "price": t.price, "size": t.size, "side": t.side.capitalize(),
             "time": str(t.time // 1000), "isBlockTrade": t.other, "isRPITrade": False, "seq": str(t.number)}
            for t in trades]})

    def get_kline(self, request, cut):
        q = request.query
        i, span = self.by_name.get(q.get("symbol")), SPANS.get(q.get("interval"))
        if i is None or span is None:
            return Answer({"retCode": 10001, "retMsg": "params error", "result": {}, "time": self.now_ms()})
        limit = min(int(q.get("limit", 200)), 1000)
        end = int(q.get("end", self.now_ms()))
        start = int(q.get("start", end - limit * span))
        self.answered.append(time.time())
        rows = [[str(c[0]), c[1], c[2], c[3], c[4], format(c[5], "f"), format(c[6], "f")]
                for c in self.candles(i, span, start, end, 5000)]
        return self.result({"symbol": i.symbol, "category": self.category, "list":
                            self.page(rows[::-1][:limit], cut)})


class BybitSpot(Bybit):
    venue, category, newest_rows, args_per_request = "bybit.spot", "spot", 60, 10

    def new_id(self):
        return str(2290000001202469355 + self.random.getrandbits(40))
