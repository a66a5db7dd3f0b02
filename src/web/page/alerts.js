// Alerts of this browser: a CVD or a delta crosses a value, a status leaves live. Kept in its storage; told in the page, and
// as a notification where that is allowed.

import { KINDS, goodAlerts, isDue, sideOf } from './alertrule.js';
import { isDecimal } from './decimal.js';
import { $, el, setAttr, setText } from './dom.js';
import { amount, clock, count } from './format.js';
import { titleOf, isGroup } from './groups.js';
import { recallJson, rememberJson } from './memory.js';
import { address, splitKey, state } from './state.js';
import { status } from './store.js';

const MOST = 50;
const QUIET_MS = 60000; // one that goes back and forth is told once a minute
const SHOWN_MS = 30000;

export const nameOf = (key) => {
  if (isGroup(key)) return titleOf(key);
  const { exchange, market, symbol } = splitKey(key);
  return `${symbol} ${exchange} ${market}`;
};

export class Alerts extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.list = goodAlerts(recallJson('alerts')).slice(0, MOST);
    store.addEventListener('values', ({ detail }) => this.look(detail));
  }

  /** What has to be told of, whether it is in sight or not. */
  get keys() {
    return [...new Set(this.list.map(({ key }) => key))];
  }

  add(alert) {
    if (this.list.length >= MOST) return false;
    this.list.push(alert);
    this.changed();
    if (globalThis.Notification?.permission === 'default') Notification.requestPermission();
    return true;
  }

  remove(alert) {
    this.list = this.list.filter((other) => other !== alert);
    this.changed();
  }

  changed() {
    rememberJson('alerts', this.list.map(({ key, kind, unit, value }) => ({ key, kind, unit, value })));
    this.dispatchEvent(new Event('change'));
  }

  look(changed) {
    for (const alert of this.list) {
      const record = changed.has(alert.key) ? this.store.records.get(alert.key) : null;
      if (!record?.told) continue; // else it may be of before
      const now = sideOf(alert, record, status(record));
      if (isDue(alert, alert.side, now, alert.bar === record.bar?.time)) this.fire(alert, record);
      if (now !== null) Object.assign(alert, { side: now, bar: record.bar?.time });
    }
  }

  fire(alert, record) {
    if (performance.now() - (alert.firedAt ?? -Infinity) < QUIET_MS) return;
    alert.firedAt = performance.now();
    const text = alert.kind === 'status' ? `is ${status(record)}`
      : `${KINDS[alert.kind]} ${amount(record.bar[`${alert.kind}_${alert.unit}`], true)} ${record[alert.unit]}, crossed ${alert.value}`;
    this.tell(nameOf(alert.key), text, alert.key);
  }

  tell(name, text, key) {
    const close = el('button', { type: 'button', class: 'icon small', 'aria-label': 'Close', onclick: () => toast.remove() }, '×');
    const toast = el('li', { 'data-key': key }, el('a', { href: address({ view: 'list', key }) }, el('b', {}, name), ` ${text}`), el('span', { class: 'quiet' }, clock(Date.now() / 1000)), close);
    $('toasts').append(toast);
    while ($('toasts').children.length > 6) $('toasts').firstChild.remove();
    setTimeout(() => { if (!document.hidden) toast.remove(); }, SHOWN_MS);
    if (globalThis.Notification?.permission !== 'granted') return;
    const note = new Notification(`cvdd: ${name}`, { body: text, tag: `${key} ${text.split(' ')[0]}` });
    note.onclick = () => { focus(); location.hash = address({ view: 'list', key }); };
  }

  /** The button of the detail view, with the form behind it; show() brings it up to date. */
  button(of) {
    const kind = el('select', { name: 'kind', 'aria-label': 'What' }, ...Object.entries(KINDS).map(([value, text]) => el('option', { value }, text)));
    const value = el('input', { name: 'value', type: 'text', inputmode: 'decimal', autocomplete: 'off', 'aria-label': 'Value that is crossed' });
    const crosses = el('label', {}, 'crosses ', value, ' ');
    const unit = el('span', { class: 'quiet' });
    const leaves = el('span', {}, 'is not live any more');
    const wrong = el('p', { class: 'wrong', role: 'alert', hidden: true });
    crosses.append(unit);
    const list = el('ul');
    const summary = el('summary', { class: 'button', title: 'Tells you when a value is crossed' });
    const form = el('form', {}, kind, crosses, leaves, el('button', { type: 'submit' }, 'Set'), wrong);
    const node = el('details', { class: 'menu', id: 'd-alert' }, summary, el('div', { class: 'menu-box' }, form, list,
      el('p', { class: 'quiet' }, 'Kept in this browser. The page has to be open, in a tab of its own or behind others.')));
    kind.addEventListener('change', () => node.show());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = value.value.trim().replace(/[,\u00a0 ]/g, '').replace('\u2212', '-').replace(/^\+/, '');
      const good = kind.value === 'status' || isDecimal(text);
      const record = of();
      const alert = kind.value === 'status' ? { key: record.key, kind: 'status' } : { key: record.key, kind: kind.value, unit: state.unit, value: text };
      const added = good && this.add(alert);
      wrong.hidden = Boolean(added);
      setText(wrong, good ? `At most ${MOST} alerts are kept.` : 'A number is expected, such as -1250.5.');
      if (added) value.value = '';
    });
    node.show = () => this.paint({ summary, kind, crosses, leaves, unit, list }, of());
    this.addEventListener('change', () => { if (of()) node.show(); });
    addEventListener('click', ({ target }) => { if (!node.contains(target) && target.isConnected) node.open = false; });
    return node;
  }

  paint({ summary, kind, crosses, leaves, unit, list }, record) {
    if (!record) return;
    const mine = this.list.filter(({ key }) => key === record.key);
    setText(summary, mine.length ? `Alerts ${count(mine.length)}` : 'Alert');
    setAttr(summary, 'data-on', mine.length > 0);
    crosses.hidden = kind.value === 'status';
    leaves.hidden = !crosses.hidden;
    setText(unit, record[state.unit]);
    if (list.shown === mine.map((a) => this.list.indexOf(a)).join() + this.list.length) return;
    list.shown = mine.map((a) => this.list.indexOf(a)).join() + this.list.length;
    list.replaceChildren(...mine.map((alert) => el('li', {},
      alert.kind === 'status' ? 'Status is not live any more' : `${KINDS[alert.kind]} crosses ${alert.value} ${record[alert.unit]}`,
      el('button', { type: 'button', class: 'icon small', 'aria-label': 'Remove this alert', onclick: () => this.remove(alert) }, '×'))));
  }
}
