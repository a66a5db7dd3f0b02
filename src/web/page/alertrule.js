// When an alert is due. Pure.

import { compare, isDecimal } from './decimal.js';

export const KINDS = { cvd: 'CVD', delta: 'Delta of the open bar', status: 'Status' };

/** Whatever was kept, as alerts that can be. */
export function goodAlerts(kept) {
  if (!Array.isArray(kept)) return [];
  return kept.filter((a) => a && typeof a.key === 'string' && a.kind in KINDS
    && (a.kind === 'status' || (isDecimal(a.value) && ['base', 'quote'].includes(a.unit))))
    .map(({ key, kind, unit, value }) => ({ key, kind, unit, value }));
}

/** On which side a record stands now; null: it is not known. */
export function sideOf({ kind, unit, value }, record, status) {
  if (kind === 'status') return status === 'live' ? 'live' : 'not live';
  const now = record.bar?.[`${kind}_${unit}`];
  if (now === null || now === undefined) return null;
  const order = compare(now, value);
  return order === 0 ? null : order > 0 ? 'above' : 'below'; // on the value itself nothing is crossed yet
}

/** Whether it is due when the side was `before` and is `now`. A delta begins at 0 with each bar: that this brings it back crosses nothing. */
export function isDue({ kind, value }, before, now, sameBar) {
  if (before === null || before === undefined || now === null || before === now) return false;
  if (kind === 'status') return now === 'not live';
  if (kind === 'cvd' || sameBar) return true;
  const sign = compare(value, '0');
  return sign === 0 || now === (sign > 0 ? 'above' : 'below');
}
