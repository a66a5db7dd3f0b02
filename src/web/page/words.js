// What is typed into the filter, and what instruments it means: every exchange spells them in its own way, and markets have
// several names. As `cvdd symbols` understands them.

const SEPARATORS = /[/\-_.: ]/g;
const PERPETUAL = ['perp', 'perpetual', 'swap'];
const MARKETS = [
  [['future', 'derivative', 'contract', ...PERPETUAL], ['linear', 'inverse']],
  [['usdm', 'usdtm', 'usdcm', 'um'], ['linear']], [['coinm', 'cm'], ['inverse']], [['opt'], ['option']], [['cash'], ['spot']],
];

/** Without what only spelling adds: "BTC/USDT" and "btc-usdt" are "btcusdt", "XBTUSD" is "btcusd". */
export function plain(text) {
  return text.toLowerCase().replace(SEPARATORS, '').replace(/^(.{0,2})xbt/, '$1btc');
}

/** A contract that ends says when at the end of its name. */
const dated = ({ market, symbol, quote }) => market === 'option' || (/\d$/.test(symbol) && !(quote && symbol.endsWith(quote)));

export function wordsOf({ exchange, market, symbol }) {
  return { text: `${exchange} ${market} ${symbol}`.toLowerCase(), plain: plain(symbol) };
}

/** Whether one typed word, in lower case, means this record. */
export function means(word, record) {
  const { words: { text, plain: name } } = record;
  if (text.includes(word)) return true;
  const bare = plain(word);
  if (!bare) return false;
  if (name.includes(bare) || plain((record.base ?? '') + (record.quote ?? '')).includes(bare)) return true;
  const [, markets = []] = MARKETS.find(([names]) => names.some((n) => bare === n || bare === `${n}s`)) ?? [];
  return markets.includes(record.market) && !(PERPETUAL.includes(bare.replace(/s$/, '')) && dated(record));
}
