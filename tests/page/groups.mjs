// Groups: the sums of several instruments, from the symbol list and picked on the page.
import { PHONE, attempt, fits, open, rows, shot, until } from './harness.mjs';

/** "1.25 BTC" of a title. */
const exact = (page, id) => page.evaluate((i) => document.querySelector(i).title, id);

/** Decimal strings as one integer of a scale that all have. */
const scaled = (text) => {
  const [whole, fraction = ''] = text.replace('-', '').split('.');
  return BigInt(whole + fraction.padEnd(24, '0')) * (text.startsWith('-') ? -1n : 1n);
};
const sum = (texts) => texts.reduce((all, text) => all + scaled(text), 0n);

export async function groups(url) {
  const page = await open(url);
  await attempt('groups stand first in the list, with their worst status and how many members count', async () => {
    await until(page, () => document.querySelectorAll('#rows .row[data-key^="group:list:"]:not([hidden])').length === 2);
    const first = await page.evaluate(() => [...document.querySelectorAll('#rows .row[data-key]:not([hidden])')]
      .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).slice(0, 3).map((r) => [r.dataset.key, r.querySelector('.c-market').textContent]));
    return first[0][0] === 'group:list:BTC perpetuals' && first[1][0] === 'group:list:BTC spot' && /^(sum|\d+) of \d+$/.test(first[1][1]) && !first[2][0].startsWith('group');
  });
  await attempt('a group\u2019s bars are the exact sums of its members\u2019', async () => {
    const get = async (query) => (await page.request.get(`${url}api/v1/bars?${query}`)).json();
    const of = await get('group=BTC+spot');
    const at = (answer, name) => answer.columns.indexOf(name);
    const parts = await Promise.all(of.members.map((m) => { const [exchange, market, symbol] = m.split(':'); return get(new URLSearchParams({ exchange, market, symbol })); }));
    let compared = 0;
    for (const bar of of.bars.slice(0, -3)) { // those may have been written meanwhile
      const same = parts.map((p) => p.bars.find((b) => b[0] === bar[0])).filter(Boolean);
      if (same.length !== bar[at(of, 'members')] || same.length !== of.members.length) continue;
      for (const field of ['delta_base', 'delta_quote', 'cvd_base', 'cvd_quote', 'buy_base']) {
        if (scaled(bar[at(of, field)]) !== sum(same.map((b) => b[at(parts[0], field)]))) throw new Error(`${field} of ${bar[0]}`);
      }
      compared += 1;
    }
    console.log(`       ${compared} bars of ${of.members.length} members`);
    return compared > 3 && of.members.length >= 4;
  });
  await attempt('a group opens with chart and numbers, which move; bars are added', async () => {
    await rows(page).filter({ hasText: 'BTC spot' }).first().click();
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.cvdBars) > 3);
    const bars = await page.evaluate(() => Number(document.querySelector('#d-chart').dataset.cvdBars));
    const before = await exact(page, '#d-cvd');
    await until(page, (was) => document.querySelector('#d-cvd').title !== was, before);
    await until(page, (was) => Number(document.querySelector('#d-chart').dataset.cvdBars) > was + 1, bars);
    const where = await page.textContent('#detail-view .names');
    await shot(page, 'group-dark');
    return /sum of \d+(, \d+ of which have traded)?, BTC\/USD, price of/.test(where) && before.endsWith(' BTC');
  });
  await attempt('a group\u2019s line in the list grows with each bar, as those of instruments do', async () => {
    const points = (key) => page.evaluate((k) => [...document.querySelectorAll('#rows .row:not([hidden])')]
      .find((r) => r.dataset.key === k)?.querySelector('.spark-line').getAttribute('d')?.split(/[ML]/).length ?? 0, key);
    await page.evaluate(() => { location.hash = '#/'; });
    await until(page, () => document.querySelector('#rows .row[data-key="group:list:BTC spot"]:not([hidden]) .spark-line')?.getAttribute('d')?.length > 20);
    const before = await points('group:list:BTC spot');
    if (before >= 49) return true; // full by now: the oldest go
    await until(page, ([key, was]) => [...document.querySelectorAll('#rows .row:not([hidden])')].find((r) => r.dataset.key === key)
      ?.querySelector('.spark-line').getAttribute('d').split(/[ML]/).length > was + 2, ['group:list:BTC spot', before]);
  });
  await attempt('instruments that are ticked are summed, at an address of its own', async () => {
    await page.keyboard.press('Escape');
    const bitcoin = rows(page).filter({ hasText: 'BTCUSDT' }).filter({ hasText: 'spot' });
    for (const i of [0, 1]) await bitcoin.nth(i).locator('.c-check').click();
    await page.click('#to-compare');
    await page.click('#c-sum');
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.cvdBars) > 3 && document.querySelector('#d-cvd').title);
    const title = await page.textContent('#detail-view h2');
    await page.reload();
    await until(page, () => Number(document.querySelector('#d-chart')?.dataset.cvdBars) > 3 && document.querySelector('#d-cvd').title);
    // Of one moment: the numbers of a group and of its members come with the same second.
    const good = await until(page, () => {
      const shown = (key) => [...document.querySelectorAll('#rows .row[data-key]:not([hidden])')].find((r) => r.dataset.key === key)?.querySelector('.c-price').title;
      return shown('binance:spot:BTCUSDT') !== undefined;
    });
    return title === 'Sum of 2' && Boolean(good) && await page.textContent('#detail-view h2') === 'Sum of 2';
  });
  await attempt('a group that there is not is told, and shows nothing', async () => {
    await page.evaluate(() => { location.hash = '#/group/list/nothing%20here'; });
    await page.waitForSelector('#detail-view .empty:visible');
    return await page.textContent('#detail-view .empty') === 'The symbol list has no group nothing here.' && await page.locator('#detail-view .stats:visible').count() === 0;
  });
  await page.context().close();
  await attempt('a phone shows a group, and nothing sticks out', async () => {
    const phone = await open(url, PHONE, '#/group/list/BTC%20perpetuals');
    await until(phone, () => Number(document.querySelector('#d-chart')?.dataset.cvdBars) > 3);
    await shot(phone, 'phone-group-light');
    const good = await fits(phone);
    await phone.context().close();
    return good;
  });
}
