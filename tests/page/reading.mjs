// What somebody meets who reads the page for the first time: words, units, what is on top, where the newest bar is.
import { PHONE, attempt, open, shot, startDemo, until } from './harness.mjs';

const HASH = '#/binance/spot/BTCUSDT';
const drawn = (page) => until(page, () => Number(document.querySelector('#d-chart')?.dataset.priceBars) > 4);
const keys = (page) => page.evaluate(() => [...document.querySelectorAll('#rows .row[data-key]:not([hidden])')].map((r) => r.dataset.key));

async function filters(page) {
  await attempt('the filter understands other spellings and other words for markets, as the command line does', () => page.evaluate(async () => {
    const { means, wordsOf } = await import('./words.js');
    const of = (exchange, market, symbol, base, quote) => ({ market, symbol, base, quote, words: wordsOf({ exchange, market, symbol }) });
    const all = {
      spot: of('kraken', 'spot', 'BTC/USD', 'BTC', 'USD'), linear: of('binance', 'linear', 'BTCUSDT', 'BTC', 'USDT'), swap: of('okx', 'linear', 'BTC-USDT-SWAP', 'BTC', 'USDT'),
      xbt: of('kraken_futures', 'inverse', 'PI_XBTUSD', 'XBT', 'USD'), dated: of('binance', 'linear', 'BTCUSDT_261225', 'BTC', 'USDT'), eth: of('binance', 'spot', 'ETHUSDT', 'ETH', 'USDT'),
      option: of('deribit', 'option', 'BTC-27DEC24-100000-C', 'BTC', 'BTC'), usd1: of('x', 'linear', 'BTCUSD1', 'BTC', 'USD1'),
    };
    const found = (text) => Object.keys(all).filter((name) => text.split(' ').every((word) => means(word, all[name]))).join();
    const told = { 'btc perp': 'linear,swap,xbt,usd1', 'btc/usdt': 'linear,swap,dated', 'xbtusd perpetuals': 'linear,swap,xbt,usd1', futures: 'linear,swap,xbt,dated,usd1',
      coin: '', 'coin-m': 'xbt', 'usd-m': 'linear,swap,dated,usd1', 'spot kraken': 'spot', 'eth-usdt': 'eth', '//': '' };
    const wrong = Object.entries(told).filter(([text, names]) => found(text) !== names).map(([text]) => `${text}: ${found(text)}`);
    if (wrong.length) throw new Error(wrong.join(' | '));
    return true;
  }));
  await attempt('the filter finds perpetuals, and the counters count groups too', async () => {
    await page.fill('#filter', 'btc perp');
    await until(page, () => /^\d+ of 20 instruments, 1 of 2 groups$/.test(document.querySelector('#shown').textContent));
    const found = await keys(page);
    await page.fill('#filter', '');
    await until(page, () => document.querySelector('#shown').textContent === '20 instruments, 2 groups');
    return found.length > 5 && found.includes('binance:linear:BTCUSDT') && !found.includes('binance:spot:BTCUSDT');
  });
}

async function onTop(page) {
  await attempt('Escape closes the menu that is open, and then the chart', async () => {
    await page.evaluate((hash) => { location.hash = hash; }, HASH);
    await drawn(page);
    for (const menu of ['#d-look', '#d-alert']) {
      await page.click(`${menu} summary`);
      await page.keyboard.press('Escape');
      const state = await page.evaluate((id) => [document.querySelector(id).open, document.querySelector('#detail-view').hidden, document.activeElement === document.querySelector(`${id} summary`)], menu);
      if (state.join() !== 'false,false,true') throw new Error(`${menu}: ${state}`);
    }
    await page.click('#d-alert summary');
    await page.focus('#d-alert input[name=value]');
    await page.keyboard.press('Escape');
    if (await page.evaluate(() => document.querySelector('#d-alert').open || document.querySelector('#detail-view').hidden)) return false;
    await page.keyboard.press('Escape');
    await page.waitForSelector('#detail-view', { state: 'hidden' });
  });
}

/** Every number of a row beside the chart, or on a phone, says what it is. */
async function labels(page, name) {
  await until(page, () => document.querySelector('#rows .row[data-key="binance:spot:BTCUSDT"]:not([hidden]) .c-cvd')?.textContent.length > 1);
  await shot(page, name);
  const bad = await page.evaluate(() => ['cvd', 'delta', 'price'].filter((cell) => {
    const node = document.querySelector(`#rows .row[data-key="binance:spot:BTCUSDT"]:not([hidden]) .c-${cell}`);
    const row = node.closest('.row').getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const label = getComputedStyle(node, '::before').content.replaceAll('"', '').toLowerCase();
    return label !== cell || !node.checkVisibility() || box.bottom > row.bottom + 0.5 || box.top < row.top - 0.5 || node.scrollWidth > node.clientWidth;
  }));
  if (bad.length) throw new Error(bad.join());
}

async function following(page) {
  await attempt('the newest bar stays in sight, whatever is opened and switched, until somebody moves the chart away', async () => {
    const newest = () => until(page, () => {
      const { to, newest, step } = document.querySelector('#d-chart')?.dataset ?? {};
      return newest && Number(newest) - Number(to) <= Number(step);
    });
    for (const group of ['BTC spot', 'BTC perpetuals', 'BTC spot']) {
      await page.evaluate((name) => { location.hash = `#/group/list/${encodeURIComponent(name)}`; }, group);
      await drawn(page);
      await page.click('#unit-quote');
      await page.click('#unit-base');
      await page.click('#d-look summary');
      await page.keyboard.press('Escape');
      await page.keyboard.press('k');
      await page.keyboard.press('k');
      await page.setViewportSize({ width: 1200, height: 800 });
      await page.setViewportSize({ width: 1440, height: 900 });
      await drawn(page);
      const before = await page.evaluate(() => Number(document.querySelector('#d-chart').dataset.newest));
      await until(page, (was) => Number(document.querySelector('#d-chart').dataset.newest) > was + 2, before);
      await newest();
    }
    // Somebody looks at what was: the chart stays there.
    const box = await page.locator('#d-chart').boundingBox();
    for (let i = 0; i < 4; i += 1) {
      await page.mouse.move(box.x + 200, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + 900, box.y + 60, { steps: 5 });
      await page.mouse.up();
    }
    await page.waitForTimeout(2500);
    const at = await page.evaluate(() => ({ ...document.querySelector('#d-chart').dataset }));
    if (Number(at.newest) - Number(at.to) <= Number(at.step)) throw new Error('a chart that was moved away was taken back');
  });
}

/** Whatever moved it, as long as that was nobody. */
const takenBack = (page) => attempt('a chart that was moved by nobody comes back to its newest bar', () => page.evaluate(async () => {
  const { Panes } = await import('./panes.js');
  const after = (following, range) => {
    const scale = { getVisibleLogicalRange: () => range, setVisibleLogicalRange: (other) => { range = other; } };
    Object.assign(Object.create(Panes.prototype), { following, slots: { length: 100 }, chart: { timeScale: () => scale } }).follow();
    return range;
  };
  const back = after(true, { from: 20, to: 80 });
  return back.to > 100 && Math.abs(back.to - back.from - 60) < 1e-9 && after(false, { from: 20, to: 80 }).to === 80 && after(true, { from: 50, to: 102 }).to === 102;
}));

async function comparing(page) {
  await attempt('each line of a comparison begins at 0, and the first less the second is drawn: groups too', async () => {
    await page.evaluate(() => { location.hash = '#/compare?m=1&i=group:list:BTC spot,group:list:BTC perpetuals'; });
    await until(page, () => document.querySelector('#c-chart').dataset.lines === '2' && document.querySelector('.lines .minus .value')?.textContent.endsWith(' BTC'));
    await shot(page, 'difference-dark');
    const { difference, last } = await page.evaluate(() => ({ ...document.querySelector('#c-chart').dataset }));
    const [first, second] = JSON.parse(last);
    if (Math.abs(first - second - JSON.parse(difference)) > 1e-6) throw new Error(`${first} - ${second} is not ${difference}`);
    const walked = await page.evaluate(async () => {
      const { difference: of } = await import('./difference.js');
      const { CompareLine } = await import('./compareline.js');
      const line = new CompareLine({ key: 'a:spot:X' }, 10);
      line.history.bars = [{ t: 100, cvd_base: '5', delta_base: '2', cvd_quote: '5', delta_quote: '2', status: 'live' }];
      line.prepare(100, 10);
      line.unit = 'base';
      return JSON.stringify([of([{ time: 1, value: 2 }, { time: 3, value: 5 }], [{ time: 2, value: 1 }]).map(({ value }) => value), line.origin(), line.point(line.slots[0])]);
    });
    if (walked !== '[[2,1,4],[{"time":90,"value":0}],{"time":100,"value":2}]') throw new Error(walked);
    await page.check('#c-shares');
    await until(page, () => !document.querySelector('.lines .minus'));
    await page.uncheck('#c-shares');
  });
}

async function mixed() {
  await attempt('a sum of different coins says why there is none, shows no empty pane, and offers the other unit', async () => {
    const demo = await startDemo('--interval', '2s', '--instruments', '60', '--trades-per-minute', '120');
    try {
      const page = await open(demo.url);
      await until(page, () => document.querySelector('#h-live dd').textContent.includes('60 / 60'));
      const api = await (await page.request.get(`${demo.url}api/v1/instruments`)).json();
      const spot = api.instruments.filter((i) => i.exchange === 'binance' && i.market === 'spot' && i.quote === 'USDT');
      const two = [spot[0], spot.find((i) => i.base !== spot[0].base)].map((i) => `binance:spot:${i.symbol}`);
      await page.evaluate((names) => { location.hash = `#/group/picked/${encodeURIComponent(names.sort().join())}`; }, two);
      await until(page, () => /^No sum in coins, which differ: \w+, \w+\./.test(document.querySelector('.reason:not([hidden])')?.textContent ?? ''));
      await until(page, () => document.querySelector('#d-chart')?.dataset.panes === '1');
      await shot(page, 'mixed-dark');
      await page.click('#d-other-unit');
      await until(page, () => document.querySelector('#d-chart')?.dataset.panes === '3' && document.querySelector('#d-cvd').title.endsWith(' USDT'));
      const left = await page.locator('.reason:visible').count();
      await page.context().close();
      return left === 0;
    } finally {
      await demo.end();
    }
  });
}

export async function reading(url) {
  const page = await open(url);
  await filters(page);
  await onTop(page);
  await attempt('beside a chart each row has CVD, delta and price, and says which is which', async () => {
    await page.evaluate((hash) => { location.hash = hash; }, HASH);
    await labels(page, 'beside-dark');
    const wide = await page.evaluate(() => [...document.querySelectorAll('.stats dt')].map((n) => n.textContent).join());
    return wide.startsWith('Price, USDT,Delta now, BTC,CVD, BTC');
  });
  await takenBack(page);
  await following(page);
  await comparing(page);
  await attempt('a group tells what of its coin is not in it', () => page.evaluate(async () => {
    const { Members } = await import('./members.js');
    const members = new Members(null);
    members.show({ members: ['a:spot:X'], counted: 1, base: 'BTC', leftOut: 2, notMembers: ['b:spot:Y', 'c:spot:Z'] });
    return members.node.textContent.startsWith('1 member, all with trades; 2 collected instruments of BTC are not in it') && members.node.querySelectorAll('a').length === 3;
  }));
  await attempt('a bar that waits to be written is no hole yet, and one that never came is', () => page.evaluate(async () => {
    const { group } = await import('./group.js');
    const bar = (t, status) => ({ t, status, cvd_base: '1', delta_base: '1', cvd_quote: '1', delta_quote: '1' });
    const holes = (bars) => group(bars, 10).filter(({ absent }) => absent).map(({ awaited }) => awaited).join();
    return holes([bar(0, 'live'), bar(20, 'open')]) === '20' && holes([bar(0, 'live'), bar(20, 'live')]) === '' && holes([bar(0, 'live'), bar(30, 'open')]) === ',30';
  }));
  await page.context().close();
  await mixed();
  await attempt('on a phone rows say what they show, the head leaves room for the chart, and a table begins with delta and CVD', async () => {
    const phone = await open(url, PHONE);
    await labels(phone, 'phone-list-light');
    await phone.evaluate((hash) => { location.hash = hash; }, HASH);
    await drawn(phone);
    await shot(phone, 'phone-opened-light');
    const top = await phone.evaluate(() => document.querySelector('#d-chart').getBoundingClientRect().top / innerHeight);
    await phone.click('#d-table');
    await phone.waitForSelector('#d-table-host tbody tr');
    await shot(phone, 'phone-table-light');
    const seen = await phone.evaluate(() => ['Delta', 'CVD'].every((head) => {
      const node = [...document.querySelectorAll('#d-table-host th')].find((n) => n.textContent === head);
      return node.getBoundingClientRect().right <= innerWidth;
    }));
    await phone.context().close();
    if (top > 0.25) throw new Error(`the chart begins at ${Math.round(top * 100)} % of the height`);
    return seen;
  });
}
