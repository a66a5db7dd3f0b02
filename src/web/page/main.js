// Puts the parts together: state decides which views are shown, the stream keeps them up to date.

import { Alerts } from './alerts.js';
import { ApiError, explain, getJson, logIn } from './api.js';
import { Compare } from './compare.js';
import { Connections } from './connections.js';
import { Detail } from './detail.js';
import { $, el, setAttr, setText } from './dom.js';
import { count, setZone, zoneName } from './format.js';
import { askedGroup, isGroup, isPicked, pickedKey, titleOf } from './groups.js';
import { Health } from './health.js';
import { List } from './list.js';
import { lookKey, toggleZone } from './look.js';
import { SORTS } from './order.js';
import { address, initState, onState, set, splitKey, state } from './state.js';
import { Store } from './store.js';
import { Stream } from './stream.js';
import { initTheme } from './theme.js';
import { Watch } from './watch.js';

const REFRESH_MS = 60000; // changes over 1 h and 24 h shift with the clock, and revisions of old bars change sparklines
const REFRESH_ALL_MS = 300000;
const WANT_SOON_MS = 60; // while somebody scrolls
const MOST_WANTED = 200;
const MOST_GROUPS = 50;
const LOAD_SOON_MS = 1200; // longer than an answer of the daemon may be old

initTheme($('theme'));
const store = new Store();
const stream = new Stream('/api/v1/stream?instruments='); // nothing, until it is known what is in sight
const health = new Health(stream);
const watch = new Watch();
const alerts = new Alerts(store);
const list = new List(store, { onOpen: open, onSight: () => wantSoon(), watch });
const detail = new Detail(store, { onClose: close, onCompare: (key) => list.toggle(key), watch, alerts });
const compare = new Compare(store, { onSum: (keys) => set({ view: 'list', key: pickedKey(keys) }) });
const connections = new Connections(health);

let loading = null;
let refreshTimer;

/** The snapshot of all instruments. Tries again until there is one. */
async function load() {
  clearTimeout(refreshTimer);
  if (loading) return loading;
  loading = (async () => {
    try {
      store.applySnapshot(await getJson('/api/v1/instruments?spark=0'));
      $('blocked').hidden = true;
      $('token-form').hidden = true;
    } catch (error) {
      if (!store.loaded || error.status === 401) block(explain(error instanceof ApiError ? error : new ApiError(0, String(error))), error.status === 401);
      refreshTimer = setTimeout(load, 3000);
      return;
    } finally {
      loading = null;
    }
    refreshTimer = setTimeout(load, REFRESH_ALL_MS);
  })();
  return loading;
}

// Only what is shown travels: what is opened or compared first, then the rows in sight.
let wanting = null;
function wantSoon() {
  wanting ??= setTimeout(() => want(), WANT_SOON_MS);
}

function want(anew = false) {
  clearTimeout(wanting);
  wanting = null;
  const keys = new Set();
  if (state.key) keys.add(state.key);
  for (const key of alerts.keys) keys.add(key); // in a tab behind others as well
  if (state.view === 'compare') for (const key of state.selected) keys.add(key);
  if (!document.hidden) for (const key of list.inSight) keys.add(key);
  if (!document.hidden && list.needsAll) for (const { key, members } of store.records.values()) if (members) keys.add(key); // no short form tells of them
  const wanted = [...keys].filter((key) => store.records.has(key)).slice(0, MOST_WANTED);
  const groups = wanted.filter(isGroup).slice(0, MOST_GROUPS);
  const instruments = wanted.filter((key) => !isGroup(key));
  store.setWanted([...instruments, ...groups], state.unit);
  stream.want({ instruments: instruments.sort(), groups: groups.sort().map(askedGroup), spark: state.unit, rest: !document.hidden && list.needsAll }, anew);
}
setInterval(() => { if (!document.hidden) want(true); }, REFRESH_MS);
document.addEventListener('visibilitychange', () => want());

// New ones may come one after the other: one look at all of them does.
let soon = null;
function loadSoon() {
  soon ??= setTimeout(async () => { await loading; soon = null; load(); }, LOAD_SOON_MS);
}

function block(text, locked = false) {
  setText($('blocked-text'), text);
  $('blocked').hidden = false;
  $('token-form').hidden = !locked;
}

// In a header: an address would stand in logs and in the browser's history. The cookie that comes for it opens the rest.
$('token-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = new FormData(event.target).get('token');
  const good = await logIn(token);
  $('token-wrong').hidden = good;
  if (!good) return;
  event.target.reset();
  location.reload();
});

function open(key) {
  const small = getComputedStyle($('main')).getPropertyValue('--split').trim() === '0';
  set({ view: 'list', key });
  if (small) detail.headline.name.focus({ preventScroll: true }); // the list is covered by now
}

function close() {
  const was = state.key;
  set({ view: 'list', key: null });
  if (was) list.active = was;
  $('grid').focus({ preventScroll: true });
}

onState((now, before) => {
  const { view } = now;
  const split = (view === 'list' && Boolean(now.key)) || view === 'compare';
  $('main').dataset.layout = view === 'connections' ? 'full' : split ? 'split' : 'list';
  $('list-view').hidden = view === 'connections';
  $('detail-view').hidden = !(view === 'list' && now.key);
  $('compare-view').hidden = view !== 'compare';
  $('connections-view').hidden = view !== 'connections';
  links();
  setAttr($('unit-base'), 'aria-pressed', String(now.unit === 'base'));
  setAttr($('unit-quote'), 'aria-pressed', String(now.unit === 'quote'));
  if ($('filter').value !== now.q) $('filter').value = now.q;
  $('problems').checked = now.problems;
  $('watched').checked = now.watched;
  setZone(now.zone);
  setText($('zone'), `Times are ${zoneName()}`);
  $('sort').value = now.sort ? `${now.desc ? '-' : ''}${now.sort}` : '';
  $('exchange').value = now.exchange;
  if (before.view === undefined || ['q', 'exchange', 'problems', 'watched', 'sort', 'desc', 'unit'].some((name) => now[name] !== before[name])) list.arrange();
  list.measure();

  if (view === 'list' && now.key) {
    if (store.loaded) store.pick(isPicked(now.key) ? now.key : null);
    detail.open(now.key);
    detail.update(before);
  } else {
    detail.close();
  }
  if (view === 'compare') {
    if (compare.shown) compare.update(before);
    else compare.show();
  } else if (compare.shown) {
    compare.hide();
  }
  if (view === 'connections' && !connections.shown) connections.show();
  else if (view !== 'connections') connections.hide();
  wantSoon();
  document.title = now.key ? `${isGroup(now.key) ? titleOf(now.key) : splitKey(now.key).symbol} – cvdd` : view === 'list' ? 'cvdd' : `${view} – cvdd`;
});

function links() {
  $('home').href = address({ view: 'list', key: null });
  $('to-list').href = $('home').href;
  $('to-connections').href = address({ view: 'connections', key: null });
  $('to-compare').href = address({ view: 'compare', key: null });
  $('to-compare').hidden = !state.selected.length && state.view !== 'compare';
  setText($('compared'), state.selected.length ? count(state.selected.length) : '');
  for (const view of ['list', 'connections', 'compare']) setAttr($(`to-${view}`), 'aria-current', state.view === view ? 'page' : null);
}

function fillSelects() {
  const found = new Map();
  for (const { exchange } of store.records.values()) found.set(exchange, (found.get(exchange) ?? 0) + 1);
  $('exchange').replaceChildren(el('option', { value: '' }, 'All exchanges'),
    ...[...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, n]) => el('option', { value: name }, `${name} (${count(n)})`)));
  $('exchange').value = state.exchange;
}

$('sort').append(el('option', { value: '' }, 'By name'), ...Object.entries(SORTS).flatMap(([name, { label, number }]) => (number
  ? [el('option', { value: `-${name}` }, `${label}, high first`), el('option', { value: name }, `${label}, low first`)]
  : [el('option', { value: name }, label)])));

store.addEventListener('list', () => {
  fillSelects();
  setText($('about'), `cvdd ${store.version}`);
  document.documentElement.dataset.listMs ??= Math.round(performance.now());
  if (state.key && isPicked(state.key)) store.pick(state.key);
  detail.listChanged();
  wantSoon();
  if (state.view === 'compare') compare.load();
});

let connected = false;
stream.addEventListener('up', async () => {
  if (connected) { // nobody told what happened in between
    await load();
    detail.refresh();
    compare.refresh();
  }
  connected = true;
});
stream.addEventListener('message', ({ detail: message }) => {
  if (!store.loaded) return;
  if (message.type === 'open') store.applyOpen(message);
  else if (message.type === 'instruments') store.applyItems(message);
  else if (message.type === 'groups') store.applyGroups(message);
  else if (message.type === 'rest') store.applyRest(message);
  else if (message.type === 'bars') store.applyRows(message.rows);
  else if (message.type === 'list' && message.gone) store.applyGone(message.time, message.gone);
  else if (message.type === 'list' && (message.come || message.groups)) loadSoon();
});
alerts.addEventListener('change', () => wantSoon());
health.addEventListener('locked', () => block(explain(new ApiError(401)), true));

$('filter').addEventListener('input', () => set({ q: $('filter').value }, { replace: true }));
$('exchange').addEventListener('change', () => set({ exchange: $('exchange').value }, { replace: true }));
$('problems').addEventListener('change', () => set({ problems: $('problems').checked }, { replace: true }));
$('watched').addEventListener('change', () => set({ watched: $('watched').checked }, { replace: true }));
$('zone').addEventListener('click', toggleZone);
$('sort').addEventListener('change', () => set({ sort: $('sort').value.replace('-', ''), desc: $('sort').value.startsWith('-') }, { replace: true }));
$('unit-base').addEventListener('click', () => set({ unit: 'base' }, { replace: true }));
$('unit-quote').addEventListener('click', () => set({ unit: 'quote' }, { replace: true }));

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches('input:not([type=checkbox]), select, textarea');
  if (!typing && detail.key && takesKey(event)) {
    event.preventDefault();
  } else if (event.key === '/' && !typing) {
    event.preventDefault();
    if (state.view === 'connections') set({ view: 'list', key: null });
    $('filter').focus();
  } else if (event.key === 'Escape' && closeMenu()) {
    event.preventDefault();
  } else if (event.key === 'Escape') {
    if (typing && $('filter').value) set({ q: '' }, { replace: true });
    else if (state.key) close();
    else if (state.view !== 'list') set({ view: 'list', key: null });
    else if (typing) $('grid').focus();
  } else if (event.key === 'ArrowDown' && event.target === $('filter')) {
    event.preventDefault();
    $('grid').focus();
  }
});

/** What lies on top goes first. True: a menu was open. */
function closeMenu() {
  const menus = [...document.querySelectorAll('details.menu[open]')];
  for (const menu of menus) menu.open = false;
  menus[0]?.querySelector('summary').focus();
  return menus.length > 0;
}

/** Keys of what is opened: those of its chart, and its star. The list has keys of its own while it is focused. */
function takesKey({ key, target }) {
  if (key === 't') return detail.toggleTable() || true;
  if (key === 'w' && target !== $('grid')) return watch.toggle(state.key) || true;
  return lookKey(key);
}

initState();
stream.open();
load();
