// How numbers and times are written. Exact values go to titles; here they are shortened for the eye.

const MINUS = '\u2212';
export const NONE = '\u2013';

function group(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function plain(text) {
  const negative = text[0] === '-';
  const [whole, fraction] = (negative ? text.slice(1) : text).split('.');
  return (negative ? MINUS : '') + group(whole) + (fraction ? `.${fraction}` : '');
}

export function decimalsOf(text) {
  const dot = text ? text.indexOf('.') : -1;
  return dot < 0 ? 0 : text.length - dot - 1;
}

/** A price as the exchange printed it; zeros fill up to `decimals`, so that digits stay under each other. */
export function price(text, decimals = 0) {
  if (text === null || text === undefined || text === '') return NONE;
  const missing = decimals - decimalsOf(text);
  if (missing <= 0) return plain(text);
  return plain(text + (text.includes('.') ? '' : '.') + '0'.repeat(missing));
}

/** A volume in about five digits: 1,234.5  12.346M  0.0021 */
export function amount(value, signed = false) {
  if (value === null || value === undefined || value === '') return NONE;
  const number = Number(value);
  const size = Math.abs(number);
  let text;
  if (size === 0) return '0';
  if (size >= 1e12) text = `${digits(size / 1e12)}T`;
  else if (size >= 1e9) text = `${digits(size / 1e9)}B`;
  else if (size >= 1e6) text = `${digits(size / 1e6)}M`;
  else if (size >= 0.001) text = digits(size);
  else text = size.toPrecision(2).includes('e') ? size.toExponential(1) : size.toPrecision(2);
  return (number < 0 ? MINUS : signed ? '+' : '') + text;
}

function digits(size) {
  const decimals = Math.min(4, Math.max(0, 4 - Math.floor(Math.log10(size))));
  const [whole, fraction] = size.toFixed(decimals).split('.');
  return group(whole) + (fraction ? `.${fraction}` : '');
}

/** An axis label for a chart: short, no needless zeros. */
export function axis(number) {
  const size = Math.abs(number);
  const [divisor, unit] = size >= 1e9 ? [1e9, 'B'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, ''];
  const scaled = size / divisor;
  const text = scaled >= 1000 ? group(scaled.toFixed(0)) : String(Number(scaled.toPrecision(4)));
  return (number < 0 && Number(scaled.toPrecision(4)) !== 0 ? MINUS : '') + text + unit;
}

export function count(number) {
  return number === null || number === undefined ? NONE : group(String(Math.round(number)));
}

export function seconds(iso) {
  return iso ? Date.parse(iso) / 1000 : null;
}

const two = (n) => String(n).padStart(2, '0');

let local = false;

/** All times of the page, from now on: 'utc' or 'local'. */
export function setZone(zone) {
  local = zone === 'local';
}

export function zoneName() {
  return local ? 'local' : 'UTC';
}

/** Seconds as a date whose UTC parts are those of the clock that is shown. */
function parts(time) {
  const date = new Date(time * 1000);
  return local ? new Date(date.getTime() - date.getTimezoneOffset() * 60000) : date;
}

export function clock(time) {
  const date = parts(time);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

export function dateTime(time, withSeconds = true) {
  const date = parts(time);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day} ${clock(time).slice(0, withSeconds ? 8 : 5)}`;
}

/** Letters and digits of every script stay; what else file systems may not take is written as its code, so that no two names become one. */
export function fileName(parts, ending) {
  const safe = (text) => text.replace(/[^\p{L}\p{N}\p{M}._+-]/gu, (c) => `%${c.codePointAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  return `${parts.map(safe).join('-')}.${ending}`;
}

/** How long ago, from seconds. */
export function age(s) {
  if (s === null || Number.isNaN(s)) return NONE;
  if (s < 0) return '0.0 s';
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 100) return `${Math.floor(s)} s`;
  if (s < 6000) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86400)} days`;
}

/** The length of a bar: 5 s, 1 min, 4 h, 1 day. */
export function span(s) {
  if (s % 86400 === 0) return s === 86400 ? '1 day' : `${s / 86400} days`;
  if (s % 3600 === 0) return `${s / 3600} h`;
  if (s % 60 === 0) return `${s / 60} min`;
  return `${s} s`;
}
