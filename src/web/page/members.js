// The members of the group that is shown, each a link.

import { el, setText } from './dom.js';
import { count } from './format.js';
import { address, splitKey } from './state.js';

export class Members {
  constructor(store) {
    this.store = store;
    this.title = el('summary');
    this.list = el('ul');
    this.node = el('details', { class: 'members', hidden: true }, this.title, this.list);
  }

  show(record) {
    this.node.hidden = !record?.members?.length;
    if (this.node.hidden) return;
    const { members, counted } = record;
    setText(this.title, `${count(members.length)} members, ${counted === members.length ? 'all count' : `${count(counted)} count: the others have no trade yet`}`);
    const names = members.join();
    if (this.shown === names) return;
    this.shown = names;
    this.list.replaceChildren(...members.map((key) => {
      const { exchange, market, symbol } = splitKey(key);
      return el('li', {}, el('a', { href: address({ view: 'list', key }) }, el('b', {}, symbol), ` ${exchange} ${market}`));
    }));
  }

  hide() {
    this.node.hidden = true;
    this.shown = null;
    this.list.replaceChildren();
  }
}
