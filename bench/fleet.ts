import { type BenchChild, startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import { acceptOrders } from './support/orders.ts';
import { type BenchDatabase, type BenchServer, waitUntil } from './support/server.ts';
import { beginCounting, countStatements, startCountingServer } from './support/statements.ts';

const SLOTS = 50;
const STEPS = 4;
const STEP_MS = 1_000;
const ORDER_S = (STEPS * STEP_MS) / 1_000;
/** So many order durations are measured, after one that fills the slots. */
const WINDOW_ORDERS = 4;
const IDLE_S = 20;
/** A node's first statements are those of its start. */
const SETTLE_MS = 3_000;

/**
 * Whether a cluster does what its slots could: orders per second ÷ (slots ÷ order time), with steps of a second, while a
 * backlog waits; and what it sends when it has nothing to do.
 */
export async function benchFleet(nodeCounts: readonly number[]): Promise<Figure[]> {
  const server = await startCountingServer();
  try {
    return await measureFleet(server, nodeCounts);
  } finally {
    await server.stop();
  }
}

async function measureFleet(server: BenchServer, nodeCounts: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const idle: number[] = [];
  for (const nodeCount of nodeCounts) {
    const database = await server.createDatabase();
    try {
      const nodes = await startNodes(database, nodeCount);
      idle.push(await countIdleStatements(database));
      const name = `efficiency of ${nodeCount} node${nodeCount > 1 ? 's' : ''}`;
      figures.push({ name, value: await measureEfficiency(database, nodeCount), unit: 'ratio', target: { atLeast: 0.98 } });
      await Promise.all(nodes.map((node) => node.stop()));
    } finally {
      await database.close();
    }
  }
  const growth = nodeCounts
    .slice(1)
    .map((count, index) => ((idle[index + 1] ?? 0) - (idle[index] ?? 0)) / (count - (nodeCounts[index] ?? 0)));
  for (const [index, nodeCount] of nodeCounts.entries())
    figures.push({ name: `statements of ${nodeCount} idle`, value: idle[index] ?? Number.NaN, unit: 'per second' });
  return [...figures, { name: '… growth per node, at most', value: Math.max(...growth), unit: 'per second', target: { atMost: 2.5 } }];
}

/** One process for each node. */
function startNodes({ url }: BenchDatabase, count: number): Promise<BenchChild[]> {
  return Promise.all(
    Array.from({ length: count }, () => startChild('cluster-nodes.ts', { BENCH_URL: url, BENCH_STEP_MS: String(STEP_MS) })),
  );
}

async function measureEfficiency({ client, store }: BenchDatabase, nodeCount: number): Promise<number> {
  const slots = nodeCount * SLOTS;
  await acceptOrders(store, slots * (WINDOW_ORDERS + 3));
  const completed = async (): Promise<{ count: number; at: number }> => {
    const { rows } = await client.query<{ count: number; at: number }>(
      `select count(*)::int as count, extract(epoch from clock_timestamp())::float8 as at from orders where state = 'completed'`,
    );
    return rows[0] as { count: number; at: number };
  };
  // All slots were filled at one moment, so orders end in waves: measured is from wave to wave.
  const ends: number[] = [];
  for (let wave = 1; wave <= WINDOW_ORDERS + 1; wave += 1) {
    await waitUntil(async () => (await completed()).count >= wave * slots);
    const { rows } = await client.query<{ at: number }>(
      `select extract(epoch from ended_at)::float8 as at from orders where state = 'completed' order by ended_at offset $1 limit 1`,
      [wave * slots - Math.ceil(slots / 2)],
    );
    ends.push(rows[0]?.at ?? Number.NaN);
  }
  const took = median(ends.slice(1).map((end, index) => end - (ends[index] ?? 0)));
  return ORDER_S / took;
}

async function countIdleStatements({ client }: BenchDatabase): Promise<number> {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await beginCounting(client);
  await pause(SETTLE_MS);
  const before = await countStatements(client);
  await pause(IDLE_S * 1_000);
  return ((await countStatements(client)) - before) / IDLE_S;
}
