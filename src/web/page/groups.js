// Groups: several instruments summed. Those of the symbol list, and those that somebody picked, whose names are the key.

import { splitKey } from './state.js';

const LISTED = 'group:list:';
const PICKED = 'group:picked:';

export const isGroup = (key) => key.startsWith(LISTED) || key.startsWith(PICKED);
export const isPicked = (key) => key.startsWith(PICKED);
export const pickedKey = (keys) => PICKED + [...keys].sort().join(',');

/** Of an item of the API. */
export function groupKey({ group, instruments }) {
  return group === undefined ? PICKED + instruments : LISTED + group;
}

/** The instruments that a picked one is made of. */
export const pickedMembers = (key) => key.slice(PICKED.length).split(',');

/** As the stream is asked for it. */
export function askedGroup(key) {
  return isPicked(key) ? pickedMembers(key) : key.slice(LISTED.length);
}

/** What /api/v1/bars is asked for, of an instrument or a group. */
export function barsOf(key) {
  if (isPicked(key)) return { instruments: key.slice(PICKED.length) };
  return isGroup(key) ? { group: key.slice(LISTED.length) } : splitKey(key);
}

/** A group's name for people. */
export function titleOf(key) {
  return isPicked(key) ? `Sum of ${pickedMembers(key).length}` : key.slice(LISTED.length);
}
