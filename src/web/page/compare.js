// The CVDs of several instruments in one chart, each from 0 before its first bar in sight.

import { explain, serverNow } from './api.js';
import { WITHOUT_CHARTS, baseOptions, chartLibrary, colors, showNewest } from './chartbase.js';
import { $, el, frame, setNumber, setText } from './dom.js';
import { amount, axis, dateTime, span, zoneName } from './format.js';
import { autoStep } from './group.js';
import { CompareLine } from './compareline.js';
import { difference, exactDifference } from './difference.js';
import { isGroup } from './groups.js';
import { RANGES, RangeButtons, StepSelect, rangeName } from './ranges.js';
import { address, set, state } from './state.js';
import { onTheme } from './theme.js';

const MOST_LINES = 8;

/** Dollars of all kinds are near enough to each other to be compared. */
const unitOf = (coin) => coin.replace(/^(USDT|USDC|USD)$/, 'USD');

export class Compare {
  constructor(store, { onSum }) {
    this.store = store;
    this.lines = new Map();
    this.shown = false;
    this.ranges = new RangeButtons();
    this.steps = new StepSelect('c-step');
    this.ticks = Object.fromEntries([['prices', 'Prices'], ['shares', 'In % of own volume'], ['minus', 'Difference']].map(([name, text]) => {
      const box = el('input', { type: 'checkbox', id: `c-${name}`, onchange: () => set({ [name]: box.checked }, { replace: true }) });
      return [name, el('label', { class: 'tick' }, box, text)];
    }));
    this.ticks.shares.title = 'Normalised: each CVD divided by what was bought and sold of the same instrument in the range';
    this.ticks.minus.title = 'The first line less the second, such as spot less perpetuals';
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
      el('div', { class: 'controls' }, this.ranges.node, this.steps.node, this.ticks.prices, this.ticks.shares, this.ticks.minus, this.note), this.legend, this.warning, this.message, this.chart);
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
    this.drawDifference();
    this.drawSoon();
  }

  /** Instruments that are collected: groups can't be summed again. */
  ticked() {
    return state.selected.filter((key) => this.store.records.has(key) && !isGroup(key));
  }

  show() {
    this.shown = true;
    for (const [name, tick] of Object.entries(this.ticks)) tick.firstChild.checked = state[name];
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
    for (const [name, tick] of Object.entries(this.ticks)) tick.firstChild.checked = state[name];
    if (before.unit !== state.unit) this.setUnit();
    const others = before.range !== state.range || before.step !== state.step || before.selected?.join() !== state.selected.join();
    if (others || ['prices', 'shares', 'minus', 'zone'].some((name) => before[name] !== state[name])) this.load();
  }

  async load() {
    if (!this.store.loaded) return;
    const { interval } = this.store;
    this.ranges.show(interval);
    const all = state.selected.filter((key) => this.store.records.has(key));
    const known = all.slice(0, MOST_LINES);
    this.left = [all.length > known.length && `The first ${MOST_LINES} of ${all.length} are drawn.`, all.length < state.selected.length && `Not collected: ${state.selected.filter((key) => !all.includes(key)).map((key) => key.replaceAll(':', ' ')).join(', ')}.`].filter(Boolean).join(' ');
    this.sum.hidden = this.ticked().length < 2;
    this.ticks.minus.hidden = known.length !== 2;
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
    let fitting = autoStep(interval, seconds ?? 86400);
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
        if (first < Infinity) fitting = autoStep(interval, Math.floor(serverNow()) - first);
      }
      this.step = this.steps.choose(interval, fitting);
      this.draw(lib, seconds);
    } catch (error) {
      if (error.name === 'AbortError' || this.run !== run) return;
      setText(this.note, explain(error));
      if (error.status === 0) setTimeout(() => { if (this.run === run) this.load(); }, 3000);
    }
  }

  draw(lib, seconds) {
    this.removeChart();
    setText(this.note, [this.left, this.lines.size === 1 && 'Tick another instrument in the list to compare it with.'].filter(Boolean).join(' '));
    const from = seconds === null ? 0 : Math.floor((serverNow() - seconds) / this.step) * this.step;
    for (const line of this.lines.values()) {
      line.history.mergeOpen(line.record.bar);
      line.prepare(from, this.step);
    }
    this.chart.hidden = !lib;
    if (lib) {
      this.api = lib.createChart(this.chart, baseOptions(this.step));
      const percent = { type: 'custom', minMove: 1e-4, formatter: (value) => `${axis(value)} %` };
      const priceFormat = state.shares ? percent : { type: 'custom', minMove: 1e-8, formatter: axis };
      for (const line of this.lines.values()) line.series = this.api.addSeries(lib.LineSeries, { priceFormat, lineWidth: 2, priceLineVisible: false });
      if (state.prices) for (const line of this.lines.values()) line.prices = this.api.addSeries(lib.LineSeries, { priceFormat: percent, lineWidth: 1, priceLineVisible: false }, 1);
      if (this.hasDifference) this.minus = this.api.addSeries(lib.LineSeries, { priceFormat: { type: 'custom', minMove: 1e-8, formatter: axis }, lineWidth: 2, lineStyle: 2, priceLineVisible: false });
      this.titles = this.api.panes().map((pane) => lib.createTextWatermark(pane, { horzAlign: 'left', vertAlign: 'top', lines: [] }));
      this.api.panes().forEach((pane, i) => { pane.setStretchFactor(i ? 2 : 3); });
      this.zero = this.lines.values().next().value.series.createPriceLine({ price: 0, lineWidth: 1, lineStyle: 0, axisLabelVisible: false, title: '' });
      this.api.subscribeCrosshairMove(({ time }) => { this.hovered = time ?? null; this.drawSoon(); });
      this.paint();
      for (const line of this.lines.values()) line.draw(state.unit, state.shares);
      const slots = 1 + Math.max(...[...this.lines.values()].map((line) => line.slots.length)); // and where they begin
      showNewest(this.api, slots, Infinity);
    } else {
      setText(this.message, WITHOUT_CHARTS);
      this.message.hidden = false;
    }
    this.drawDifference();
    this.list();
    this.tell();
  }

  paint() {
    const c = colors();
    let i = 0;
    for (const line of this.lines.values()) {
      line.color = c.series[i % c.series.length];
      line.series?.applyOptions({ color: line.color });
      line.prices?.applyOptions({ color: line.color });
      i += 1;
    }
    if (!this.api) return;
    this.minus?.applyOptions({ color: c.series[2] });
    this.api.applyOptions(baseOptions(this.step));
    this.zero.applyOptions({ color: c.text });
    const texts = [state.shares ? 'CVD  % of own volume' : 'CVD', 'Price  % since the left edge'];
    this.titles.forEach((title, i) => title.applyOptions({
      lines: [{ text: texts[i], color: c.text, fontSize: 11, lineHeight: 18, fontFamily: getComputedStyle(document.body).fontFamily }],
    }));
  }

  list() {
    const items = [...this.lines.values()].map((line, i) => {
      const { exchange, market, symbol } = line.record;
      line.value = el('span', { class: 'value' });
      line.extra = el('span', { class: 'quiet' });
      const remove = () => set({ selected: state.selected.filter((key) => key !== line.key) }, { replace: true });
      return el('li', { 'data-key': line.key }, el('i', { class: `swatch series-${(i % 8) + 1}` }),
        el('a', { href: address({ view: 'list', key: line.key }) }, el('b', {}, symbol), ` ${exchange} ${market}`), line.value, line.extra,
        el('button', { type: 'button', class: 'icon small', 'aria-label': `Remove ${exchange} ${market} ${symbol}`, title: 'Remove', onclick: remove }, '×'));
    });
    this.legend.replaceChildren(...items, ...(this.hasDifference ? [this.differenceItem()] : []));
  }

  /** Of two lines that are drawn in one unit. */
  get hasDifference() {
    return state.minus && !state.shares && this.lines.size === 2;
  }

  differenceItem() {
    this.minusValue = el('span', { class: 'value' });
    const [first, second] = [...this.lines.values()].map(({ record }) => record.symbol);
    return el('li', { class: 'minus' }, el('i', { class: 'swatch series-3' }), el('span', {}, el('b', {}, 'Difference'), ` ${first} less ${second}`), this.minusValue);
  }

  /** Both of its lines, if there is something to take from the other: coins less other coins are nothing. */
  pair() {
    const drawn = this.hasDifference ? [...this.lines.values()].filter((line) => line.slots?.length) : [];
    return drawn.length === 2 && unitOf(drawn[0].record[state.unit]) === unitOf(drawn[1].record[state.unit]) ? drawn : null;
  }

  drawDifference() {
    const pair = this.minus ? this.pair() : null;
    if (!this.minus) return;
    const data = pair ? difference(...pair.map((line) => line.values(state.unit))) : [];
    const start = data.length ? [{ time: Math.min(...pair.map(({ slots }) => slots[0].t)) - this.step, value: 0 }] : [];
    this.minus.setData([...start, ...data]);
    this.chart.dataset.difference = JSON.stringify(data.at(-1)?.value ?? null);
  }

  tellDifference() {
    if (!this.minusValue) return;
    const pair = this.pair();
    const value = pair ? exactDifference(...pair.map((line) => line.at(this.hovered, state.unit))) : null;
    const coin = pair?.[0].record[state.unit];
    setNumber(this.minusValue, pair ? `${amount(value, true)} ${coin}` : 'the units differ', value && `${value} ${coin}`, true);
  }

  setUnit() {
    for (const line of this.lines.values()) if (line.slots) line.draw(state.unit, state.shares);
    this.drawDifference();
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
      coins.add(unitOf(coin));
      const value = line.at(this.hovered, state.unit);
      const share = state.shares ? line.shareAt(this.hovered, state.unit) : null;
      setNumber(line.value, share === null ? `${amount(value, true)} ${coin}` : `${amount(share, true)} %`, value && `${value} ${coin}`, true);
      setText(line.extra, line.remark());
    }
    dataset.lines = drawn.length;
    dataset.bars = Math.min(...drawn.map(({ slots }) => slots.length));
    dataset.unit = state.unit;
    dataset.step = this.step;
    dataset.panes = this.api?.panes().length ?? 0;
    dataset.last = JSON.stringify(drawn.map((line) => line.series?.data().at(-1)?.value ?? null));
    this.tellDifference();
    setText(this.when, this.hovered === null ? `${span(this.step)} bars, 0 before the first` : `${dateTime(this.hovered, this.step < 60)} ${zoneName()}`);
    this.warning.hidden = coins.size < 2 || state.shares;
    setText(this.warning, `The units differ (${[...coins].join(', ')}). ${state.unit === 'base' ? 'Switch to quote to compare sizes.' : ''}`);
  }

  live(detail, merge) {
    if (!this.shown) return;
    for (const line of this.lines.values()) {
      if (!detail.has(line.key) || !line.slots || line.history.pending) continue;
      line.changed(merge(line, line.record), state.unit);
    }
    this.drawDifference();
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
    this.minus = this.minusValue = null;
    this.hovered = null;
    for (const line of this.lines.values()) line.series = line.prices = null;
    for (const name of Object.keys(this.chart.dataset)) delete this.chart.dataset[name];
  }
}
