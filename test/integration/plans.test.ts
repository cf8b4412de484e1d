import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { OrderFilter, Store } from '#engine/store.ts';
import { Connection, PLANNER, type Statement } from '#store/postgres/connect.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { nodesOf, type PlanNode } from '#test/plan.ts';
import { storeFinishedOrders } from '../../bench/support/stored-orders.ts';
import { acceptOne, closingOf, describeNode, loadOf, moveOf, ORDER_WORKFLOW } from '../conformance/support.ts';

/** Tables that grow with orders; the others have a few rows, or a row for each node. */
const GROWING = /Seq Scan on (orders|order_events|order_journal|order_work|order_keys|webhook_deliveries|order_statistics)/;

/** Every statement that an order meets on its way, as the store sends it, and those that look at all orders again and again. */
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
    const failed = moveOf(first, 'step_failed', { step: 2 }, 1);
    await Promise.all([store.advanceOrders(session, [failed]), store.advanceOrders(session, [failed])]);
    await store.advanceOrders(session, [closingOf(second, 'handed_back', 'queued')]);
    await store.claimOrders(session, 10);
    await store.readOwnedOrders(session);
    await store.readOrders([first.orderId]);
    await store.readEventsAfter([{ orderId: first.orderId, afterVersion: 1 }]);
    await store.wakeNodes(1);
    await store.statistics.readPresent();
    await store.statistics.readWindow({ since: 0, until: 10_000, pointMs: 10_000 });
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
        ...['journal_steps', 'read_untold'],
        ...['tick', 'read_owned', 'read_orders', 'read_events_after', 'explain_refusals', 'read_present'],
        'read_statistics_window',
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

/** What lists meet: 20,000 orders, nearly all of one symbol, a third of each region; and what those plans read. */
describe('a list reads few rows', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let store: Store;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    await store.registerWorkflows([ORDER_WORKFLOW]);
    await storeFinishedOrders(client, 20_000);
    const rare = `case right(order_id::text, 2) when '00' then 'rare' else 'abc' end`;
    await client.query(`update orders set content = content || jsonb_build_object('tracking_id', 'T-' || order_id, 'symbol', ${rare})`);
    await client.query('vacuum analyze');
  });
  afterAll(async () => {
    await store.close();
    await client.end();
    await database.drop();
  });

  /** The statements of a list with their values, as they are sent. */
  async function statementsOf(filter: Partial<OrderFilter>): Promise<{ text: string; values: unknown[] }[]> {
    const query = vi.spyOn(pg.Client.prototype, 'query');
    try {
      await store.listOrders({ limit: 21, ...filter });
      return (query.mock.calls as unknown as [string, unknown[]][])
        .filter(([text]) => typeof text === 'string' && /from "?orders"?/.test(text))
        .map(([text, values]) => ({ text, values }));
    } finally {
      query.mockRestore();
    }
  }

  /** The most rows that one part of a plan reads. A table that is read from end to end has 20,000. */
  async function mostRead(filter: Partial<OrderFilter>): Promise<number> {
    const statements = await statementsOf(filter);
    expect(statements.length).toBeGreaterThan(0);
    let most = 0;
    for (const { text, values } of statements) {
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (analyze, format json) ${text}`, values);
      for (const node of nodesOf((rows[0] as NonNullable<(typeof rows)[0]>)['QUERY PLAN'][0].Plan)) most = Math.max(most, readBy(node));
    }
    return most;
  }

  const id = async (): Promise<string> => (await store.listOrders({ limit: 1 }))[0]?.order.orderId ?? '';
  const cases: [string, () => Promise<Partial<OrderFilter>> | Partial<OrderFilter>][] = [
    ['the beginning of an id', async () => ({ idDigits: (await id()).replaceAll('-', '').slice(0, 8) })],
    ['a beginning and a symbol', async () => ({ idDigits: (await id()).replaceAll('-', '').slice(0, 8), symbol: 'abc' })],
    ['a tracking id', async () => ({ trackingId: `T-${await id()}` })],
    ['an unknown tracking id', () => ({ trackingId: 'nobody' })],
    [
      'a tracking id beside all else',
      async () => ({ trackingId: `T-${await id()}`, symbol: 'abc', region: 'HN', customerName: 'Customer 7' }),
    ],
    ["a customer's tracking id", async () => ({ trackingId: `T-${await id()}`, customerId: 'user', statuses: ['cancelled'] })],
    ['a common symbol', () => ({ symbol: 'abc' })],
    ['a rare symbol', () => ({ symbol: 'rare' })],
    ['an unknown symbol', () => ({ symbol: 'nothing' })],
    ['a common symbol and a common region', () => ({ symbol: 'abc', region: 'HN' })],
    ['a common symbol and an unknown region', () => ({ symbol: 'abc', region: 'nowhere' })],
    ['a rare symbol and a common region', () => ({ symbol: 'rare', region: 'HN' })],
    ['a common symbol and a rare status', () => ({ symbol: 'abc', statuses: ['cancelled'] })],
    ['a common region and a rare status', () => ({ region: 'HN', statuses: ['cancelled'] })],
    ['a name and a common symbol', () => ({ customerName: 'Customer 7', symbol: 'abc', statuses: ['completed'] })],
    ['a common symbol and several statuses', () => ({ symbol: 'abc', statuses: ['failed', 'cancelled'] })],
    ['a common region and all that is open', () => ({ region: 'HN', statuses: ['queued', 'processing', 'needs_attention'] })],
    ['a common symbol and what waits', () => ({ symbol: 'abc', statuses: ['queued'] })],
  ];
  it.each(cases)('%s', async (_what, filter) => {
    // A look at how much each finds ends at a thousand.
    expect(await mostRead(await filter())).toBeLessThanOrEqual(1_000);
  });
});

function readBy(node: PlanNode): number {
  return (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
}

it('what looks at a span of time is planned for that span, not for any', () =>
  withPlans(async ({ client }) => {
    const { rows } = await client.query<{ name: string; planned: boolean }>(
      `select proname as name, coalesce(proconfig, '{}') @> '{plan_cache_mode=force_custom_plan}' as planned from pg_proc
        where pronamespace = 'public'::regnamespace and prosrc ~ '(at|accepted_at|claimed_at) (>=|<) (after_at|upper|begins|ends)'`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ planned }) => !planned)).toEqual([]);
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
