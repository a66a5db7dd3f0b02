// How an instrument is drawn: panes, scales, what the CVD is counted from, times, keys, picture and CSV; and comparing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PHONE, attempt, fits, given, open, shot, until } from './harness.mjs';

const KEY = 'binance:spot:BTCUSDT';
const HASH = '#/binance/spot/BTCUSDT';
const data = (page, name) => page.evaluate((n) => document.querySelector('#d-chart').dataset[n], name);
const drawn = (page) => until(page, () => Number(document.querySelector('#d-chart')?.dataset.cvdBars) > 4);

export async function charts(url) {
  const page = await open(url, { timezoneId: 'Asia/Tokyo' }, HASH);
  await drawn(page);
  await attempt('keys show and hide panes, but never the last one', async () => {
    await page.keyboard.press('v');
    await until(page, () => document.querySelector('#d-chart').dataset.panes === '4' && Number(document.querySelector('#d-chart').dataset.volume) > 0);
    await shot(page, 'volume-dark');
    for (const key of 'pdc') await page.keyboard.press(key);
    await until(page, () => document.querySelector('#d-chart').dataset.panes === '1');
    await page.keyboard.press('v');
    await page.waitForTimeout(300);
    if (await data(page, 'panes') !== '1' || !page.url().includes('w=v')) return false;
    for (const key of 'pcdv') await page.keyboard.press(key);
    await until(page, () => document.querySelector('#d-chart').dataset.panes === '3');
    return !page.url().includes('w=');
  });
  await attempt('keys choose the range', async () => {
    for (const [key, name] of [['2', '6h'], ['5', 'all'], ['1', '1h']]) {
      await page.keyboard.press(key);
      await until(page, (wanted) => document.querySelector('#detail-view .seg button[aria-pressed=true]').textContent.toLowerCase() === wanted, name);
    }
    await drawn(page);
  });
  await attempt('the CVD can be counted from the left edge: it is the sum of the deltas in sight', async () => {
    await page.click('#d-look summary');
    await shot(page, 'look-dark');
    await page.selectOption('#d-since', 'visible');
    await drawn(page);
    await page.click('#d-look summary'); // closes it
    const box = await page.locator('#d-chart').boundingBox();
    const first = Number(await data(page, 'from'));
    for (let i = 0; i < 20 && Number(await data(page, 'from')) <= first; i += 1) { // until some bars are out of sight to the left
      await page.mouse.move(box.x + box.width - 100, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width - 300, box.y + 60, { steps: 5 });
      await page.mouse.up();
      await page.waitForTimeout(100);
    }
    await page.mouse.move(box.x + 30, box.y - 60);
    // What is drawn, what the newest CVD is and where the left edge is, all of one frame.
    const seen = await until(page, async () => {
      await new Promise((good) => { requestAnimationFrame(good); });
      const { cvd, from } = document.querySelector('#d-chart').dataset;
      const whole = document.querySelector('#d-cvd').title.split(' ')[0];
      const since = document.querySelector('.l-cvd dd').title.match(/-?[\d.]+/)?.[0];
      const value = JSON.parse(cvd).value;
      return whole && since && Math.abs(value - Number(since)) < 1e-9 ? { value, from: Number(from), whole } : null;
    });
    const { from, whole, value } = await seen.jsonValue();
    const [exchange, market, symbol] = KEY.split(':');
    const api = await (await page.request.get(`${url}api/v1/bars?${new URLSearchParams({ exchange, market, symbol })}`)).json();
    const bar = api.bars.find(([time]) => Date.parse(time) / 1000 === from);
    const at = (name) => Number(bar[api.columns.indexOf(name)]);
    const before = at('cvd_base') - at('delta_base');
    if (Math.abs(Number(whole) - before - value) > 1e-6) throw new Error(`${whole} - ${before} is not ${value}`);
    return first < from;
  });
  await attempt('the CVD since 00:00 begins anew with each day, and is not drawn where it is not known', () => page.evaluate(async () => {
    const { CvdZero } = await import('./cvdzero.js');
    const bars = [];
    let cvd = 0;
    for (let t = 86400 * 10 - 7200; t < 86400 * 12; t += 3600) { cvd += 1; bars.push({ t, cvd_base: `${cvd}.5`, delta_base: '1', cvd_quote: '0', delta_quote: '0' }); }
    const zero = new CvdZero('day');
    const of = (t, whole) => { zero.forget(); return zero.of({ t }, bars, whole, 3600)?.base; };
    return of(86400 * 10, false) === '2.5' && of(86400 * 10 + 3600, false) === '2.5' && of(86400 * 11, false) === '26.5'
      && of(86400 * 10 - 3600, false) === undefined && of(86400 * 10 - 3600, true) === '0.5';
  }));
  await attempt('the CVD since 00:00 UTC is drawn', async () => {
    await page.click('#d-look summary');
    await page.selectOption('#d-since', 'day');
    await drawn(page);
    await until(page, () => Number.isFinite(JSON.parse(document.querySelector('#d-chart').dataset.cvd).value));
    await page.selectOption('#d-since', '');
  });
  await attempt('the CVD is drawn as candles that go on from each other; the price on a logarithmic scale', async () => {
    await page.keyboard.press('Escape');
    await page.evaluate((hash) => { location.hash = `${hash}?k=1&l=1`; }, HASH);
    await drawn(page);
    const candle = JSON.parse(await data(page, 'cvd'));
    await shot(page, 'candles-dark');
    const { open: o, high, low, close } = candle;
    return [o, high, low, close].every(Number.isFinite) && high >= Math.max(o, close) && low <= Math.min(o, close);
  });
  await attempt('times are local when it is asked for, and stay so', async () => {
    const time = () => page.evaluate(() => document.querySelector('.l-time dd').textContent);
    const hour = async () => Number((await time()).slice(11, 13));
    await until(page, () => /\d\d:\d\d/.test(document.querySelector('.l-time dd').textContent));
    const utc = await hour();
    await page.keyboard.press('z');
    await until(page, () => document.querySelector('#zone').textContent === 'Times are local');
    await drawn(page);
    const local = await hour();
    await page.reload();
    await drawn(page);
    await shot(page, 'local-dark');
    const kept = await page.textContent('#zone');
    await page.click('#zone');
    await until(page, () => document.querySelector('#zone').textContent === 'Times are UTC');
    return (local - utc + 24) % 24 === 9 && kept === 'Times are local';
  });
  await attempt('the picture is a file with the instrument\u2019s name', async () => {
    await drawn(page);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#d-picture')]);
    const path = join(given.shots, 'saved-picture.png');
    await download.saveAs(path);
    const bytes = readFileSync(path);
    return /^BTCUSDT-binance-spot-\d{4}-\d\d-\d\d-.*\.png$/.test(download.suggestedFilename()) && bytes.subarray(1, 4).toString() === 'PNG'
      && bytes.readUInt32BE(16) > 500 && bytes.length > 8000;
  });
  await attempt('the CSV has the bars in sight, and no others', async () => {
    await page.hover('#d-csv');
    const [from, to] = [Number(await data(page, 'from')), Number(await data(page, 'to')) + Number(await data(page, 'step'))];
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#d-csv')]);
    const path = join(given.shots, 'bars.csv');
    await download.saveAs(path);
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    const times = lines.slice(1).map((line) => Date.parse(line.slice(0, 20)) / 1000);
    return download.suggestedFilename() === 'binance-spot-BTCUSDT.csv' && lines[0].startsWith('time,exchange,') && times.length > 3
      && times.every((t) => t >= from && t < to + 10) && times[0] === from;
  });
  await attempt('compared: bar size, prices, shares of the own volume', async () => {
    await page.evaluate(() => { location.hash = '#/compare?i=binance:spot:BTCUSDT,coinbase:spot:BTC-USD,group:list:BTC perpetuals'; });
    const chart = (test, arg) => until(page, test, arg);
    await chart(() => document.querySelector('#c-chart').dataset.lines === '3' && document.querySelector('#c-chart').dataset.panes === '1');
    await page.selectOption('#c-step', '10');
    await chart(() => document.querySelector('#c-chart').dataset.step === '10');
    await page.check('#c-prices');
    await chart(() => document.querySelector('#c-chart').dataset.panes === '2' && document.querySelector('#c-chart').dataset.lines === '3');
    await page.check('#c-shares');
    await chart(() => [...document.querySelectorAll('.lines .value')].every((n) => n.textContent.endsWith(' %')));
    const last = JSON.parse(await page.evaluate(() => document.querySelector('#c-chart').dataset.last));
    await shot(page, 'compare-shares-dark');
    return last.length === 3 && last.every((value) => Math.abs(value) <= 100) && page.url().includes('o=1') && page.url().includes('n=1');
  });
  await page.context().close();
  await attempt('on a phone the chart comes first, its menus fit, and it is light', async () => {
    const phone = await open(url, PHONE, `${HASH}?w=pcdv&k=1`);
    await drawn(phone);
    await shot(phone, 'phone-chart-light');
    const order = await phone.evaluate(() => {
      const top = (s) => document.querySelector(s).getBoundingClientRect().top;
      return top('#d-chart') < top('#detail-view .stats') && top('#d-chart') < top('#detail-view .legend') && document.querySelector('#d-chart').getBoundingClientRect().bottom < innerHeight * 1.25;
    });
    const inside = async (box) => phone.evaluate((s) => { const { left, right } = document.querySelector(s).getBoundingClientRect(); return left >= 0 && right <= innerWidth; }, box);
    await phone.click('#d-look summary');
    await shot(phone, 'phone-look-light');
    const look = await inside('#d-look .menu-box');
    await phone.click('#d-alert summary');
    const alert = await inside('#d-alert .menu-box');
    await shot(phone, 'phone-alert-light');
    const good = await fits(phone);
    const close = await inside('#d-close');
    await phone.context().close();
    if (!(order && look && alert && good && close)) throw new Error(JSON.stringify({ order, look, alert, good, close }));
  });
}
