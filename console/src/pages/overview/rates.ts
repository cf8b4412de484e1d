import type { StatisticsJson } from '#gateway/api-statistics.ts';
import { formatDuration } from '../../format.ts';

/** Figures of the overview, from what the gateway counted. Pure. */

type Counts = StatisticsJson['totals'];
type Counted = Pick<StatisticsJson, 'points' | 'until' | 'bucket_s'>;

/** Per second, over so long at least: a single stretch of ten seconds jumps about. */
const RECENT_S = 30;
const MINUTE_S = 60;
/** A flow over more than this is not called one of now. */
const NOW_S = 90;

export interface Flow {
  in: number;
  out: number;
  /** How long the stretches are that it is of: where each takes hours, it is not of now. */
  overS: number;
}

/** Orders per second most recently, also of a stretch that still grows; `undefined` before anything was counted. */
export function flowNow({ points, until, bucket_s: bucketS }: Counted): Flow | undefined {
  const end = Date.parse(until);
  let seconds = 0;
  let accepted = 0;
  let ended = 0;
  for (const point of points.toReversed()) {
    if (seconds >= RECENT_S) break;
    seconds += Math.max(0, Math.min(bucketS, (end - Date.parse(point.at)) / 1_000));
    accepted += point.accepted;
    ended += endedOf(point);
  }
  return seconds > 0 ? { in: accepted / seconds, out: ended / seconds, overS: seconds } : undefined;
}

/** `now`, or of which time the flow is an average. */
export function wordsOfFlow(flow: Flow | undefined): string {
  if (!flow || flow.overS <= NOW_S) return 'now';
  return `over ${formatDuration(Math.round(flow.overS / MINUTE_S) * MINUTE_S * 1_000)}`;
}

export function endedOf({ completed, failed, cancelled }: Counts): number {
  return completed + failed + cancelled;
}

export interface Series {
  /** Seconds since the epoch, as charts take it. */
  at: number[];
  accepted: number[];
  completed: number[];
  failed: number[];
  cancelled: number[];
}

/** Every stretch per second; the last one, which may still grow, by as much of it as was counted. */
export function seriesOf({ points, until, bucket_s: bucketS }: Counted): Series {
  const end = Date.parse(until) / 1_000;
  const series: Series = { at: [], accepted: [], completed: [], failed: [], cancelled: [] };
  for (const point of points) {
    const at = Date.parse(point.at) / 1_000;
    const seconds = Math.min(bucketS, end - at);
    if (seconds <= 0) continue;
    series.at.push(at);
    for (const name of ['accepted', 'completed', 'failed', 'cancelled'] as const) series[name].push(point[name] / seconds);
  }
  return series;
}

/** `97.5 %`; all and nothing are said only of all and nothing. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return '–';
  if (part <= 0) return '0 %';
  if (part >= whole) return '100 %';
  const percent = Math.min(99.9, Math.max(0.1, (part / whole) * 100));
  return `${percent.toFixed(1)} %`;
}
