// Bars joined to longer ones, so that a day or a week fits the screen without becoming mush.

import { add } from './decimal.js';

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800];
const MOST_IN_SIGHT = 400;
const LONGEST_HOLE = 200;
const UNITS = ['base', 'quote'];
const GRAVITY = ['open', 'live', 'repaired', 'history', 'partial', 'gap'];

export function stepsFor(interval) {
  const longer = STEPS.filter((step) => step > interval && step % interval === 0);
  return [interval, ...longer];
}

/** The shortest bar with which `range` seconds stay readable. */
export function autoStep(interval, range) {
  const steps = stepsFor(interval);
  return steps.find((step) => range / step <= MOST_IN_SIGHT) ?? steps.at(-1);
}

const number = (value) => (value === null || value === undefined || value === '' ? NaN : Number(value));

function start(t, i) {
  return {
    t, from: i, to: i, open: NaN, high: -Infinity, low: Infinity, close: NaN,
    delta: { base: 0, quote: 0 }, volume: { base: 0, quote: 0 }, cvd: { base: NaN, quote: NaN },
    from0: { base: NaN, quote: NaN }, top: { base: -Infinity, quote: -Infinity }, bottom: { base: Infinity, quote: Infinity }, // of the CVD
    status: 'open', statuses: {}, repaired: 0,
  };
}

function take(slot, bar, i) {
  slot.to = i;
  if (Number.isNaN(slot.open)) slot.open = number(bar.open);
  const [high, low] = [number(bar.high), number(bar.low)];
  if (high > slot.high) slot.high = high;
  if (low < slot.low) slot.low = low;
  const close = number(bar.close);
  if (!Number.isNaN(close)) slot.close = close;
  for (const unit of UNITS) {
    const delta = number(bar[`delta_${unit}`]);
    const cvd = number(bar[`cvd_${unit}`]);
    slot.delta[unit] += delta || 0;
    slot.volume[unit] += number(bar[`buy_${unit}`]) + number(bar[`sell_${unit}`]) || 0;
    slot.cvd[unit] = cvd;
    if (Number.isNaN(slot.from0[unit])) slot.from0[unit] = cvd - delta;
    slot.top[unit] = Math.max(slot.top[unit], cvd, cvd - delta);
    slot.bottom[unit] = Math.min(slot.bottom[unit], cvd, cvd - delta);
  }
  slot.statuses[bar.status] = (slot.statuses[bar.status] ?? 0) + 1;
  if (GRAVITY.indexOf(bar.status) > GRAVITY.indexOf(slot.status)) slot.status = bar.status;
}

/**
 * Slots of `step` seconds from bars[first] on. Where no bar was written, empty slots keep the time axis honest;
 * a very long hole gets fewer of them, or it would push everything else out of sight.
 */
export function group(bars, step, first = 0) {
  const slots = [];
  for (let i = first; i < bars.length; i += 1) {
    const t = Math.floor(bars[i].t / step) * step;
    const last = slots.at(-1);
    if (last?.t === t) {
      take(last, bars[i], i);
      continue;
    }
    if (last && t - last.t > step) addHole(slots, last.t, t, step, bars[i].status === 'open');
    const slot = start(t, i);
    take(slot, bars[i], i);
    slots.push(slot);
  }
  return slots;
}

/** `open`: the bar behind it is not over, so that the last one before it may be about to be written. */
function addHole(slots, before, after, step, open) {
  const wanted = Math.round((after - before) / step) - 1;
  const every = Math.ceil(wanted / LONGEST_HOLE) * step;
  for (let t = before + every; t < after; t += every) slots.push({ t, absent: true, awaited: open && t + every >= after ? after : null });
}

/** The exact numbers of a slot for the legend. */
export function exact(bars, slot) {
  const parts = bars.slice(slot.from, slot.to + 1);
  const total = (field) => parts.reduce((sum, bar) => add(sum, bar[field]), '0');
  const sum = (field) => parts.reduce((n, bar) => n + (bar[field] ?? 0), 0);
  const pick = (field, better) => parts.reduce((best, { [field]: value }) => (value && (!best || better(Number(value), Number(best))) ? value : best), null);
  const last = parts.at(-1);
  let missing = 0;
  for (const bar of parts) {
    if (bar.missing === '?') { missing = '?'; break; }
    missing += Number(bar.missing ?? 0);
  }
  return {
    open: parts.find((bar) => bar.open)?.open ?? null, close: parts.findLast((bar) => bar.close)?.close ?? null,
    high: pick('high', (a, b) => a > b), low: pick('low', (a, b) => a < b),
    delta_base: total('delta_base'), delta_quote: total('delta_quote'), cvd_base: last.cvd_base, cvd_quote: last.cvd_quote,
    buys: sum('buys'), sells: sum('sells'), buy_base: total('buy_base'), sell_base: total('sell_base'),
    buy_quote: total('buy_quote'), sell_quote: total('sell_quote'), missing, bars: parts.length,
  };
}
