// All instruments as the daemon last told them: the snapshot of /api/v1/instruments, kept up to date by the stream.

import { add, sub } from './decimal.js';
import { decimalsOf, seconds } from './format.js';
import { groupKey, isPicked, titleOf } from './groups.js';
import { wordsOf } from './words.js';
import { keyOf } from './state.js';

const SPARK = 48;
const OLD_MS = 5000;
export const COLUMNS = ['time', 'exchange', 'market', 'symbol', 'rev', 'status', 'open', 'high', 'low', 'close', 'buys', 'sells',
  'buy_base', 'sell_base', 'buy_quote', 'sell_quote', 'delta_base', 'delta_quote', 'cvd_base', 'cvd_quote',
  'other_base', 'other_quote', 'first_id', 'last_id', 'missing'];
const CVD = { base: COLUMNS.indexOf('cvd_base'), quote: COLUMNS.indexOf('cvd_quote') };
const CLOSE = COLUMNS.indexOf('close');

/** Events: `list` (which instruments there are), `values` (detail: set of keys), `rows` (detail: map of key to stream rows), `stale` (detail: map of a group's key to the time from which on its bars changed). */
export class Store extends EventTarget {
  records = new Map();
  interval = 60;
  version = '';
  loaded = false;
  wanted = new Set();
  sparkUnit = 'base'; // of the groups' sparklines, as they are wanted
  gone = new Map(); // what was told to be gone, and when: a snapshot of before may come yet

  applySnapshot({ interval_s, version, instruments, groups = [], time }) {
    this.interval = interval_s;
    this.version = version;
    this.snapshotTime = time;
    this.snapshotAt = performance.now();
    const before = this.records;
    this.records = new Map();
    for (const item of groups) this.takeGroup(before, item, time);
    for (const [key, record] of before) if (isPicked(key)) this.records.set(key, record);
    let same = before.size === instruments.length + this.records.size && [...this.records.keys()].every((key) => before.has(key));
    for (const item of instruments) {
      const key = keyOf(item);
      if (this.gone.get(key) > time) { same = false; continue; }
      let record = before.get(key);
      if (!record) {
        record = newRecord(key, item);
        same = false;
      }
      this.records.set(key, record);
      if (!(record.time > time)) this.take(record, item, time);
    }
    for (const [key, when] of this.gone) if (when <= time) this.gone.delete(key);
    const first = !this.loaded;
    this.loaded = true;
    if (!same || first) this.dispatchEvent(new Event('list'));
    this.tell('values', new Set(this.records.keys()));
  }

  /** What is collected no more leaves at once. */
  applyGone(time, names) {
    let any = false;
    for (const name of names) {
      const key = keyOf(name);
      this.gone.set(key, time);
      any = this.records.delete(key) || any;
    }
    if (any) this.dispatchEvent(new Event('list'));
  }

  /** Everything about one. `time`: of when it is. */
  take(record, item, time) {
    Object.assign(record, {
      time, base: item.base, quote: item.quote, state: item.state, since: item.since, reason: item.reason, price: item.price,
      lastTrade: item.last_trade, proven: item.proven_until, unproven: item.unproven ?? '', bar: item.bar, written: item.written,
      change: item.change ?? {}, changeAt: { base: item.bar?.cvd_base ?? null, quote: item.bar?.cvd_quote ?? null },
    });
    this.learnDecimals(record);
  }

  takeGroup(records, item, time) {
    const key = groupKey(item);
    const record = records.get(key) ?? newRecord(key, { exchange: 'group', market: '', symbol: titleOf(key) });
    this.records.set(key, record);
    if (record.time > time) return record;
    const written = record.written?.time ?? '';
    this.take(record, { ...item, since: null }, time);
    this.noteGroupWritten(record, item.written, written);
    const members = item.members ?? record.members ?? []; // told where they are news
    Object.assign(record, {
      members, counted: item.counted, live: item.live, priceOf: item.price_of, leftOut: item.left_out ?? 0, notMembers: item.not_members ?? record.notMembers ?? [],
      market: item.counted === item.size ? `sum of ${item.size}` : `${item.counted} of ${item.size}`,
    });
    return record;
  }

  /** A sum that somebody picked; it is there as long as it is shown. */
  pick(key) {
    for (const other of this.records.keys()) if (isPicked(other) && other !== key) this.records.delete(other);
    if (key && !this.records.has(key)) this.takeGroup(this.records, { instruments: key.slice('group:picked:'.length), members: [], base: '', quote: '', state: 'connecting', reason: '', price: null, bar: null, written: null, counted: 0, size: 0 }, '');
  }

  applyGroups({ time, groups }) {
    const changed = new Set();
    for (const item of groups) {
      if (!this.records.has(groupKey(item))) continue;
      const record = this.takeGroup(this.records, item, time);
      record.told = this.wanted.has(record.key);
      if (item.spark) Object.assign(record, { spark: item.spark.map(Number), sparkUnit: this.sparkUnit });
      changed.add(record.key);
    }
    this.tell('values', changed);
  }

  /** Some in full, because they are in sight now. */
  applyItems({ time, spark, instruments }) {
    const changed = new Set();
    for (const item of instruments) {
      const record = this.records.get(keyOf(item));
      if (!record || record.time > time) continue;
      this.take(record, item, time);
      record.told = this.wanted.has(record.key);
      record.sparkUnit = spark;
      record.spark = item.spark?.map(Number) ?? [];
      changed.add(record.key);
    }
    this.tell('values', changed);
  }

  /** In short, and not of this second: of those that are not in sight. */
  applyRest({ time, values }) {
    const changed = new Set();
    for (const [key, feed, written, last, deltaBase, deltaQuote, cvdBase, cvdQuote] of values) {
      const record = this.records.get(key);
      if (!record || record.told || record.time > time) continue;
      Object.assign(record, { time, state: feed, price: last ?? record.price });
      if (written) record.written = { ...record.written, status: written };
      if (cvdBase !== null) record.bar = { ...record.bar, delta_base: deltaBase, delta_quote: deltaQuote, cvd_base: cvdBase, cvd_quote: cvdQuote };
      changed.add(key);
    }
    this.tell('values', changed);
  }

  /** What the stream tells of from now on. What it told of the others grows old. */
  setWanted(keys, unit) {
    this.wanted = new Set(keys);
    this.sparkUnit = unit;
    for (const record of this.records.values()) if (record.told && !this.wanted.has(record.key)) record.told = false;
  }

  /** Whether the numbers are not those of now. */
  isOld(record) {
    return !record.told && performance.now() - this.snapshotAt > OLD_MS;
  }

  applyOpen({ time, bars }) {
    const changed = new Set();
    for (const item of bars) {
      const record = this.records.get(keyOf(item));
      if (!record || record.time > time) continue; // was on its way while something newer came
      Object.assign(record, { time, state: item.state, since: item.since, reason: item.reason ?? '' });
      if (item.price !== null && item.price !== undefined) record.price = item.price;
      if (item.last_trade) record.lastTrade = item.last_trade;
      if (item.proven_until) Object.assign(record, { proven: item.proven_until, unproven: item.unproven ?? '' });
      if (item.bar) record.bar = item.bar;
      this.learnDecimals(record);
      changed.add(record.key);
    }
    this.tell('values', changed);
  }

  applyRows(rows) {
    const changed = new Map();
    for (const row of rows) {
      const key = `${row[1]}:${row[2]}:${row[3]}`;
      const record = this.records.get(key);
      if (!record) continue;
      if (!changed.has(key)) changed.set(key, []);
      changed.get(key).push(row);
      this.noteWritten(record, row);
    }
    if (!changed.size) return;
    this.tell('values', new Set(changed.keys()));
    this.tell('rows', changed);
    this.tellStale(changed);
  }

  /** The bars of a group are made by the daemon: it is known from when on they have to be asked for again. */
  tellStale(changed) {
    const stale = new Map();
    for (const { key, members } of this.records.values()) {
      for (const member of members ?? []) {
        for (const [time] of changed.get(member) ?? []) stale.set(key, Math.min(stale.get(key) ?? Infinity, seconds(time)));
      }
    }
    this.tell('stale', stale);
  }

  /** Its line grows by what its newest rows sum up to. Members write theirs one after the other: the last word counts. */
  noteGroupWritten(record, now, before) {
    const cvd = now?.[`cvd_${record.sparkUnit}`] ?? null;
    if (!record.spark.length || cvd === null || now.time < before) return;
    if (now.time === before) record.spark.pop();
    this.pushSpark(record, cvd);
  }

  pushSpark(record, cvd) {
    record.spark.push(Number(cvd));
    if (record.spark.length > SPARK) record.spark.shift();
  }

  noteWritten(record, row) {
    const time = row[0];
    const newest = record.written?.time ?? '';
    if (time < newest) return;
    record.written = { time, status: row[5] };
    const cvd = row[CVD[record.sparkUnit]] ?? null;
    if (cvd !== null) {
      if (time === newest) record.spark.pop();
      this.pushSpark(record, cvd);
    }
    if (!record.bar || record.bar.time <= time) record.bar = this.quietBar(time, row);
  }

  /** Only trades make the stream tell an open bar. Until one comes, the bar after a written one is known to be empty. */
  quietBar(time, row) {
    const close = row[CLOSE];
    return {
      time: new Date((seconds(time) + this.interval) * 1000).toISOString().replace('.000Z', 'Z'),
      open: close, high: close, low: close, close, buys: 0, sells: 0, delta_base: '0', delta_quote: '0',
      cvd_base: row[CVD.base], cvd_quote: row[CVD.quote],
    };
  }

  learnDecimals(record) {
    record.decimals = Math.max(record.decimals, decimalsOf(record.price), decimalsOf(record.bar?.high), decimalsOf(record.bar?.low));
  }

  tell(type, detail) {
    if (detail.size) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function newRecord(key, { exchange, market, symbol }) {
  return {
    key, exchange, market, symbol, spark: [], sparkUnit: 'base', decimals: 0, told: false, members: null,
    words: wordsOf({ exchange, market, symbol }),
  };
}

/** The change over '1h' or '24h' as of now, exact. The daemon's figure is as old as the snapshot; what came since is added. */
export function change(record, unit, period) {
  const told = record.change[`${unit}_${period}`];
  if (told === null || told === undefined) return null;
  const since = sub(record.bar?.[`cvd_${unit}`], record.changeAt[unit]);
  return since === null ? told : add(told, since);
}

/** One word for how an instrument is doing: what keeps it from being live, else how its newest written bar is. */
export function status(record) {
  return record.state !== 'live' ? record.state : record.written?.status ?? 'live';
}

export function isProblem(record) {
  return record.state !== 'live' || record.written?.status === 'gap';
}
