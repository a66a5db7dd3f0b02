// What this browser keeps of the page, where it is allowed to.

export function recallJson(name) {
  try { return JSON.parse(localStorage.getItem(`cvdd.${name}`)); } catch { return null; }
}

export function rememberJson(name, value) {
  try { localStorage.setItem(`cvdd.${name}`, JSON.stringify(value)); } catch { /* then it is not remembered */ }
}
