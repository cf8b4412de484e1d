import type { BarPlot, LinePlot, Plot } from '../support/figures.ts';

/** Plots as SVG texts: lines over one axis, and bars. They stand on white, so that they can be read on any page. */

const WIDTH = 720;
const COLOURS = ['#2563eb', '#d97706', '#059669', '#7c3aed', '#dc2626'];
const LEFT = 84;
const RIGHT = 24;
const TOP = 44;
const BOTTOM = 48;
const LINES_HEIGHT = 320;
const BAR_HEIGHT = 30;
const BAR_LABEL = 250;
const TICKS = 5;
const HEADROOM = 1.05;

export function drawPlot(plot: Plot): string {
  return 'bars' in plot ? drawBars(plot) : drawLines(plot);
}

function drawLines({ title, x, y, lines }: LinePlot): string {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(([at]) => at);
  const [fromX, toX] = [Math.min(...xs), Math.max(...xs)];
  const yTicks = ticksUpTo(Math.max(...points.map(([, value]) => value)) * HEADROOM);
  const toY = yTicks.at(-1) as number;
  const [right, bottom] = [WIDTH - RIGHT, LINES_HEIGHT - BOTTOM];
  const placeX = (value: number): number => LEFT + ((value - fromX) / (toX - fromX || 1)) * (right - LEFT);
  const placeY = (value: number): number => bottom - (value / toY) * (bottom - TOP);
  const xTicks = [...new Set(xs)].length <= TICKS + 1 ? [...new Set(xs)] : ticksUpTo(toX).filter((tick) => tick >= fromX && tick <= toX);
  const parts = [
    ...yTicks.map((tick) => grid(LEFT, right, placeY(tick)) + text(LEFT - 8, placeY(tick) + 4, short(tick), 'end')),
    ...xTicks.map((tick) => text(placeX(tick), bottom + 20, short(tick), 'middle')),
    text((LEFT + right) / 2, LINES_HEIGHT - 10, x, 'middle'),
    text(LEFT, TOP - 8, y, 'start'),
  ];
  for (const [index, { label, points: of }] of lines.entries()) {
    const colour = colourOf(index);
    const path = of.map(([at, value]) => `${round(placeX(at))},${round(placeY(value))}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [at, value] of of) parts.push(`<circle cx="${round(placeX(at))}" cy="${round(placeY(value))}" r="2.5" fill="${colour}"/>`);
    parts.push(text(right, TOP - 8 - 16 * (lines.length - 1 - index), label, 'end', colour));
  }
  return frame(title, LINES_HEIGHT, parts);
}

function drawBars({ title, unit, bars }: BarPlot): string {
  const height = TOP + bars.length * BAR_HEIGHT + 16;
  const most = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - BAR_LABEL - RIGHT - 110;
  const parts = bars.flatMap(({ label, value, isOurs }, index) => {
    const y = TOP + index * BAR_HEIGHT;
    const length = round((value / most) * room);
    return [
      text(BAR_LABEL - 8, y + 16, label, 'end'),
      `<rect x="${BAR_LABEL}" y="${y + 2}" width="${length}" height="${BAR_HEIGHT - 10}" rx="2" fill="${isOurs ? COLOURS[0] : '#94a3b8'}"/>`,
      text(BAR_LABEL + length + 8, y + 16, `${short(value)} ${unit}`, 'start'),
    ];
  });
  return frame(title, height, parts);
}

function frame(title: string, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(16, 22, title, 'start', '#0f172a', 'bold'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', colour = '#475569', weight = 'normal'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colour}" font-weight="${weight}">${escapeText(content)}</text>`;
}

function grid(from: number, to: number, y: number): string {
  return `<line x1="${from}" x2="${to}" y1="${round(y)}" y2="${round(y)}" stroke="#e2e8f0"/>`;
}

/** From 0 in steps of 1, 2 or 5 times a power of ten, to the first that is not below `most`. */
function ticksUpTo(most: number): number[] {
  const rough = (most || 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) as number) * power;
  return Array.from({ length: Math.ceil((most || 1) / step) + 1 }, (_, index) => index * step);
}

function short(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] as string;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
