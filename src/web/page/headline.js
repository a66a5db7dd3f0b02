// The head of the detail view: name, what can be done, and the numbers of this moment.

import { query, serverNow } from './api.js';
import { barsOf, isPicked, titleOf } from './groups.js';
import { el, setAttr, setNumber, setText } from './dom.js';
import { NONE, age, amount, clock, fileName, price, seconds } from './format.js';
import { newBadge, setBadge, statusTitle } from './row.js';
import { change, status } from './store.js';

const MOST_CSV = 20000;
const MOST_ROWS = 100000; // of all members
const STATS = [['price', 'Price'], ['delta', 'Delta now'], ['cvd', 'CVD'], ['h1', 'CVD 1 h'], ['h24', 'CVD 24 h'], ['trade', 'Last trade'],
  ['proven', 'Proven until']];
// Why a moment until which all is proven stands still, in the API's words.
const UNPROVEN = {
  gap: 'the next bar is a gap, and its trades are asked for',
  lost: 'the next bar is a gap, and the exchange’s history has its trades no longer',
  contradicted: 'of the next bar the exchange’s own figures say something else',
  unanswered: 'the exchange has not answered about the next bar',
};
const UNIT_OF = { price: 'quote', delta: 'unit', cvd: 'unit', h1: 'unit', h24: 'unit' }; // told with the label

export class Headline {
  /** `seen`: the first and last slot in sight, or null. */
  constructor({ onClose, onCompare, onTable, onPicture, seen, watch, alerts }) {
    this.seen = seen;
    this.star = watch.button(() => this.record?.key);
    this.alert = alerts.button(() => this.record);
    this.name = el('h2', { tabindex: '-1' });
    this.where = el('span', { class: 'quiet' });
    this.badge = newBadge();
    this.compare = el('button', { type: 'button', id: 'd-compare', onclick: onCompare }, 'Compare');
    this.table = el('button', { type: 'button', id: 'd-table', 'aria-pressed': 'false', onclick: onTable }, 'Table');
    this.picture = el('button', { type: 'button', id: 'd-picture', title: 'Saves the chart as a picture', onclick: onPicture }, 'Picture');
    this.csv = el('a', { class: 'button', id: 'd-csv', download: true, title: 'The bars that are in sight, each as it is known now; the newest 20,000 of them' }, 'CSV');
    for (const event of ['pointerdown', 'pointerenter', 'keydown', 'focus', 'click']) this.csv.addEventListener(event, () => this.aim()); // what is in sight changes
    this.close = el('button', { type: 'button', class: 'icon', id: 'd-close', 'aria-label': 'Close', title: 'Close (Esc)', onclick: onClose }, '×');
    this.values = {};
    this.labels = {};
    this.stats = el('dl', { class: 'stats' });
    for (const [name, label] of STATS) {
      this.values[name] = el('dd', { id: `d-${name}` });
      this.labels[name] = el('dt', {}, label);
      this.stats.append(el('div', {}, this.labels[name], this.values[name]));
    }
    this.node = el('div', { class: 'headline' },
      el('div', { class: 'title' }, el('div', { class: 'names' }, this.name, this.badge, this.where),
        el('div', { class: 'actions' }, this.star, this.alert, this.compare, this.table, this.picture, this.csv, this.close)));
  }

  /** Of one of whom nothing is known but the name. */
  empty(name, where) {
    setText(this.name, name);
    setText(this.where, where);
    for (const part of [this.badge, this.stats, this.star, this.alert, this.compare, this.table, this.picture, this.csv]) part.hidden = true;
    this.record = null;
    for (const value of Object.values(this.values)) setNumber(value, NONE, null, true);
    this.wanted = null;
    this.csv.removeAttribute('href');
  }

  open(record, interval) {
    for (const part of [this.badge, this.stats, this.star, this.alert, this.compare, this.csv]) part.hidden = false;
    this.record = record;
    setText(this.name, record.symbol);
    this.wanted = barsOf(record.key);
    this.compare.hidden = isPicked(record.key);
    this.interval = interval;
    this.aim();
    this.csv.setAttribute('download', fileName(record.members ? ['group', titleOf(record.key)] : [record.exchange, record.market, record.symbol], 'csv'));
  }

  aim() {
    if (!this.wanted) return;
    const seen = this.seen();
    const to = seen ? seen.last.t + Math.max(this.step ?? 0, this.interval) : undefined;
    // Of a group fewer come at once: the newest that do.
    const most = Math.floor(Math.min(MOST_CSV, MOST_ROWS / (this.record?.members?.length || 1)));
    const least = (to ?? Math.floor(serverNow())) - most * this.interval;
    const from = Math.max(seen?.first.t ?? 0, least);
    this.csv.setAttribute('href', `/api/v1/bars?${query({ ...this.wanted, from, to, limit: MOST_CSV, format: 'csv' })}`);
  }

  show(record, { unit, compared, old, step }) {
    this.step = step;
    this.star.show();
    this.alert.show();
    setAttr(this.stats, 'data-old', old);
    const { values } = this;
    const { bar } = record;
    setText(this.where, whereOf(record));
    const coin = record[unit];
    const put = (name, value, signed) => setNumber(values[name], `${amount(value, signed)}`, value ? `${value} ${coin}` : null, signed);
    for (const [name, label] of STATS) if (UNIT_OF[name]) setText(this.labels[name], [label, record[UNIT_OF[name] === 'unit' ? unit : 'quote']].filter(Boolean).join(', '));
    setNumber(values.price, price(record.price, record.decimals), record.price ? `${record.price} ${record.quote}` : null, false);
    put('delta', bar?.[`delta_${unit}`], true);
    put('cvd', bar?.[`cvd_${unit}`], false);
    put('h1', change(record, unit, '1h'), true);
    put('h24', change(record, unit, '24h'), true);
    setText(values.trade, record.lastTrade ? age(serverNow() - seconds(record.lastTrade)) : age(null));
    setText(values.proven, record.proven ? clock(seconds(record.proven)) : '–');
    setAttr(values.proven, 'title', 'Bars before this time have their final proof: by the ids of later trades, or the exchange’s own figures'
      + (record.unproven ? `. It goes no further: ${UNPROVEN[record.unproven] ?? record.unproven}` : ''));
    setBadge(this.badge, status(record), statusTitle(record));
    setAttr(this.compare, 'aria-pressed', String(compared));
  }
}

function whereOf({ exchange, market, base, quote, members, counted, priceOf }) {
  if (!members) return `${exchange} ${market}, ${base}/${quote}`;
  const units = [base, quote].filter(Boolean).join('/') || 'no common unit';
  const size = counted === members.length ? `sum of ${members.length}` : `sum of ${members.length}, ${counted} of which have traded`;
  return `${size}, ${units}${priceOf ? `, price of ${priceOf.replaceAll(':', ' ')}` : ''}`;
}
