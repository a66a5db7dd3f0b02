// What the parts of the page's test share: a demo whose exchanges hang up now and then, headless Chromium, and checks,
// each of which is a line.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const given = Object.fromEntries(process.argv.slice(2).join(' ').split('--').filter(Boolean).map((s) => s.trim().split(' ')));
const { chromium } = createRequire(resolve(given.modules, 'package.json'))('playwright-core');
let failed = 0;
export const failures = () => failed;

export function check(good, what) {
  console.log(`${good ? 'ok    ' : 'FAILED'} ${what}`);
  if (!good) failed += 1;
}
export async function attempt(what, action) {
  try {
    const outcome = await action();
    check(outcome !== false, what);
  } catch (error) {
    check(false, `${what}: ${String(error.message).split('\n')[0]}`);
  }
}

export const folder = mkdtempSync(join(tmpdir(), 'cvdd-page-'));
mkdirSync(given.shots, { recursive: true });
const children = new Set();
// Whatever went wrong, nothing is left behind.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A program of ours, and `end`: asks it to stop, and tells its exit status. */
export function start(args, options = {}) {
  const child = spawn(given.cvdd, args, { stdio: ['ignore', 'pipe', 'ignore'], ...options });
  children.add(child);
  const ended = new Promise((good) => { child.on('exit', (status) => { children.delete(child); good(status); }); });
  return { child, ended, end: () => { child.kill('SIGTERM'); return ended; } };
}

/** A demo with its page; `options` as on the command line. */
export async function startDemo(...options) {
  const out = mkdtempSync(join(folder, 'demo-'));
  const demo = start(['demo', '--quiet', '--out', out, '--listen', '127.0.0.1:0', ...options]);
  const url = await new Promise((good, bad) => {
    let said = '';
    demo.child.stdout.on('data', (data) => {
      said += data;
      const found = /the page: (http:\S+)/.exec(said);
      if (found) good(found[1]);
    });
    demo.ended.then(() => bad(new Error('the demo ended')));
  });
  return { ...demo, url };
}

export const browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'] });
export const complaints = [];
export const foreign = [];

/** A page in a context of its own; everything it complains of (`strict`) and every other host it asks is noted. */
export async function open(url, options = {}, hash = '', { go = true, strict = true } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on('console', (m) => {
    const ours = m.text().includes('willReadFrequently'); // this test looks at the pictures
    if (strict && ['error', 'warning'].includes(m.type()) && !ours) complaints.push(m.text());
  });
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('request', (r) => { if (new URL(r.url()).host !== new URL(url).host && !/^(data|blob):/.test(r.url())) foreign.push(r.url()); });
  if (go) await page.goto(url + hash);
  return page;
}
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: 'light' };
export const rows = (page) => page.locator('#rows .row:visible');
export const shot = (page, name) => page.screenshot({ path: join(given.shots, `${name}.png`) });
export const until = (page, test, arg) => page.waitForFunction(test, arg, { timeout: 30000 });
export const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
export const wait = (ms) => new Promise((good) => { setTimeout(good, ms); });
