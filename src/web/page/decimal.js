// Exact sums of decimal strings. Number would round CVDs in their last digits.

function parse(text) {
  const dot = text.indexOf('.');
  if (dot < 0) return [BigInt(text), 0];
  return [BigInt(text.slice(0, dot) + text.slice(dot + 1)), text.length - dot - 1];
}

function print(value, scale) {
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString();
  if (scale) {
    digits = digits.padStart(scale + 1, '0');
    digits = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  }
  return negative && digits !== '0' ? `-${digits}` : digits;
}

function combine(a, b, sign) {
  if (a === null || a === undefined || b === null || b === undefined) return null;
  let [x, xs] = parse(a);
  let [y, ys] = parse(b);
  if (xs < ys) { x *= 10n ** BigInt(ys - xs); xs = ys; }
  if (ys < xs) y *= 10n ** BigInt(xs - ys);
  return print(sign > 0 ? x + y : x - y, xs);
}

export const isDecimal = (text) => typeof text === 'string' && /^-?\d{1,30}(\.\d{1,30})?$/.test(text);

/** Below 0: a is less than b; above 0: it is more. */
export function compare(a, b) {
  const difference = combine(a, b, -1);
  return difference[0] === '-' ? -1 : /[1-9]/.test(difference) ? 1 : 0;
}

/** null where one of the two is. */
export const add = (a, b) => combine(a, b, 1);
export const sub = (a, b) => combine(a, b, -1);
