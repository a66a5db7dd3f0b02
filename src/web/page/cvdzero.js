// What the CVD is counted from: its start, the first bar in sight, or 00:00 UTC of each day. Exact.

import { serverNow } from './api.js';
import { sub } from './decimal.js';

const DAY = 86400;
const UNITS = ['base', 'quote'];
const NOTHING = { base: '0', quote: '0' };

export const SINCE = { '': 'since its start', visible: 'since the left edge', day: 'since 00:00 UTC' };

const before = (bar) => Object.fromEntries(UNITS.map((unit) => [unit, sub(bar[`cvd_${unit}`], bar[`delta_${unit}`])]));

/** From when on bars are needed for the last `seconds`; null is all. */
export function loadFrom(seconds, since) {
  if (seconds === null) return 0;
  const from = Math.floor(serverNow()) - seconds;
  return since === 'day' ? Math.floor(from / DAY) * DAY : from; // else it is not known what the day began with
}

/** Index of the first bar at or after `t`. */
function firstFrom(bars, t) {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].t < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class CvdZero {
  constructor(since) {
    this.since = since;
    this.edge = null; // the slot at the left edge
    this.forget();
  }

  /** Bars have changed. */
  forget() {
    this.days = new Map();
    this.visible = null;
  }

  /** Whether another slot is the first in sight now. */
  setEdge(slot) {
    if (this.since !== 'visible' || slot?.t === this.edge?.t) return false;
    this.edge = slot;
    this.visible = null;
    return true;
  }

  /** What is to be taken off the CVDs of a slot: {base, quote} of decimals, or null where it is not loaded what the CVD began with. `whole`: older bars than the first one there are none. */
  of(slot, bars, whole, interval) {
    if (this.since === 'visible') return this.ofEdge(bars);
    if (this.since === 'day') return this.ofDay(Math.floor(slot.t / DAY) * DAY, bars, whole, interval);
    return NOTHING;
  }

  ofEdge(bars) {
    const first = bars[this.edge?.from ?? 0];
    this.visible ??= first ? before(first) : NOTHING;
    return this.visible;
  }

  ofDay(day, bars, whole, interval) {
    if (!this.days.has(day)) {
      const at = firstFrom(bars, day);
      const bar = bars[at];
      // Of a day whose beginning is older than what is loaded it is not known where it began.
      const known = bar && (at > 0 || whole || bar.t < day + interval);
      this.days.set(day, known ? before(bar) : null);
    }
    return this.days.get(day);
  }
}
