"""Coinbase Exchange: matches with the maker's side, heartbeats that tell the newest id, an old match first."""
import asyncio
import calendar
import json
import time

import ws
from exchange import Exchange
from ws import Answer


def iso(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 1_000_000)) + ".%06dZ" % (us % 1_000_000)


def seconds_of(text):
    """Unix seconds of a time in a query: seconds, or ISO."""
    if text.isdigit():
        return int(text)
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


class Coinbase(Exchange):
    venue, beat_every = "coinbase.spot", 1

    def topic(self, instrument):
        return instrument.symbol

    def number(self, trade):
        trade.count = 1
        trade.id = trade.number = trade.first = trade.last = trade.instrument.next_id
        trade.instrument.next_id += 1
        trade.time += hash((trade.id, 7)) % 1000  # microseconds

    # -- the wire

    def row(self, t, kind="match"):
        return {"type": kind, "trade_id": t.id, "sequence": 1_000_000 + t.number * 3,
                "maker_order_id": "ac928c66-ca53-498f-9c13-a110027a60e8",
                "taker_order_id": "132fb6ae-456b-4654-b4e0-d681ac05cea1", "time": iso(t.time),
                "product_id": t.instrument.symbol, "size": t.size, "price": t.price,
                "side": "buy" if t.side == "sell" else "sell"}

    def encode(self, trades, form):
        row = self.row(trades[0])
        if form:
            form(row, "price", "size", "time", "trade_id", "side")
        return json.dumps(row, separators=(",", ":"))

    async def session(self, connection):
        connection.beats = set()
        asyncio.get_running_loop().call_later(5.5, self.hurry, connection)
        await super().session(connection)

    def hurry(self, connection):
        if connection.open and not connection.topics and not connection.beats and not self.world.frozen_lately(7):
            self.manners.offend(time.time(), "protocol", "no subscription within 5 s of connecting")

    def handle(self, connection, opcode, data):
        if opcode != ws.TEXT:
            return
        m = json.loads(data)
        if m.get("type") not in ("subscribe", "unsubscribe"):
            connection.send({"type": "error", "message": "Failed to subscribe", "reason": "unknown type"})
            return
        wanted = []
        for channel in m.get("channels", []):
            if isinstance(channel, str):
                channel = {"name": channel, "product_ids": m.get("product_ids", [])}
            for name in channel.get("product_ids") or m.get("product_ids", []):
                if name not in self.by_name:
                    connection.send({"type": "error", "message": "Failed to subscribe",
                                     "reason": "%s is not a valid product" % name})
                    return
                wanted.append((channel["name"], self.by_name[name]))
        fresh = []
        for kind, i in wanted:
            if m["type"] == "unsubscribe":
                (connection.topics if kind == "matches" else {}).pop(i.symbol, None)
                if kind == "heartbeat":
                    connection.beats.discard(i)
            elif kind == "matches":
                fresh.append(i)
                self.subscribe(connection, i.symbol, i)
            elif kind == "heartbeat":
                connection.beats.add(i)
        connection.send({"type": "subscriptions", "channels": [
            {"name": "matches", "product_ids": sorted(connection.topics)},
            {"name": "heartbeat", "product_ids": sorted(i.symbol for i in connection.beats)}]})
        for i in fresh:
            if i.trades and not connection.mute:
                last = i.trades[-1]
                connection.send(self.row(last, "last_match"))
                now = time.time()
                i.told.append((now, connection.life, last.epoch, last.number, connection))
                last.sent.append((now, connection.life, connection))

    def heartbeat(self, connection):
        """It stands in the queue of frames like all others."""
        for i in connection.beats:
            if i in self.deaf or not i.trades:
                continue
            last, us = i.trades[-1], int(self.now() * 1e6)
            message = json.dumps({"type": "heartbeat", "sequence": 1_000_001 + last.number * 3,
                                  "last_trade_id": last.id, "product_id": i.symbol, "time": iso(us)})

            def send(i=i, last=last, us=us, message=message):
                if not connection.mute and connection.write(ws.frame(ws.TEXT, message.encode())):
                    now = time.time()
                    i.told.append((now, connection.life, last.epoch, last.number, connection))
                    self.data.append((now, connection.number, us))
            self.queue(connection, send)

    # -- limits

    def count_connect(self, now):
        self.manners.count("coinbase connections", 20, 2.5, now)

    def count_message(self, connection, opcode, data, now):
        self.manners.count("coinbase client messages", 100, 1.0, now)

    def count_request(self, request, now):
        self.manners.count("coinbase REST (10/s, burst 15)", 15, 1.0, now, what=request.target)

    # -- REST

    def is_list(self, path):
        return path.rstrip("/") == "/products"

    def respond(self, request, cut=None):
        parts = request.path.strip("/").split("/")
        if parts == ["time"]:
            now = self.told_time(request.host)
            return Answer({"iso": iso(now * 1000), "epoch": now / 1000})
        if parts == ["products"]:
            return Answer([self.describe(i) for i in self.listed()])
        i = self.by_name.get(parts[1]) if len(parts) == 3 and parts[0] == "products" else None
        if i is None:
            return Answer({"message": "NotFound"}, 404)
        if parts[2] == "trades":
            return self.get_trades(i, request.query, cut)
        if parts[2] == "candles":
            return self.get_candles(i, request.query, cut)
        return Answer({"message": "NotFound"}, 404)

    def describe(self, i):
        trading = self.state_of(i) == "trading"
        return {"id": i.symbol, "base_currency": i.base, "quote_currency": i.quote, "quote_increment": "0.01",
                "base_increment": "0.00000001", "status": "online", "trading_disabled": not trading,
                "cancel_only": False, "post_only": False, "limit_only": False, "auction_mode": False}

    def get_trades(self, i, q, cut):
        limit = min(int(q.get("limit", 1000)), self.page_cap or 1000)
        trades = [t for t in i.visible() if t.epoch == i.epoch]
        if "after" in q:
            trades = [t for t in trades if t.id < int(q["after"])][-limit:]
        elif "before" in q:
            trades = [t for t in trades if t.id > int(q["before"])][-limit:]
        else:
            trades = trades[-limit:]
        trades = self.page(trades[::-1], cut)
        self.told_by_rest(trades)
        return Answer([{k: v for k, v in self.row(t).items() if k in ("time", "trade_id", "price", "size", "side")}
                       for t in trades])

    def get_candles(self, i, q, cut):
        span = int(q.get("granularity", 60))
        if span not in (60, 300, 900, 3600, 21600, 86400):
            return Answer({"message": "Unsupported granularity"}, 400)
        end = seconds_of(q["end"]) if "end" in q and "start" in q else int(self.now())
        start = seconds_of(q["start"]) if "end" in q and "start" in q else end - 300 * span
        if (end - start) // span > 300:
            return Answer({"message": "granularity too small for the requested time range."}, 400)
        self.answered.append(time.time())
        rows = self.candles(i, span * 1000, start * 1000, end * 1000, 400, fill=False)
        return Answer("[%s]" % ",".join("[%d,%s,%s,%s,%s,%s]" % (c[0] // 1000, c[3], c[2], c[1], c[4],
                                                                 format(c[5], "f")) for c in self.page(rows, cut)[::-1]))
