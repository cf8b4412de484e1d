import { BUCKET_MS } from '#engine/statistics-store.ts';
import { type ChoreOptions, takeTurns } from './chore.ts';

const FEW_BUCKETS = 6;
/** Two hours: what nothing happened in is passed over in long strides. */
const MANY_BUCKETS = 720;
const STRIDE = 4;
const QUICK_MS = 100;
const SLOW_MS = 500;
/** Catching up takes a quarter of the time at most. */
const PAUSES = 3;
const AFTER_FAULT_MS = 10_000;

/**
 * The leader's part in the statistics: it has each stretch of ten seconds counted soon after its end, once in ten seconds while nothing
 * is behind. Two leaders for a moment harm nothing: the database counts once.
 */
export class Bookkeeper {
  /** With every tick. */
  readonly follow: (isLeader: boolean) => void;
  private readonly options: ChoreOptions;
  private maxBuckets = FEW_BUCKETS;

  constructor(options: ChoreOptions) {
    this.options = options;
    this.follow = takeTurns(options, {
      turn: () => this.count(),
      failed: 'statistics could not be rolled up; tried again in ten seconds',
      afterFaultMs: AFTER_FAULT_MS,
    });
  }

  private async count(): Promise<number> {
    const { store, clock } = this.options;
    const startedAt = clock.monotonic();
    try {
      const { dueInMs } = await store.statistics.rollUp({ maxBuckets: this.maxBuckets });
      const tookMs = clock.monotonic() - startedAt;
      this.fitStride(dueInMs === 0, tookMs);
      return Math.min(BUCKET_MS, Math.max(dueInMs, PAUSES * tookMs));
    } catch (error) {
      this.maxBuckets = 1;
      throw error;
    }
  }

  /** Busy times are caught up with in small pieces, idle ones in large. */
  private fitStride(isBehind: boolean, tookMs: number): void {
    if (tookMs > SLOW_MS) this.maxBuckets = Math.max(1, Math.floor(this.maxBuckets / STRIDE));
    else if (!isBehind) this.maxBuckets = FEW_BUCKETS;
    else if (tookMs < QUICK_MS) this.maxBuckets = Math.min(MANY_BUCKETS, this.maxBuckets * STRIDE);
  }
}
