import type { Histogram } from '#domain/histogram.ts';
import type { EpochMs } from '#domain/time.ts';

/** What happened, counted in buckets of ten seconds once they are over, and what waits just now. Never counts rows of orders to answer. */
export interface StatisticsStore {
  /**
   * Counts what happened in up to `maxBuckets` buckets that are over; the first call ever begins with the first order, seven days ago
   * at the earliest. Whoever calls it, also at once, nothing is counted twice; what an open transaction may still tell of waits for it.
   */
  rollUp(options: { maxBuckets: number }): Promise<RollUpReport>;
  readPresent(): Promise<PresentReport>;
  /**
   * What was counted in a stretch of time. `since` and `pointMs` are multiples of ten seconds; of five minutes where more than the last
   * hour before `countedUpto` is asked for, because older buckets were added up. Those past eight days are gone.
   */
  readWindow(window: StatisticsWindow): Promise<WindowReport>;
}

export const BUCKET_MS = 10_000;
/** How far back the first call ever counts. */
export const FIRST_COUNTED_MS = 7 * 86_400_000;

export interface RollUpReport {
  /** Everything before is counted. */
  upto: EpochMs;
  /** After how long there will be more to count; 0: there is already. */
  dueInMs: number;
}

export interface PresentReport {
  /** Everything before is counted; `undefined`: nobody began yet. */
  countedUpto: EpochMs | undefined;
  /** The order that waits longest for a slot, and since when. One that waits for its next try does not. */
  oldestWaiting: { orderId: string; since: EpochMs } | undefined;
  /** Orders that wait for a person; 1,000 at most. */
  needsAttention: number;
}

export interface StatisticsWindow {
  since: EpochMs;
  /** Exclusive. */
  until: EpochMs;
  /** How much time a point of the answer stands for. */
  pointMs: number;
}

export interface EventCounts {
  accepted: number;
  completed: number;
  failed: number;
  cancelled: number;
}

export interface StatisticsPoint extends EventCounts {
  /** Its begin, a multiple of its width since 1970. */
  at: EpochMs;
}

export interface WindowReport {
  /** Oldest first, without those in which nothing happened. */
  points: StatisticsPoint[];
  /** From acceptance to completion. Of more than 5,000 orders in a bucket some stand for the others. */
  latencies: Histogram;
}

export const MAX_NEEDS_ATTENTION = 1_000;
