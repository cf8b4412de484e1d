import { startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import { acceptOrders } from './support/orders.ts';
import { waitUntil } from './support/server.ts';
import { beginCounting, countStatements, startCountingServer } from './support/statements.ts';

const NODES_PER_PROCESS = 50;
const PROCESSES = 2;
const WINDOW_MS = 100;
const ROUNDS = 7;

/** 100 idle nodes and one new order: claims sent in the next 100 ms, less those of 100 ms without. */
export async function benchHerd(): Promise<Figure[]> {
  const server = await startCountingServer();
  const database = await server.createDatabase();
  const { client, store } = database;
  const env = { BENCH_URL: database.url, BENCH_NODES: String(NODES_PER_PROCESS), BENCH_STEP_MS: '50' };
  const children = await Promise.all(Array.from({ length: PROCESSES }, () => startChild('cluster-nodes.ts', env)));
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const claims = (): Promise<number> => countStatements(client, '%skip locked%taken as%');
  try {
    await beginCounting(client);
    await waitUntil(async () => {
      const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from node_sessions where has_liveness`);
      return rows[0]?.n === NODES_PER_PROCESS * PROCESSES;
    });
    await pause(2_000);
    const extra: number[] = [];
    const first = await claims();
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = await claims();
      await pause(WINDOW_MS);
      const without = (await claims()) - start;
      const before = await claims();
      await acceptOrders(store, 1);
      await pause(WINDOW_MS);
      extra.push((await claims()) - before - without);
      await pause(1_000);
    }
    // Each order was claimed at least once: were the pattern of the claim not to fit any more, nothing would be counted.
    const counted = (await claims()) - first;
    if (counted < ROUNDS) throw new Error(`${counted} claims were counted for ${ROUNDS} orders; does the pattern still fit the claim?`);
    return [{ name: '100 idle nodes, one order: extra claims in 100 ms', value: median(extra), unit: 'statements', target: { atMost: 5 } }];
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await database.close();
    await server.stop();
  }
}
