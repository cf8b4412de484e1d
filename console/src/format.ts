/** Figures and times as a person reads them. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(ms: number): string {
  const all = Math.max(0, ms);
  if (all < SECOND) return `${Math.round(all)} ms`;
  if (all < 9.95 * SECOND) return `${(all / SECOND).toFixed(1)} s`;
  if (all < MINUTE) return `${Math.round(all / SECOND)} s`;
  if (all < HOUR) return pair(all, MINUTE, 'min', SECOND, 's');
  if (all < DAY) return pair(all, HOUR, 'h', MINUTE, 'min');
  return pair(all, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rounded = Math.round(ms / small) * small;
  const rest = Math.round((rounded % large) / small);
  const main = `${Math.floor(rounded / large)} ${largeUnit}`;
  return rest === 0 ? main : `${main} ${rest} ${smallUnit}`;
}

/** `just now`, `12 s ago`, `3 min ago`; the future as `in 4 s`. */
export function formatAgo(ms: number): string {
  if (Math.abs(ms) < SECOND) return 'just now';
  const coarse = Math.abs(ms) < MINUTE ? `${Math.round(Math.abs(ms) / SECOND)} s` : formatCoarse(Math.abs(ms));
  return ms < 0 ? `in ${coarse}` : `${coarse} ago`;
}

function formatCoarse(ms: number): string {
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} h`;
  return `${Math.round(ms / DAY)} d`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const CLOCK_WITH_DAY = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** The time of day, with the day when it is not today's. */
export function formatClock(at: string): string {
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  return (isToday ? CLOCK : CLOCK_WITH_DAY).format(moment);
}

const WHOLE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/** `12,345`. */
export function formatCount(count: number): string {
  return WHOLE.format(count);
}

export function capitalise(text: string): string {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('');
}

/** `1 order`, `312 orders`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : `${noun}s`}`;
}

/** `12.3K` above ten thousand. */
export function formatShort(count: number): string {
  return count < 10_000 ? WHOLE.format(count) : SHORT.format(count);
}

/** `0.35`, `4.2`, `310`: three figures are enough for a rate. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 1) return perSecond.toFixed(2);
  return perSecond < 100 ? perSecond.toFixed(1) : WHOLE.format(perSecond);
}

/** A decimal number as text, exact as it came, with groups before the point. */
export function formatMoney(decimal: string): string {
  const [whole = '0', rest = ''] = decimal.split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
  const shown = rest.replace(/0+$/, '').padEnd(2, '0');
  return `${grouped}.${shown}`;
}

const PRICE = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** A decimal number as text, rounded to hundredths: for sums, where more is only noise. */
export function formatPrice(decimal: string): string {
  return PRICE.format(decimal as `${number}`);
}

/** The last figures of a UUIDv7 tell orders of one moment apart; the first ones are the time. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}

const TURNS_TEXT = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** JSON to be read: the characters that turn the direction of a text are written as escapes, so that the lines stay in their order. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replace(TURNS_TEXT, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
