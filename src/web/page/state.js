// What is shown, all of it in the address: bookmarks, reload and the back button just work.

const REMEMBERED = { unit: ['base', 'quote'], zone: ['utc', 'local'] }; // the first is what holds without a word
const PANES = 'pcdv';
const SINCE = ['visible', 'day'];

export const state = {
  view: 'list', key: null,
  q: '', exchange: '', problems: false, sort: '', desc: false,
  range: '', step: '', unit: 'base', selected: [],
  watched: false, // the list: those of the watch list alone
  panes: 'pcd', log: false, candles: false, since: '', zone: 'utc', // how a chart is drawn
  prices: false, shares: false, minus: false, // what is compared
};

const listeners = new Set();

export function onState(listener) {
  listeners.add(listener);
}

export function keyOf({ exchange, market, symbol }) {
  return `${exchange}:${market}:${symbol}`;
}

export function splitKey(key) {
  const [exchange, market, ...rest] = key.split(':');
  return { exchange, market, symbol: rest.join(':') };
}

export function parse(hash) {
  const [path, search = ''] = hash.replace(/^#?\/?/, '').split('?');
  const parameters = new URLSearchParams(search);
  const parts = path.split('/').filter(Boolean).map(decode);
  const result = {
    view: 'list', key: null,
    q: parameters.get('q') ?? '', exchange: parameters.get('x') ?? '', problems: parameters.get('p') === '1',
    sort: (parameters.get('s') ?? '').replace(/^-/, ''), desc: (parameters.get('s') ?? '').startsWith('-'),
    range: parameters.get('r') ?? '', step: parameters.get('b') ?? '',
    unit: parameters.get('u') === 'quote' ? 'quote' : 'base',
    watched: parameters.get('f') === '1',
    panes: panesOf(parameters.get('w') ?? '') || 'pcd', log: parameters.get('l') === '1', candles: parameters.get('k') === '1',
    since: SINCE.includes(parameters.get('c')) ? parameters.get('c') : '', zone: parameters.get('z') === 'local' ? 'local' : 'utc',
    prices: parameters.get('o') === '1', shares: parameters.get('n') === '1', minus: parameters.get('m') === '1',
    selected: [...new Set((parameters.get('i') ?? '').split(',').filter(Boolean))],
  };
  if (parts[0] === 'connections' && parts.length === 1) result.view = 'connections';
  else if (parts[0] === 'compare' && parts.length === 1) result.view = 'compare';
  else if (parts.length >= 3) result.key = `${parts[0]}:${parts[1]}:${parts.slice(2).join('/')}`;
  return result;
}

/** In their order, each once. */
export function panesOf(letters) {
  return [...PANES].filter((letter) => letters.includes(letter)).join('');
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

/** The address of the present state with some of it changed, for links. */
export function address(patch = {}) {
  const s = { ...state, ...patch };
  const parameters = new URLSearchParams();
  if (s.selected.length) parameters.set('i', s.selected.join(','));
  if (s.range) parameters.set('r', s.range);
  if (s.step) parameters.set('b', s.step);
  if (s.unit !== 'base') parameters.set('u', s.unit);
  if (s.panes !== 'pcd') parameters.set('w', s.panes);
  if (s.log) parameters.set('l', '1');
  if (s.candles) parameters.set('k', '1');
  if (s.since) parameters.set('c', s.since);
  if (s.zone !== 'utc') parameters.set('z', s.zone);
  if (s.prices) parameters.set('o', '1');
  if (s.shares) parameters.set('n', '1');
  if (s.minus) parameters.set('m', '1');
  if (s.watched) parameters.set('f', '1');
  if (s.q) parameters.set('q', s.q);
  if (s.exchange) parameters.set('x', s.exchange);
  if (s.problems) parameters.set('p', '1');
  if (s.sort) parameters.set('s', (s.desc ? '-' : '') + s.sort);
  let path = s.view === 'list' ? '' : s.view;
  if (s.view === 'list' && s.key) path = Object.values(splitKey(s.key)).map(encodeURIComponent).join('/');
  const search = parameters.toString().replaceAll('%3A', ':').replaceAll('%2C', ',');
  return `#/${path}${search ? `?${search}` : ''}`;
}

/** `replace`: small changes (typing a filter) must not each become a step of the back button. */
export function set(patch, { replace = false } = {}) {
  const before = { ...state };
  Object.assign(state, patch);
  for (const name of Object.keys(REMEMBERED)) if (state[name] !== before[name]) remember(name, state[name]);
  const target = address();
  if (target !== (location.hash || '#/')) history[replace ? 'replaceState' : 'pushState'](null, '', target);
  tell(before);
}

function remember(name, value) {
  try { localStorage.setItem(`cvdd.${name}`, value); } catch { /* then it is not remembered */ }
}

function recall(name) {
  let value = null;
  try { value = localStorage.getItem(`cvdd.${name}`); } catch { /* storage may be forbidden */ }
  return REMEMBERED[name].includes(value) ? value : REMEMBERED[name][0];
}

function tell(before) {
  for (const listener of listeners) listener(state, before);
}

export function initState() {
  addEventListener('popstate', () => {
    const before = { ...state };
    Object.assign(state, parse(location.hash));
    tell(before);
  });
  Object.assign(state, parse(location.hash));
  if (!location.hash) for (const name of Object.keys(REMEMBERED)) state[name] = recall(name); // an address with a hash says what it wants
  tell({});
}
