import type { EpochMs } from '#domain/time.ts';
import { BUCKET_MS, type EventCounts, type StatisticsPoint, type StatisticsWindow, type WindowReport } from '#engine/statistics-store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How far a chart goes back, and how much time each of its points stands for: at most 96 of them. */
const RANGES = {
  '5m': { rangeMs: 5 * MINUTE_MS, pointMs: BUCKET_MS },
  '15m': { rangeMs: 15 * MINUTE_MS, pointMs: BUCKET_MS },
  '1h': { rangeMs: HOUR_MS, pointMs: MINUTE_MS },
  '6h': { rangeMs: 6 * HOUR_MS, pointMs: 5 * MINUTE_MS },
  '24h': { rangeMs: 24 * HOUR_MS, pointMs: 15 * MINUTE_MS },
  '7d': { rangeMs: 7 * 24 * HOUR_MS, pointMs: 2 * HOUR_MS },
} as const;

export type StatisticsRange = keyof typeof RANGES;
export const STATISTICS_RANGES = Object.keys(RANGES) as StatisticsRange[];
export const DEFAULT_RANGE: StatisticsRange = '15m';

/** Ends where counting ended. Its points begin at multiples of their width: the last one may be growing still, and is part of the range. */
export function windowOf(range: StatisticsRange, countedUpto: EpochMs): StatisticsWindow {
  const { rangeMs, pointMs } = RANGES[range];
  const last = floorTo(countedUpto - 1, pointMs);
  return { since: last + pointMs - rangeMs, until: countedUpto, pointMs };
}

/** Where counting would end if it had begun. */
export function bucketEndBefore(now: EpochMs): EpochMs {
  return floorTo(now, BUCKET_MS);
}

/** The sums of all warehouses, with a point for every stretch, whether anything happened in it or not. */
export function pointsOf({ since, until, pointMs }: StatisticsWindow, reports: readonly WindowReport[]): StatisticsPoint[] {
  const byBegin = Map.groupBy(
    reports.flatMap(({ points }) => points),
    ({ at }) => at,
  );
  const count = Math.ceil((until - since) / pointMs);
  return Array.from({ length: count }, (_, index) => {
    const at = since + index * pointMs;
    return { at, ...addCounts(byBegin.get(at) ?? []) };
  });
}

export function addCounts(all: readonly EventCounts[]): EventCounts {
  const sum: EventCounts = { accepted: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const { accepted, completed, failed, cancelled } of all) {
    sum.accepted += accepted;
    sum.completed += completed;
    sum.failed += failed;
    sum.cancelled += cancelled;
  }
  return sum;
}

function floorTo(at: EpochMs, widthMs: number): EpochMs {
  return at - (at % widthMs);
}
