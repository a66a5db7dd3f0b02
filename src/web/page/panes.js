// Price candles, CVD line and delta bars under each other on one time axis.

import { Bands } from './bands.js';
import { baseOptions, candle, colors, point, showNewest } from './chartbase.js';
import { axis, price, span } from './format.js';

const SHARES = [5, 3, 2];
const NAMES = ['price', 'cvd', 'delta'];

export class Panes {
  constructor(lib, host, { onHover, onOlder }) {
    this.lib = lib;
    this.host = host;
    this.onHover = onHover;
    this.onOlder = onOlder;
    this.slots = [];
  }

  build({ step, unit, base, quote, decimals }) {
    this.destroy();
    const { lib, host } = this;
    this.step = step;
    this.unit = unit;
    this.coins = { base, quote };
    const chart = this.chart = lib.createChart(host, baseOptions(step));
    const minMove = 1 / 10 ** decimals;
    const priceFormat = { type: 'custom', minMove, formatter: (value) => price(value.toFixed(decimals)) };
    const volumeFormat = { type: 'custom', minMove: 1e-8, formatter: axis };
    this.price = chart.addSeries(lib.CandlestickSeries, { priceFormat }, 0);
    this.cvd = chart.addSeries(lib.LineSeries, { priceFormat: volumeFormat, lineWidth: 2, crosshairMarkerRadius: 3 }, 1);
    this.delta = chart.addSeries(lib.HistogramSeries, { priceFormat: volumeFormat, lastValueVisible: false, priceLineVisible: false }, 2);
    this.delta.priceScale().applyOptions({ scaleMargins: { top: 0.16, bottom: 0.06 } });
    this.cvd.priceScale().applyOptions({ scaleMargins: { top: 0.18, bottom: 0.08 } });
    this.price.priceScale().applyOptions({ scaleMargins: { top: 0.1, bottom: 0.1 } });
    this.bands = chart.panes().map((pane, i) => {
      pane.setStretchFactor(SHARES[i]);
      const bands = new Bands({ strip: i === 0 });
      pane.attachPrimitive(bands);
      return bands;
    });
    this.titles = chart.panes().map((pane) => lib.createTextWatermark(pane, { horzAlign: 'left', vertAlign: 'top', lines: [] }));
    chart.subscribeCrosshairMove(({ logical, point: at }) => {
      this.onHover(logical === undefined || !at ? null : this.slots[Math.round(logical)] ?? null);
    });
    chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && this.slots.length && range.from < 5 && this.touched) this.onOlder();
    });
    // Only who moves the chart wants to see what is older: that it fits when it is drawn is no such wish.
    this.touched = false;
    this.listening = new AbortController();
    for (const event of ['wheel', 'pointerdown', 'touchstart', 'keydown']) {
      host.addEventListener(event, () => { this.touched = true; }, { passive: true, signal: this.listening.signal });
    }
    this.paint();
  }

  /** All colours and titles, for the present theme and unit. */
  paint() {
    if (!this.chart) return;
    const c = this.colors = colors();
    this.chart.applyOptions(baseOptions(this.step));
    this.price.applyOptions({
      upColor: c.up, downColor: c.down, wickUpColor: c.up, wickDownColor: c.down, borderVisible: false,
      priceLineColor: c.text,
    });
    this.cvd.applyOptions({ color: c.accent, priceLineColor: c.accent });
    const coin = this.coins[this.unit];
    const lines = [`Price  ${this.coins.quote}`, `CVD  ${coin}`, `Delta of ${span(this.step)}  ${coin}`];
    this.titles.forEach((title, i) => title.applyOptions({
      lines: [{ text: lines[i], color: c.text, fontSize: 11, lineHeight: 18, fontFamily: getComputedStyle(document.body).fontFamily }],
    }));
    if (this.slots.length) this.set(this.slots);
  }

  setUnit(unit) {
    this.unit = unit;
    this.paint();
  }

  bar(slot) {
    const data = point(slot, slot.absent ? NaN : slot.delta[this.unit]);
    if (data.value !== undefined) data.color = data.value < 0 ? this.colors.downSoft : this.colors.upSoft;
    return data;
  }

  line(slot) {
    return point(slot, slot.absent ? NaN : slot.cvd[this.unit]);
  }

  set(slots) {
    this.slots = slots;
    this.price.setData(slots.map(candle));
    this.cvd.setData(slots.map((slot) => this.line(slot)));
    this.delta.setData(slots.map((slot) => this.bar(slot)));
    this.mark();
  }

  /** Replaces the slots from index `from` on: cheap while it is only the last one or two. */
  update(tail, from) {
    if (from < this.slots.length - 3) {
      this.set([...this.slots.slice(0, from), ...tail]);
      return;
    }
    const before = this.slots.length;
    this.slots.splice(from, Infinity, ...tail);
    tail.forEach((slot, i) => {
      const late = from + i < before - 1;
      this.price.update(candle(slot), late);
      this.cvd.update(this.line(slot), late);
      this.delta.update(this.bar(slot), late);
    });
    this.mark();
  }

  mark() {
    for (const bands of this.bands) bands.set(this.slots, this.colors);
    const { dataset } = this.host;
    const full = this.slots.filter((slot) => !slot.absent);
    for (const name of NAMES) dataset[`${name}Bars`] = full.length;
    dataset.panes = this.chart.panes().length;
    dataset.gapBars = full.filter(({ status }) => status === 'gap').length;
    dataset.absentBars = this.slots.length - full.length;
    dataset.repairedBars = full.filter(({ status }) => status === 'repaired').length;
    dataset.step = this.step;
  }

  /** The newest `seconds`; null is everything. */
  show(seconds) {
    showNewest(this.chart, this.slots.length, seconds === null ? Infinity : Math.ceil(seconds / this.step));
  }

  destroy() {
    this.listening?.abort();
    this.chart?.remove();
    this.chart = null;
    this.slots = [];
    for (const name of Object.keys(this.host.dataset)) delete this.host.dataset[name];
  }
}
