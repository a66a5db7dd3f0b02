// The page as a user has it: a demo whose exchanges hang up now and then, and headless Chromium.
//   node page_test.mjs --cvdd PROGRAM --modules FOLDER_WITH_playwright-core --shots FOLDER
// Every check is a line; exit status 1 if one fails.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PHONE, attempt, browser, check, complaints, failures, fits, folder, foreign, given, open, rows, shot, startDemo, until } from './harness.mjs';
import { charts } from './charts.mjs';
import { groups } from './groups.mjs';
import { names } from './names.mjs';
import { reading } from './reading.mjs';
import { small } from './small.mjs';
import { traffic } from './traffic.mjs';
import { watching } from './watching.mjs';

const INSTRUMENTS = 20;
const demo = await startDemo('--interval', '2s', '--instruments', String(INSTRUMENTS), '--trades-per-minute', '240', '--drop-every', '12s', '--no-repair');
const { url } = demo;

const began = Date.now();
const page = await open(url);
await attempt('the list shows every instrument that the API names', async () => {
  await until(page, (n) => document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])').length >= n, INSTRUMENTS);
  console.log(`       ${Date.now() - began} ms until it did`);
  const api = await (await page.request.get(`${url}api/v1/instruments`)).json();
  const shown = await page.evaluate(() => [...document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])')].map((r) => r.dataset.key).sort());
  const named = api.instruments.map((i) => `${i.exchange}:${i.market}:${i.symbol}`).sort();
  return named.length === INSTRUMENTS && JSON.stringify(shown) === JSON.stringify(named);
});
await attempt('every instrument becomes live', () => until(page, (n) => document.querySelector('#h-live dd').textContent.includes(`${n} / ${n}`), INSTRUMENTS));
await shot(page, 'list-dark');
await attempt('a filter narrows the list, and lets go again', async () => {
  await page.fill('#filter', 'btc spot');
  await until(page, (n) => { const k = document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])').length; return k > 0 && k < n; }, INSTRUMENTS);
  const keys = await page.evaluate(() => [...document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])')].map((r) => r.dataset.key));
  await page.fill('#filter', '');
  await until(page, (n) => document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])').length >= n, INSTRUMENTS);
  return keys.every((key) => /:spot:.*BTC/.test(key));
});
await attempt('the list is sorted by a column, both ways', async () => {
  // In the frame after the next one all that was asked for is painted.
  const order = () => page.evaluate(() => new Promise((good) => {
    requestAnimationFrame(() => requestAnimationFrame(() => good([...document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])')]
      .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map((r) => r.dataset.key.split(':')[2]))));
  }));
  const head = page.locator('#head [role=columnheader] button', { hasText: 'Symbol' });
  await head.click();
  const once = await order();
  await head.click();
  const twice = await order();
  return JSON.stringify(once) !== JSON.stringify(twice) && once.length === INSTRUMENTS;
});
await attempt('arrow keys walk, Enter opens, Escape closes', async () => {
  await page.focus('#grid');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#detail-view:visible');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#detail-view', { state: 'hidden' });
});
await attempt('a click shows three panes with data', async () => {
  await page.evaluate(() => { window.location.hash = ''; });
  // Rows are used again for others: which is where is known when the first one is the first by name.
  await until(page, () => document.querySelector('#row-0')?.dataset.key.startsWith('group:list:BTC p'));
  await rows(page).filter({ hasText: 'BTCUSDT' }).filter({ hasText: 'binance' }).first().click();
  await until(page, () => {
    const { panes, priceBars, cvdBars, deltaBars } = document.querySelector('#d-chart')?.dataset ?? {};
    return panes === '3' && [priceBars, cvdBars, deltaBars].every((n) => Number(n) >= 3);
  });
  // The chart says what it has before the next frame paints it.
  await until(page, () => [...document.querySelectorAll('#d-chart canvas')].filter((c) => {
    if (c.width < 200 || c.height < 50) return false;
    const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
    // Candles, the line and the bars are coloured; background, grid and text are greys.
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 0 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60) return true;
    }
    return false;
  }).length >= 3);
});
await attempt('the open bar moves', async () => {
  const key = new URL(page.url()).hash;
  const numbers = () => ['#d-price', '#d-delta', '#d-cvd'].map((id) => document.querySelector(id).textContent).join(' ');
  const seen = new Set();
  for (let i = 0; i < 100 && seen.size < 4; i += 1) {
    seen.add(await page.evaluate(numbers));
    await page.waitForTimeout(100);
  }
  return seen.size >= 4 && key === new URL(page.url()).hash;
});
await attempt('base and quote can be exchanged', async () => {
  // The exact value is told with its unit.
  const unit = () => page.evaluate(() => document.querySelector('#d-cvd').title.split(' ').at(-1));
  await until(page, () => document.querySelector('#d-cvd').title);
  const base = await unit();
  await page.click('#unit-quote');
  await until(page, () => document.querySelector('#d-cvd').title.endsWith(' USDT'));
  await page.click('#unit-base');
  await until(page, () => document.querySelector('#d-cvd').title.endsWith(' BTC'));
  return base === 'BTC';
});
await attempt('a shaded gap appears after the exchanges have hung up', () =>
  until(page, () => {
    const chart = document.querySelector('#d-chart');
    if (!(Number(chart.dataset.gapBars) > 0)) return false;
    // Its colour is in the picture, over most of a pane's height.
    const [r, g, b] = getComputedStyle(document.querySelector('.swatch.gap')).backgroundColor.match(/[\d.]+/g).map(Number);
    return [...chart.querySelectorAll('canvas')].some((canvas) => {
      if (canvas.width < 200 || canvas.height < 50) return false;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const hits = new Map();
      for (let i = 0; i < data.length; i += 4) {
        const [x, y, z] = [data[i], data[i + 1], data[i + 2]];
        // Blended with the background: the same hue, paler or darker.
        if (data[i + 3] > 0 && Math.sign(x - y) === Math.sign(r - g) && Math.sign(y - z) === Math.sign(g - b) && Math.max(x, y, z) - Math.min(x, y, z) > 12) {
          const column = (i / 4) % canvas.width;
          hits.set(column, (hits.get(column) ?? 0) + 1);
        }
      }
      return [...hits.values()].some((n) => n > canvas.height / 2);
    });
  }));
await shot(page, 'detail-dark');
await attempt('two instruments are compared', async () => {
  await page.keyboard.press('Escape');
  const bitcoin = rows(page).filter({ hasText: 'BTCUSDT' }).filter({ hasText: 'binance' });
  for (const i of [0, 1]) await bitcoin.nth(i).locator('.c-check').click();
  await page.click('#to-compare');
  await until(page, () => document.querySelector('#c-chart')?.dataset.lines === '2' && Number(document.querySelector('#c-chart').dataset.bars) > 0);
});
await shot(page, 'compare-dark');
await attempt('connections are listed', async () => {
  await page.click('#to-connections');
  await until(page, () => document.querySelectorAll('.connections tbody tr').length >= 5);
});
await shot(page, 'connections-dark');
await attempt('where no instrument is in sight the stream stays, and the data do not grow old', async () => {
  let again = 0;
  page.on('websocket', () => { again += 1; });
  let oldest = 0;
  for (let i = 0; i < 28; i += 1) {
    await page.waitForTimeout(500);
    oldest = Math.max(oldest, Number.parseFloat(await page.textContent('#h-age dd')));
  }
  if (again || oldest > 4) throw new Error(`${again} new streams, ${oldest} s old`);
});

const light = await open(url, { colorScheme: 'light' }, '#/connections');
await attempt('the theme follows the system, and the button', async () => {
  const follows = await light.evaluate(() => document.documentElement.dataset.theme === 'light');
  await light.click('#theme');
  return follows && light.evaluate(() => document.documentElement.dataset.theme === 'dark');
});
await light.click('#theme');
await light.click('#to-list');
await until(light, (n) => document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])').length >= n, INSTRUMENTS);
await shot(light, 'list-light');
const phone = await open(url, PHONE);
await attempt('nothing sticks out on a phone', async () => {
  await until(phone, () => document.querySelectorAll('#rows .row[data-key]:not([data-key^="group:"]):not([hidden])').length > 3);
  return fits(phone);
});
await shot(phone, 'phone-light');
await attempt('a phone shows an instrument, the connections and a comparison, and nothing sticks out', async () => {
  await rows(phone).filter({ hasText: 'BTCUSDT' }).first().click();
  await until(phone, () => document.querySelector('#d-chart')?.dataset.panes === '3');
  await shot(phone, 'phone-detail-light');
  const detail = await fits(phone);
  await phone.click('#d-close');
  await phone.click('#to-connections');
  await until(phone, () => document.querySelectorAll('.connections tbody tr').length >= 5);
  await shot(phone, 'phone-connections-light');
  return detail && await fits(phone);
});
await attempt('where a token is wanted the page asks for it, tells a wrong one, and opens for the right one', async () => {
  const secret = 'page-test-0123456789';
  const port = 20000 + (process.pid % 10000);
  mkdirSync(join(folder, 'locked'));
  writeFileSync(join(folder, 'locked', 'cvdd.toml'), `[http]\nlisten = "127.0.0.1:${port}"\ntoken = "${secret}"\n[net]\nproxy = "http://127.0.0.1:1"\n`);
  writeFileSync(join(folder, 'locked', 'symbols.toml'), '[binance]\nspot = ["AAAUSDT"]\n');
  const locked = spawn(given.cvdd, ['run', '--config', join(folder, 'locked', 'cvdd.toml')], { stdio: 'ignore' });
  try {
    const context = await browser.newContext();
    const other = await context.newPage();
    other.setDefaultTimeout(10000);
    for (let tries = 0; ; tries += 1) {
      try { await other.goto(`http://127.0.0.1:${port}/`); break; } catch (error) { if (tries === 50) throw error; await other.waitForTimeout(100); }
    }
    await other.waitForSelector('#token-form:visible');
    await other.fill('input[name=token]', 'wrong-0123456789');
    await other.click('#token-form button');
    await other.waitForSelector('#token-wrong:visible');
    await shot(other, 'locked-light');
    await other.fill('input[name=token]', secret);
    await other.click('#token-form button');
    await other.waitForSelector('#token-form', { state: 'hidden' });
    await until(other, () => document.querySelector('#rows .row[data-key="binance:spot:AAAUSDT"]:not([hidden])'));
    return !other.url().includes(secret);
  } finally {
    locked.kill('SIGKILL');
  }
});
await names(url);
await groups(url);
await charts(url);
await watching(url);
await small(url);
await reading(url);
await traffic();
check(complaints.length === 0, `no complaint in the console${complaints.length ? `: ${complaints.slice(0, 3).join(' | ')}` : ''}`);
check(foreign.length === 0, `no request to another host${foreign.length ? `: ${foreign[0]}` : ''}`);
await browser.close();
check(await demo.end() === 0, 'the demo ends in peace');
console.log(failures() === 0 ? 'the page is good' : `${failures()} checks failed; pictures are in ${given.shots}`);
process.exit(failures() === 0 ? 0 : 1);
