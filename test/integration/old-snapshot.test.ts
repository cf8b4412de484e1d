import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { Connection, PLANNER, type Statement } from '#store/postgres/connect.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase } from '#test/database.ts';
import { nodesOf, type PlanNode } from '#test/plan.ts';
import { acceptOne, closingOf, describeNode, loadOf, newOrder, ORDER_WORKFLOW } from '../conformance/support.ts';

const MANY = 2_000;

it('beside an old snapshot a tick reads what the session owns, not all that it ever owned, and misses nothing', async () => {
  const database = await createTestDatabase();
  const store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
  const reader = new pg.Client({ connectionString: database.url });
  const client = new pg.Client({ connectionString: database.url, options: PLANNER });
  const run = vi.spyOn(Connection.prototype, 'run');
  try {
    await Promise.all([reader.connect(), client.connect()]);
    await store.registerWorkflows([ORDER_WORKFLOW]);
    const old = await acceptOne(store);
    const session = await store.openSession(describeNode(), 60_000);
    await reader.query('begin isolation level repeatable read; select from warehouse');
    await store.acceptOrders(Array.from({ length: MANY }, () => newOrder()));
    const claimed = await store.claimOrders(session, MANY + 1);
    await store.advanceOrders(
      session,
      claimed.map((order) =>
        closingOf(order, order.orderId === old ? 'handed_back' : 'completed', order.orderId === old ? 'queued' : 'completed'),
      ),
    );
    const newest = await acceptOne(store);
    expect((await store.claimOrders(session, 10)).map(({ orderId }) => orderId).sort()).toEqual([old, newest].sort());

    const report = await store.tick(session, 60_000, loadOf({}));
    expect(report?.ownedCount).toBe(2);
    const [again] = await store.readOwnedOrders(session).then((owned) => owned.filter(({ orderId }) => orderId === old));
    await store.advanceOrders(session, again ? [closingOf(again, 'completed', 'completed')] : []);
    await store.tick(session, 60_000, loadOf({}));
    expect((await store.tick(session, 60_000, loadOf({})))?.ownedCount).toBe(1);

    const [tick, values] = (run.mock.calls as unknown as [Statement, unknown[]][]).filter(([{ name }]) => name === 'tick').at(-1) ?? [];
    await client.query('begin');
    await client.query({ text: `prepare tick as ${tick?.text}` });
    const literals = values?.map((value) => (value === null ? 'null' : client.escapeLiteral(String(value)))).join(', ');
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, buffers, format json) execute tick (${literals})`,
    );
    const nodes = nodesOf((rows[0] as NonNullable<(typeof rows)[0]>)['QUERY PLAN'][0].Plan);
    const owned = nodes.filter((node) => node['Index Name'] === 'order_work_owned');
    expect(owned.length).toBeGreaterThan(0);
    for (const node of owned) expect((node['Shared Hit Blocks'] ?? Infinity) + (node['Shared Read Blocks'] ?? Infinity)).toBeLessThan(20);
  } finally {
    run.mockRestore();
    await Promise.all([store.close(), reader.end(), client.end()]);
    await database.drop();
  }
});
