import pg from 'pg';
import { expect } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase } from '#test/database.ts';
import { shiftIntoPast } from '#test/past.ts';
import { findStrayWork } from '#test/work-table.ts';
import { describeStore } from './store-conformance.ts';

describeStore('PostgreSQL', async () => {
  const database = await createTestDatabase();
  const open = () => openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
  const [store, client] = [await open(), new pg.Client({ connectionString: database.url })];
  await client.connect();
  return {
    store,
    openSecond: open,
    async expireSession(session) {
      await client.query(`update node_sessions set lease_until = clock_timestamp() - interval '1 second' where session_id = $1`, [session]);
    },
    async expireLeader(what) {
      await client.query(`update leader_lease set ${what === 'lease' ? 'lease_until' : 'worked_at'} = '-infinity'`);
    },
    letPass: (seconds) => shiftIntoPast(client, seconds),
    async changeEpoch() {
      await client.query(`update leader_lease set gate_epoch = pg_postmaster_start_time() - interval '1 minute'`);
    },
    async close() {
      const strays = await findStrayWork(client);
      await store.close();
      await client.end();
      await database.drop();
      expect(strays).toEqual([]);
    },
  };
});
