import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderRecord } from '#domain/order.ts';
import { systemClock } from '#engine/clock.ts';
import { findViolations } from '#engine/history-check.ts';
import { silentLog } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { type ConveyorProcess, startConveyor } from '#test/conveyor-process.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { openFolder } from '#test/folders.ts';
import { newOrder, readRecords } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';

const ENGINE = new URL('../../src/engine/workflow.ts', import.meta.url).href;
const DEFINE = new URL('../../src/config/define.ts', import.meta.url).href;
const WORKFLOW = { name: 'risky', version: 1, stepNames: ['Look', 'Touch'] };

/** What an order's symbol makes its second step do. */
const CONFIG = `
import { defineConfig } from ${JSON.stringify(DEFINE)};
import { defineWorkflow, step } from ${JSON.stringify(ENGINE)};
import { writeFileSync } from 'node:fs';

export default defineConfig({
  workflows: [
    defineWorkflow({
      name: 'risky',
      version: 1,
      steps: [
        step('Look', { run: async () => { await new Promise((resolve) => setTimeout(resolve, 100)); return { pid: process.pid }; } }),
        step('Touch', {
          timeout: '2s',
          retry: { retries: 0, delay: '1s' },
          run: async ({ order, signal, results, attempt, log }) => {
            if (order.symbol === 'POISON') process.abort();
            if (order.symbol === 'BLOCK') for (;;);
            if (order.symbol === 'EXIT') process.exit(0);
            if (order.symbol === 'GREEDY') { const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length)); }
            if (order.symbol === 'LATER') { setTimeout(() => Promise.reject(new Error('nobody waits for this')), 150); return null; }
            if (order.symbol === 'LONG') {
              await new Promise((resolve) => setTimeout(resolve, 900));
              return { looked: results.Look.pid, touched: process.pid };
            }
            if (order.symbol === 'LOUD') log.warn({ loud: 1 }, 'heard from a suspect');
            if (order.symbol === 'DEAF') await new Promise(() => undefined);
            if (order.symbol === 'SLOW') {
              writeFileSync('slow.pid', String(process.pid));
              await new Promise((resolve, reject) => { setTimeout(resolve, 60_000); signal.onabort = () => reject(signal.reason); });
            }
            await new Promise((resolve) => setTimeout(resolve, 300));
            return { looked: results.Look.pid, touched: process.pid, attempt };
          },
        }),
      ],
    }),
  ],
});
`;

describe('orders that kill the nodes that work them', () => {
  let folder: string;
  let database: TestDatabase;
  let store: Store;
  let client: pg.Client;
  let nodes: ConveyorProcess[];
  beforeEach(async () => {
    folder = await openFolder('conveyor-poison-');
    await writeFile(join(folder, 'conveyor.config.ts'), CONFIG);
    database = await createTestDatabase();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    await store.registerWorkflows([WORKFLOW]);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    nodes = [];
  });
  afterEach(async () => {
    for (const node of nodes) node.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.ended));
    await client.end();
    await store.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const startNode = (env: Record<string, string> = {}): ConveyorProcess => {
    const node = startConveyor(['node', '--node-name', `n${nodes.length}`, '--slots', '40', '--log-format', 'json'], {
      cwd: folder,
      env: { CONVEYOR_WAREHOUSES: `HCM=${database.url}`, ...env },
    });
    nodes.push(node);
    return node;
  };
  const accept = async (...symbols: string[]): Promise<string[]> => {
    const orders = symbols.map((symbol) => newOrder({ workflow: 'risky', content: { symbol } }));
    await store.acceptOrders(orders);
    await store.wakeNodes(orders.length);
    return orders.map(({ orderId }) => orderId);
  };
  /** As if two nodes had died with them. */
  const suspect = (ids: string[]): Promise<unknown> => client.query('update orders set crash_count = 2 where order_id = any ($1)', [ids]);
  const read = async (id: string): Promise<OrderRecord> => (await readRecords(store, [id]))[0] as OrderRecord;
  const childrenOf = async ({ pid }: ConveyorProcess): Promise<string[]> =>
    (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
  const stateOf = async (id: string): Promise<string> => (await read(id)).order.state;
  const violationsIn = (records: OrderRecord[]): unknown[] => findViolations(records, { stepCountOf: () => 2, allEnded: true });

  it('I1 I3 I15: take two nodes with them, then only a process of their own; the others complete', async () => {
    const ids = await accept('POISON', ...Array.from({ length: 30 }, () => 'FINE'));
    const [poison = '', ...innocents] = ids;
    for (let death = 0; death < 2; death += 1) {
      const { exitCode } = await startNode().ended;
      expect(exitCode).not.toBe(0);
    }
    const survivor = startNode();
    await waitUntil('the poison to be quarantined', async () => (await stateOf(poison)) === 'needs_attention');
    await waitUntil('all others to complete', async () =>
      (await readRecords(store, innocents)).every(({ order }) => order.state === 'completed'),
    );
    const { order, events } = await read(poison);
    expect(order.crashCount).toBe(2);
    expect(events.at(-1)).toMatchObject({ kind: 'attention_needed', step: 2, data: { error: { code: 'quarantined' } } });
    expect(JSON.stringify(events.at(-1)?.data)).toMatch(/step Touch ran alone in a process: it ended with signal SIGABRT/);
    expect(violationsIn(await readRecords(store, ids))).toEqual([]);
    expect(survivor.pid).toBe(nodes.at(-1)?.pid);
    const { rows } = await client.query(`select count(*)::int as n from node_sessions where state = 'live'`);
    expect(rows[0].n).toBe(1);
  });

  it('a suspect that blocks its process is killed and quarantined, and can be cancelled; a harmless one completes there with the same results', async () => {
    const [block = '', fine = '', neighbour = ''] = await accept('BLOCK', 'FINE', 'FINE');
    await suspect([block, fine]);
    const node = startNode();
    await waitUntil('the blocked one to be quarantined', async () => (await stateOf(block)) === 'needs_attention');
    expect(JSON.stringify((await read(block)).events.at(-1)?.data)).toMatch(/did not answer within 2000 ms and had to be killed/);
    await waitUntil(
      'the others to complete',
      async () => (await stateOf(fine)) === 'completed' && (await stateOf(neighbour)) === 'completed',
    );
    const pidsOf = async (id: string): Promise<number[]> =>
      (await read(id)).events.flatMap(({ kind, data }) => {
        const { result } = (data ?? {}) as { result?: { pid?: number; looked?: number; touched?: number } };
        return kind === 'step_completed' ? [result?.pid ?? 0] : kind === 'completed' ? [result?.looked ?? 0, result?.touched ?? 0] : [];
      });
    expect(new Set(await pidsOf(neighbour))).toEqual(new Set([node.pid]));
    const [looked, told, touched] = await pidsOf(fine);
    expect(told).toBe(looked);
    expect([looked, touched]).not.toContain(node.pid);

    expect(await store.cancelOrder({ orderId: block, customerId: undefined, actor: 'op', reason: 'it kills' })).toEqual({
      outcome: 'requested',
    });
    await waitUntil('the quarantined one to be undone', async () => (await stateOf(block)) === 'cancelled');
    expect(violationsIn(await readRecords(store, [block, fine, neighbour]))).toEqual([]);
  });

  it('I15: process.exit and a lack of memory quarantine only the order that they happen to', async () => {
    const [exit = '', greedy = '', neighbour = ''] = await accept('EXIT', 'GREEDY', 'FINE');
    await suspect([exit, greedy]);
    const node = startNode({ NODE_OPTIONS: '--max-old-space-size=96' });
    for (const id of [exit, greedy]) await waitUntil('it to be quarantined', async () => (await stateOf(id)) === 'needs_attention');
    await waitUntil('the neighbour to complete', async () => (await stateOf(neighbour)) === 'completed');
    expect(JSON.stringify((await read(exit)).events.at(-1)?.data)).toMatch(/it ended with exit code 0/);
    expect(JSON.stringify((await read(greedy)).events.at(-1)?.data)).toMatch(/it ended with signal SIGABRT/);
    node.kill('SIGTERM');
    expect((await node.ended).exitCode).toBe(0);
  });

  it('what an order leaves behind in its process harms no other suspect', async () => {
    const later = await accept(...Array.from({ length: 6 }, () => 'LATER'));
    const long = await accept(...Array.from({ length: 6 }, () => 'LONG'));
    await suspect([...later, ...long]);
    const node = startNode();
    await waitUntil('the long ones to leave the queue for good', async () =>
      (await readRecords(store, long)).every(({ order }) => order.state === 'completed' || order.state === 'needs_attention'),
    );
    const records = await readRecords(store, [...later, ...long]);
    expect(records.slice(6).map(({ order }) => order.state)).toEqual(Array.from({ length: 6 }, () => 'completed'));
    expect(existsSync(`/proc/${node.pid}`)).toBe(true);
  });

  it('a handler that is deaf to its signal is late, not deadly: its step fails as anywhere, and its process goes', async () => {
    const [deaf = ''] = await accept('DEAF');
    await suspect([deaf]);
    const node = startNode();
    await waitUntil('it to be undone', async () => (await stateOf(deaf)) === 'failed');
    const { events } = await read(deaf);
    expect(events.find(({ kind }) => kind === 'step_failed')).toMatchObject({
      step: 2,
      data: { error: { code: 'timeout' }, unknown: true },
    });
    await waitUntil('no process to be left', async () => (await childrenOf(node)).length === 0);
    node.kill('SIGTERM');
    expect((await node.ended).exitCode).toBe(0);
  });

  it('what a suspect logs bears the same ids as elsewhere', async () => {
    const [loud = ''] = await accept('LOUD');
    await suspect([loud]);
    const [line] = await startNode().waitFor(/^.*heard from a suspect.*$/m);
    expect(JSON.parse(line)).toMatchObject({ node: 'n0', order: loud, step: 'Touch', session: expect.any(Number), level: 'warn', loud: 1 });
  });

  it('a suspect is cancelled like any other, and its process goes with it', async () => {
    const [slow = ''] = await accept('SLOW');
    await suspect([slow]);
    const node = startNode();
    const pidFile = join(folder, 'slow.pid');
    await waitUntil('its step to run', () => existsSync(pidFile));
    await store.cancelOrder({ orderId: slow, customerId: undefined, actor: 'op', reason: undefined });
    await waitUntil('it to be cancelled', async () => (await stateOf(slow)) === 'cancelled');
    expect(violationsIn(await readRecords(store, [slow]))).toEqual([]);
    const pid = await readFile(pidFile, 'utf8');
    await waitUntil('the process to end', () => !existsSync(`/proc/${pid}`));
    expect(existsSync(`/proc/${node.pid}`)).toBe(true);
  });

  it('a waiting process does not outlive its node', async () => {
    const [slow = ''] = await accept('SLOW');
    await suspect([slow]);
    const node = startNode();
    const pidFile = join(folder, 'slow.pid');
    await waitUntil('its step to run', () => existsSync(pidFile));
    const pid = await readFile(pidFile, 'utf8');
    expect(await childrenOf(node)).toEqual([pid]);
    node.kill('SIGKILL');
    await waitUntil('the process to end', () => !existsSync(`/proc/${pid}`));
  });

  it('a blocked process does not outlive its node', async () => {
    const [block = ''] = await accept('BLOCK');
    await suspect([block]);
    const node = startNode();
    await waitUntil('its step to begin', async () => (await read(block)).events.some(({ kind }) => kind === 'step_completed'));
    const children = await childrenOf(node);
    expect(children).toHaveLength(1);
    node.kill('SIGKILL');
    await waitUntil('the process to end', () => !existsSync(`/proc/${children[0]}`));
    // Its node's death says nothing about it.
    startNode();
    await waitUntil('another to take it over', async () => (await read(block)).events.some(({ kind }) => kind === 'handed_over'));
    expect((await read(block)).order.crashCount).toBe(2);
  });
});
