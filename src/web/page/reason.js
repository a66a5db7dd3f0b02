// What the reader of a group's numbers has to know: why there is no sum, and which members match nothing.

import { el, setText } from './dom.js';
import { set, state } from './state.js';

const OTHER = { base: 'quote', quote: 'base' };

/** Whether the members have no common unit there, so that nothing can be summed. */
export const hasNoSum = (record, unit) => Boolean(record?.members?.length) && !record[unit];

/** What can't be summed has no pane: an empty one says nothing. */
export const panesWithSums = (record, { unit, panes }) => (hasNoSum(record, unit) ? 'p' : panes);

export class Reason {
  constructor() {
    this.text = el('span');
    this.button = el('button', { type: 'button', id: 'd-other-unit', onclick: () => set({ unit: OTHER[state.unit] }, { replace: true }) });
    this.node = el('p', { class: 'hint reason', role: 'status', hidden: true }, this.text, this.button);
  }

  show(record, unit) {
    const none = hasNoSum(record, unit);
    // What is not summed in the unit that nobody looks at is no news.
    const parts = record?.members ? (record.reason ?? '').split('; ').filter((part) => part && (none || !part.startsWith('no sum in '))) : [];
    setText(this.text, parts.length ? `${parts.join('; ')}.`.replace(/^./, (c) => c.toUpperCase()) : '');
    this.button.hidden = !none || hasNoSum(record, OTHER[unit]);
    setText(this.button, unit === 'base' ? 'Show it in quote' : 'Show it in base');
    this.node.hidden = !parts.length;
  }
}
