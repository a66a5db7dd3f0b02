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

  draw(unit) {
    const zero = Number(this.zero[unit] ?? 0);
    this.series?.setData(this.slots.map((slot) => point(slot, slot.absent ? NaN : slot.cvd[unit] - zero)));
  }

  /** From the bar with this index on something changed. */
  changed(earliest, unit) {
    if (earliest === Infinity || !this.slots) return;
    const { bars } = this.history;
    const last = this.slots.at(-1);
    if (!last || earliest < bars.length - 1 || earliest < last.from) {
      this.regroup();
      this.draw(unit);
      return;
    }
    const tail = group(bars, this.step, last.from);
    this.slots.splice(-1, 1, ...tail);
    const zero = Number(this.zero[unit] ?? 0);
    for (const slot of tail) this.series?.update(point(slot, slot.absent ? NaN : slot.cvd[unit] - zero));
  }

  /** The exact value at a time of the chart; null is now. */
  at(time, unit) {
    const slot = time === null ? this.slots.at(-1) : this.slots.find(({ t }) => t === time);
    if (!slot || slot.absent) return null;
    return sub(this.history.bars[slot.to]?.[`cvd_${unit}`], this.zero[unit]);
  }

  remark() {
    const gaps = this.slots.filter(({ status }) => status === 'gap').length;
    const parts = [];
    if (this.late) parts.push(`from ${clock(this.late).slice(0, 5)}`);
    if (gaps) parts.push(`${gaps} ${gaps === 1 ? 'bar' : 'bars'} with gaps`);
    return parts.join(', ');
  }
}
