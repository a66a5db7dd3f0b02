// The connections to the exchanges and the instruments that are not live, problems first.

import { explain, getJson, serverNow } from './api.js';
import { $, el, setAttr, setText } from './dom.js';
import { age, count, dateTime, seconds } from './format.js';
import { newBadge, setBadge } from './row.js';
import { address, keyOf } from './state.js';

const EVERY_MS = 2000;
const ORDER = ['mute', 'connecting', 'subscribing', 'live'];
const HEADS = [['name', 'Connection'], ['state', 'State'], ['host', 'Host'], ['instruments', 'Instruments', true], ['rate', 'Messages/s', true],
  ['last', 'Last message', true], ['connects', 'Connects', true], ['failures', 'Failures', true], ['since', 'Since', true], ['reason', 'Last reason']];
const TITLES = {
  live: 'live: connected and subscribed', mute: 'mute: longer silent than can be chance',
  connecting: 'connecting to the exchange', subscribing: 'connected, the subscriptions are being confirmed',
};

export class Connections {
  constructor(health) {
    this.health = health;
    this.rows = new Map();
    this.summary = el('span', { class: 'quiet' });
    this.message = el('p', { class: 'empty', role: 'status', hidden: true });
    this.body = el('tbody');
    this.table = el('table', { class: 'connections' }, el('thead', {}, el('tr', {},
      ...HEADS.map(([, text, number]) => el('th', { scope: 'col', class: number ? 'num' : null }, text)))), this.body);
    this.waiting = el('div', { class: 'waiting', hidden: true });
    $('connections-view').append(el('div', { class: 'headline' }, el('div', { class: 'title' },
      el('div', { class: 'names' }, el('h2', {}, 'Connections'), this.summary))),
    this.message, this.waiting, el('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': 'Connections' }, this.table));
    health.addEventListener('change', () => { if (this.shown) this.showWaiting(); });
    document.addEventListener('visibilitychange', () => { if (this.shown && !document.hidden) this.refresh(); });
  }

  show() {
    this.shown = true;
    this.showWaiting();
    this.refresh();
  }

  hide() {
    this.shown = false;
    clearTimeout(this.timer);
  }

  async refresh() {
    clearTimeout(this.timer);
    if (!this.shown || document.hidden) return;
    try {
      const { connections } = await getJson('/api/v1/connections');
      this.fill(connections);
      this.message.hidden = connections.length > 0;
      setText(this.message, 'No connections yet. cvdd opens them as soon as its instruments are known.');
    } catch (error) {
      if (error.status !== 0) { // the banner tells about an unreachable daemon
        this.message.hidden = false;
        setText(this.message, explain(error));
      }
    }
    clearTimeout(this.timer);
    if (this.shown) this.timer = setTimeout(() => this.refresh(), EVERY_MS);
  }

  fill(connections) {
    const now = serverNow();
    const rank = ({ state }) => { const at = ORDER.indexOf(state); return at < 0 ? 0 : at; };
    connections.sort((a, b) => rank(a) - rank(b) || (b.failures > 0) - (a.failures > 0) || a.name.localeCompare(b.name, 'en', { numeric: true }));
    const live = connections.filter(({ state }) => state === 'live').length;
    setText(this.summary, `${count(live)} of ${count(connections.length)} live`);
    setAttr(this.table, 'data-connections', connections.length);
    this.table.hidden = !connections.length;
    const seen = new Set();
    connections.forEach((connection, i) => {
      let row = this.rows.get(connection.name);
      if (!row) this.rows.set(connection.name, row = newRow());
      seen.add(connection.name);
      showRow(row, connection, now);
      if (this.body.children[i] !== row.node) this.body.insertBefore(row.node, this.body.children[i] ?? null);
    });
    for (const [name, row] of this.rows) {
      if (seen.has(name)) continue;
      row.node.remove();
      this.rows.delete(name);
    }
  }

  /** The instruments that are wanted but not live, in the daemon's words. */
  showWaiting() {
    const list = this.health.last?.not_ready ?? [];
    const wanted = this.health.last?.instruments;
    this.waiting.hidden = !list.length;
    const more = wanted ? wanted.wanted - wanted.live - list.length : 0;
    this.waiting.replaceChildren(el('h3', {}, `${count(list.length + Math.max(0, more))} instruments are not live`),
      el('ul', {}, ...list.map((item) => {
        const badge = newBadge();
        setBadge(badge, item.state);
        return el('li', {}, badge, el('a', { href: address({ view: 'list', key: keyOf(item) }) }, el('b', {}, item.symbol), ` ${item.exchange} ${item.market}`),
          el('span', { class: 'quiet' }, [item.reason, item.since && `since ${dateTime(seconds(item.since))}`].filter(Boolean).join(', ')));
      })), ...(more > 0 ? [el('p', { class: 'quiet' }, `and ${count(more)} more`)] : []));
    if (!list.length) this.waiting.replaceChildren();
  }
}

function newRow() {
  const row = { cells: {}, badge: newBadge() };
  row.node = el('tr');
  for (const [name, label, number] of HEADS) {
    row.cells[name] = el(name === 'name' ? 'th' : 'td', { class: `k-${name}${number ? ' num' : ''}`, 'data-label': label, scope: name === 'name' ? 'row' : null });
    row.node.append(row.cells[name]);
  }
  row.cells.state.append(row.badge);
  return row;
}

function showRow(row, connection, now) {
  const { node, cells, badge } = row;
  const ago = (iso) => (iso ? age(now - seconds(iso)) : age(null));
  setAttr(node, 'data-state', connection.state);
  setText(cells.name, connection.name);
  setBadge(badge, connection.state, TITLES[connection.state]);
  setText(cells.host, connection.host);
  setText(cells.instruments, count(connection.instruments));
  // Of the time between two looks; a connection that was made anew counts on.
  const { seen } = row;
  const passed = seen ? now - seen.now : 0;
  if (passed > 0.5) setText(cells.rate, count(Math.max(0, Math.round((connection.messages - seen.messages) / passed))));
  if (!seen || passed > 0.5) row.seen = { messages: connection.messages, now };
  setText(cells.last, ago(connection.last_message));
  setAttr(cells.last, 'title', connection.last_message);
  setText(cells.connects, count(connection.connects));
  setText(cells.failures, count(connection.failures));
  setAttr(cells.failures, 'data-warn', connection.failures > 0);
  setText(cells.since, ago(connection.since));
  setAttr(cells.since, 'title', connection.since);
  setText(cells.reason, connection.last_reason ? `${connection.state === 'live' ? 'Before: ' : ''}${connection.last_reason}` : '–');
  setAttr(cells.reason, 'title', connection.last_reason || null);
}
