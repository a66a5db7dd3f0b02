// Dark or light: follows the system until the button is used, and from then on what was chosen.

const listeners = new Set();
const root = document.documentElement;

export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The resolved value of a custom property, for what is drawn on a canvas. */
export function cssColor(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

function apply(theme, button) {
  root.dataset.theme = theme;
  const other = theme === 'dark' ? 'light' : 'dark';
  button.setAttribute('aria-label', `Switch to the ${other} theme`);
  button.title = `Switch to the ${other} theme`;
  document.querySelector('meta[name="theme-color"]').content = cssColor('--panel');
  for (const listener of listeners) listener(theme);
}

export function initTheme(button) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  try { chosen = localStorage.getItem('cvdd.theme'); } catch { /* then it is not remembered */ }
  apply(chosen ?? (system.matches ? 'dark' : 'light'), button);
  system.addEventListener('change', () => {
    if (!chosen) apply(system.matches ? 'dark' : 'light', button);
  });
  button.addEventListener('click', () => {
    chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem('cvdd.theme', chosen); } catch { /* then it is not remembered */ }
    apply(chosen, button);
  });
}
