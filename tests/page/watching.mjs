// Watch list and alerts, which this browser keeps; and that what comes from outside is text.
import { attempt, open, rows, shot, until } from './harness.mjs';

const KEY = 'binance:spot:BTCUSDT';
const HASH = '#/binance/spot/BTCUSDT';

export async function watching(url) {
  const page = await open(url, { colorScheme: 'light' });
  const shownKeys = () => page.evaluate(() => [...document.querySelectorAll('#rows .row[data-key]:not([hidden])')].map((r) => r.dataset.key).sort());
  await attempt('stars make a watch list, which stays', async () => {
    await rows(page).first().waitFor();
    for (const key of [KEY, 'group:list:BTC spot']) await page.locator(`#rows .row[data-key="${key}"]:visible .c-star button`).click();
    await page.check('#watched');
    await until(page, () => document.querySelectorAll('#rows .row[data-key]:not([hidden])').length === 2);
    await page.reload();
    await until(page, () => document.querySelectorAll('#rows .row[data-key]:not([hidden])').length === 2);
    const keys = await shownKeys();
    await shot(page, 'watched-light');
    await page.focus('#grid');
    await page.keyboard.press('w'); // the first row
    await until(page, () => document.querySelectorAll('#rows .row[data-key]:not([hidden])').length === 1);
    await page.uncheck('#watched');
    await until(page, () => document.querySelectorAll('#rows .row[data-key]:not([hidden])').length > 10);
    return JSON.stringify(keys) === JSON.stringify([KEY, 'group:list:BTC spot'].sort());
  });
  await attempt('alerts are due when a value is crossed, and only then', () => page.evaluate(async () => {
    const { goodAlerts, isDue, sideOf } = await import('./alertrule.js');
    const cvd = { key: 'a:spot:X', kind: 'cvd', unit: 'base', value: '-10.5' };
    const side = (value) => sideOf(cvd, { bar: { cvd_base: value } }, 'live');
    const delta = { ...cvd, kind: 'delta', value: '5' };
    const status = { key: 'a:spot:X', kind: 'status' };
    return side('-10.50000001') === 'below' && side('-10.5') === null && side('12345678901234567890.1') === 'above' && side(null) === null
      && isDue(cvd, 'below', 'above', false) && !isDue(cvd, 'above', 'above', true) && !isDue(cvd, undefined, 'above', true) && !isDue(cvd, 'above', null, true)
      && isDue(delta, 'below', 'above', false) && isDue(delta, 'above', 'below', true) && !isDue(delta, 'above', 'below', false)
      && isDue(status, 'live', 'not live') && !isDue(status, 'not live', 'live')
      && goodAlerts([cvd, status, { ...cvd, value: '1e5' }, { ...cvd, kind: 'x' }, null, 7, { kind: 'cvd' }]).length === 2 && goodAlerts({}).length === 0;
  }));
  await attempt('an alert is set, told when the CVD crosses its value, kept and removed', async () => {
    await page.evaluate((hash) => { location.hash = hash; }, HASH);
    await until(page, () => document.querySelector('#d-cvd').title);
    await page.click('#d-alert summary');
    await page.fill('#d-alert input[name=value]', 'much');
    await page.click('#d-alert button[type=submit]');
    await page.waitForSelector('#d-alert .wrong:visible');
    // The CVD may wander off and not come back for long: then the alert is set anew, where the CVD is by then.
    const crossed = () => page.waitForFunction(() => [...document.querySelectorAll('#toasts li')]
      .some((n) => /BTCUSDT binance spot CVD .* BTC, crossed /.test(n.textContent)), undefined, { timeout: 4000 }).then(() => true, () => false);
    for (let i = 0, due = false; !due; i += 1) {
      if (i === 20) throw new Error('no alert was told of 20 that were set where the CVD was');
      if (i > 0) await page.locator('#d-alert li button').first().click();
      const [now] = (await page.evaluate(() => document.querySelector('#d-cvd').title)).split(' ');
      await page.fill('#d-alert input[name=value]', String(Number(now).toFixed(3)));
      await page.click('#d-alert button[type=submit]');
      await until(page, () => document.querySelector('#d-alert summary').textContent === 'Alerts 1');
      due = await crossed();
    }
    await page.selectOption('#d-alert select[name=kind]', 'status');
    await page.click('#d-alert button[type=submit]');
    await until(page, () => document.querySelector('#d-alert summary').textContent === 'Alerts 2');
    await shot(page, 'alert-light');
    await until(page, () => [...document.querySelectorAll('#toasts li')].some((n) => /BTCUSDT binance spot is (connecting|subscribing|gap|partial)/.test(n.textContent)));
    await shot(page, 'toasts-light');
    await page.reload();
    await until(page, () => document.querySelector('#d-alert summary')?.textContent === 'Alerts 2');
    await page.click('#d-alert summary');
    for (let left = 2; left > 0; left -= 1) await page.locator('#d-alert li button').first().click();
    await until(page, () => document.querySelector('#d-alert summary').textContent === 'Alert');
    return page.evaluate(() => localStorage.getItem('cvdd.alerts') === '[]');
  });
  await attempt('an alert is told of an instrument that is not in sight', async () => {
    await page.evaluate(() => { location.hash = '#/'; });
    await page.evaluate((key) => localStorage.setItem('cvdd.alerts', JSON.stringify([{ key, kind: 'status' }])), KEY);
    await page.goto('about:blank');
    await page.goto(`${url}#/connections`);
    await until(page, () => [...document.querySelectorAll('#toasts li')].some((n) => /BTCUSDT binance spot is /.test(n.textContent)));
  });
  await attempt('whatever the storage holds, the page begins', async () => {
    for (const [name, text] of [['alerts', '{"x":'], ['alerts', '[{"key":5},null]'], ['watch', '"<img src=x>"'], ['watch', '[1,{}]'], ['zone', 'mars'], ['unit', '7']]) {
      await page.evaluate(([n, t]) => { localStorage.clear(); localStorage.setItem(`cvdd.${n}`, t); }, [name, text]);
      await page.goto('about:blank');
      await page.goto(url);
      await until(page, () => document.querySelectorAll('#rows .row[data-key]:not([hidden])').length > 10);
    }
  });
  await page.context().close();
  await attempt('names, reasons and groups from outside are text, never markup', async () => {
    const bad = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>';
    const other = await open(url, {}, '', { go: false, strict: false }); // the daemon knows no such names
    await other.route('**/api/v1/instruments*', async (route) => {
      const answer = await (await route.fetch()).json();
      Object.assign(answer.instruments[0], { symbol: bad, base: bad, quote: bad, state: bad, reason: bad });
      Object.assign(answer.groups[0], { group: bad, members: [`a:spot:${bad}`], base: bad, price_of: bad });
      await route.fulfill({ json: answer });
    });
    await other.addInitScript((text) => localStorage.setItem('cvdd.alerts', JSON.stringify([{ key: `x:spot:${text}`, kind: 'status' }])), bad);
    await other.goto(url);
    await until(other, (text) => [...document.querySelectorAll('#rows .c-symbol')].filter((n) => n.textContent === text).length === 2, bad);
    await other.locator('#rows .row[data-key^="group:list:<img"]').click();
    await until(other, (text) => document.querySelector('#detail-view h2').textContent === text, bad);
    const made = await other.evaluate(() => window.bad === undefined && document.querySelectorAll('main img, main script').length === 0);
    await other.context().close();
    return made;
  });
}
