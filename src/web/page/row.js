// One row of the list. Rows are reused for other instruments while scrolling.

import { el, setAttr, setNumber, setText } from './dom.js';
import { amount, clock, decimalsOf, price, seconds, zoneName } from './format.js';
import { drawSpark, newSpark } from './spark.js';
import { change, status } from './store.js';

const cell = (name, ...children) => el('div', { class: `c-${name}`, role: 'gridcell' }, ...children);

const EXPLAIN = {
  live: 'live: complete',
  gap: 'gap: something is missing in the newest bar',
  partial: 'partial: collected for only a part of the newest bar',
  repaired: 'repaired: something was missing and all of it has been recovered',
  history: 'history: the newest bar comes from the exchange’s candles',
  connecting: 'connecting to the exchange',
  subscribing: 'subscribing at the exchange',
  refused: 'refused by the exchange',
  unlisted: 'unlisted: the exchange does not know this name, or its list has not come yet',
};

export function newBadge() {
  return el('span', { class: 'badge' });
}

export function setBadge(badge, word, title = EXPLAIN[word]) {
  setText(badge, word);
  setAttr(badge, 'data-status', word);
  setAttr(badge, 'title', title ?? null);
}

export function statusTitle(record) {
  const word = status(record);
  const since = record.state !== 'live' && record.since ? `, since ${clock(seconds(record.since))} ${zoneName()}` : '';
  const reason = record.state !== 'live' && record.reason ? `: ${record.reason}` : '';
  if (record.members) return `the worst of its members: ${word}${record.reason ? `: ${record.reason}` : ''}`;
  return (EXPLAIN[word] ?? word) + since + reason;
}

export class Row {
  constructor() {
    this.check = el('input', { type: 'checkbox', tabindex: '-1' });
    this.star = el('button', { type: 'button', tabindex: '-1' });
    this.exchange = cell('exchange');
    this.market = cell('market');
    this.symbol = cell('symbol');
    this.spark = newSpark();
    this.cvd = cell('cvd');
    this.price = cell('price');
    this.delta = cell('delta');
    this.h1 = cell('h1');
    this.h24 = cell('h24');
    this.badge = newBadge();
    this.node = el('div', { class: 'row', role: 'row' }, cell('check', this.check), cell('star', this.star), this.exchange, this.market, this.symbol,
      cell('spark', this.spark), this.cvd, this.price, this.delta, this.h1, this.h24, cell('status', this.badge));
    this.record = null;
  }

  place(index, top) {
    if (this.index === index && this.top === top) return;
    this.index = index;
    this.top = top;
    this.node.id = `row-${index}`;
    this.node.setAttribute('aria-rowindex', index + 2); // the first one is the header
    this.node.style.transform = `translateY(${top}px)`;
  }

  show(record, { unit, open, old, active, checked, starred }) {
    const changed = this.record !== record;
    if (changed) {
      this.record = record;
      this.node.dataset.key = record.key;
      setText(this.exchange, record.exchange);
      setText(this.symbol, record.symbol);
      setAttr(this.symbol, 'title', record.symbol);
      setAttr(this.check, 'aria-label', `Compare ${record.exchange} ${record.market} ${record.symbol}`);
      setAttr(this.star, 'aria-label', `Watch ${record.exchange} ${record.market} ${record.symbol}`);
      this.lastPrice = null;
    }
    setText(this.market, record.market);
    const { bar } = record;
    const coin = unit === 'base' ? record.base : record.quote;
    const number = (node, value, signed) => setNumber(node, amount(value, signed), value ? `${value} ${coin}` : null, signed);
    number(this.cvd, bar?.[`cvd_${unit}`], false);
    number(this.delta, bar?.[`delta_${unit}`], true);
    number(this.h1, change(record, unit, '1h'), true);
    number(this.h24, change(record, unit, '24h'), true);
    setNumber(this.price, price(record.price, Math.min(record.decimals, decimalsOf(record.price) + 4)),
      record.price ? `${record.price} ${record.quote}` : null, false);
    this.flash(record.price);
    const now = bar?.[`cvd_${record.sparkUnit}`];
    drawSpark(this.spark, record.spark, now ? Number(now) : null);
    setBadge(this.badge, status(record), statusTitle(record));
    setAttr(this.node, 'data-old', old);
    setAttr(this.node, 'data-open', open);
    setAttr(this.node, 'data-active', active);
    setAttr(this.node, 'aria-selected', open ? 'true' : 'false');
    setText(this.star, starred ? '★' : '☆');
    setAttr(this.star, 'aria-pressed', String(starred));
    if (this.check.checked !== checked) this.check.checked = checked;
  }

  flash(now) {
    const before = this.lastPrice;
    this.lastPrice = now;
    if (!before || !now || before === now || Row.still.matches) return;
    const name = Number(now) > Number(before) ? '--up-soft' : '--down-soft';
    this.price.animate([{ backgroundColor: `var(${name})` }, { backgroundColor: 'transparent' }], { duration: 700, easing: 'ease-out' });
  }
}

Row.still = matchMedia('(prefers-reduced-motion: reduce)');
