// The numbers of the bar under the crosshair, or of the newest one.

import { el, setAttr, setNumber, setText } from './dom.js';
import { NONE, amount, clock, count, dateTime, price, zoneName } from './format.js';
import { sub } from './decimal.js';
import { exact } from './group.js';

const ITEMS = [['time', 'Bar'], ['open', 'Open'], ['high', 'High'], ['low', 'Low'], ['close', 'Close'], ['delta', 'Delta'], ['cvd', 'CVD'],
  ['buys', 'Bought'], ['sells', 'Sold'], ['status', 'Status']];
const SINCE_TITLE = 'As it is drawn: ';

export class Legend {
  constructor() {
    this.values = {};
    this.node = el('dl', { class: 'legend' });
    for (const [name, label] of ITEMS) {
      this.values[name] = el('dd');
      this.node.append(el('div', { class: `l-${name}` }, el('dt', {}, label), this.values[name]));
    }
  }

  /** `zero`: what is taken off the CVD; null: not known. `members`: how many the group has. */
  show(slot, { bars, unit, coin, quote, decimals, step, interval, zero, members }) {
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
    setAttr(values.time, 'title', `${dateTime(slot.t)} to ${clock(slot.t + step)} ${zoneName()}`);
    for (const name of ['open', 'high', 'low', 'close']) {
      setNumber(values[name], price(numbers[name], decimals), numbers[name] && `${numbers[name]} ${quote}`, false);
    }
    setNumber(values.delta, amount(numbers[`delta_${unit}`], true), withUnit(numbers[`delta_${unit}`], coin), true);
    const cvd = zero === undefined ? numbers[`cvd_${unit}`] : sub(numbers[`cvd_${unit}`], zero?.[unit]);
    setNumber(values.cvd, amount(cvd), cvd ? SINCE_TITLE + withUnit(cvd, coin) : null, false);
    this.side(values.buys, numbers.buys, numbers[`buy_${unit}`], coin);
    this.side(values.sells, numbers.sells, numbers[`sell_${unit}`], coin);
    const words = describe(slot, numbers, step / interval);
    const counted = members && bars[slot.to]?.members;
    setText(values.status, counted ? `${words.short}, ${counted} of ${members}` : words.short);
    setAttr(values.status, 'title', words.long);
    setAttr(values.status, 'data-status', slot.status);
  }

  side(node, trades, volume, coin) {
    setText(node, volume === null ? `${count(trades)} trades` : trades ? `${amount(volume)} (${count(trades)})` : amount(volume));
    setAttr(node, 'title', `${volume === null ? '' : `${volume} ${coin} in `}${count(trades)} trades`);
  }
}

const withUnit = (value, coin) => (value ? `${value} ${coin}` : null);

function describe(slot, { missing, bars }, full) {
  const number = slot.statuses[slot.status];
  const lack = missing === '?' ? 'an unknown number of trades is missing' : `${count(missing)} trades are missing`;
  let short = slot.status === 'open' ? 'not over yet' : slot.status;
  if (full > 1 && number < bars) short = `${slot.status} (${number} of ${bars})`;
  const parts = Object.entries(slot.statuses).map(([name, n]) => `${n} ${name}`).join(', ');
  const long = `${full > 1 ? `${bars} bars: ${parts}` : slot.status}${missing ? `; ${lack}` : ''}`;
  if (slot.status === 'gap' && missing && missing !== '?') short = `gap, ${count(missing)} missing`;
  return { short, long };
}
