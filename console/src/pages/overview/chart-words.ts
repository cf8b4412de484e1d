import { formatRate } from '../../format.ts';

/** What a chart shows, for who does not see it, and how its axes are written. Pure. */

export interface Line {
  name: string;
  /** The CSS variable that has it. */
  colour: string;
  /** Of the orders behind it; `undefined`: of all. */
  status: string | undefined;
  values: number[];
}

/** In seconds since the epoch. */
export interface Span {
  since: number;
  until: number;
  /** What one point stands for. */
  bucketS: number;
}

export function describeLines(title: string, last: string, lines: readonly Line[]): string {
  const sentences = lines.map(({ name, values }) => {
    if (values.length === 0) return `${name}: nothing yet.`;
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    const figures = [
      `latest ${formatRate(values.at(-1) ?? 0)}`,
      `average ${formatRate(average)}`,
      `most ${formatRate(Math.max(...values))}`,
    ];
    return `${name}: ${figures.join(', ')}.`;
  });
  return `${title} per second, ${last}. ${sentences.join(' ')}`;
}

const HOURS_S = 24 * 3_600;
const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const DAY: Intl.DateTimeFormatOptions = { weekday: 'short', day: 'numeric' };

/** Moments on an axis whose marks are so many seconds apart. */
export function formatAxisMoments(moments: readonly number[], apartS: number): string[] {
  const options = apartS >= HOURS_S ? DAY : apartS < 60 ? { ...TIME, second: '2-digit' as const } : TIME;
  const format = new Intl.DateTimeFormat(undefined, options);
  return moments.map((moment) => format.format(moment * 1_000));
}
