// Which instruments the list shows, and in which order.

import { isProblem, status } from './store.js';
import { means } from './words.js';

const text = (field) => (a, b) => (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0);

/** Names of the columns that can be sorted by. Numbers start with the largest, words with the first. */
export const SORTS = {
  exchange: { label: 'Exchange' }, market: { label: 'Market' }, symbol: { label: 'Symbol' },
  cvd: { label: 'CVD', number: true }, price: { label: 'Price', number: true }, delta: { label: 'Delta', number: true },
  h1: { label: 'CVD change in 1 h', number: true }, h24: { label: 'CVD change in 24 h', number: true },
  status: { label: 'Status' },
};

const STATUS_ORDER = ['refused', 'unlisted', 'connecting', 'subscribing', 'gap', 'partial', 'history', 'repaired', 'live'];

function number(record, sort, unit) {
  switch (sort) {
    case 'cvd': return toNumber(record.bar?.[`cvd_${unit}`]);
    case 'price': return toNumber(record.price);
    case 'delta': return toNumber(record.bar?.[`delta_${unit}`]);
    default: {
      const told = record.change[`${unit}_${sort === 'h1' ? '1h' : '24h'}`];
      if (told === null || told === undefined) return NaN;
      return Number(told) + (Number(record.bar?.[`cvd_${unit}`] ?? 0) - Number(record.changeAt[unit] ?? 0));
    }
  }
}

function toNumber(value) {
  return value === null || value === undefined ? NaN : Number(value);
}

export function matches(record, { words, exchange, problems, watched }) {
  if (watched && !watched.has(record.key)) return false;
  if (exchange && record.exchange !== exchange) return false;
  if (problems && !isProblem(record)) return false;
  return words.every((word) => means(word, record));
}

export function arrange(records, { q, exchange, problems, sort, desc, unit, watched, watch }) {
  const filter = { words: q.toLowerCase().split(/\s+/).filter(Boolean), exchange, problems, watched: watched ? watch : null };
  const shown = [];
  for (const record of records) if (matches(record, filter)) shown.push(record);
  const turn = desc ? -1 : 1;
  if (SORTS[sort]?.number) {
    const keys = new Map(shown.map((record) => [record, number(record, sort, unit)]));
    // What has no number yet stays at the end, whichever way the rest is turned.
    shown.sort((a, b) => {
      const x = keys.get(a);
      const y = keys.get(b);
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return (x - y) * turn;
    });
  } else if (sort === 'status') {
    shown.sort((a, b) => (STATUS_ORDER.indexOf(status(a)) - STATUS_ORDER.indexOf(status(b))) * turn || text('key')(a, b));
  } else if (SORTS[sort]) {
    shown.sort((a, b) => text(sort)(a, b) * turn || text('key')(a, b));
  } else {
    shown.sort((a, b) => Boolean(b.members) - Boolean(a.members) || text('key')(a, b)); // groups first
  }
  return shown;
}
