// One instrument: numbers of this moment and its history as chart or table.
import { explain, serverNow } from './api.js';
import { bandsKey } from './bands.js';
import { WITHOUT_CHARTS, chartLibrary } from './chartbase.js';
import { loadFrom } from './cvdzero.js';
import { $, el, frame, setText } from './dom.js';
import { count, decimalsOf } from './format.js';
import { autoStep, group } from './group.js';
import { isGroup, titleOf } from './groups.js';
import { Headline } from './headline.js';
import { History, MOST_BARS } from './history.js';
import { Legend } from './legend.js';
import { LookMenu } from './look.js';
import { Members } from './members.js';
import { Panes } from './panes.js';
import { savePicture } from './picture.js';
import { Reason, hasNoSum, panesWithSums } from './reason.js';
import { RANGES, RangeButtons, StepSelect, rangeName } from './ranges.js';
import { splitKey, state } from './state.js';
import { barTable } from './table.js';
import { onTheme } from './theme.js';

const LOOK = ['panes', 'log', 'candles', 'since', 'zone'];

export class Detail {
  constructor(store, { onClose, onCompare, watch, alerts }) {
    this.store = store;
    this.key = null;
    this.asTable = false;
    this.node = $('detail-view');
    this.headline = new Headline({
      watch, alerts, onClose, onCompare: () => onCompare(this.key), onTable: () => this.toggleTable(), onPicture: () => this.picture(), seen: () => this.panes?.inSight() ?? null,
    });
    this.look = new LookMenu();
    this.members = new Members(store);
    this.reason = new Reason();
    this.ranges = new RangeButtons();
    this.steps = new StepSelect('d-step');
    this.note = el('span', { class: 'quiet note', role: 'status' });
    this.legend = new Legend();
    this.chart = el('div', { class: 'chart', id: 'd-chart', role: 'img', 'aria-label': 'Price, CVD, delta and volume. The Table button shows the same as text.' });
    this.table = el('div', { class: 'table-host', id: 'd-table-host', hidden: true });
    this.message = el('p', { class: 'empty', role: 'status', hidden: true });
    this.key4 = bandsKey();
    this.node.append(this.headline.node, this.headline.stats, el('div', { class: 'controls' }, this.ranges.node, this.steps.node, this.look.node, this.note),
      this.reason.node, this.legend.node, this.message, this.chart, this.table, this.key4, this.members.node);
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
    this.members.hide();
    this.reason.node.hidden = true;
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
      if (['base', 'quote'].some((unit) => hasNoSum(this.record, unit))) this.drawAnew(); // with other panes
      else this.panes?.setUnit(state.unit);
      if (this.tableShown) this.showTable();
    }
    this.look.show();
    if (before.range !== state.range || before.step !== state.step || (before.since !== state.since && state.since === 'day')) this.load();
    else if (LOOK.some((name) => before[name] !== undefined && before[name] !== state[name])) this.drawAnew();
    this.show();
  }

  async load() {
    const { key, record } = this;
    if (!record) {
      this.unknown();
      return;
    }
    this.shownRecord = record;
    for (const part of [this.legend.node, this.ranges.node, this.steps.node, this.look.node, this.key4]) part.hidden = false;
    this.headline.open(record, this.store.interval);
    this.ranges.show(this.store.interval);
    const history = this.history ??= new History(key, this.store.interval);
    const run = this.run = {};
    this.say('');
    setText(this.note, 'Loading bars…');
    this.show();
    const seconds = RANGES[rangeName(this.store.interval)];
    try {
      const [lib] = await Promise.all([chartLibrary(), history.ensure(loadFrom(seconds, state.since))]);
      if (this.run !== run || this.key !== key) return;
      this.history.mergeOpen(this.openBar);
      this.draw(lib, seconds);
      this.members.show(record);
    } catch (error) {
      if (error.name === 'AbortError' || this.run !== run) return;
      setText(this.note, '');
      this.say(explain(error));
      if (error.status === 0) setTimeout(() => { if (this.run === run && this.key === key) this.load(); }, 3000);
    }
  }

  /** Another look at what is there, where the chart stands now. */
  async drawAnew() {
    const { panes, history, run } = this;
    if (!panes?.chart || history?.pending) return;
    const lib = await chartLibrary();
    if (this.run !== run || this.panes !== panes) return;
    const { place, following } = panes;
    this.draw(lib, RANGES[rangeName(this.store.interval)]);
    if (!this.panes) return;
    this.panes.place = place;
    this.panes.following = following;
    this.panes.follow();
  }

  draw(lib, seconds) {
    const { record, history: { bars }, store: { interval } } = this;
    this.clearChart();
    const shownFrom = seconds === null ? 0 : Math.floor(serverNow()) - seconds;
    const oldest = bars.find(({ t }) => t >= shownFrom)?.t;
    const loaded = oldest === undefined ? 0 : bars.at(-1).t + interval - oldest;
    const fitting = autoStep(interval, Math.min(seconds ?? Infinity, loaded));
    this.step = this.steps.choose(interval, fitting);
    this.decimals = Math.min(10, Math.max(record.decimals, ...bars.slice(-300).map(({ close }) => decimalsOf(close))));
    this.slots = group(bars, this.step);
    setText(this.note, bars.length >= MOST_BARS ? `The newest ${count(MOST_BARS)} bars are loaded.` : '');
    if (!bars.length) this.say('No bars yet. The first one is written when the present interval is over.');
    this.withCharts = Boolean(lib);
    if (!lib && bars.length) this.say(WITHOUT_CHARTS);
    this.showTable(); // before the chart is made: one that is hidden has no width
    if (lib && bars.length) {
      this.panes = new Panes(lib, this.chart, {
        onHover: (slot) => { this.hovered = slot?.t ?? null; this.showSoon(); }, onOlder: () => this.older(), onSight: () => this.showSoon(),
      });
      this.panes.build({
        step: this.step, unit: state.unit, coins: { base: record.base, quote: record.quote }, decimals: this.decimals, history: this.history,
        look: { panes: panesWithSums(record, state), log: state.log, candles: state.candles, since: state.since },
      });
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
    this.panes?.setCoins({ base: this.record.base, quote: this.record.quote });
    this.members.show(this.record);
    if (this.panes?.chart && this.panes.look.panes !== panesWithSums(this.record, state)) this.drawAnew(); // members came or went
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
    this.headline.show(record, { unit: state.unit, compared: state.selected.includes(this.key), old: this.store.isOld(record), step: this.step });
    this.reason.show(record, state.unit);
    const slots = this.slots ?? [];
    const slot = (this.hovered !== null && slots.find(({ t }) => t === this.hovered)) || slots.at(-1);
    this.legend.show(slot ?? null, {
      bars: this.history?.bars ?? [], unit: state.unit, coin: record[state.unit], quote: record.quote,
      decimals: this.decimals ?? 0, step: this.step, interval: this.store.interval, zero: slot && !slot.absent && this.panes?.chart ? this.panes.zeroOf(slot) : undefined,
      members: record.members?.length,
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
    this.headline.picture.hidden = this.chart.hidden;
    this.key4.hidden = this.chart.hidden;
    if (this.tableShown) this.table.replaceChildren(barTable(bars, { unit: state.unit, coin: this.record[state.unit], decimals: this.decimals }));
    else this.table.replaceChildren();
  }

  picture() {
    if (this.panes) savePicture(this.panes, this.record, this.step);
  }

  unknown() {
    for (const part of [this.legend.node, this.ranges.node, this.steps.node, this.look.node, this.key4, this.chart, this.members.node, this.reason.node]) part.hidden = true;
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
