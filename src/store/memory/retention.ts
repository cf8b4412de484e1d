import { isEnded } from '#domain/order-state.ts';
import type { RetentionStore } from '#engine/retention-store.ts';
import type { MemoryDatabase } from './database.ts';

/** Order by order: there is nothing to make for the time to come. */
export function retentionStore(db: MemoryDatabase): RetentionStore {
  return {
    async keepHouse({ keepMs }) {
      const report = { made: [], dropped: [], keptBecause: undefined, deletedRows: 0, hasMore: false };
      if (keepMs === undefined) return report;
      const until = db.clock.now() - keepMs;
      for (const [orderId, { state, endedAt }] of db.orders) {
        if (!isEnded(state) || endedAt === null || endedAt >= until) continue;
        db.forget(orderId);
        report.deletedRows += 1;
      }
      return report;
    },
    sealRanges: async () => 0,
  };
}
