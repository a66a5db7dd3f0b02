// The bars of one instrument, loaded backwards in windows, kept up to date by the stream.

import { getJson, query, serverNow } from './api.js';
import { seconds } from './format.js';
import { barsOf } from './groups.js';
import { COLUMNS } from './store.js';

const WINDOW = 5000;
const RENEW_MS = 1000; // rows of one bar come one after the other
export const MOST_BARS = 60000;

/** A row of either source as an object. `t`: start of the bar in seconds. */
export function toBar(columns, row) {
  const bar = {};
  for (let i = 0; i < columns.length; i += 1) bar[columns[i]] = row[i];
  bar.t = seconds(bar.time);
  return bar;
}

export class History {
  constructor(key, interval) {
    this.key = key;
    this.interval = interval;
    this.bars = []; // ascending, one for each time
    this.edge = Math.floor(serverNow() / interval + 1) * interval; // everything from here on is loaded or will come by the stream
    this.exhausted = false;
    this.pending = null; // what the stream tells while a window is on its way
    this.abort = new AbortController();
  }

  close() {
    this.abort.abort();
  }

  get full() {
    return this.exhausted || this.bars.length >= MOST_BARS;
  }

  /** Loads until `from` (seconds) is covered or there is nothing more; or until somebody wants something else. */
  ensure(from) {
    const mine = this.newest = {};
    return this.loading(async () => {
      while (this.edge > from && !this.full && this.newest === mine) await this.window(from);
    });
  }

  /** One after the other: each goes on where the one before it has left off. */
  loading(work) {
    const before = this.queue ?? Promise.resolve();
    const run = before.then(async () => {
      this.pending = [];
      try {
        await work();
      } finally {
        const { pending } = this;
        this.pending = null;
        this.merge(pending);
      }
    });
    this.queue = run.catch(() => {});
    return run;
  }

  /** One more window. */
  back() {
    return this.loading(() => this.window(0));
  }

  /** Loads one window to the left, not beyond `least`. Holes of any length are jumped over. */
  async window(least) {
    let length = WINDOW * this.interval;
    while (!this.full) {
      const from = Math.max(this.edge - length, least, this.first ?? 0);
      const found = await this.fetch(from, this.edge);
      this.edge = from;
      this.bars = [...found, ...this.bars];
      if (this.first !== undefined && from <= this.first) this.exhausted = true;
      if (found.length || from <= least) return;
      if (this.first === undefined) await this.findFirst();
      length *= 2;
    }
  }

  async findFirst() {
    // The daemon looks through a few days of files at a time.
    for (let from = 0; from !== null;) {
      const { bars, next } = await this.request({ from, to: this.edge, limit: 1 });
      if (bars.length) {
        this.first = seconds(bars[0][0]);
        return;
      }
      from = next;
    }
    this.exhausted = true;
  }

  async fetch(from, to) {
    const result = new Map();
    for (let start = from; start !== null;) {
      const { columns, bars, next } = await this.request({ from: start, to, limit: WINDOW });
      for (const row of bars) {
        const bar = toBar(columns, row);
        // Where the daemon left off within a day, a bar may come again, revised.
        if (!(result.get(bar.t)?.rev > bar.rev)) result.set(bar.t, bar);
      }
      start = next;
    }
    return [...result.values()].sort((a, b) => a.t - b.t);
  }

  request(parameters) {
    return getJson(`/api/v1/bars?${query({ ...barsOf(this.key), ...parameters })}`, { signal: this.abort.signal });
  }

  /** After a lost connection: what was written meanwhile, and the revisions of the last hour's bars. */
  async refresh() {
    const newest = this.bars.findLast((bar) => bar.status !== 'open');
    const from = Math.max(this.edge, (newest?.t ?? this.edge) - 3600);
    return this.merge(await this.fetch(from, Math.floor(serverNow()) + this.interval));
  }

  /** A group's bars from `from` on are others now. Those that are asked for meanwhile are asked for together. Resolves to the index of the earliest that changed. */
  async renew(from) {
    this.stale = Math.min(this.stale ?? Infinity, from);
    if (this.renewing) return Infinity;
    this.renewing = true;
    try {
      await new Promise((good) => { setTimeout(good, RENEW_MS); });
      const least = Math.max(this.edge, this.stale);
      this.stale = Infinity;
      if (this.abort.signal.aborted) return Infinity;
      return this.merge(await this.fetch(least, Math.floor(serverNow()) + this.interval));
    } catch {
      return Infinity; // the next row brings it
    } finally {
      this.renewing = false;
    }
  }

  mergeRows(rows) {
    return this.merge(rows.map((row) => toBar(COLUMNS, row)));
  }

  mergeOpen(bar) {
    if (!bar?.time) return Infinity; // only its sums are known
    return this.merge([{ ...bar, t: seconds(bar.time), rev: -1, status: 'open', missing: 0 }]);
  }

  /** Returns the index of the earliest bar that changed. A written bar takes the place of the open one, a revision that of the row before. */
  merge(list) {
    if (this.pending) {
      this.pending.push(...list);
      return Infinity;
    }
    let earliest = Infinity;
    for (const bar of list) {
      if (bar.t < this.edge && !this.exhausted) continue; // older than what is loaded
      let at = this.bars.length;
      while (at > 0 && this.bars[at - 1].t >= bar.t) at -= 1;
      const there = this.bars[at];
      if (there?.t === bar.t) {
        if (there.rev > bar.rev) continue;
        this.bars[at] = bar;
      } else {
        this.bars.splice(at, 0, bar);
      }
      earliest = Math.min(earliest, at);
    }
    return earliest;
  }
}
