// One line less another: spot against perpetuals, one exchange against all. Each stands at 0 before its first bar in sight.

import { sub } from './decimal.js';

/** Of two ascending lists of {time, value}; a line without a bar stands where it stood. */
export function difference(first, second) {
  const times = [...new Set([...first, ...second].map(({ time }) => time))].sort((a, b) => a - b);
  const walk = (list) => {
    let at = -1;
    return (time) => {
      while (at + 1 < list.length && list[at + 1].time <= time) at += 1;
      return at < 0 ? 0 : list[at].value;
    };
  };
  const [of, less] = [walk(first), walk(second)];
  return times.map((time) => ({ time, value: of(time) - less(time) }));
}

/** Exact, of the newest values; null where one is not known. */
export const exactDifference = (first, second) => (first === null || second === null ? null : sub(first, second));
