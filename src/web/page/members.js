// The members of the group that is shown, each a link.

import { el, setText } from './dom.js';
import { count } from './format.js';
import { address, splitKey } from './state.js';

function link(key) {
  const { exchange, market, symbol } = splitKey(key);
  return el('li', {}, el('a', { href: address({ view: 'list', key }) }, el('b', {}, symbol), ` ${exchange} ${market}`));
}

export class Members {
  constructor(store) {
    this.store = store;
    this.title = el('summary');
    this.list = el('ul');
    this.beside = el('p', { class: 'quiet' });
    this.others = el('ul');
    this.node = el('details', { class: 'members', hidden: true }, this.title, this.list, this.beside, this.others);
  }

  show(record) {
    this.node.hidden = !record?.members?.length;
    if (this.node.hidden) return;
    const { members, counted, leftOut = 0, notMembers = [], base } = record;
    const left = leftOut ? `; ${count(leftOut)} collected ${leftOut === 1 ? 'instrument' : 'instruments'} of ${base} ${leftOut === 1 ? 'is' : 'are'} not in it` : '';
    setText(this.title, `${count(members.length)} ${members.length === 1 ? 'member' : 'members'}, ${counted === members.length ? 'all with trades' : `${count(counted)} with trades: the others have none yet`}${left}`);
    const names = `${members.join()} ${notMembers.join()}`;
    if (this.shown === names) return;
    this.shown = names;
    this.list.replaceChildren(...members.map(link));
    setText(this.beside, notMembers.length ? 'Not in it:' : '');
    this.others.replaceChildren(...notMembers.map(link));
  }

  hide() {
    this.node.hidden = true;
    this.shown = null;
    this.list.replaceChildren();
    this.others.replaceChildren();
  }
}
