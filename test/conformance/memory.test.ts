import { systemClock } from '#engine/clock.ts';
import { MemoryDatabase } from '#store/memory/database.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { describeStore } from './store-conformance.ts';

describeStore('memory', async () => {
  const database = new MemoryDatabase(systemClock);
  const open = () => createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock: systemClock, database });
  const store = open();
  return {
    store,
    openSecond: async () => open(),
    async expireSession(session) {
      const row = database.sessions.get(session);
      if (row) row.leaseUntil = systemClock.now() - 1_000;
    },
    async expireLeader(what) {
      database.lease[what === 'lease' ? 'until' : 'workedAt'] = Number.NEGATIVE_INFINITY;
    },
    async changeEpoch() {
      database.epoch = `after ${database.epoch}`;
    },
    close: () => store.close(),
  };
});
