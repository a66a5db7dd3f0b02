// The newest bars as a table: for those who cannot see or do not have the chart.

import { el } from './dom.js';
import { amount, count, dateTime, price, zoneName } from './format.js';
import { signOf } from './dom.js';

const MOST = 200;
const HEADS = ['Delta', 'CVD', 'Status', 'Close', 'Bought', 'Sold', 'Open', 'High', 'Low', 'Missing']; // what a phone shows first is what the page is for

export function barTable(bars, { unit, coin, decimals }) {
  const body = el('tbody');
  for (const bar of bars.slice(-MOST).reverse()) {
    const volume = (field, signed) => {
      const value = bar[`${field}_${unit}`];
      return el('td', { title: value ? `${value} ${coin}` : null, 'data-sign': signed ? signOf(value) : null }, amount(value, signed));
    };
    const priced = (field) => el('td', {}, price(bar[field], decimals));
    const missing = bar.missing === '?' ? '?' : count(bar.missing);
    body.append(el('tr', {}, el('th', { scope: 'row' }, dateTime(bar.t)), volume('delta', true), volume('cvd'), el('td', { class: 'word', 'data-status': bar.status }, bar.status === 'open' ? 'not over yet' : bar.status),
      priced('close'), volume('buy'), volume('sell'), ...['open', 'high', 'low'].map(priced), el('td', {}, missing)));
  }
  return el('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': 'Newest bars' }, el('table', { class: 'bars' },
    el('caption', {}, `The newest ${Math.min(MOST, bars.length)} bars, volumes in ${coin}`),
    el('thead', {}, el('tr', {}, ...[`Bar (${zoneName()})`, ...HEADS].map((head) => el('th', { scope: 'col' }, head)))), body));
}
