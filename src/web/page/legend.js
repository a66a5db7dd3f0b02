// The numbers of the bar under the crosshair, or of the newest one.

import { el, setAttr, setNumber, setText } from './dom.js';
import { NONE, amount, clock, count, dateTime, price, span } from './format.js';
import { exact } from './group.js';

const ITEMS = [['time', 'Bar'], ['open', 'Open'], ['high', 'High'], ['low', 'Low'], ['close', 'Close'], ['delta', 'Delta'], ['cvd', 'CVD'],
  ['buys', 'Bought'], ['sells', 'Sold'], ['status', 'Status']];

export class Legend {
  constructor() {
    this.values = {};
    this.node = el('dl', { class: 'legend' });
    for (const [name, label] of ITEMS) {
      this.values[name] = el('dd');
      this.node.append(el('div', { class: `l-${name}` }, el('dt', {}, label), this.values[name]));
    }
  }

  show(slot, { bars, unit, coin, quote, decimals, step, interval }) {
    const { values } = this;
    if (!slot || slot.absent) {
      for (const [name] of ITEMS) setNumber(values[name], NONE, null, true);
      if (slot) {
        setText(values.time, dateTime(slot.t, step < 60));
        setText(values.status, 'no bars');
      }
      return;
    }
    const numbers = exact(bars, slot);
    setText(values.time, dateTime(slot.t, step < 60));
    setAttr(values.time, 'title', `${dateTime(slot.t)} to ${clock(slot.t + step)} UTC`);
    for (const name of ['open', 'high', 'low', 'close']) {
      setNumber(values[name], price(numbers[name], decimals), numbers[name] && `${numbers[name]} ${quote}`, false);
    }
    setNumber(values.delta, amount(numbers[`delta_${unit}`], true), withUnit(numbers[`delta_${unit}`], coin), true);
    setNumber(values.cvd, amount(numbers[`cvd_${unit}`]), withUnit(numbers[`cvd_${unit}`], coin), false);
    this.side(values.buys, numbers.buys, numbers[`buy_${unit}`], coin);
    this.side(values.sells, numbers.sells, numbers[`sell_${unit}`], coin);
    const words = describe(slot, numbers, step / interval);
    setText(values.status, words.short);
    setAttr(values.status, 'title', words.long);
    setAttr(values.status, 'data-status', slot.status);
  }

  side(node, trades, volume, coin) {
    setText(node, volume === null ? `${count(trades)} trades` : `${amount(volume)} (${count(trades)})`);
    setAttr(node, 'title', `${volume === null ? '' : `${volume} ${coin} in `}${count(trades)} trades`);
  }
}

const withUnit = (value, coin) => (value ? `${value} ${coin}` : null);

function describe(slot, { missing, bars }, full) {
  const number = slot.statuses[slot.status];
  const lack = missing === '?' ? 'an unknown number of trades is missing' : `${count(missing)} trades are missing`;
  let short = slot.status;
  if (full > 1 && number < bars) short = `${slot.status} (${number} of ${bars})`;
  const parts = Object.entries(slot.statuses).map(([name, n]) => `${n} ${name}`).join(', ');
  const long = `${full > 1 ? `${bars} bars: ${parts}` : slot.status}${missing ? `; ${lack}` : ''}`;
  if (slot.status === 'gap' && missing && missing !== '?') short = `gap, ${count(missing)} missing`;
  return { short, long };
}
