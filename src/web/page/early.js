// A classic script on purpose: it runs before the first paint, so the page never flashes in the other theme, and asks for
// the list while the modules are on their way.
(() => {
  let wanted = null;
  try { wanted = localStorage.getItem('cvdd.theme'); } catch { /* storage may be forbidden */ }
  const dark = wanted ? wanted === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  const first = '/api/v1/instruments?spark=0';
  window.early = { [first]: fetch(first, { cache: 'no-store', credentials: 'same-origin' }) };
  window.early[first].catch(() => {}); // whoever takes it is told
})();
