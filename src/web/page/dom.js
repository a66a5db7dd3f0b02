// Small helpers. Data only ever enters the document as text.

export const $ = (id) => document.getElementById(id);

/** el('td', {class: 'num', title: 'x', onclick: f}, 'text', child, …) */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Writes only what differs: untouched nodes cost no layout and don't disturb a selection. */
export function setText(node, text) {
  if (node.shownText !== text) node.textContent = node.shownText = text;
}

export function setAttr(node, name, value) {
  const key = `shown:${name}`;
  if (node[key] === value) return;
  node[key] = value;
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? '' : value);
}

/** Text, the exact value as title, and the sign for its colour. */
export function setNumber(node, text, exact, signed) {
  setText(node, text);
  setAttr(node, 'title', exact ?? null);
  if (signed) setAttr(node, 'data-sign', signOf(exact));
}

export function signOf(decimal) {
  if (!decimal) return null;
  if (decimal[0] === '-') return 'down';
  return /[1-9]/.test(decimal) ? 'up' : null;
}

/** Calls f once in the next frame, however often it is asked for until then. */
export function frame(f) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; f(); });
  };
}
