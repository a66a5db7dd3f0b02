"""Deribit, inverse perpetuals: JSON-RPC, batches of 100 ms, consecutive trade_seq, numbers in place of strings."""
import asyncio
import json
import time

import ws
from exchange import Exchange
from ws import Answer


class Deribit(Exchange):
    venue = "deribit.inverse"

    def topic(self, instrument):
        return "trades.%s.100ms" % instrument.symbol

    def number(self, trade):
        trade.count = 1
        trade.id = trade.number = trade.first = trade.last = trade.instrument.next_id
        trade.instrument.next_id += 1

    # -- the wire: rows are put together as text, so that no digit passes through a float

    def text(self, t, form=None):
        row = {"timestamp": t.time // 1000, "price": t.price, "direction": t.side, "index_price": t.price,
               "instrument_name": t.instrument.symbol, "trade_seq": t.id, "amount": t.size, "mark_price": t.price,
               "tick_direction": 1, "trade_id": str(400_000_000 + t.id), "contracts": t.size}
        if t.other:
            row["block_trade_id"] = "BLOCK-%d" % t.id
            row["block_trade_leg_count"] = 1
        if form:
            form(row, "price", "amount", "timestamp", "trade_seq", "direction")
        bare = ("price", "amount", "index_price", "mark_price", "contracts")
        return "{%s}" % ",".join('"%s":%s' % (k, v if k in bare and isinstance(v, str) and not form else json.dumps(v))
                                 for k, v in row.items())

    def parts(self, trades):
        return [trades]

    def encode(self, trades, form):
        return '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"%s","data":[%s]}}' % (
            self.topic(trades[0].instrument), ",".join(self.text(t, form) for t in trades))

    async def session(self, connection):
        connection.interval, connection.tested = None, time.time()
        await super().session(connection)

    async def beat(self, connection):
        while connection.open:
            await asyncio.sleep(connection.interval or 10)
            if not connection.interval or connection.black:
                continue
            asked = time.time()
            connection.send({"params": {"type": "test_request"}, "method": "heartbeat", "jsonrpc": "2.0"})
            await asyncio.sleep(8)
            if connection.open and connection.tested < asked and not connection.black and \
                    not self.world.frozen_lately(20):
                self.manners.offend(time.time(), "protocol", "a test_request was not answered")
                connection.cut("close")

    def handle(self, connection, opcode, data):
        if opcode != ws.TEXT:
            return
        m = json.loads(data)
        method, parameters, now = m.get("method", ""), m.get("params", {}), time.time()
        if "subscribe" in method:
            self.manners.count("deribit subscriptions", 10, 2.0, now)
        else:
            self.manners.count("deribit calls", 100, 4.0, now)
        result = "ok"
        if method == "public/set_heartbeat":
            connection.interval = max(10, int(parameters.get("interval", 10)))
        elif method == "public/test":
            connection.tested, result = now, {"version": "1.2.26"}
        elif method in ("public/subscribe", "public/unsubscribe"):
            channels = parameters.get("channels", [])
            if len(channels) > 500:
                self.manners.offend(now, "rate-limit", "more than 500 channels in a message")
            result = []
            for channel in channels:
                i = self.by_name.get(channel.split(".")[1] if channel.count(".") >= 2 else "")
                if i is None or channel != self.topic(i):
                    continue
                result.append(channel)
                if method == "public/subscribe":
                    self.subscribe(connection, channel, i)
                else:
                    connection.topics.pop(channel, None)
        elif method == "public/get_time":
            result = self.told_time(connection.host)
        else:
            connection.send({"jsonrpc": "2.0", "id": m.get("id"), "error": {"code": -32601, "message":
                                                                          "Method not found"}})
            return
        connection.send({"jsonrpc": "2.0", "id": m.get("id"), "result": result, "usIn": self.now_ms() * 1000,
                         "usOut": self.now_ms() * 1000, "usDiff": 0, "testnet": False})

    # -- limits

    def count_connect(self, now):
        if len(self.live()) >= 32:
            self.manners.offend(now, "rate-limit", "more than 32 connections")

    def count_request(self, request, now):
        self.manners.count("deribit REST", 100, 4.0, now, what=request.target)

    # -- REST

    def is_list(self, path):
        return path.endswith("get_instruments")

    def respond(self, request, cut=None):
        name = request.path.rsplit("/", 1)[-1]
        answer = getattr(self, name, None) if name.startswith("get_") else None
        if answer is None or not request.path.startswith("/api/v2/public/"):
            return Answer({"error": {"code": -32601, "message": "Method not found"}}, 404)
        return answer(request, cut)

    @staticmethod
    def result(text):
        return Answer('{"jsonrpc":"2.0","result":%s,"usIn":1,"usOut":2,"usDiff":1,"testnet":false}' % text)

    def get_time(self, request, cut):
        return self.result(str(self.told_time(request.host)))

    def get_instruments(self, request, cut):
        q = request.query
        if q.get("kind", "future") != "future":
            return self.result("[]")
        currency = q.get("currency", "any")
        return self.result(json.dumps([self.describe(i) for i in self.listed() if currency in ("any", i.base)]))

    def describe(self, i):
        trading = self.state_of(i) == "trading"
        return {"instrument_name": i.symbol, "kind": "future", "is_active": trading, "state": "open" if trading else
                "locked", "base_currency": i.base, "quote_currency": "USD", "counter_currency": "USD",
                "settlement_currency": i.base, "instrument_type": "reversed", "contract_size": 1, "tick_size": 0.5,
                "min_trade_amount": 1, "expiration_timestamp": 32503708800000, "creation_timestamp": 1534167754000,
                "instrument_id": 124972, "settlement_period": "perpetual"}

    def get_last_trades_by_instrument(self, request, cut):
        q = request.query
        i = self.by_name.get(q.get("instrument_name"))
        if i is None:
            return Answer({"error": {"code": -32602, "message": "Invalid params"}}, 400)
        count = min(int(q.get("count", 10)), self.page_cap or 1000)
        trades = [t for t in i.visible() if t.epoch == i.epoch and
                  int(q.get("start_seq", 0)) <= t.id <= int(q.get("end_seq", 1 << 62))]
        ascending = q.get("sorting") == "asc" or ("start_seq" in q and q.get("sorting", "default") == "default")
        chosen = trades[:count] if ascending else trades[::-1][:count]
        more = len(chosen) < len(trades)
        chosen = self.page(chosen, cut)
        self.told_by_rest(chosen)
        return self.result('{"has_more":%s,"trades":[%s]}' % ("true" if more else "false",
                                                              ",".join(self.text(t) for t in chosen)))

    def get_tradingview_chart_data(self, request, cut):
        q = request.query
        i = self.by_name.get(q.get("instrument_name"))
        span = 60_000 * int(q["resolution"]) if q.get("resolution", "").isdigit() else None
        if i is None or span is None:
            return Answer({"error": {"code": -32602, "message": "Invalid params"}}, 400)
        rows = self.candles(i, span, int(q["start_timestamp"]), int(q["end_timestamp"]), 5000)
        rows = [c for c in rows if c[1] is not None]
        self.answered.append(time.time())
        column = lambda k: "[%s]" % ",".join(str(c[k]) for c in rows)
        return self.result('{"status":"%s","ticks":%s,"open":%s,"high":%s,"low":%s,"close":%s,"volume":[%s],"cost":%s}'
                           % ("ok" if rows else "no_data", column(0), column(1), column(2), column(3), column(4),
                              ",".join(format(float(c[5]), ".8f") for c in rows), column(6)))
