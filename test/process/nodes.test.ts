import { tmpdir } from 'node:os';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { type ConveyorProcess, startConveyor } from '#test/conveyor-process.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { acceptMany, countOpen, ORDER_WORKFLOW, readRecords, violationsOf } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';

interface SessionRow {
  session_id: string;
  node_name: string;
  state: string;
}

describe('two nodes on one database', () => {
  let database: TestDatabase;
  let store: Store;
  let client: pg.Client;
  let nodes: ConveyorProcess[] = [];

  const startNode = (name: string): ConveyorProcess => {
    const node = startConveyor(['node', '--node-name', name, '--slots', '20', '--step-duration', '400ms', '--failure-rate', '0.02'], {
      cwd: tmpdir(),
      env: { CONVEYOR_WAREHOUSES: `HCM=${database.url}` },
    });
    nodes.push(node);
    return node;
  };
  const sessions = async (): Promise<SessionRow[]> => {
    const { rows } = await client.query<SessionRow>('select session_id, node_name, state from node_sessions order by session_id');
    return rows;
  };
  const sessionOf = async (name: string): Promise<number> => {
    const live = async (): Promise<SessionRow | undefined> =>
      (await sessions()).find((row) => row.node_name === name && row.state === 'live');
    await waitUntil(`node ${name} to begin a session`, async () => (await live()) !== undefined);
    return Number((await live())?.session_id);
  };
  const workedBy = async (ids: string[], session: number): Promise<number> =>
    (await readRecords(store, ids)).filter(({ order }) => order.ownerSession === session).length;
  const ended = (ids: string[]): Promise<void> => waitUntil('every order to end', async () => (await countOpen(store, ids)) === 0, 90_000);

  beforeAll(async () => {
    database = await createTestDatabase();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    await store.registerWorkflows([ORDER_WORKFLOW]);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });

  afterEach(async () => {
    for (const node of nodes) node.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.ended));
    nodes = [];
  });

  afterAll(async () => {
    await client.end();
    await store.close();
    await database.drop();
  });

  it('I1 I3 I7 I9: share the work, and one takes over what the other had when it is killed', async () => {
    const victim = startNode('kill-a');
    startNode('kill-b');
    const [a, b] = [await sessionOf('kill-a'), await sessionOf('kill-b')];
    const ids = await acceptMany(store, 200);
    await waitUntil('both to have work', async () => (await workedBy(ids, a)) > 0 && (await workedBy(ids, b)) > 0);
    victim.kill('SIGKILL');
    await ended(ids);
    const records = await readRecords(store, ids);
    expect(violationsOf(records)).toEqual([]);
    const handedOver = records.filter(({ events }) => events.some((event) => event.kind === 'handed_over' && event.sessionId === a));
    expect(handedOver.length).toBeGreaterThan(0);
    expect((await sessions()).find((row) => Number(row.session_id) === a)?.state).toBe('dead');
  });

  it('I6 I8: a node that was stopped and wakes after its lease writes nothing, and begins a new session', async () => {
    const paused = startNode('stop-a');
    const a = await sessionOf('stop-a');
    const ids = await acceptMany(store, 60);
    await waitUntil('the node to work', async () => (await workedBy(ids, a)) > 0);
    paused.kill('SIGSTOP');
    startNode('stop-b');
    await waitUntil(
      'the session to be ended',
      async () => (await sessions()).some((row) => Number(row.session_id) === a && row.state === 'dead'),
      30_000,
    );
    paused.kill('SIGCONT');
    const next = await sessionOf('stop-a');
    expect(next).toBeGreaterThan(a);
    await ended(ids);
    const records = await readRecords(store, ids);
    expect(violationsOf(records)).toEqual([]);
    for (const { events } of records) {
      const last = events.findIndex((event) => event.kind === 'handed_over' && event.sessionId === a);
      if (last >= 0) expect(events.slice(last + 1).filter((event) => event.sessionId === a)).toEqual([]);
    }
    expect(records.some(({ events }) => events.some((event) => event.kind === 'handed_over' && event.sessionId === a))).toBe(true);
  });

  it('I9: a node that is told to leave ends its present steps and hands the rest back', async () => {
    const leaving = startNode('leave-a');
    const a = await sessionOf('leave-a');
    const ids = await acceptMany(store, 60);
    await waitUntil('the node to work', async () => (await workedBy(ids, a)) > 0);
    leaving.kill('SIGTERM');
    expect((await leaving.ended).exitCode).toBe(0);
    expect(await workedBy(ids, a)).toBe(0);
    startNode('leave-b');
    await ended(ids);
    const records = await readRecords(store, ids);
    expect(violationsOf(records)).toEqual([]);
    const started = records.flatMap(({ events }) => events.filter((event) => event.kind === 'handed_over'));
    expect(started).toEqual([]);
  });
});
