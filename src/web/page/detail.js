// One instrument: numbers of this moment and its history as chart or table.

import { explain, serverNow } from './api.js';
import { WITHOUT_CHARTS, chartLibrary } from './chartbase.js';
import { $, el, frame, setText } from './dom.js';
import { count, decimalsOf, span } from './format.js';
import { autoStep, group, stepsFor } from './group.js';
import { isGroup, titleOf } from './groups.js';
import { Headline } from './headline.js';
import { History, MOST_BARS } from './history.js';
import { Legend } from './legend.js';
import { Panes } from './panes.js';
import { RANGES, RangeButtons, rangeName } from './ranges.js';
import { set, splitKey, state } from './state.js';
import { barTable } from './table.js';
import { onTheme } from './theme.js';

export class Detail {
  constructor(store, { onClose, onCompare }) {
    this.store = store;
    this.key = null;
    this.asTable = false;
    this.node = $('detail-view');
    this.headline = new Headline({ onClose, onCompare: () => onCompare(this.key), onTable: () => this.toggleTable() });
    this.ranges = new RangeButtons();
    this.steps = el('select', { id: 'd-step', 'aria-label': 'Length of a bar', onchange: () => set({ step: this.steps.value }, { replace: true }) });
    this.note = el('span', { class: 'quiet note', role: 'status' });
    this.legend = new Legend();
    this.chart = el('div', { class: 'chart', id: 'd-chart', role: 'img', 'aria-label': 'Price, CVD and delta. The Table button shows the same as text.' });
    this.table = el('div', { class: 'table-host', id: 'd-table-host', hidden: true });
    this.message = el('p', { class: 'empty', role: 'status', hidden: true });
    this.key4 = el('div', { class: 'key' }, ...[['gap', 'gap: something is missing'], ['repaired', 'repaired'], ['partial', 'partial'],
      ['history', 'from candles'], ['absent', 'no bars written']].map(([kind, text]) => el('span', {}, el('i', { class: `swatch ${kind}` }), text)));
    this.node.append(this.headline.node, el('div', { class: 'controls' }, this.ranges.node, this.steps, this.note),
      this.legend.node, this.message, this.chart, this.table, this.key4);
    this.showSoon = frame(() => this.show());
    store.addEventListener('values', ({ detail }) => { if (this.key && detail.has(this.key)) this.onValues(); });
    store.addEventListener('rows', ({ detail }) => {
      if (this.history && detail.has(this.key)) this.redraw(this.history.mergeRows(detail.get(this.key)));
    });
    store.addEventListener('stale', async ({ detail }) => {
      const { history, key } = this;
      if (!history || !detail.has(key)) return;
      const earliest = await history.renew(detail.get(key));
      if (this.history === history) this.redraw(earliest);
    });
    setInterval(() => { if (this.key && !document.hidden) this.showSoon(); }, 1000);
    onTheme(() => this.panes?.paint());
  }

  get record() {
    return this.store.records.get(this.key);
  }

  /** null where it may be one of before. */
  get openBar() {
    const { record } = this;
    return record && !this.store.isOld(record) ? record.bar : null;
  }

  open(key) {
    if (key === this.key) return;
    this.close();
    this.key = key;
    this.load();
  }

  /** Instruments came or went: perhaps the one that is shown. */
  listChanged() {
    if (!this.key) return;
    if (this.history && this.shownRecord !== this.record) this.forget();
    if (!this.history) this.load();
  }

  /** Nothing of what was shown may stand under another name, or under the same one when it is another's. */
  forget() {
    this.run = null;
    this.history?.close();
    this.history = null;
    this.shownRecord = null;
    this.clearChart();
    this.showTable();
    this.legend.show(null, {});
    setText(this.note, '');
    this.say('');
  }

  close() {
    this.key = null;
    this.forget();
  }

  clearChart() {
    this.panes?.destroy();
    this.panes = null;
    this.slots = [];
    this.hovered = null;
  }

  /** Range, step or unit changed. */
  update(before) {
    if (!this.key) return;
    if (before.unit !== state.unit) {
      this.panes?.setUnit(state.unit);
      if (this.tableShown) this.showTable();
    }
    if (before.range !== state.range || before.step !== state.step) this.load();
    this.show();
  }

  async load() {
    const { key, record } = this;
    if (!record) {
      this.unknown();
      return;
    }
    this.shownRecord = record;
    for (const part of [this.legend.node, this.ranges.node, this.steps, this.key4]) part.hidden = false;
    this.headline.open(record, this.store.interval);
    this.ranges.show(this.store.interval);
    const history = this.history ??= new History(key, this.store.interval);
    const run = this.run = {};
    this.say('');
    setText(this.note, 'Loading bars…');
    this.show();
    const seconds = RANGES[rangeName(this.store.interval)];
    try {
      const [lib] = await Promise.all([chartLibrary(), history.ensure(seconds === null ? 0 : Math.floor(serverNow()) - seconds)]);
      if (this.run !== run || this.key !== key) return;
      this.history.mergeOpen(this.openBar);
      this.draw(lib, seconds);
    } catch (error) {
      if (error.name === 'AbortError' || this.run !== run) return;
      setText(this.note, '');
      this.say(explain(error));
      if (error.status === 0) setTimeout(() => { if (this.run === run && this.key === key) this.load(); }, 3000);
    }
  }

  draw(lib, seconds) {
    const { record, history: { bars }, store: { interval } } = this;
    this.clearChart();
    const loaded = bars.length ? bars.at(-1).t + interval - bars[0].t : 0;
    const fitting = autoStep(interval, Math.min(seconds ?? Infinity, loaded));
    const choices = stepsFor(interval);
    this.step = choices.includes(Number(state.step)) ? Number(state.step) : fitting;
    this.steps.replaceChildren(el('option', { value: '' }, `Auto (${span(fitting)})`),
      ...choices.map((step) => el('option', { value: step }, `${span(step)} bars`)));
    this.steps.value = choices.includes(Number(state.step)) ? state.step : '';
    this.decimals = Math.min(10, Math.max(record.decimals, ...bars.slice(-300).map(({ close }) => decimalsOf(close))));
    this.slots = group(bars, this.step);
    setText(this.note, bars.length >= MOST_BARS ? `The newest ${count(MOST_BARS)} bars are loaded.` : '');
    if (!bars.length) this.say('No bars yet. The first one is written when the present interval is over.');
    this.withCharts = Boolean(lib);
    if (!lib && bars.length) this.say(WITHOUT_CHARTS);
    this.showTable(); // before the chart is made: one that is hidden has no width
    if (lib && bars.length) {
      this.panes = new Panes(lib, this.chart, {
        onHover: (slot) => { this.hovered = slot?.t ?? null; this.showSoon(); }, onOlder: () => this.older(),
      });
      this.panes.build({ step: this.step, unit: state.unit, base: record.base, quote: record.quote, decimals: this.decimals });
      this.panes.set(this.slots);
      this.panes.show(seconds);
    }
    this.show();
  }

  async older() {
    const { history, run } = this;
    if (!history || history.full || history.pending) return;
    setText(this.note, 'Loading older bars…');
    try {
      await history.back();
    } catch (error) {
      if (error.name !== 'AbortError') setText(this.note, explain(error));
      return;
    }
    if (this.run !== run || this.history !== history) return;
    setText(this.note, history.exhausted ? 'This is where the history begins.' : '');
    this.redraw(0);
  }

  /** After the connection was lost. */
  async refresh() {
    const { history } = this;
    if (!history || history.pending) return;
    try {
      const earliest = await history.refresh();
      if (this.history === history) this.redraw(earliest);
    } catch { /* the next message of the stream or the next refresh brings it */ }
  }

  onValues() {
    if (this.history?.bars.length && !this.history.pending) this.redraw(this.history.mergeOpen(this.openBar));
    this.showSoon();
  }

  /** From the bar with this index on something changed. */
  redraw(earliest) {
    if (earliest === Infinity || !this.history) return;
    const { bars } = this.history;
    if (!this.slots?.length) {
      if (bars.length && !this.message.hidden) this.load(); // the first bar ever
      return;
    }
    let at = this.slots.length - 1;
    while (at > 0 && (this.slots[at].absent || this.slots[at].from >= earliest)) at -= 1;
    if (at < this.slots.length - 4) {
      this.slots = group(bars, this.step);
      this.panes?.set(this.slots);
    } else {
      const tail = group(bars, this.step, this.slots[at].from);
      if (this.panes) {
        this.panes.update(tail, at);
        this.slots = this.panes.slots;
      } else {
        this.slots.splice(at, Infinity, ...tail);
      }
    }
    if (this.tableShown && bars.length !== this.tableLength) this.showTable();
    this.showSoon();
  }

  show() {
    const { record } = this;
    if (!record || !this.key) return;
    this.headline.show(record, { unit: state.unit, compared: state.selected.includes(this.key), old: this.store.isOld(record) });
    const slots = this.slots ?? [];
    const slot = (this.hovered !== null && slots.find(({ t }) => t === this.hovered)) || slots.at(-1);
    this.legend.show(slot ?? null, {
      bars: this.history?.bars ?? [], unit: state.unit, coin: record[state.unit], quote: record.quote,
      decimals: this.decimals ?? 0, step: this.step, interval: this.store.interval,
    });
  }

  toggleTable() {
    this.asTable = !this.asTable;
    this.headline.table.setAttribute('aria-pressed', String(this.asTable));
    this.showTable();
  }

  showTable() {
    const bars = this.history?.bars ?? [];
    this.tableShown = bars.length > 0 && (this.asTable || !this.withCharts);
    this.tableLength = bars.length;
    this.table.hidden = !this.tableShown;
    this.chart.hidden = this.tableShown || !bars.length || !this.withCharts;
    this.headline.table.hidden = !this.withCharts;
    this.key4.hidden = this.chart.hidden;
    if (this.tableShown) this.table.replaceChildren(barTable(bars, { unit: state.unit, coin: this.record[state.unit], decimals: this.decimals }));
    else this.table.replaceChildren();
  }

  unknown() {
    for (const part of [this.legend.node, this.ranges.node, this.steps, this.key4, this.chart]) part.hidden = true;
    const { exchange, market, symbol } = splitKey(this.key);
    const group = isGroup(this.key);
    this.headline.empty(group ? titleOf(this.key) : symbol, group ? 'group' : `${exchange} ${market}`);
    const missing = group ? `The symbol list has no group ${titleOf(this.key)}.` : `cvdd does not collect ${exchange} ${market} ${symbol}.`;
    this.say(this.store.loaded ? missing : 'Loading…');
  }

  say(text) {
    setText(this.message, text);
    this.message.hidden = !text;
  }
}
