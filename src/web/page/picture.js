// The chart as a picture file, with a line that says what it shows.

import { dateTime, fileName, span, zoneName } from './format.js';
import { titleOf } from './groups.js';
import { cssColor } from './theme.js';

const HEAD = 30;

/** What is in sight of `panes`, of bars of `step` seconds, as a file. */
export async function savePicture(panes, record, step) {
  const seen = panes.inSight();
  if (!seen) return;
  const name = record.members ? titleOf(record.key) : `${record.symbol} ${record.exchange} ${record.market}`;
  const lines = [name, `${span(step)} bars`, `${dateTime(seen.first.t, step < 60)} to ${dateTime(seen.last.t + step, step < 60)} ${zoneName()}`, 'cvdd'];
  const blob = await compose(panes.chart, lines);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName([...name.split(' '), dateTime(seen.last.t).replace(/[ :]/g, '-')], 'png');
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** `lines`: what stands above the chart. */
function compose(chart, lines) {
  const shot = chart.takeScreenshot(true);
  const ratio = devicePixelRatio || 1;
  const canvas = document.createElement('canvas');
  canvas.width = shot.width;
  canvas.height = shot.height + HEAD * ratio;
  const context = canvas.getContext('2d');
  context.fillStyle = cssColor('--panel');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(shot, 0, HEAD * ratio);
  context.textBaseline = 'middle';
  context.fillStyle = cssColor('--text');
  context.font = `600 ${14 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  context.fillText(lines[0], 10 * ratio, HEAD * ratio / 2);
  const after = context.measureText(lines[0]).width + 22 * ratio;
  context.fillStyle = cssColor('--muted');
  context.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  context.fillText(lines.slice(1).join('   '), after, HEAD * ratio / 2, Math.max(1, canvas.width - after - 10 * ratio));
  return new Promise((good) => { canvas.toBlob(good, 'image/png'); });
}
