// One line of the compare view.

import { point } from './chartbase.js';
import { sub } from './decimal.js';
import { clock } from './format.js';
import { group } from './group.js';
import { History } from './history.js';

export class CompareLine {
  constructor(record, interval) {
    this.record = record;
    this.key = record.key;
    this.history = new History(record.key, interval);
    this.slots = null;
    this.series = null;
    this.prices = null;
  }

  prepare(from, step) {
    this.from = from;
    this.step = step;
    this.regroup();
  }

  regroup() {
    const { bars } = this.history;
    const first = Math.max(0, bars.findIndex(({ t }) => t >= this.from));
    this.slots = bars.length ? group(bars, this.step, first) : [];
    const bar = bars[first];
    // What the CVD was before the first bar in sight is the zero of this line.
    this.zero = { base: sub(bar?.cvd_base, bar?.delta_base), quote: sub(bar?.cvd_quote, bar?.delta_quote) };
    this.late = bar && this.from && bar.t > this.from + this.step ? bar.t : null;
  }

  /** `shares`: by the line's own volume in sight, in per cent of it; else in units. */
  draw(unit, shares) {
    this.unit = unit;
    this.shares = shares;
    this.volume = this.slots.reduce((sum, slot) => sum + (slot.absent ? 0 : slot.volume[unit]), 0);
    this.first = this.slots.find((slot) => !slot.absent && !Number.isNaN(slot.open))?.open;
    this.series?.setData([...this.origin(), ...this.slots.map((slot) => this.point(slot))]);
    this.prices?.setData(this.slots.map((slot) => this.pricePoint(slot)));
  }

  /** Every line begins at 0: where its first bar began. */
  origin() {
    return this.slots.length ? [{ time: this.slots[0].t - this.step, value: 0 }] : [];
  }

  /** What it stands at where each of the bars in sight ends, newest last; [] where nothing can be told. */
  values(unit) {
    return this.slots.filter((slot) => !slot.absent && Number.isFinite(slot.cvd[unit]))
      .map((slot) => ({ time: slot.t, value: slot.cvd[unit] - Number(this.zero[unit] ?? 0) }));
  }

  point(slot) {
    if (slot.absent) return point(slot, NaN);
    const value = slot.cvd[this.unit] - Number(this.zero[this.unit] ?? 0);
    return point(slot, this.shares ? (value / this.volume) * 100 : value);
  }

  /** By how many per cent the price differs from the first one in sight. */
  pricePoint(slot) {
    return point(slot, slot.absent || !this.first ? NaN : (slot.close / this.first - 1) * 100);
  }

  /** From the bar with this index on something changed. */
  changed(earliest, unit) {
    if (earliest === Infinity || !this.slots) return;
    const { bars } = this.history;
    const last = this.slots.at(-1);
    if (!last || earliest < bars.length - 1 || earliest < last.from) {
      this.regroup();
      this.draw(unit, this.shares);
      return;
    }
    const tail = group(bars, this.step, last.from);
    if (tail[0]?.t !== last.t) { // a bar came between others
      this.regroup();
      this.draw(unit, this.shares);
      return;
    }
    this.slots.splice(-1, 1, ...tail);
    if (this.shares) { // what all of it is divided by has changed
      this.draw(unit, true);
      return;
    }
    for (const slot of tail) {
      this.series?.update(this.point(slot));
      this.prices?.update(this.pricePoint(slot));
    }
  }

  /** The exact value at a time of the chart; null is now. */
  at(time, unit) {
    const slot = time === null ? this.slots.at(-1) : this.slots.find(({ t }) => t === time);
    if (!slot || slot.absent) return null;
    return sub(this.history.bars[slot.to]?.[`cvd_${unit}`], this.zero[unit]);
  }

  /** The same in per cent of its own volume in sight; null where it is not known. */
  shareAt(time, unit) {
    const value = this.at(time, unit);
    return value === null || !this.volume ? null : (Number(value) / this.volume) * 100;
  }

  remark() {
    const gaps = this.slots.filter(({ status }) => status === 'gap').length;
    const parts = [];
    if (this.late) parts.push(`from ${clock(this.late).slice(0, 5)}`);
    if (gaps) parts.push(`${gaps} ${gaps === 1 ? 'bar' : 'bars'} with gaps`);
    return parts.join(', ');
  }
}
