// Price candles, CVD, delta and volume under each other on one time axis, as far as they are wanted.

import { Bands } from './bands.js';
import { baseOptions, candle, colors, point, showNewest } from './chartbase.js';
import { CvdZero, SINCE } from './cvdzero.js';
import { frame } from './dom.js';
import { axis, price, span } from './format.js';

const MOVING_MS = 1500; // a chart that was flung goes on for a while
const NAMES = { p: 'price', c: 'cvd', d: 'delta', v: 'volume' };
const SHARES = { p: 5, c: 3, d: 2, v: 2 };
const MARGINS = { p: [0.1, 0.1], c: [0.18, 0.08], d: [0.16, 0.06], v: [0.2, 0] };

export class Panes {
  /** `onSight`: others are in sight now. */
  constructor(lib, host, { onHover, onOlder, onSight }) {
    this.lib = lib;
    this.host = host;
    this.onHover = onHover;
    this.onOlder = onOlder;
    this.onSight = onSight;
    this.slots = [];
  }

  /** `look`: panes, log, candles, since. `history`: whose bars the slots are made of. */
  build({ step, unit, coins, decimals, look, history }) {
    this.destroy();
    Object.assign(this, { step, unit, coins, look, history });
    this.zero = new CvdZero(look.since === 'day' && step > 86400 ? '' : look.since);
    const chart = this.chart = this.lib.createChart(this.host, baseOptions(step));
    this.series = {};
    [...look.panes].forEach((letter, i) => this.addSeries(letter, i, decimals));
    this.bands = chart.panes().map((pane, i) => {
      pane.setStretchFactor(SHARES[look.panes[i]]);
      const bands = new Bands({ strip: i === 0 });
      pane.attachPrimitive(bands);
      return bands;
    });
    this.titles = chart.panes().map((pane) => this.lib.createTextWatermark(pane, { horzAlign: 'left', vertAlign: 'top', lines: [] }));
    this.listen();
    this.paint();
  }

  addSeries(letter, pane, decimals) {
    const { lib, chart, look } = this;
    const volumes = { type: 'custom', minMove: 1e-8, formatter: axis };
    const kinds = {
      p: [lib.CandlestickSeries, { priceFormat: { type: 'custom', minMove: 1 / 10 ** decimals, formatter: (value) => price(value.toFixed(decimals)) } }],
      c: look.candles ? [lib.CandlestickSeries, { priceFormat: volumes }] : [lib.LineSeries, { priceFormat: volumes, lineWidth: 2, crosshairMarkerRadius: 3 }],
      d: [lib.HistogramSeries, { priceFormat: volumes, lastValueVisible: false, priceLineVisible: false }],
      v: [lib.HistogramSeries, { priceFormat: volumes, lastValueVisible: false, priceLineVisible: false }],
    };
    const series = this.series[letter] = chart.addSeries(...kinds[letter], pane);
    const [top, bottom] = MARGINS[letter];
    series.priceScale().applyOptions({ scaleMargins: { top, bottom }, mode: letter === 'p' && look.log ? 1 : 0 });
  }

  listen() {
    const { chart, host } = this;
    chart.subscribeCrosshairMove(({ logical, point: at }) => {
      this.onHover(logical === undefined || !at ? null : this.slots[Math.round(logical)] ?? null);
    });
    const lookAgain = frame(() => this.chart === chart && this.sight());
    this.following = true;
    chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && this.slots.length && range.from < 5 && this.touched) this.onOlder();
      if (range && performance.now() - this.movedAt < MOVING_MS) this.following = range.to >= this.slots.length - 1;
      lookAgain();
    });
    // Only who moves the chart wants to see what is older: that it fits when it is drawn is no such wish.
    this.touched = false;
    this.movedAt = -Infinity;
    this.listening = new AbortController();
    const moves = ({ buttons, type }) => {
      if (type === 'pointermove' && !buttons) return;
      this.touched = true;
      this.movedAt = performance.now();
    };
    for (const event of ['wheel', 'pointerdown', 'pointermove', 'touchstart', 'touchmove', 'keydown']) {
      host.addEventListener(event, moves, { passive: true, signal: this.listening.signal });
    }
  }

  /** First and last slot in sight that have bars; null: there are none. */
  inSight() {
    const range = this.chart?.timeScale().getVisibleLogicalRange();
    const seen = range ? this.slots.slice(Math.max(0, Math.ceil(range.from - 0.5)), Math.max(0, Math.floor(range.to + 0.5) + 1)).filter((slot) => !slot.absent) : [];
    return seen.length ? { first: seen[0], last: seen.at(-1) } : null;
  }

  sight() {
    const seen = this.inSight();
    if (!seen) return;
    if (this.zero.setEdge(seen.first)) this.setCvd();
    this.host.dataset.from = seen.first.t;
    this.host.dataset.to = seen.last.t;
    this.onSight(seen);
  }

  /** All colours and titles, for the present theme, unit and clock. */
  paint() {
    if (!this.chart) return;
    const c = this.colors = colors();
    this.chart.applyOptions(baseOptions(this.step));
    const candles = { upColor: c.up, downColor: c.down, wickUpColor: c.up, wickDownColor: c.down, borderVisible: false, priceLineColor: c.text };
    this.series.p?.applyOptions(candles);
    this.series.c?.applyOptions(this.look.candles ? candles : { color: c.accent, priceLineColor: c.accent });
    const coin = this.coins[this.unit];
    const lines = {
      p: `Price  ${this.coins.quote}${this.look.log ? '  log' : ''}`, c: `CVD ${SINCE[this.zero.since]}  ${coin}`,
      d: `Delta of ${span(this.step)}  ${coin}`, v: `Volume of ${span(this.step)}  ${coin}`,
    };
    this.titles.forEach((title, i) => title.applyOptions({
      lines: [{ text: lines[this.look.panes[i]], color: c.text, fontSize: 11, lineHeight: 18, fontFamily: getComputedStyle(document.body).fontFamily }],
    }));
    if (this.slots.length) this.set(this.slots);
  }

  setUnit(unit) {
    this.unit = unit;
    this.paint();
  }

  setCoins(coins) {
    if (coins.base === this.coins.base && coins.quote === this.coins.quote) return;
    this.coins = coins;
    this.paint();
  }

  /** What is to be taken off a slot's CVDs, exact; null: not known. */
  zeroOf(slot) {
    const { history } = this;
    return this.zero.of(slot, history.bars, history.exhausted, history.interval);
  }

  data(letter, slot) {
    if (letter === 'p') return candle(slot);
    if (slot.absent) return { time: slot.t };
    const { unit, colors: c } = this;
    if (letter === 'c') {
      const zero = Number(this.zeroOf(slot)?.[unit] ?? NaN);
      if (!this.look.candles) return point(slot, slot.cvd[unit] - zero);
      const value = { ...slot, open: slot.from0[unit] - zero, close: slot.cvd[unit] - zero, high: slot.top[unit] - zero, low: slot.bottom[unit] - zero };
      return candle(value);
    }
    const data = point(slot, letter === 'd' ? slot.delta[unit] : slot.volume[unit]);
    if (data.value !== undefined) data.color = (letter === 'd' ? data.value < 0 : slot.close < slot.open) ? c.downSoft : c.upSoft;
    return data;
  }

  set(slots) {
    this.slots = slots;
    this.zero.forget();
    for (const [letter, series] of Object.entries(this.series)) series.setData(slots.map((slot) => this.data(letter, slot)));
    this.mark();
    this.follow();
  }

  setCvd() {
    this.series.c?.setData(this.slots.map((slot) => this.data('c', slot)));
    this.mark();
  }

  /** Replaces the slots from index `from` on: cheap while it is only the last one or two. */
  update(tail, from) {
    // A bar that comes between others moves those behind it: the chart takes new values of what it has, and new ones at its end alone.
    const inPlace = from + tail.length >= this.slots.length && tail.every(({ t }, i) => (this.slots[from + i]?.t ?? t) === t);
    if (from < this.slots.length - 3 || !inPlace) {
      this.set([...this.slots.slice(0, from), ...tail]);
      return;
    }
    const before = this.slots.length;
    this.slots.splice(from, Infinity, ...tail);
    this.zero.forget();
    tail.forEach((slot, i) => {
      const late = from + i < before - 1;
      for (const [letter, series] of Object.entries(this.series)) series.update(this.data(letter, slot), late);
    });
    this.mark();
    this.follow();
  }

  /** Whoever has not moved it away sees the newest bar, whatever the chart did in between: data, sizes and units change under it. */
  follow() {
    const range = this.following ? this.place : null;
    if (!range || range.to >= this.slots.length - 0.5 || !this.slots.length) return;
    const width = range.to - range.from;
    const to = this.slots.length + Math.max(2, width * 0.02);
    this.place = { from: to - width, to };
  }

  mark() {
    for (const bands of this.bands) bands.set(this.slots, this.colors);
    const { dataset } = this.host;
    const full = this.slots.filter((slot) => !slot.absent);
    for (const letter of this.look.panes) dataset[`${NAMES[letter]}Bars`] = full.length;
    dataset.panes = this.chart.panes().length;
    dataset.newest = full.at(-1)?.t ?? '';
    dataset.gapBars = full.filter(({ status }) => status === 'gap').length;
    dataset.absentBars = this.slots.length - full.length;
    dataset.repairedBars = full.filter(({ status }) => status === 'repaired').length;
    dataset.step = this.step;
    if (this.series.c && full.length) dataset.cvd = JSON.stringify(this.data('c', full.at(-1)));
    if (this.series.v) dataset.volume = full.reduce((most, slot) => Math.max(most, slot.volume[this.unit]), 0);
  }

  /** The newest `seconds`; null is everything. */
  show(seconds) {
    showNewest(this.chart, this.slots.length, seconds === null ? Infinity : Math.ceil(seconds / this.step));
  }

  /** Where the chart stands, to be given back to one that is built anew. */
  get place() {
    return this.chart?.timeScale().getVisibleLogicalRange() ?? null;
  }

  set place(range) {
    if (range) this.chart?.timeScale().setVisibleLogicalRange(range);
  }

  destroy() {
    this.listening?.abort();
    this.chart?.remove();
    this.chart = null;
    this.slots = [];
    for (const name of Object.keys(this.host.dataset)) delete this.host.dataset[name];
  }
}
