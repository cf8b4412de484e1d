import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newOrderId } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { partitionWidthMs } from '#engine/retention-store.ts';
import type { Store } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { ORDER_WORKFLOW } from '../conformance/support.ts';

const DAY_MS = 86_400_000;
const KEEP = '30 days';

/** The database's functions take the moment as an argument: time passes here without anybody waiting for it. */
describe('retention', () => {
  let database: TestDatabase;
  let store: Store;
  let client: pg.Client;
  let begin: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await store.registerWorkflows([ORDER_WORKFLOW]);
    const { rows } = await client.query<{ ends: Date }>('select ends from order_partitions');
    begin = (rows[0] as { ends: Date }).ends.getTime();
  });

  afterAll(async () => {
    await client.end();
    await store.close();
    await database.drop();
  });

  const at = (days: number): string => new Date(begin + days * DAY_MS).toISOString();
  const make = async (days: number): Promise<string[]> =>
    (await client.query<{ suffix: string }>(`select suffix from make_partitions('10 days', $1) suffix`, [at(days)])).rows.map(
      (row) => row.suffix,
    );
  const drop = async (days: number): Promise<{ dropped: string | null; kept_because: string | null } | undefined> =>
    (await client.query('select dropped, kept_because from drop_expired_partition($1, $2)', [KEEP, at(days)])).rows[0];

  /** As a leader does: again and again, until nothing more can be dropped. */
  async function dropAll(days: number): Promise<{ dropped: string[]; keptBecause: string | null }> {
    const dropped: string[] = [];
    for (;;) {
      const report = await drop(days);
      if (!report?.dropped) return { dropped, keptBecause: report?.kept_because ?? null };
      dropped.push(`orders_${report.dropped}`);
    }
  }

  /** An order of that day, with a key; it stays queued. */
  async function accept(days: number): Promise<string> {
    const orderId = newOrderId(store.warehouse.number, begin + days * DAY_MS, systemClock.entropy());
    await store.acceptOrders([
      {
        ...{ orderId, customerId: 'c', workflow: ORDER_WORKFLOW.name, workflowVersion: ORDER_WORKFLOW.version, content: { quantity: 1 } },
        ...{ keys: [{ kind: 'header' as const, key: orderId }], bodyHash: Buffer.alloc(32), routedBecause: null, unsettledHome: null },
      },
    ]);
    return orderId;
  }

  async function end(orderId: string, days: number): Promise<void> {
    await store.cancelOrder({ orderId, customerId: undefined, actor: 'op', reason: undefined });
    await client.query('update orders set ended_at = $2 where order_id = $1', [orderId, at(days)]);
    await client.query('update order_events set at = $2 where order_id = $1', [orderId, at(days)]);
  }

  const partitionOf = async (orderId: string): Promise<string | undefined> =>
    (await client.query<{ name: string }>('select tableoid::regclass::text as name from orders where order_id = $1', [orderId])).rows[0]
      ?.name;
  const isThere = async (orderId: string): Promise<boolean> => (await store.readOrders([orderId]))[0] !== undefined;

  it('partitions are made ahead, once; orders find theirs', async () => {
    const made = await make(0);
    expect(made).toHaveLength(2);
    expect(await make(0)).toEqual([]);
    const [before, first, second, far] = [await accept(-1), await accept(1), await accept(11), await accept(400)];
    const found: (string | undefined)[] = [];
    for (const orderId of [before, first, second, far]) found.push(await partitionOf(orderId));
    expect(found).toEqual(['orders_first', `orders_${made[0]}`, `orders_${made[1]}`, 'orders_rest']);
    for (const [orderId, day] of [
      [before, -1],
      [first, 1],
      [second, 11],
      [far, 400],
    ] as const)
      await end(orderId, day);
  });

  it('a stretch of time for which the rest holds orders stays with the rest', async () => {
    const orderId = await accept(25);
    expect(await partitionOf(orderId)).toBe('orders_rest');
    const made = await make(20);
    expect(made).toHaveLength(1);
    expect(await partitionOf(await accept(35))).toBe(`orders_${made[0]}`);
    expect(await partitionOf(await accept(26))).toBe('orders_rest');
    await client.query(`delete from orders; delete from order_work`);
  });

  it('drops what is past its time with all that belongs to it, and nothing younger', async () => {
    const [old, young] = [await accept(-2), await accept(2)];
    await end(old, -1);
    await end(young, 3);
    expect(await drop(29)).toEqual({ dropped: null, kept_because: null });
    expect(await drop(30)).toEqual({ dropped: 'first', kept_because: null });
    expect([await isThere(old), await isThere(young)]).toEqual([false, true]);
    const { rows } = await client.query<{ rows: number }>('select delete_expired($1, 100, $2) as rows', [KEEP, at(30)]);
    expect(rows[0]?.rows).toBeGreaterThan(0);
    const keys = await client.query<{ key: string }>('select key from order_keys');
    const left = keys.rows.map(({ key }) => key);
    expect([left.includes(old), left.includes(young)]).toEqual([false, true]);
  });

  it('keeps orders that are open, that ended later, or whose events were not announced yet', async () => {
    const orderId = await accept(5);
    const itsPartition = await partitionOf(orderId);
    expect((await dropAll(60)).keptBecause).toBe('open orders');
    expect(await isThere(orderId)).toBe(true);
    await end(orderId, 50);
    expect(await dropAll(60)).toEqual({ dropped: [], keptBecause: 'orders that ended later' });
    await client.query(`insert into outbox_cursors (name, at, order_id, version, saved_at) values ('r', $1, $2, 1, $3)`, [
      at(6),
      orderId,
      at(99),
    ]);
    expect(await dropAll(100)).toEqual({ dropped: [], keptBecause: 'events that were not announced yet' });
    await client.query(`update outbox_cursors set at = $1`, [at(99)]);
    expect(await dropAll(100)).toEqual({ dropped: expect.arrayContaining([itsPartition]), keptBecause: null });
    expect(await isThere(orderId)).toBe(false);
  });

  it('an open order keeps its own stretch of time, and no other', async () => {
    await make(100);
    const [open, ended] = [await accept(102), await accept(112)];
    await end(ended, 113);
    const ofEnded = await partitionOf(ended);
    await make(150);
    const { dropped, keptBecause } = await dropAll(150);
    expect([dropped.includes(ofEnded as string), keptBecause]).toEqual([true, 'open orders']);
    expect([await isThere(open), await isThere(ended)]).toEqual([true, false]);
    await client.query('select delete_expired($1, 100, $2)', [KEEP, at(150)]);
    const keys = await client.query<{ key: string }>('select key from order_keys where key = any ($1)', [[open, ended]]);
    expect(keys.rows).toEqual([{ key: open }]);
    expect((await client.query('select from order_partitions where dropped_at is not null')).rowCount).toBe(0);
    await end(open, 115);
  });

  it('waits for a lock no longer than a moment: a long read holds nobody up through it', async () => {
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    try {
      await reader.query('begin');
      await reader.query('select count(*) from orders');
      await expect(drop(150)).rejects.toThrow('lock timeout');
    } finally {
      await reader.end();
    }
  });

  it('deletes from the rest order by order', async () => {
    const orderId = await accept(500);
    await end(orderId, 500);
    await client.query('select delete_expired($1, 100, $2)', [KEEP, at(529)]);
    expect(await isThere(orderId)).toBe(true);
    await client.query('update outbox_cursors set at = $1, saved_at = $2', [at(499), at(531)]);
    await client.query('select delete_expired($1, 100, $2)', [KEEP, at(531)]);
    expect(await isThere(orderId)).toBe(true);
    await client.query('update outbox_cursors set at = $1', [at(531)]);
    await client.query('select delete_expired($1, 100, $2)', [KEEP, at(531)]);
    expect(await isThere(orderId)).toBe(false);
    expect((await client.query('select from order_keys where key = $1', [orderId])).rowCount).toBe(0);
  });

  it('through the port: without a retention nothing is dropped', async () => {
    const report = await store.retention.keepHouse({ keepMs: undefined });
    expect(report).toMatchObject({ dropped: [], deletedRows: 0, hasMore: false });
    expect(await store.retention.keepHouse({ keepMs: 3_600_000 })).toMatchObject({ dropped: [], keptBecause: undefined });
  });

  it('a partition holds a quarter of the retention, between a quarter of an hour and thirty days', () => {
    expect([undefined, 3_600_000, 8 * DAY_MS, 1_000 * DAY_MS].map(partitionWidthMs)).toEqual([
      30 * DAY_MS,
      900_000,
      2 * DAY_MS,
      30 * DAY_MS,
    ]);
  });
});
