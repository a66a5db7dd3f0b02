// The CVDs of several instruments in one chart, each from 0 at the left edge of the range.

import { explain, serverNow } from './api.js';
import { WITHOUT_CHARTS, baseOptions, chartLibrary, colors, showNewest } from './chartbase.js';
import { $, el, frame, setNumber, setText } from './dom.js';
import { amount, axis, dateTime, span } from './format.js';
import { autoStep } from './group.js';
import { CompareLine } from './compareline.js';
import { isGroup } from './groups.js';
import { RANGES, RangeButtons, rangeName } from './ranges.js';
import { address, set, state } from './state.js';
import { onTheme } from './theme.js';

export class Compare {
  constructor(store, { onSum }) {
    this.store = store;
    this.lines = new Map();
    this.shown = false;
    this.ranges = new RangeButtons();
    this.note = el('span', { class: 'quiet note', role: 'status' });
    this.message = el('p', { class: 'empty', role: 'status', hidden: true });
    this.warning = el('p', { class: 'hint', hidden: true });
    this.legend = el('ul', { class: 'lines' });
    this.when = el('span', { class: 'quiet' });
    this.chart = el('div', { class: 'chart', id: 'c-chart', role: 'img', 'aria-label': 'Compared CVDs. The list above tells the newest values.' });
    const close = el('button', {
      type: 'button', class: 'icon', 'aria-label': 'Close', title: 'Close (Esc)', onclick: () => set({ view: 'list', key: null }),
    }, '×');
    const clear = el('button', { type: 'button', onclick: () => set({ selected: [], view: 'list', key: null }) }, 'Remove all');
    this.sum = el('button', { type: 'button', id: 'c-sum', title: 'The sum of all that are ticked, as a group', onclick: () => onSum(this.ticked()) }, 'Sum');
    $('compare-view').append(
      el('div', { class: 'headline' }, el('div', { class: 'title' }, el('div', { class: 'names' }, el('h2', {}, 'Compare CVDs'), this.when),
        el('div', { class: 'actions' }, this.sum, clear, close))),
      el('div', { class: 'controls' }, this.ranges.node, this.note), this.legend, this.warning, this.message, this.chart);
    this.drawSoon = frame(() => this.tell());
    store.addEventListener('values', ({ detail }) => this.live(detail, (line, record) => line.history.mergeOpen(record.bar)));
    store.addEventListener('rows', ({ detail }) => this.live(detail, (line) => line.history.mergeRows(detail.get(line.key))));
    store.addEventListener('stale', async ({ detail }) => {
      for (const line of [...this.lines.values()]) if (detail.has(line.key)) this.renew(line, detail.get(line.key));
    });
    onTheme(() => this.paint());
  }

  async renew(line, from) {
    const earliest = await line.history.renew(from);
    if (this.lines.get(line.key) !== line) return;
    line.changed(earliest, state.unit);
    this.drawSoon();
  }

  /** Instruments that are collected: groups can't be summed again. */
  ticked() {
    return state.selected.filter((key) => this.store.records.has(key) && !isGroup(key));
  }

  show() {
    this.shown = true;
    this.load();
  }

  hide() {
    this.shown = false;
    this.run = null;
    for (const line of this.lines.values()) line.history.close();
    this.lines.clear();
    this.removeChart();
  }

  update(before) {
    if (before.unit !== state.unit) this.setUnit();
    if (before.range !== state.range || before.selected?.join() !== state.selected.join()) this.load();
  }

  async load() {
    if (!this.store.loaded) return;
    const { interval } = this.store;
    this.ranges.show(interval);
    const known = state.selected.filter((key) => this.store.records.has(key));
    this.sum.hidden = this.ticked().length < 2;
    for (const [key, line] of this.lines) {
      if (known.includes(key) && line.record === this.store.records.get(key)) continue;
      line.history.close();
      this.lines.delete(key);
    }
    this.message.hidden = known.length > 0;
    setText(this.message, 'Tick the boxes of two or more instruments in the list to see their CVDs in one chart.');
    if (!known.length) {
      this.removeChart();
      this.legend.replaceChildren();
      this.warning.hidden = true;
      return;
    }
    setText(this.note, 'Loading bars…');
    const run = this.run = {};
    const seconds = RANGES[rangeName(interval)];
    this.step = autoStep(interval, seconds ?? 86400);
    try {
      const lib = await chartLibrary();
      const lines = new Map();
      for (const key of known) { // one after another: the daemon has better things to do
        const line = this.lines.get(key) ?? new CompareLine(this.store.records.get(key), interval);
        await line.history.ensure(seconds === null ? 0 : Math.floor(serverNow()) - seconds);
        if (this.run !== run) return;
        lines.set(key, line);
        this.lines.set(key, line);
      }
      this.lines = lines;
      if (seconds === null) {
        const first = Math.min(...[...lines.values()].map(({ history }) => history.bars[0]?.t ?? Infinity));
        if (first < Infinity) this.step = autoStep(interval, Math.floor(serverNow()) - first);
      }
      this.draw(lib, seconds);
    } catch (error) {
      if (error.name === 'AbortError' || this.run !== run) return;
      setText(this.note, explain(error));
      if (error.status === 0) setTimeout(() => { if (this.run === run) this.load(); }, 3000);
    }
  }

  draw(lib, seconds) {
    this.removeChart();
    setText(this.note, this.lines.size === 1 ? 'Tick another instrument in the list to compare it with.' : '');
    const from = seconds === null ? 0 : Math.floor((serverNow() - seconds) / this.step) * this.step;
    for (const line of this.lines.values()) {
      line.history.mergeOpen(line.record.bar);
      line.prepare(from, this.step);
    }
    this.chart.hidden = !lib;
    if (lib) {
      this.api = lib.createChart(this.chart, baseOptions(this.step));
      const priceFormat = { type: 'custom', minMove: 1e-8, formatter: axis };
      for (const line of this.lines.values()) line.series = this.api.addSeries(lib.LineSeries, { priceFormat, lineWidth: 2, priceLineVisible: false });
      this.zero = this.lines.values().next().value.series.createPriceLine({ price: 0, lineWidth: 1, lineStyle: 0, axisLabelVisible: false, title: '' });
      this.api.subscribeCrosshairMove(({ time }) => { this.hovered = time ?? null; this.drawSoon(); });
      this.paint();
      for (const line of this.lines.values()) line.draw(state.unit);
      const slots = Math.max(...[...this.lines.values()].map((line) => line.slots.length));
      showNewest(this.api, slots, Infinity);
    } else {
      setText(this.message, WITHOUT_CHARTS);
      this.message.hidden = false;
    }
    this.list();
    this.tell();
  }

  paint() {
    const c = colors();
    let i = 0;
    for (const line of this.lines.values()) {
      line.color = c.series[i % c.series.length];
      line.series?.applyOptions({ color: line.color });
      i += 1;
    }
    if (!this.api) return;
    this.api.applyOptions(baseOptions(this.step));
    this.zero.applyOptions({ color: c.text });
  }

  list() {
    this.legend.replaceChildren(...[...this.lines.values()].map((line, i) => {
      const { exchange, market, symbol } = line.record;
      line.value = el('span', { class: 'value' });
      line.extra = el('span', { class: 'quiet' });
      const remove = () => set({ selected: state.selected.filter((key) => key !== line.key) }, { replace: true });
      return el('li', { 'data-key': line.key }, el('i', { class: `swatch series-${(i % 8) + 1}` }),
        el('a', { href: address({ view: 'list', key: line.key }) }, el('b', {}, symbol), ` ${exchange} ${market}`), line.value, line.extra,
        el('button', { type: 'button', class: 'icon small', 'aria-label': `Remove ${exchange} ${market} ${symbol}`, title: 'Remove', onclick: remove }, '×'));
    }));
  }

  setUnit() {
    for (const line of this.lines.values()) if (line.slots) line.draw(state.unit);
    this.tell();
  }

  /** The numbers of the legend: under the crosshair, else of now. */
  tell() {
    // A line whose bars are still on their way has nothing to tell, and no place in the legend.
    const drawn = [...this.lines.values()].filter((line) => line.slots && line.value);
    if (!drawn.length) return;
    const { dataset } = this.chart;
    const coins = new Set();
    for (const line of drawn) {
      const coin = line.record[state.unit];
      coins.add(coin.replace(/^(USDT|USDC|USD)$/, 'USD')); // near enough to each other to be compared
      const value = line.at(this.hovered, state.unit);
      setNumber(line.value, `${amount(value, true)} ${coin}`, value && `${value} ${coin}`, true);
      setText(line.extra, line.remark());
    }
    dataset.lines = drawn.length;
    dataset.bars = Math.min(...drawn.map(({ slots }) => slots.length));
    dataset.unit = state.unit;
    setText(this.when, this.hovered === null ? `${span(this.step)} bars, 0 at the left edge` : `${dateTime(this.hovered, this.step < 60)} UTC`);
    this.warning.hidden = coins.size < 2;
    setText(this.warning, `The units differ (${[...coins].join(', ')}). ${state.unit === 'base' ? 'Switch to quote to compare sizes.' : ''}`);
  }

  live(detail, merge) {
    if (!this.shown) return;
    for (const line of this.lines.values()) {
      if (!detail.has(line.key) || !line.slots || line.history.pending) continue;
      line.changed(merge(line, line.record), state.unit);
    }
    this.drawSoon();
  }

  async refresh() {
    for (const line of this.lines.values()) {
      try {
        line.changed(await line.history.refresh(), state.unit);
      } catch { /* the next refresh brings it */ }
    }
  }

  removeChart() {
    this.api?.remove();
    this.api = null;
    this.hovered = null;
    for (const line of this.lines.values()) line.series = null;
    for (const name of Object.keys(this.chart.dataset)) delete this.chart.dataset[name];
  }
}
