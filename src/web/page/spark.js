// A line in a 100 × 24 box. SVG, because it takes its colours from the style sheet and needs no care for pixel ratios.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 100;
const HEIGHT = 24;
const PAD = 2;

export function newSpark() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('aria-hidden', 'true');
  const area = document.createElementNS(SVG, 'path');
  area.setAttribute('class', 'spark-area');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('class', 'spark-line');
  svg.append(area, line);
  return svg;
}

/** `now`: the open bar's CVD, so that the line ends where the numbers beside it are. */
export function drawSpark(svg, values, now) {
  const points = now === null ? values : [...values, now];
  let path = '';
  if (points.length > 1) {
    const low = Math.min(...points);
    const range = Math.max(...points) - low || 1;
    const step = WIDTH / (points.length - 1);
    path = points.map((value, i) => {
      const y = HEIGHT - PAD - ((value - low) / range) * (HEIGHT - 2 * PAD);
      return `${i ? 'L' : 'M'}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
    }).join('');
  }
  if (svg.shownPath === path) return;
  svg.shownPath = path;
  svg.firstChild.setAttribute('d', path ? `${path}V${HEIGHT}H0Z` : '');
  svg.lastChild.setAttribute('d', path);
  svg.setAttribute('data-sign', points.length > 1 && points.at(-1) < points[0] ? 'down' : 'up');
}
