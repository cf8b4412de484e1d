import pg from 'pg';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import type { BenchDatabase } from '../../bench/support/server.ts';
import { createTestDatabase } from './database.ts';
import { ORDER_WORKFLOW } from './orders.ts';

/** A test's own database in the shape that the chaos runs and the benchmarks work on. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const { url, drop } = await createTestDatabase();
  const store = await openPostgresStore({ url, log: silentLog, clock: systemClock });
  await store.registerWorkflows([ORDER_WORKFLOW]);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    url,
    store,
    client,
    async close() {
      await client.end();
      await store.close();
      await drop();
    },
  };
}
