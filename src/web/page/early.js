// A classic script on purpose: it runs before the first paint, so the page never flashes in the other theme.
(() => {
  let wanted = null;
  try { wanted = localStorage.getItem('cvdd.theme'); } catch { /* storage may be forbidden */ }
  const dark = wanted ? wanted === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
