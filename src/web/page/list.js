// The list of instruments. Only the rows in sight exist, so that 20,000 instruments scroll like 20.

import { $, el, frame, setAttr, setText } from './dom.js';
import { count } from './format.js';
import { isPicked } from './groups.js';
import { SORTS, arrange } from './order.js';
import { Row } from './row.js';
import { set, state } from './state.js';
import { isProblem } from './store.js';

const NARROW = 800;
const RESORT_MS = 3000;
const MOST_TICKED = 50;

const HEADS = [['exchange', 'Exchange'], ['market', 'Market'], ['symbol', 'Symbol'], ['spark', ''], ['cvd', 'CVD'], ['price', 'Price'],
  ['delta', 'Delta'], ['h1', '1 h'], ['h24', '24 h'], ['status', 'Status']];
const HINTS = {
  cvd: 'Cumulative volume delta: volume bought by takers less volume sold by takers', delta: 'Delta of the open bar',
  h1: 'Change of the CVD in the last hour', h24: 'Change of the CVD in the last 24 hours', price: 'Last price',
};

/** "20 instruments", "3 of 20 instruments" */
const counted = (shown, total, what) => `${shown === total ? '' : `${count(shown)} of `}${count(total)} ${what}${total === 1 ? '' : 's'}`;

export class List {
  /** `onSight`: others are in sight now. */
  constructor(store, { onOpen, onSight, watch }) {
    this.store = store;
    this.onOpen = onOpen;
    this.onSight = onSight;
    this.watch = watch;
    watch.addEventListener('change', () => (state.watched ? this.arrange() : this.paint()));
    this.inSight = [];
    this.grid = $('grid');
    this.body = $('rows');
    this.pool = [];
    this.order = [];
    this.active = null;
    this.heads = this.buildHead();
    this.paintSoon = frame(() => this.paint());
    this.grid.addEventListener('scroll', this.paintSoon, { passive: true });
    this.grid.addEventListener('keydown', (event) => this.key(event));
    this.grid.addEventListener('focus', () => { this.ensureActive(); this.paint(); });
    this.grid.addEventListener('blur', this.paintSoon);
    this.body.addEventListener('click', (event) => this.click(event));
    this.body.addEventListener('mouseenter', () => { this.hovered = true; });
    this.body.addEventListener('mouseleave', () => { this.hovered = false; });
    new ResizeObserver(() => this.measure()).observe(this.grid);
    this.measure();
    store.addEventListener('list', () => this.arrange());
    store.addEventListener('values', () => this.paintSoon());
    // Rows must not run away under the pointer, so the order of moving values waits until it has left.
    setInterval(() => {
      if (document.hidden || this.grid.hidden || this.hovered) return;
      if (this.needsAll) this.arrange();
    }, RESORT_MS);
  }

  buildHead() {
    const heads = {};
    const head = $('head');
    head.append(el('div', { class: 'c-check', role: 'columnheader' }, el('span', { class: 'quiet', title: 'Tick two or more to compare' }, 'vs')),
      el('div', { class: 'c-star', role: 'columnheader', 'aria-label': 'Watch list' }));
    for (const [name, label] of HEADS) {
      const node = el('div', { class: `c-${name}`, role: 'columnheader' });
      if (label) node.append(el('button', { type: 'button', title: HINTS[name], onclick: () => this.sortBy(name) }, label));
      else node.setAttribute('aria-label', 'Sparkline of the CVD');
      head.append(node);
      heads[name] = node;
    }
    return heads;
  }

  sortBy(name) {
    const desc = state.sort === name ? !state.desc : Boolean(SORTS[name].number);
    set({ sort: name, desc }, { replace: true });
  }

  measure() {
    const narrow = this.grid.clientWidth < NARROW;
    this.grid.dataset.mode = narrow ? 'narrow' : 'wide';
    this.rowHeight = narrow ? 62 : 32;
    this.headHeight = $('head').offsetHeight;
    this.size();
  }

  size() {
    this.body.style.height = `${this.order.length * this.rowHeight}px`;
    this.paintSoon();
  }

  /** Filters and sorts again. */
  arrange() {
    this.order = arrange(this.store.records.values(), { ...state, watch: this.watch });
    for (const [name, node] of Object.entries(this.heads)) {
      setAttr(node, 'aria-sort', state.sort === name ? (state.desc ? 'descending' : 'ascending') : null);
    }
    const all = [...this.store.records.values()];
    const [total, shown] = [all, this.order].map((some) => some.filter(({ members }) => !members).length);
    const [groups, shownGroups] = [all, this.order].map((some) => some.filter(({ members }) => members).length);
    setAttr(this.grid, 'aria-rowcount', this.order.length + 1);
    setAttr(this.grid, 'data-total', total);
    setAttr(this.grid, 'data-shown', shown);
    setText($('shown'), [counted(shown, total, 'instrument'), groups ? counted(shownGroups, groups, 'group') : ''].filter(Boolean).join(', '));
    this.explainEmpty(total);
    this.size();
  }

  explainEmpty(total) {
    let text = '';
    if (this.store.loaded && !total) text = 'No instruments yet. They appear here as soon as cvdd collects one that its configuration asks for.';
    else if (this.store.loaded && !this.order.length) {
      if (state.watched && !this.watch.keys.size) text = 'The watch list is empty. The stars in the list fill it.';
      else text = state.problems && ![...this.store.records.values()].some(isProblem)
        ? 'No problems: every instrument is live and its newest bar is complete.' : 'No instrument matches this filter.';
    }
    setText($('list-empty'), text);
    $('list-empty').hidden = !text;
  }

  paint() {
    if (!this.grid.clientHeight) return this.see([]);
    const height = this.rowHeight;
    const first = Math.max(0, Math.floor(this.grid.scrollTop / height) - 4);
    const last = Math.min(this.order.length, Math.ceil((this.grid.scrollTop + this.grid.clientHeight) / height) + 4);
    const size = Math.max(0, last - first);
    while (this.pool.length < size) {
      const row = new Row();
      this.pool.push(row);
      this.body.append(row.node);
    }
    this.see(this.order.slice(first, last).map(({ key }) => key));
    const focused = document.activeElement === this.grid;
    const selected = new Set(state.selected);
    // A row keeps its index while it is in sight: scrolling by one row rewrites one row, not all of them.
    const slots = this.pool.length;
    const used = new Set();
    for (let index = first; index < last; index += 1) {
      const row = this.pool[index % slots];
      const record = this.order[index];
      used.add(row);
      row.place(index, index * height);
      row.show(record, {
        unit: state.unit, open: record.key === state.key, old: this.store.isOld(record), active: focused && record.key === this.active, checked: selected.has(record.key), starred: this.watch.has(record.key),
      });
      row.node.hidden = false;
    }
    for (const row of this.pool) if (!used.has(row)) row.node.hidden = true;
    const at = focused ? this.order.findIndex(({ key }) => key === this.active) : -1;
    setAttr(this.grid, 'aria-activedescendant', at >= first && at < last ? `row-${at}` : null);
  }

  see(keys) {
    if (keys.length === this.inSight.length && keys.every((key, i) => key === this.inSight[i])) return;
    this.inSight = keys;
    this.onSight();
  }

  /** Whether the order or the filter rests on numbers that move, of all instruments. */
  get needsAll() {
    return !$('list-view').hidden && (state.problems || Boolean(SORTS[state.sort]?.number) || state.sort === 'status');
  }

  click(event) {
    const key = event.target.closest('.row')?.dataset.key;
    if (!key) return;
    this.active = key;
    if (event.target.closest('.c-star')) {
      this.watch.toggle(key);
      this.grid.focus({ preventScroll: true });
    } else if (event.target.closest('.c-check')) {
      this.toggle(key);
      this.grid.focus({ preventScroll: true }); // so that the arrow keys go on working after a tick
    } else if (!getSelection()?.toString()) {
      this.onOpen(key);
    }
  }

  toggle(key) {
    if (isPicked(key)) return;
    const has = state.selected.includes(key);
    const full = !has && state.selected.length >= MOST_TICKED;
    if (!full) set({ selected: has ? state.selected.filter((other) => other !== key) : [...state.selected, key] }, { replace: true });
    setText($('said'), full ? `At most ${MOST_TICKED} instruments can be ticked.` : '');
    this.paint();
  }

  key(event) {
    if (event.target !== this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.grid.clientHeight / this.rowHeight) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === 'Enter' && this.active) this.onOpen(this.active);
    else if (event.key === ' ' && this.active) this.toggle(this.active);
    else if (event.key === 'w' && this.active) this.watch.toggle(this.active);
    else return;
    event.preventDefault();
  }

  ensureActive() {
    if (this.order.some(({ key }) => key === this.active)) return;
    this.active = this.order.some(({ key }) => key === state.key) ? state.key : this.order[0]?.key ?? null;
  }

  move(step) {
    const now = this.order.findIndex(({ key }) => key === this.active);
    const next = Math.min(this.order.length - 1, Math.max(0, now < 0 ? 0 : now + step));
    this.active = this.order[next]?.key ?? null;
    const top = next * this.rowHeight;
    const bottom = top + this.rowHeight + this.headHeight;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (bottom > this.grid.scrollTop + this.grid.clientHeight) this.grid.scrollTop = bottom - this.grid.clientHeight;
    this.paint();
  }
}
