/** Room for the orders of the time to come, and the end of those that nobody wants any more. */
export interface RetentionStore {
  /**
   * One turn of it; idempotent, so two leaders for a moment harm nothing. Without `keepMs` nothing is ever dropped. An order that has
   * not ended is never dropped, nor is one whose events were not announced yet.
   */
  keepHouse(options: { keepMs: number | undefined }): Promise<HouseReport>;
  /**
   * Has up to `most` stretches of what was written by now known for good, so that what happened at some time is found at once; idempotent.
   * How many there were: fewer than `most` when nothing is behind.
   */
  sealRanges(options: { most: number }): Promise<number>;
}

export interface HouseReport {
  /** What was made for the time to come. */
  made: string[];
  /** What was dropped, with all orders in it. */
  dropped: string[];
  /** Why something that is old enough was not dropped. */
  keptBecause: string | undefined;
  /** Single rows that were deleted: keys and webhook deliveries of dropped orders. */
  deletedRows: number;
  /** There is more to do at once. */
  hasMore: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A retention is kept to within this part of it. */
const PARTITIONS_PER_RETENTION = 4;

/** How much time a partition holds, for orders that are kept so long: neither too many partitions nor orders kept far too long. */
export function partitionWidthMs(keepMs: number | undefined): number {
  if (keepMs === undefined) return 30 * DAY_MS;
  return Math.min(30 * DAY_MS, Math.max(HOUR_MS / 4, Math.floor(keepMs / PARTITIONS_PER_RETENTION)));
}
