// How a chart is drawn: the menu of panes and scales, and the keys for all of it.

import { SINCE } from './cvdzero.js';
import { el, setAttr } from './dom.js';
import { RANGES } from './ranges.js';
import { panesOf, set, state } from './state.js';

const PANES = [['p', 'Price'], ['c', 'CVD'], ['d', 'Delta'], ['v', 'Volume']];
const TICKS = [['log', 'l', 'Logarithmic price'], ['candles', 'k', 'CVD as candles']];

/** One more or one less, but never none. */
function togglePane(letter) {
  const { panes } = state;
  const now = panesOf(panes.includes(letter) ? panes.replace(letter, '') : panes + letter);
  if (now) set({ panes: now }, { replace: true });
}

const toggle = (name) => set({ [name]: !state[name] }, { replace: true });

export function toggleZone() {
  set({ zone: state.zone === 'utc' ? 'local' : 'utc' }, { replace: true });
}

function nextSince() {
  const names = Object.keys(SINCE);
  set({ since: names[(names.indexOf(state.since) + 1) % names.length] }, { replace: true });
}

/** True: the key was one of these. */
export function lookKey(key) {
  const range = Object.keys(RANGES)[Number(key) - 1];
  if (range) set({ range }, { replace: true });
  else if (PANES.some(([letter]) => letter === key)) togglePane(key);
  else if (key === 's') nextSince();
  else if (key === 'z') toggleZone();
  else if (key === 'u') set({ unit: state.unit === 'base' ? 'quote' : 'base' }, { replace: true });
  else {
    const tick = TICKS.find(([, letter]) => letter === key);
    if (!tick) return false;
    toggle(tick[0]);
  }
  return true;
}

export class LookMenu {
  constructor() {
    this.ticks = new Map();
    const tick = (name, key, text, onchange) => {
      const box = el('input', { type: 'checkbox', onchange });
      this.ticks.set(name, box);
      return el('label', { class: 'tick' }, box, el('span', {}, text), el('kbd', {}, key));
    };
    this.since = el('select', { id: 'd-since', 'aria-label': 'What the CVD is counted from', onchange: () => set({ since: this.since.value }, { replace: true }) },
      ...Object.entries(SINCE).map(([value, text]) => el('option', { value }, text)));
    this.node = el('details', { class: 'menu', id: 'd-look' }, el('summary', { class: 'button' }, 'View'), el('div', { class: 'menu-box' },
      el('div', { class: 'menu-part', role: 'group', 'aria-label': 'Panes' }, ...PANES.map(([letter, text]) => tick(letter, letter, text, () => togglePane(letter)))),
      el('div', { class: 'menu-part', role: 'group', 'aria-label': 'Scales' }, ...TICKS.map(([name, key, text]) => tick(name, key, text, () => toggle(name))),
        el('label', { class: 'tick' }, el('span', {}, 'CVD'), this.since, el('kbd', {}, 's')),
        tick('zone', 'z', 'Local time', toggleZone)),
      el('p', { class: 'quiet' }, el('kbd', {}, '1'), ' to ', el('kbd', {}, '5'), ' range, ', el('kbd', {}, 'u'), ' units, ', el('kbd', {}, 't'), ' table')));
    addEventListener('click', ({ target }) => { if (!this.node.contains(target)) this.node.open = false; });
  }

  show() {
    for (const [letter] of PANES) this.ticks.get(letter).checked = state.panes.includes(letter);
    for (const [name] of TICKS) this.ticks.get(name).checked = state[name];
    this.ticks.get('zone').checked = state.zone === 'local';
    this.since.value = state.since;
    setAttr(this.node, 'data-changed', state.panes !== 'pcd' || state.log || state.candles || state.since !== '');
  }
}
