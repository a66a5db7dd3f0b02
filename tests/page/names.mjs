// Whose numbers are whose: nothing that was shown of one instrument ever stands under another's name.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, folder, open, rows, shot, start, until } from './harness.mjs';

const NUMBERS = '#detail-view :is(.stats dd, .legend dd, .badge)';
/** Everything in the detail view that tells of an instrument. */
const shownNumbers = (page) => page.evaluate((selector) => [...document.querySelectorAll(selector)]
  .filter((n) => n.checkVisibility()).map((n) => n.textContent).filter((text) => /[0-9a-z]/i.test(text)), NUMBERS);
const shownBars = (page) => page.evaluate(() => document.querySelectorAll('#d-chart canvas, #d-table-host tr').length);

export async function names(url) {
  await attempt('an unknown instrument after a known one shows no number, no bar and no download of it', async () => {
    const page = await open(url);
    await rows(page).filter({ hasText: 'BTCUSDT' }).filter({ hasText: 'binance' }).first().click();
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.priceBars) > 2);
    if ((await shownNumbers(page)).length < 10) return false; // else there was nothing that could have stayed
    await page.click('#d-table');
    await until(page, () => document.querySelectorAll('#d-table-host tbody tr').length > 2);
    await page.evaluate(() => { location.hash = '#/binance/spot/NOSUCHTHING'; });
    await page.waitForSelector('#detail-view .empty:visible');
    await shot(page, 'unknown-dark');
    const told = await page.textContent('#detail-view .empty');
    const left = await shownNumbers(page);
    const offered = await page.locator('#detail-view .actions a:visible, #d-compare:visible').count();
    await page.context().close();
    if (left.length || offered) throw new Error(`left: ${left} ${offered}`);
    return told === 'cvdd does not collect binance spot NOSUCHTHING.';
  });
  await attempt('while the list is on its way the address of an instrument shows its name alone', async () => {
    const page = await open(url, {}, '', { go: false });
    let release;
    const held = new Promise((good) => { release = good; });
    await page.route('**/api/v1/instruments*', async (route) => { await held; await route.continue(); });
    await page.goto(`${url}#/binance/spot/BTCUSDT`);
    await page.waitForSelector('#detail-view h2:visible');
    const before = await shownNumbers(page);
    const name = await page.textContent('#detail-view h2');
    release();
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.priceBars) > 2);
    const after = await shownNumbers(page);
    await page.context().close();
    return name === 'BTCUSDT' && before.length === 0 && after.length >= 10;
  });
  await attempt('the bars of one instrument are not shown while those of the next are on their way', async () => {
    const page = await open(url, {}, '#/binance/spot/BTCUSDT');
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.priceBars) > 2);
    await page.click('#d-table');
    await until(page, () => document.querySelectorAll('#d-table-host tbody tr').length > 2);
    await page.route('**/api/v1/bars*', () => {}); // never answered
    const other = await page.evaluate(() => [...document.querySelectorAll('#rows .row[data-key]')].map((r) => r.dataset.key).find((k) => !k.endsWith(':BTCUSDT')));
    await page.evaluate((key) => { location.hash = `#/${key.replaceAll(':', '/')}`; }, other);
    await until(page, (symbol) => document.querySelector('#detail-view h2').textContent === symbol, other.split(':')[2]);
    const bars = await shownBars(page);
    await page.context().close();
    return bars === 0;
  });
  await attempt('a downloaded file keeps the name of its symbol, whatever script it is in, and no two names become one', async () => {
    const page = await open(url);
    const made = await page.evaluate(async () => {
      const { fileName } = await import('./format.js');
      return ['币安人生USDT', '龙虾USDT', 'BTC/USD', 'BTC:USD', 'BTC_USDC-PERPETUAL', '../x', 'a\u202Eb', 'नमस्ते'].map((s) => fileName(['e', 'spot', s], 'csv'));
    });
    await page.context().close();
    return new Set(made).size === made.length && made[0] === 'e-spot-币安人生USDT.csv' && made[4] === 'e-spot-BTC_USDC-PERPETUAL.csv'
      && made.every((name) => !/[/\\:\u202E]/.test(name));
  });
  await removed();
}

/** A daemon that reaches no exchange: its instruments are unlisted, and there. */
async function removed() {
  const home = join(folder, 'removed');
  mkdirSync(home);
  const port = 30000 + (process.pid % 10000);
  const list = (symbols, more = '') => {
    writeFileSync(join(home, 'new.toml'), `[binance]\nspot = [${symbols.map((s) => `"${s}"`)}]\n${more}`);
    renameSync(join(home, 'new.toml'), join(home, 'symbols.toml'));
  };
  list(['AAAUSDT', 'BBBUSDT']);
  writeFileSync(join(home, 'cvdd.toml'), `data_dir = "data"\n[http]\nlisten = "127.0.0.1:${port}"\n[net]\nproxy = "http://127.0.0.1:1"\n`);
  const daemon = start(['run', '--config', join(home, 'cvdd.toml')], { stdio: 'ignore' });
  try {
    await attempt('a removed instrument leaves the list and its own view at once, a new one comes; a group too', async () => {
      let page;
      for (let tries = 0; !page; tries += 1) {
        try { page = await open(`http://127.0.0.1:${port}/`); } catch (error) { if (tries === 50) throw error; await new Promise((good) => { setTimeout(good, 100); }); }
      }
      const shown = (...wanted) => until(page, (names) => JSON.stringify([...document.querySelectorAll('#rows .row:not([hidden]) .c-symbol')]
        .map((n) => n.textContent).sort()) === JSON.stringify(names), wanted);
      await shown('AAAUSDT', 'BBBUSDT');
      await rows(page).filter({ hasText: 'BBBUSDT' }).click();
      await page.waitForSelector('#detail-view .badge:visible');
      list(['AAAUSDT']);
      const began = Date.now();
      await shown('AAAUSDT');
      const took = Date.now() - began;
      console.log(`       ${took} ms after the list was saved`);
      await until(page, () => document.querySelector('#detail-view .empty:not([hidden])')?.textContent === 'cvdd does not collect binance spot BBBUSDT.');
      list(['AAAUSDT', 'CCCUSDT']);
      await shown('AAAUSDT', 'CCCUSDT');
      list(['AAAUSDT', 'CCCUSDT'], '[group.all]\nmembers = ["*:*:*", "*:spot:ZZZUSDT"]\n');
      await shown('AAAUSDT', 'CCCUSDT', 'all');
      await page.evaluate(() => { location.hash = '#/group/list/all'; });
      await until(page, () => document.querySelector('.reason:not([hidden])')?.textContent.startsWith('*:spot:ZZZUSDT matches nothing that is collected.'));
      list(['AAAUSDT', 'CCCUSDT']);
      await shown('AAAUSDT', 'CCCUSDT');
      await page.context().close();
      return took < 8000;
    });
  } finally {
    await daemon.end();
  }
}
