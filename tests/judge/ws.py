"""The server's side of WebSocket and HTTP/1.1 over TLS, on asyncio streams. It knows nothing of exchanges."""
import asyncio
import base64
import hashlib
import json
import socket
import struct
import time
import urllib.parse
from email.utils import formatdate

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LARGEST = 1 << 20  # bytes a client may send in one message


def frame(opcode, payload):
    n = len(payload)
    if n < 126:
        head = struct.pack("!BB", 0x80 | opcode, n)
    elif n < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 126, n)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, n)
    return head + payload


def unmask(data, key):
    n = len(data)
    mask = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(n, "big")


class Connection:
    """One WebSocket. Times are local Unix seconds."""

    def __init__(self, number, host, request, reader, writer):
        self.number, self.host, self.request = number, host, request
        self.reader, self.writer = reader, writer
        self.opened, self.open = time.time(), True
        self.ended = None  # when
        self.cut_at = None  # when this side ended it: data in flight may have been lost
        self.black = False  # nothing goes out any more, not even pongs
        self.mute = False  # pings and answers only
        self.vouching = None  # the one topic that still speaks on a mute connection
        self.topics = {}  # topic -> instrument
        self.life = 0  # which life of the daemon it belongs to
        self.busy_until = 0.0  # frames leave in order: none before this
        self.held = []  # frames held back for reordering
        self.last_in = self.last_out = time.time()

    def send(self, message):
        self.write(frame(TEXT, message.encode() if isinstance(message, str) else
                         json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()))

    def write(self, data):
        """True if the data went to the kernel at once."""
        if not self.open or self.black:
            return False
        try:
            self.writer.write(data)
            self.last_out = time.time()
            return self.writer.transport.get_write_buffer_size() == 0
        except (OSError, RuntimeError):
            self.end()
            return False

    def end(self):
        if self.open:
            self.open, self.ended = False, time.time()

    def cut(self, how):
        """fin: orderly; rst: what is in flight is lost; close: by a close frame; black: half-open."""
        self.cut_at = self.cut_at or time.time()
        if how == "black":
            self.black = True
            return
        if how == "close":
            self.write(frame(CLOSE, struct.pack("!H", 1001)))
        if how == "rst":
            raw = self.writer.get_extra_info("socket")
            try:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
        self.end()
        if how == "rst":
            self.writer.transport.abort()
        else:
            self.writer.close()

    async def read(self):
        """The next (opcode, payload), or None at the end."""
        try:
            whole, kind = b"", 0
            while True:
                head = await self.reader.readexactly(2)
                n = head[1] & 127
                if n == 126:
                    n = struct.unpack("!H", await self.reader.readexactly(2))[0]
                elif n == 127:
                    n = struct.unpack("!Q", await self.reader.readexactly(8))[0]
                if n > LARGEST or not head[1] & 128:
                    return None
                key = await self.reader.readexactly(4)
                data = unmask(await self.reader.readexactly(n), key)
                self.last_in = time.time()
                opcode = head[0] & 15
                if opcode >= 8:
                    return opcode, data
                kind, whole = kind or opcode, whole + data
                if head[0] & 128:
                    return kind, whole
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            return None


class Request:
    def __init__(self, head, host):
        lines = head.decode("latin1").split("\r\n")
        self.method, self.target = lines[0].split(" ")[:2]
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        url = urllib.parse.urlsplit(self.target)
        self.path, self.host = url.path, host
        self.query = dict(urllib.parse.parse_qsl(url.query))


class Answer:
    """body: str, bytes or something for JSON; None as status: hang without an answer."""

    def __init__(self, body=b"", status=200, headers=None, delay=0.0):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.headers, self.delay = status, headers or {}, delay


class Server:
    """One host (a port) of a site. The site has: now(), refuse(host), rest(request) -> Answer,
    session(connection) coroutine, life() of the daemon."""

    numbers = 0

    def __init__(self, site, host, port, context):
        self.site, self.host, self.port, self.context = site, host, port, context
        self.server = None

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, ssl=self.context,
                                                 ssl_handshake_timeout=20)

    def stop(self):
        self.server.close()

    async def serve(self, reader, writer):
        try:
            await self.requests(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError, IndexError):
            pass
        finally:
            try:
                writer.close()
            except (OSError, RuntimeError):
                pass

    async def requests(self, reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            request = Request(head[:-4], self.host)
            if request.headers.get("upgrade", "").lower() == "websocket":
                return await self.upgrade(request, reader, writer)
            answer = self.site.rest(request)
            if answer.delay:
                await asyncio.sleep(answer.delay)
            if answer.status is None:
                return None
            headers = {"Content-Type": "application/json", "Date": formatdate(self.site.now(), usegmt=True),
                       "Content-Length": len(answer.body), **answer.headers}
            lines = "".join("%s: %s\r\n" % (k, v) for k, v in headers.items() if v is not None)
            writer.write(("HTTP/1.1 %d X\r\n%s\r\n" % (answer.status, lines)).encode() + answer.body)
            await writer.drain()
            if request.headers.get("connection", "").lower() == "close":
                return None

    async def upgrade(self, request, reader, writer):
        refusal = self.site.refuse(self.host)
        if refusal:
            writer.write(refusal)
            return
        accept = base64.b64encode(hashlib.sha1((request.headers["sec-websocket-key"] + GUID).encode()).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Date: " + formatdate(self.site.now(), usegmt=True).encode() +
                     b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        Server.numbers += 1
        connection = Connection(Server.numbers, self.host, request, reader, writer)
        connection.life = self.site.life()
        try:
            await self.site.session(connection)
        finally:
            connection.end()
