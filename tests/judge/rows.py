"""Reads the CSV files by the contract, while they are written and at the end. Knows nothing of the daemon."""
import calendar
import glob
import os
import re
import time
from decimal import Decimal

COLUMNS = ("time exchange market symbol rev status open high low close buys sells buy_base sell_base buy_quote sell_quote "
           "delta_base delta_quote cvd_base cvd_quote other_base other_quote first_id last_id missing").split()
STATUSES = ("live", "partial", "gap", "repaired", "history")
PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?\Z")
COUNT = re.compile(r"(0|[1-9]\d*)\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
NUMBERS = ("buy_base", "sell_base", "buy_quote", "sell_quote", "delta_base", "delta_quote", "cvd_base", "cvd_quote",
           "other_base", "other_quote")
PRICES = ("open", "high", "low", "close")


class Row:
    __slots__ = ("bar", "key", "rev", "status", "prices", "buys", "sells", "numbers", "first_id", "last_id", "missing",
                 "text", "seen", "basis", "file", "life", "verdict")

    def __init__(self, text):
        """Raises ValueError with what is wrong."""
        fields = text.split(",")
        if len(fields) != len(COLUMNS):
            raise ValueError("%d columns" % len(fields))
        f = dict(zip(COLUMNS, fields))
        if not TIME.match(f["time"]):
            raise ValueError("time")
        self.bar = calendar.timegm(time.strptime(f["time"], "%Y-%m-%dT%H:%M:%SZ")) * 1_000_000
        self.key = (f["exchange"], f["market"], f["symbol"])
        if not all(COUNT.match(f[c]) for c in ("rev", "buys", "sells")):
            raise ValueError("a count is none")
        self.rev, self.buys, self.sells = int(f["rev"]), int(f["buys"]), int(f["sells"])
        self.status = f["status"]
        if self.status not in STATUSES:
            raise ValueError("status " + self.status)
        for c in NUMBERS + PRICES:
            if not (PLAIN.match(f[c]) or (c in PRICES and f[c] == "")) or f[c] == "-0":
                raise ValueError("%s is not a plain number: %r" % (c, f[c]))
        self.numbers = {c: Decimal(f[c]) for c in NUMBERS}
        self.prices = tuple(Decimal(f[c]) if f[c] else None for c in PRICES)
        if any(p is None for p in self.prices) and any(p is not None for p in self.prices):
            raise ValueError("some prices are empty")
        if not (COUNT.match(f["missing"]) or f["missing"] == "?"):
            raise ValueError("missing " + f["missing"])
        self.missing = f["missing"]
        self.first_id, self.last_id = f["first_id"], f["last_id"]
        self.text, self.seen, self.basis, self.file, self.life, self.verdict = text, 0.0, 0.0, "", 0, ""

    def __getattr__(self, name):
        try:
            return self.numbers[name]
        except KeyError:
            raise AttributeError(name) from None


def day_of(bar):
    return time.strftime("%Y-%m-%d", time.gmtime(bar // 1_000_000))


class Tail:
    """Follows the files and notes when each line was written, to a tenth of a second."""

    def __init__(self, folder):
        self.folder, self.lines, self.offsets, self.half = folder, [], {}, {}
        self.shrunk = 0

    def files(self):
        return sorted(glob.glob(os.path.join(self.folder, "cvd-*.csv")))

    def poll(self, life):
        """Reads what is new. Lines that are cut off again (a full disk) are forgotten."""
        now = time.time()
        for path in self.files():
            offset = self.offsets.get(path, 0)
            try:
                status = os.stat(path)
                size, written = status.st_size, min(now, status.st_mtime)
                if size < offset:
                    self.shrunk += 1
                    self.lines = [l for l in self.lines if l[1] != path or l[2] < size]
                    offset, self.half[path] = self.start_of_line(path, size)
                if size == offset + len(self.half.get(path, b"")):
                    continue
                with open(path, "rb") as f:
                    f.seek(offset)
                    data = f.read(size - offset)
            except OSError:
                continue
            whole, _, rest = data.rpartition(b"\n")
            self.half[path] = rest
            at = offset
            for line in whole.split(b"\n") if whole or _ else []:
                self.lines.append((written, path, at, line.decode("utf-8", "replace"), life))
                at += len(line) + 1
            self.offsets[path] = at

    @staticmethod
    def start_of_line(path, size):
        with open(path, "rb") as f:
            data = f.read(size)
        at = data.rfind(b"\n") + 1
        return at, data[at:]


def read_all(tail, complain):
    """All rows in the order in which they appeared. complain(kind, text) tells of what is malformed."""
    rows = []
    for path in tail.files():
        with open(path, "rb") as f:
            data = f.read()
        if data and not data.endswith(b"\n"):
            complain("malformed", "%s: the last line has no newline after a stop" % os.path.basename(path))
        seen = [l[3] for l in tail.lines if l[1] == path]
        now = data.decode("utf-8", "replace").split("\n")[:-1]
        if seen != now:
            at = next((k for k, (a, b) in enumerate(zip(seen, now)) if a != b), min(len(seen), len(now)))
            complain("not-append-only", "%s: line %d was %r and is %r" % (
                os.path.basename(path), at + 1, seen[at] if at < len(seen) else None, now[at] if at < len(now) else None))
        if not now or now[0] != ",".join(COLUMNS):
            complain("malformed", "%s: header %r" % (os.path.basename(path), now[:1]))
    first = set()
    for seen, path, _, text, life in tail.lines:
        if path not in first:
            first.add(path)
            continue
        try:
            row = Row(text)
        except ValueError as e:
            complain("malformed", "%s: %s: %s" % (os.path.basename(path), e, text))
            continue
        row.seen, row.file, row.life = seen, os.path.basename(path), life
        if not row.file.startswith("cvd-" + day_of(row.bar)):
            complain("wrong-day", "%s holds %s" % (row.file, text))
        rows.append(row)
    newest = max((os.path.basename(p) for p in tail.files()), default=None)
    link = os.path.join(tail.folder, "latest.csv")
    if newest and (not os.path.islink(link) or os.readlink(link)[:14] != newest[:14]):
        complain("latest", "latest.csv does not point to %s" % newest)
    return rows
