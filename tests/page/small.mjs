// Smaller things that hold everywhere: the footer's place, what 0 looks like, how loud a status is.
import { PHONE, attempt, open, shot, startDemo, until } from './harness.mjs';

/** Where the footer ends, and the main part begins to be hidden by it. */
const foot = (page) => page.evaluate(() => {
  const [main, footer] = ['#main', '.foot'].map((s) => document.querySelector(s).getBoundingClientRect());
  return footer.height > 10 && Math.abs(footer.bottom - innerHeight) < 1 && Math.abs(main.bottom - footer.top) < 1;
});

export async function small(url) {
  await attempt('the footer keeps its place, whatever is shown, with and without the banner', async () => {
    for (const options of [{}, PHONE]) {
      const page = await open(url, options);
      for (const hash of ['#/', '#/binance/spot/BTCUSDT', '#/connections', '#/compare?i=binance:spot:BTCUSDT', '#/binance/spot/NOSUCHTHING']) {
        await page.evaluate((h) => { location.hash = h; }, hash);
        await page.waitForTimeout(400);
        if (!await foot(page)) throw new Error(`${hash} ${JSON.stringify(options.viewport ?? {})}`);
        await page.evaluate(() => { const b = document.querySelector('#banner'); b.textContent = 'The daemon cannot be reached.'; b.hidden = false; });
        if (!await foot(page)) throw new Error(`with the banner: ${hash} ${JSON.stringify(options.viewport ?? {})}`);
      }
      await page.context().close();
    }
  });
  await attempt('0 is "0", what is not known is a dash, and nothing is "-0"', async () => {
    const page = await open(url, {}, '#/binance/spot/BTCUSDT');
    const good = await page.evaluate(async () => {
      const { amount, axis, count, price } = await import('./format.js');
      return ['0', '-0', '0.000', '-0.00'].every((zero) => amount(zero) === '0' && amount(zero, true) === '0') && amount(0) === '0' && count(0) === '0'
        && axis(0) === '0' && axis(-0) === '0' && axis(-1e-12) !== '-0' && price('0') === '0' && [null, undefined, ''].every((none) => amount(none) === '\u2013');
    });
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.priceBars) > 2);
    await page.click('#d-table');
    await page.waitForSelector('#d-table-host tbody tr');
    const missing = await page.evaluate(() => [...document.querySelectorAll('#d-table-host tbody tr')].map((row) => row.lastElementChild.textContent));
    await shot(page, 'table-dark');
    await page.context().close();
    return good && missing.every((text) => text === '?' || /^[\d,]+$/.test(text)) && missing.includes('0');
  });
  await attempt('"repaired" is quieter than "gap": like "live", but for the form of its mark', async () => {
    const demo = await startDemo('--interval', '2s', '--instruments', '12', '--trades-per-minute', '240', '--drop-every', '7s');
    try {
      for (const colorScheme of ['dark', 'light']) {
        const page = await open(demo.url, { colorScheme });
        await until(page, () => document.querySelector('#rows .badge[data-status="repaired"]'));
        await shot(page, `repaired-${colorScheme}`);
        const style = (word) => page.evaluate((w) => {
          const node = Object.assign(document.createElement('span'), { className: 'badge' });
          node.dataset.status = w;
          document.querySelector('#main').append(node);
          const { backgroundColor, fontWeight, color } = getComputedStyle(node);
          node.remove();
          return { backgroundColor, fontWeight, color };
        }, word);
        const [gap, repaired, live] = [await style('gap'), await style('repaired'), await style('live')];
        await page.context().close();
        const quiet = JSON.stringify(repaired) === JSON.stringify(live) && Number(repaired.fontWeight) < Number(gap.fontWeight) && gap.backgroundColor !== repaired.backgroundColor;
        if (!quiet) throw new Error(JSON.stringify({ gap, repaired, live }));
      }
      const page = await open(demo.url, {}, '#/binance/spot/BTCUSDT');
      await until(page, () => Number(document.querySelector('#d-chart')?.dataset.repairedBars) > 0);
      await shot(page, 'repaired-chart-dark');
      await page.context().close();
    } finally {
      await demo.end();
    }
  });
}
