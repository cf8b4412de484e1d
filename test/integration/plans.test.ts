import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { Connection, PLANNER, type Statement } from '#store/postgres/connect.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase } from '#test/database.ts';
import { acceptOne, closingOf, describeNode, loadOf, moveOf, ORDER_WORKFLOW } from '../conformance/support.ts';

/** Tables that grow with orders; the others have a few rows, or a row for each node. */
const GROWING = /Seq Scan on (orders|order_events|order_work|order_keys|webhook_deliveries)/;

/** Every statement that an order meets on its way, as the store sends it. */
async function statementsOfAnOrder(url: string): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const run = vi.spyOn(Connection.prototype, 'run');
  const store = await openPostgresStore({ url, log: silentLog, clock: systemClock });
  try {
    await store.registerWorkflows([ORDER_WORKFLOW]);
    const key = { keys: [{ kind: 'header' as const, key: 'k' }], bodyHash: Buffer.alloc(32) };
    await acceptOne(store);
    await acceptOne(store, key);
    await acceptOne(store, key);
    const session = await store.openSession(describeNode(), 60_000);
    await store.tick(session, 60_000, loadOf({}));
    const [first, second] = await store.claimOrders(session, 10);
    if (!first || !second) throw new Error('both orders were to be claimed');
    const done = moveOf(first, 'step_completed');
    await store.advanceOrders(session, [done]);
    await store.advanceOrders(session, [done]);
    await store.advanceOrders(session, [closingOf(second, 'handed_back', 'queued')]);
    await store.claimOrders(session, 10);
    await store.readOwnedOrders(session);
    await store.readOrders([first.orderId]);
    await store.readEventsAfter([{ orderId: first.orderId, afterVersion: 1 }]);
    await store.wakeNodes(1);
    for (const [statement] of run.mock.calls as unknown as [Statement][]) seen.set(statement.name, statement.text);
    return seen;
  } finally {
    run.mockRestore();
    await store.close();
  }
}

interface Plans {
  client: pg.Client;
  /** The names of the statements an order meets on its way. */
  names: readonly string[];
  /** The plan of one of them, line by line, as the store's connections make it. */
  planOf(name: string): Promise<string[]>;
}

/** On a database on which every statement has run. */
async function withPlans(check: (plans: Plans) => Promise<void>): Promise<void> {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url, options: PLANNER });
  try {
    const statements = await statementsOfAnOrder(database.url);
    await client.connect();
    await check({
      client,
      names: [...statements.keys()],
      async planOf(name) {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${statements.get(name)}`);
        return rows.map((row) => row['QUERY PLAN']);
      },
    });
  } finally {
    await client.end();
    await database.drop();
  }
}

it('no statement on an order’s way reads a table from end to end; without one of the indexes some would', () =>
  withPlans(async ({ client, names, planOf }) => {
    expect(names).toEqual(
      expect.arrayContaining([
        ...['insert_orders', 'insert_keyed_orders', 'find_keys', 'claim_orders', 'append_moves', 'append_moves_again', 'close_orders'],
        ...['tick', 'read_owned', 'read_orders', 'read_events_after', 'explain_refusals'],
      ]),
    );
    const whole = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const name of names) if ((await planOf(name)).some((line) => GROWING.test(line))) found.push(name);
      return found;
    };
    expect(await whole()).toEqual([]);
    await client.query('drop index order_work_owned');
    expect(await whole()).toEqual(expect.arrayContaining(['tick', 'close_orders', 'read_owned']));
  }));

it('orders are ended by their own rows, even where the statistics are from when nobody owned any', () =>
  withPlans(async ({ client, planOf }) => {
    await client.query(`delete from order_work`);
    await client.query(
      `insert into order_work (order_id, next_run_at, workflow_id) select uuidv7(), now(), 1 from generate_series(1, 20000)`,
    );
    await client.query(`analyze order_work`);
    const conditions = (await planOf('close_orders')).filter((line) => /Index Cond: .*owner_session/.test(line));
    expect(conditions.length).toBeGreaterThan(0);
    expect(conditions.filter((line) => !line.includes('order_id'))).toEqual([]);
  }));
