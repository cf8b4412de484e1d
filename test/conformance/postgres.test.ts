import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase } from '#test/database.ts';
import { describeStore } from './store-conformance.ts';

describeStore('PostgreSQL', async () => {
  const database = await createTestDatabase();
  const open = () => openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
  const [store, second] = [await open(), await open()];
  return {
    store,
    second,
    async close() {
      await Promise.all([store.close(), second.close()]);
      await database.drop();
    },
  };
});
