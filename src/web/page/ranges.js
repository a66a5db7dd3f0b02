// The buttons for how much time is shown, and how long a bar is; shared by the detail and compare views.

import { el, setAttr } from './dom.js';
import { span } from './format.js';
import { stepsFor } from './group.js';
import { set, state } from './state.js';

export const RANGES = { '1h': 3600, '6h': 21600, '24h': 86400, '7d': 604800, all: null };

/** Short bars (a demo, a test) fill an hour sooner than anything longer. */
export function rangeName(interval) {
  return state.range in RANGES ? state.range : interval < 30 ? '1h' : '6h';
}

export class RangeButtons {
  constructor() {
    this.buttons = Object.keys(RANGES).map((name) => el('button', {
      type: 'button', onclick: () => set({ range: name }, { replace: true }), title: name === 'all' ? 'All there is' : `The last ${name}`,
    }, name === 'all' ? 'All' : name));
    this.node = el('div', { class: 'seg', role: 'group', 'aria-label': 'Range' }, ...this.buttons);
  }

  show(interval) {
    const now = rangeName(interval);
    Object.keys(RANGES).forEach((name, i) => setAttr(this.buttons[i], 'aria-pressed', String(name === now)));
  }
}

export class StepSelect {
  constructor(id) {
    this.node = el('select', { id, 'aria-label': 'Length of a bar', onchange: () => set({ step: this.node.value }, { replace: true }) });
  }

  /** Seconds of a bar: what the address says, else `fitting`. */
  choose(interval, fitting) {
    const choices = stepsFor(interval);
    const chosen = choices.includes(Number(state.step));
    this.node.replaceChildren(el('option', { value: '' }, `Auto (${span(fitting)})`), ...choices.map((step) => el('option', { value: step }, `${span(step)} bars`)));
    this.node.value = chosen ? state.step : '';
    return chosen ? Number(state.step) : fitting;
  }
}
