// The watch list: instruments and groups that this browser has starred.

import { el, setAttr, setText } from './dom.js';
import { recallJson, rememberJson } from './memory.js';

const MOST = 500;

export class Watch extends EventTarget {
  constructor() {
    super();
    const kept = recallJson('watch');
    this.keys = new Set(Array.isArray(kept) ? kept.filter((key) => typeof key === 'string').slice(0, MOST) : []);
  }

  has(key) {
    return this.keys.has(key);
  }

  toggle(key) {
    if (!key) return;
    if (!this.keys.delete(key) && this.keys.size < MOST) this.keys.add(key);
    rememberJson('watch', [...this.keys]);
    this.dispatchEvent(new Event('change'));
  }

  /** A star for whatever `of` says; show() brings it up to date. */
  button(of) {
    const node = el('button', { type: 'button', class: 'icon star', onclick: () => { this.toggle(of()); node.show(); } });
    node.show = () => this.paint(node, of());
    return node;
  }

  paint(node, key) {
    const on = this.has(key);
    setText(node, on ? '★' : '☆');
    setAttr(node, 'aria-pressed', String(on));
    setAttr(node, 'aria-label', on ? 'Take off the watch list' : 'Put on the watch list');
    setAttr(node, 'title', on ? 'Take off the watch list (w)' : 'Put on the watch list (w)');
  }
}
