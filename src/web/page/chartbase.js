// What all charts have in common: the library, colours from the style sheet, UTC, no logo with a style of its own.

import { cssColor } from './theme.js';
import { clock, dateTime, zoneName } from './format.js';

let loading;

/** The chart library, or null where the daemon was built without it. */
export function chartLibrary() {
  loading ??= import('./charts.js').then((lib) => (lib.missing ? null : lib)).catch(() => {
    loading = undefined; // perhaps only the connection was lost: the next view tries again
    return null;
  });
  return loading;
}

export const WITHOUT_CHARTS = 'This cvdd was built without charts. To get them: install npm and build again.';

export function colors() {
  const read = (name) => cssColor(`--${name}`);
  return {
    panel: read('panel'), text: read('muted'), grid: read('chart-grid'), line: read('line'), accent: read('accent'),
    up: read('up'), down: read('down'), upSoft: read('up-bar'), downSoft: read('down-bar'), gap: read('gap'), gapSoft: read('gap-soft'),
    repaired: read('repaired'), partial: read('partial'), history: read('history'), absent: read('absent-soft'), label: read('chart-label'),
    series: Array.from({ length: 8 }, (_, i) => read(`series-${i + 1}`)),
  };
}

/** The library thinks in UTC: what is a day's beginning to it is a time of the day here, and the day is told with it. */
function localTick(time, type) {
  const text = dateTime(time, type === 4);
  const at = clock(time);
  if (type >= 3) return type === 4 ? at : at.slice(0, 5);
  const day = text.slice(5, 10);
  return at === '00:00:00' ? day : `${day} ${at.slice(0, 5)}`;
}

export function baseOptions(step) {
  const c = colors();
  return {
    autoSize: true,
    layout: {
      attributionLogo: false, // it would bring an inline style; the footer carries the notice
      background: { type: 'solid', color: c.panel }, textColor: c.text, fontSize: 11,
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: c.line, separatorHoverColor: c.grid, enableResize: true },
    },
    grid: { vertLines: { color: c.grid }, horzLines: { color: c.grid } },
    crosshair: {
      mode: 0,
      vertLine: { color: c.text, width: 1, style: 3, labelBackgroundColor: c.label },
      horzLine: { color: c.text, width: 1, style: 3, labelBackgroundColor: c.label },
    },
    rightPriceScale: { borderColor: c.line, minimumWidth: 74 },
    timeScale: {
      borderColor: c.line, timeVisible: step < 86400, secondsVisible: step < 60, rightOffset: 3, minBarSpacing: 0.02,
      maxBarSpacing: 40, lockVisibleTimeRangeOnResize: true, tickMarkFormatter: zoneName() === 'UTC' ? undefined : localTick,
    },
    localization: { locale: 'en-GB', timeFormatter: (t) => `${dateTime(t, step < 60)} ${zoneName()}` },
    handleScroll: { vertTouchDrag: false }, // on a phone the page scrolls that way
  };
}

/** Shows the newest `slots` of `total`; few slots don't become pillars. */
export function showNewest(chart, total, slots) {
  const wanted = Math.max(60, Math.min(slots, total));
  chart.timeScale().setVisibleLogicalRange({ from: total - wanted - 0.5, to: total + Math.max(2, wanted * 0.02) });
}

const reference = (value) => (Number.isFinite(value) ? value : undefined);

export function candle(slot) {
  if (slot.absent || Number.isNaN(slot.open)) return { time: slot.t };
  return { time: slot.t, open: slot.open, high: slot.high, low: slot.low, close: reference(slot.close) };
}

export function point(slot, value) {
  return slot.absent || Number.isNaN(value) ? { time: slot.t } : { time: slot.t, value };
}
