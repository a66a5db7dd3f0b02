// The numbers in the header, and the banner that says when they must not be trusted.

import { ApiError, explain, getJson, serverNow } from './api.js';
import { $, setAttr, setText } from './dom.js';
import { age, clock, count, seconds, zoneName } from './format.js';

const POLL_MS = 3000;
const SILENT_MS = 12000;

export class Health extends EventTarget {
  constructor(stream) {
    super();
    this.stream = stream;
    this.last = null;
    this.dataTime = null; // the daemon's time in the newest message, and when it came
    this.everUp = false;
    stream.addEventListener('up', () => { this.everUp = true; this.show(); });
    stream.addEventListener('down', () => { this.poll(); this.show(); });
    stream.addEventListener('message', ({ detail }) => {
      if (detail.time) this.dataTime = seconds(detail.time);
    });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.poll(); });
    setInterval(() => { if (!document.hidden) this.poll(); }, POLL_MS);
    setInterval(() => { if (!document.hidden) this.show(); }, 200);
    this.poll();
  }

  async poll() {
    if (this.polling) return;
    this.polling = true;
    try {
      this.last = await getJson('/api/v1/health');
      this.error = null;
      if (this.last.instruments) this.dispatchEvent(new Event('change'));
      const silent = performance.now() - this.stream.lastMessage;
      if (this.stream.up && silent > SILENT_MS && this.last.trades_per_second > 0) this.stream.restart();
    } catch (error) {
      this.error = error instanceof ApiError ? error : new ApiError(0, String(error));
      if (this.error.status === 401) this.dispatchEvent(new Event('locked'));
    } finally {
      this.polling = false;
    }
    this.show();
  }

  show() {
    const { last } = this;
    if (last?.instruments) {
      const { wanted, live } = last.instruments;
      put('h-live', `${count(live)} / ${count(wanted)}`, live < wanted ? 'warn' : 'good',
        live < wanted ? `${count(wanted - live)} of ${count(wanted)} instruments are not live. See Connections.` : 'Every wanted instrument is live');
      put('h-rate', count(last.trades_per_second), null, 'Trades per second, all instruments');
    }
    if (last?.instruments) {
      const { gaps } = last;
      put('h-gaps', count(gaps), gaps ? 'warn' : 'good', gaps ? 'Instruments whose newest written bar has a gap' : 'No newest bar has a gap');
    }
    const old = this.dataTime === null ? null : serverNow() - this.dataTime;
    put('h-age', age(old), old !== null && old > 10 ? 'warn' : null,
      this.dataTime === null ? 'No live message yet' : `Newest live message: ${clock(this.dataTime)} ${zoneName()}`);
    this.banner();
  }

  banner() {
    const banner = $('banner');
    let text = '';
    const wait = this.stream.retryAt ? Math.max(0, this.stream.retryAt - performance.now()) / 1000 : 0;
    const again = wait > 0.5 ? `Trying again in ${Math.ceil(wait)} s.` : 'Trying again now.';
    const values = this.dataTime === null ? '' : ` Values are as of ${clock(this.dataTime)} ${zoneName()}.`;
    if (this.error?.status === 401) text = '';
    else if (this.error?.status === 0) text = `The daemon cannot be reached.${values} ${again}`;
    else if (this.error) text = explain(this.error);
    else if (!this.stream.up && (this.everUp || this.stream.retryAt)) text = `The live stream is down, the daemon answers.${values} ${again}`;
    else if (this.last?.disk && !this.last.disk.writable) {
      text = `The daemon cannot write to its disk: ${count(this.last.disk.backlog_rows)} rows wait, ${count(this.last.disk.refused_rows)} were refused.`;
    }
    // A countdown in an alert would be read out every second: only the first words of a state are announced.
    if (banner.hidden !== !text) banner.hidden = !text;
    setAttr(banner, 'aria-live', wait && !banner.hidden ? 'off' : null);
    setText(banner, text);
    setAttr(document.documentElement, 'data-stale', Boolean(text) && !this.stream.up);
  }
}

function put(id, text, mood, title) {
  const node = $(id);
  setText(node.lastElementChild, text);
  setAttr(node, 'data-mood', mood);
  setAttr(node, 'title', title);
}
