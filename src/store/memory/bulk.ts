import type { BulkPart, BulkStore } from '#engine/bulk-store.ts';
import { copyOf, type MemoryDatabase } from './database.ts';

export function bulkStore(db: MemoryDatabase): BulkStore {
  const newestFirst = (): BulkPart[] => [...db.bulkParts.values()].sort((a, b) => (a.bulkId < b.bulkId ? 1 : -1));
  return {
    async begin(part, auditId) {
      if (db.bulkParts.has(part.bulkId)) return;
      const { bulkId, action, filter, pace, actor, reason } = part;
      db.bulkParts.set(bulkId, {
        ...copyOf(part),
        ...{ startedAt: db.clock.now(), state: 'running', endedAt: null, stoppedBy: null, beforeId: null, batch: [] },
        counts: { succeeded: 0, refused: 0, failed: 0 },
      });
      db.record(`bulk.${action}`, bulkId, { actor, reason }, { filter: copyOf(filter), pace }, auditId);
    },
    find: async (bulkIds) => copyOf(newestFirst().filter(({ bulkId }) => bulkIds.includes(bulkId))),
    list: async ({ limit, beforeId }) =>
      copyOf(
        newestFirst()
          .filter(({ bulkId }) => beforeId === undefined || bulkId < beforeId)
          .slice(0, limit),
      ),
    listRunning: async () =>
      copyOf(
        newestFirst()
          .filter(({ state }) => state === 'running')
          .reverse(),
      ),
    async advance(bulkId, { from, to, counts, batch, isDone }) {
      const part = db.bulkParts.get(bulkId);
      if (!part || part.beforeId !== from) return undefined;
      const isRunning = part.state === 'running';
      part.beforeId = to;
      part.batch = isRunning ? [...batch] : [];
      for (const name of ['succeeded', 'refused', 'failed'] as const) part.counts[name] += counts[name];
      if (isRunning && isDone) {
        Object.assign(part, { state: 'done', endedAt: db.clock.now() });
        db.record('bulk.done', bulkId, part, { ...part.counts });
      }
      return copyOf(part);
    },
    async stop(bulkId, { actor, reason }, auditId) {
      const part = db.bulkParts.get(bulkId);
      if (!part || part.stoppedBy !== null) return;
      part.stoppedBy = actor;
      if (part.state !== 'running') return;
      Object.assign(part, { state: 'stopped', endedAt: db.clock.now() });
      if (auditId !== undefined) db.record('bulk.stop', bulkId, { actor, reason }, null, auditId);
    },
  };
}
