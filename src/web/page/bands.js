// Vertical bands where bars are incomplete or absent, and the strip that marks each kind of bar.

import { serverNow } from './api.js';
import { el } from './dom.js';

const WRITTEN_WITHIN = 8; // seconds: the delay before a bar is closed, and the way here
const STRIP = 4;
const QUIET_STRIP = 2; // of what is whole again

/** Joins neighbours of one kind: [{kind, from, to}] with inclusive indexes. */
export function runs(slots, kindOf) {
  const found = [];
  slots.forEach((slot, i) => {
    const kind = kindOf(slot);
    const last = found.at(-1);
    if (last && last.kind === kind && last.to === i - 1) last.to = i;
    else if (kind) found.push({ kind, from: i, to: i });
  });
  return found;
}

/** A bar is written a little after its end: until then its absence is no news. */
const awaited = ({ awaited: since }) => since !== null && since !== undefined && serverNow() < since + WRITTEN_WITHIN;
const bandKind = (slot) => (slot.absent ? (awaited(slot) ? null : 'absent') : slot.status === 'gap' ? 'gap' : null);
const stripKind = (slot) => {
  if (slot.absent) return null;
  if (slot.status !== 'live' && slot.status !== 'open') return slot.status;
  return null;
};

/** One for each pane of a chart; `strip`: this pane also carries the strip at its lower edge and the word. */
export class Bands {
  constructor({ strip }) {
    this.withStrip = strip;
    this.bands = [];
    this.strips = [];
    this.views = [{ zOrder: () => 'bottom', renderer: () => ({ draw: (target) => this.draw(target, this.drawBands) }) }];
    if (strip) this.views.push({ zOrder: () => 'top', renderer: () => ({ draw: (target) => this.draw(target, this.drawStrip) }) });
  }

  attached({ chart, requestUpdate }) {
    this.chart = chart;
    this.requestUpdate = requestUpdate;
  }

  detached() {
    this.chart = null;
  }

  paneViews() {
    return this.views;
  }

  set(slots, colors) {
    this.colors = colors;
    this.bands = runs(slots, bandKind);
    this.strips = this.withStrip ? runs(slots, stripKind) : [];
    this.requestUpdate?.();
  }

  draw(target, how) {
    if (!this.chart || !this.colors) return;
    target.useBitmapCoordinateSpace((scope) => how.call(this, scope));
  }

  /** Left and right of a run in device pixels, null where it is out of sight. */
  place({ from, to }, { horizontalPixelRatio: ratio, bitmapSize }) {
    const scale = this.chart.timeScale();
    const start = scale.logicalToCoordinate(from);
    const next = scale.logicalToCoordinate(from + 1);
    const end = scale.logicalToCoordinate(to);
    if (start === null || end === null || next === null) return null;
    const half = (next - start) / 2;
    const left = Math.round((start - half) * ratio);
    const right = Math.max(left + 1, Math.round((end + half) * ratio));
    if (right < 0 || left > bitmapSize.width) return null;
    return { left, width: right - left };
  }

  drawBands(scope) {
    const { context, bitmapSize, verticalPixelRatio: ratio } = scope;
    for (const band of this.bands) {
      const at = this.place(band, scope);
      if (!at) continue;
      context.fillStyle = band.kind === 'gap' ? this.colors.gapSoft : this.colors.absent;
      context.fillRect(at.left, 0, at.width, bitmapSize.height);
      if (!this.withStrip || at.width < 44 * ratio) continue;
      context.fillStyle = this.colors.text;
      context.font = `${Math.round(10 * ratio)}px ${getComputedStyle(document.body).fontFamily}`;
      context.textAlign = 'center';
      context.fillText(band.kind === 'gap' ? 'gap' : 'no bars', at.left + at.width / 2, bitmapSize.height - 10 * ratio);
    }
  }

  drawStrip(scope) {
    const { context, bitmapSize, verticalPixelRatio: ratio } = scope;
    for (const strip of this.strips) {
      const at = this.place(strip, scope);
      if (!at) continue;
      const height = Math.round((strip.kind === 'repaired' ? QUIET_STRIP : STRIP) * ratio);
      context.fillStyle = this.colors[strip.kind] ?? this.colors.text;
      context.fillRect(at.left, bitmapSize.height - height, at.width, height);
      if (strip.kind === 'repaired') this.drawMark(context, at, bitmapSize.height - height, ratio);
    }
  }

  /** A small triangle: told apart by form as well. */
  drawMark(context, { left, width }, bottom, ratio) {
    const middle = left + width / 2;
    const size = 2.5 * ratio;
    context.beginPath();
    context.moveTo(middle - size, bottom - ratio);
    context.lineTo(middle + size, bottom - ratio);
    context.lineTo(middle, bottom - ratio - size * 1.4);
    context.fill();
  }
}

/** What the bands mean. */
export function bandsKey() {
  const kinds = [['gap', 'gap: something is missing'], ['repaired', 'repaired'], ['partial', 'partial'], ['history', 'from candles'], ['absent', 'no bars written']];
  return el('div', { class: 'key' }, ...kinds.map(([kind, text]) => el('span', {}, el('i', { class: `swatch ${kind}` }), text)));
}
