import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderEvent } from '#domain/order.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { ClaimedOrder, Store } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { waitUntil } from '#test/waiting.ts';
import {
  acceptOne,
  advanceOne,
  claimOne,
  closingOf,
  completeOrder,
  describeNode,
  kindsOf,
  moveOf,
  ORDER_WORKFLOW,
  readOne,
  TTL_MS,
} from '../conformance/support.ts';

/** More orders than a session writes batches of steps until it removes those that tell of nothing any more. */
const MANY = 120;

describe('the journal', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let store: Store;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    await store.registerWorkflows([ORDER_WORKFLOW]);
  });
  afterAll(async () => {
    await store.close();
    await client.end();
    await database.drop();
  });

  let session: number;
  let orderId: string;
  let claimed: ClaimedOrder;
  beforeEach(async () => {
    session = await store.openSession(describeNode(), TTL_MS);
    orderId = await acceptOne(store);
    claimed = await claimOne(store, session, orderId);
  });
  const eventsOf = async (id: string): Promise<OrderEvent[]> => (await readOne(store, id)).events;
  const batches = async (): Promise<number> =>
    (await client.query(`select count(*)::int as n from order_journal where session_id = ${session}`)).rows[0].n;
  /** What a write does whose answer was lost long ago, when it comes after all. */
  const writeLate = (version: number): Promise<unknown> =>
    client.query(`insert into order_journal (session_id, order_ids, versions) values (${session}, '{${orderId}}', '{${version}}')`);

  it('is emptied of what is told elsewhere, and keeps what only it tells, however long that takes', async () => {
    await advanceOne(store, session, moveOf(claimed, 'step_completed', { data: { result: 7 } }));
    const before = await eventsOf(orderId);
    for (let n = 0; n < MANY; n += 1) await completeOrder(store, session, await acceptOne(store));
    await waitUntil('what is told elsewhere to be removed', async () => (await batches()) < 3 * MANY - 200);
    expect(await eventsOf(orderId)).toEqual(before);
    expect((await store.readOwnedOrders(session)).map(({ results }) => results)).toEqual([[7]]);
    // It begins with the batch of the order in hand; and where nothing is in hand, behind all that was removed.
    const begin = `select b.batch as "from", min(j.batch) as first from journal_begins b left join order_journal j using (session_id)
                    where b.session_id = ${session} group by 1`;
    const { from, first } = (await client.query(begin)).rows[0];
    expect(from).toBe(first);
    await store.advanceOrders(session, [closingOf({ ...claimed, version: claimed.version + 1, step: 2 }, 'handed_back', 'queued')]);
    await client.query(`select forget_told_steps(${session})`);
    const emptied = (await client.query(begin)).rows[0];
    expect(emptied.first).toBeNull();
    expect(Number(emptied.from)).toBeGreaterThan(Number(from));
    const again = await claimOne(store, session, orderId);
    await advanceOne(store, session, moveOf(again, 'step_completed'));
    expect((await kindsOf(store, orderId)).slice(-4)).toEqual(['step_completed', 'handed_back', 'claimed', 'step_completed']);
  });

  it('is empty after the end of its session, and the history is as it was', async () => {
    await advanceOne(store, session, moveOf(claimed, 'step_completed'));
    const before = await eventsOf(orderId);
    await store.endSessions([session], 'transfer');
    expect(await batches()).toBe(0);
    const { rows } = await client.query('select forget_told_steps($1)', [session]);
    expect(rows).toHaveLength(1);
    expect((await eventsOf(orderId)).slice(0, before.length)).toEqual(before);
  });

  it('a step that comes twice counts once, the first time', async () => {
    await advanceOne(store, session, moveOf(claimed, 'step_completed'));
    const before = await eventsOf(orderId);
    await writeLate(3);
    expect(await eventsOf(orderId)).toEqual(before);
    await store.endSessions([session], 'transfer');
    expect((await eventsOf(orderId)).slice(0, -1)).toEqual(before);
  });

  it('a step that comes late tells nothing where a row stands already', async () => {
    await advanceOne(store, session, moveOf(claimed, 'step_failed'));
    const before = await eventsOf(orderId);
    await writeLate(3);
    expect(await eventsOf(orderId)).toEqual(before);
    await store.endSessions([session], 'transfer');
    expect(await kindsOf(store, orderId)).toEqual(['accepted', 'claimed', 'step_failed', 'handed_over']);
    expect((await readOne(store, orderId)).order).toMatchObject({ step: 1, direction: 'rollback' });
  });

  it('a step that comes after its order has left tells nothing, also when the same session has it again', async () => {
    await advanceOne(store, session, closingOf(claimed, 'handed_back', 'queued'));
    await writeLate(3);
    const again = await claimOne(store, session, orderId);
    expect(again).toMatchObject({ step: 1, version: 4 });
    expect(await kindsOf(store, orderId)).toEqual(['accepted', 'claimed', 'handed_back', 'claimed']);
    expect(await advanceOne(store, session, moveOf(again, 'step_completed'))).toBe('applied');
  });

  it('tells a result as it was written, whatever its handler does with it afterwards', async () => {
    const quote = { price: 1 };
    await advanceOne(store, session, moveOf(claimed, 'step_completed', { data: { result: quote } }));
    quote.price = 2;
    await advanceOne(store, session, moveOf(claimed, 'step_failed', { step: 2 }, 1));
    expect((await eventsOf(orderId)).find(({ kind }) => kind === 'step_completed')?.data).toEqual({ result: { price: 1 } });
  });

  it('what is owned may be asked for while moves of known and of unknown orders are under way', async () => {
    const other = await claimOne(store, session, await acceptOne(store));
    await advanceOne(store, session, moveOf(claimed, 'step_completed', { data: { result: 7 } }));
    const first = moveOf(other, 'step_completed');
    await advanceOne(store, session, first);
    // From here on the store does not know the other one any more.
    expect(await advanceOne(store, session, first)).toBe('replayed');
    const before = await eventsOf(orderId);
    await client.query('begin; lock table order_work in access exclusive mode');
    const looking = store.readOwnedOrders(session);
    await waitUntil('the look to wait for the lock', async () => {
      const { rows } = await client.query('select from pg_locks where not granted and relation = $1::regclass', ['order_work']);
      return rows.length > 0;
    });
    const back = { ...closingOf({ ...claimed, step: 2 }, 'handed_back', 'queued'), version: claimed.version + 2 };
    const writing = store.advanceOrders(session, [back, moveOf(other, 'step_completed', { step: 2 }, 1)]);
    await client.query('commit');
    await looking;
    expect(await writing).toEqual(['applied', 'applied']);
    expect((await eventsOf(orderId)).slice(0, -1)).toEqual(before);
  });

  it('a batch with an order that is not ours is written without it', async () => {
    const other = await store.openSession(describeNode(), TTL_MS);
    const theirs = await claimOne(store, other, await acceptOne(store));
    const moves = [moveOf(theirs, 'step_completed'), moveOf(claimed, 'step_completed')];
    expect(await store.advanceOrders(session, moves)).toEqual(['fenced', 'applied']);
    expect(await kindsOf(store, theirs.orderId)).toEqual(['accepted', 'claimed']);
    expect(await kindsOf(store, orderId)).toEqual(['accepted', 'claimed', 'step_completed']);
  });

  it('more steps at once than a row takes are all written', async () => {
    const count = 600;
    for (let n = 1; n < count; n += 1) await acceptOne(store);
    const all = [claimed, ...(await store.claimOrders(session, count))];
    const verdicts = await store.advanceOrders(
      session,
      all.map((order) => moveOf(order, 'step_completed', { data: { result: order.orderId } })),
    );
    expect(verdicts).toEqual(all.map(() => 'applied'));
    const owned = await store.readOwnedOrders(session);
    expect(owned).toHaveLength(count);
    for (const order of owned) expect(order).toMatchObject({ step: 2, results: [order.orderId] });
  });
});
