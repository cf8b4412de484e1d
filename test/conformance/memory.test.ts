import { type Clock, systemClock } from '#engine/clock.ts';
import { MemoryDatabase } from '#store/memory/database.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { describeStore } from './store-conformance.ts';

describeStore('memory', async () => {
  let passedMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + passedMs };
  const database = new MemoryDatabase(clock);
  const open = () => createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock, database });
  const store = open();
  return {
    store,
    openSecond: async () => open(),
    async expireSession(session) {
      const row = database.sessions.get(session);
      if (row) row.leaseUntil = clock.now() - 1_000;
    },
    async expireLeader(what) {
      database.lease[what === 'lease' ? 'until' : 'workedAt'] = Number.NEGATIVE_INFINITY;
    },
    async letPass(seconds) {
      passedMs += seconds * 1_000;
    },
    async changeEpoch() {
      database.epoch = `after ${database.epoch}`;
    },
    close: () => store.close(),
  };
});
