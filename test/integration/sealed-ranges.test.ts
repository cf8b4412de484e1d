import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { storeFinishedOrders } from '../../bench/support/stored-orders.ts';
import { ORDER_WORKFLOW } from '../conformance/support.ts';

const ORDERS = 40_000;
const TABLE = 'order_events_first';
const INDEX = 'order_events_first_by_time';
/** Far fewer pages than the table has, and more than the open end of it. */
const FEW_PAGES = 100;
const TRIES = 200;

describe('what happened in a span of time', () => {
  let database: TestDatabase;
  let store: Store;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    await store.registerWorkflows([ORDER_WORKFLOW]);
    client = new pg.Client({ connectionString: database.url, options: '-c enable_seqscan=off' });
    await client.connect();
    await storeFinishedOrders(client, ORDERS);
  });

  afterAll(async () => {
    await client.end();
    await store.close();
    await database.drop();
  });

  /** How many pages are read to find what happened in the last minute, which is nothing. */
  async function pagesRead(): Promise<number> {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: { 'Lossy Heap Blocks': number } }] }>(
      `explain (analyze, format json) select from ${TABLE} where at >= now() - interval '1 minute'`,
    );
    return (rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan['Lossy Heap Blocks'];
  }

  /** Has the server summarise the table, and interrupts it in the middle of a range; then what it left out is done by VACUUM. */
  async function interruptSummarising(afterMs: number): Promise<void> {
    const pages = `generate_series(0, pg_relation_size('${TABLE}') / current_setting('block_size')::int - 1, 16)`;
    await client.query(`select brin_desummarize_range('${INDEX}', block) from ${pages} block`);
    await client.query(`set statement_timeout = ${afterMs}`);
    const outcome = await client.query(`select brin_summarize_new_values('${INDEX}')`).catch((error: pg.DatabaseError) => error.code);
    await client.query('reset statement_timeout');
    if (outcome === '57014') await client.query(`vacuum ${TABLE}`);
  }

  it('is found in a few pages, also after the server was interrupted while it summarised them', async () => {
    expect(await pagesRead()).toBeLessThan(FEW_PAGES);
    for (let attempt = 1; (await pagesRead()) < 2 * FEW_PAGES; attempt += 1) {
      if (attempt > TRIES) throw new Error(`in ${TRIES} tries no interruption left a trace`);
      await interruptSummarising(1 + (attempt % 20));
    }
    await client.query('delete from sealed_ranges');
    expect(await store.retention.sealRanges({ most: 10 })).toBe(10);
    while ((await store.retention.sealRanges({ most: 50 })) === 50);
    expect(await pagesRead()).toBeLessThan(FEW_PAGES);
  });

  it('goes on where it stood, and begins anew with a table that was written anew', async () => {
    expect(await store.retention.sealRanges({ most: 1_000 })).toBe(0);
    await client.query(`vacuum full ${TABLE}`);
    expect(await store.retention.sealRanges({ most: 1_000 })).toBeGreaterThan(50);
    expect(await store.retention.sealRanges({ most: 1_000 })).toBe(0);
  });

  it('waits while somebody else looks after the table, and does the others', async () => {
    await client.query('delete from sealed_ranges');
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query(`begin; lock table ${TABLE} in share update exclusive mode`);
    expect(await store.retention.sealRanges({ most: 1_000 })).toBeGreaterThan(50);
    const { rows } = await client.query<{ index_name: string }>('select index_name from sealed_ranges');
    expect(rows.map(({ index_name }) => index_name)).toEqual(['orders_first_accepted_at_idx']);
    await other.query('commit');
    await other.end();
    expect(await store.retention.sealRanges({ most: 1_000 })).toBeGreaterThan(100);
    expect(await store.retention.sealRanges({ most: 1_000 })).toBe(0);
  });
});
