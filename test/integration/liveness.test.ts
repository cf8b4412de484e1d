import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { Liveness, Store, Subscription } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { countLivenessLocks, createTestDatabase, type TestDatabase } from '#test/database.ts';
import { ORDER_WORKFLOW } from '#test/orders.ts';
import { describeNode, loadOf, TTL_MS } from '../conformance/support.ts';

describe('the liveness connection on PostgreSQL', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let stores: Store[];
  let subscriptions: Subscription[];
  beforeEach(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    [stores, subscriptions] = [[], []];
  });
  afterEach(async () => {
    for (const subscription of subscriptions) await subscription.close();
    for (const store of stores) await store.close();
    await client.end();
    await database.drop();
  });

  async function attend(options: { liveness?: boolean } = {}): Promise<{ store: Store; session: number; seen: Liveness[] }> {
    const store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock, ...options });
    stores.push(store);
    await store.registerWorkflows([ORDER_WORKFLOW]);
    const session = await store.openSession(describeNode(), TTL_MS);
    const seen: Liveness[] = [];
    subscriptions.push(await store.attendSession(session, { onHint: () => undefined, onLiveness: (now) => seen.push(now) }));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    return { store, session, seen };
  }
  const locks = (): Promise<number> => countLivenessLocks(client);
  const cut = (): Promise<unknown> =>
    client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'conveyor session' and datname = current_database()`,
    );

  it('is lost at once when it is cut, and held again when it is back', async () => {
    const { store, session, seen } = await attend();
    expect(seen).toEqual(['held']);
    expect(await locks()).toBe(1);
    await store.tick(session, TTL_MS, loadOf({ hasLiveness: true }));
    await cut();
    await vi.waitFor(() => expect(seen).toEqual(['held', 'lost', 'held']));
    expect(await locks()).toBe(1);
    expect(await store.findLostSessions(0)).toEqual([]);
    expect(await store.endSessions([session], 'connection_lost')).toEqual([]);
  });

  it('is unavailable where it is switched off: no lock is taken', async () => {
    const { seen } = await attend({ liveness: false });
    expect(seen).toEqual(['unavailable']);
    expect(await locks()).toBe(0);
  });

  it('is nobody’s loss while the server is younger than the grace: a restart takes every lock', async () => {
    const { store, session } = await attend();
    await store.tick(session, TTL_MS, loadOf({ hasLiveness: true }));
    await subscriptions.pop()?.close();
    await vi.waitFor(async () => expect(await store.findLostSessions(0)).toEqual([session]));
    expect(await store.findLostSessions(365 * 86_400_000)).toEqual([]);
  });
});
