import { type BenchChild, startChild } from './support/child.ts';
import { type Figure, type Measured, median } from './support/figures.ts';
import { acceptOrders, checkHistories, untilCompleted } from './support/orders.ts';
import { type BenchDatabase, type BenchServer, withDatabase } from './support/server.ts';
import { beginCounting, countStatements, startCountingServer } from './support/statements.ts';
import { endOfOrder } from './support/stored-orders.ts';

const SLOTS = 50;
const STEPS = 4;
const STEP_MS = 1_000;
const WINDOW_ORDERS = 4;
/** A look costs the database something too. */
const LOOK_EVERY_MS = 500;
const EFFICIENCY = { unit: 'ratio', target: { atLeast: 0.98 } };
const IDLE_S = 20;
/** A node's first statements are those of its start. */
const SETTLE_MS = 3_000;

/** Nodes of the large fleet share processes. */
const NODES_PER_PROCESS = 10;

export interface FleetSize {
  /** A process for each node, steps of a second. */
  fleets: readonly number[];
  /** The default workflow's own pace. */
  largeFleets: readonly number[];
  largeStepMs: number;
  /** Which each large fleet carries. */
  largeFleetOrders: number;
}

/**
 * Whether a cluster does what its slots could: orders per second ÷ (slots ÷ order time) while a backlog waits; what it sends when
 * it has nothing to do; and what the same orders cost the database with ever more nodes.
 */
export async function benchFleet(size: FleetSize): Promise<Measured> {
  const server = await startCountingServer();
  try {
    const figures = await measureFleets(server, size.fleets);
    const large = await measureLargeFleets(server, size);
    return { figures: [...figures, ...large.figures], plots: large.plots ?? [] };
  } finally {
    await server.stop();
  }
}

async function measureFleets(server: BenchServer, nodeCounts: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const idle: number[] = [];
  for (const nodeCount of nodeCounts) {
    await withDatabase(server, async (database) => {
      const nodes = await startNodes(database, { count: nodeCount, perProcess: 1, stepMs: STEP_MS });
      idle.push(await countIdleStatements(database));
      const slots = nodeCount * SLOTS;
      const orderIds = await acceptOrders(database.store, slots * (WINDOW_ORDERS + 3));
      const name = `efficiency of ${nodeCount} node${nodeCount > 1 ? 's' : ''}`;
      figures.push({ name, value: await measureEfficiency(database, { slots, stepMs: STEP_MS, waves: WINDOW_ORDERS }), ...EFFICIENCY });
      await stopAll(nodes);
      await checkHistories(database.store, orderIds, false);
    });
  }
  const growth = nodeCounts
    .slice(1)
    .map((count, index) => ((idle[index + 1] ?? 0) - (idle[index] ?? 0)) / (count - (nodeCounts[index] ?? 0)));
  for (const [index, nodeCount] of nodeCounts.entries())
    figures.push({ name: `statements of ${nodeCount} idle`, value: idle[index] ?? Number.NaN, unit: 'per second' });
  if (growth.length === 0) return figures;
  return [...figures, { name: '… growth per node, at most', value: Math.max(...growth), unit: 'per second', target: { atMost: 2.5 } }];
}

/** The same number of orders with ever more nodes: every order is carried, so the database's work for each can be told. */
async function measureLargeFleets(server: BenchServer, size: FleetSize): Promise<Measured> {
  const { largeFleets, largeFleetOrders: orders, largeStepMs: stepMs } = size;
  const figures: Figure[] = [];
  const points: [x: number, y: number][] = [];
  for (const count of largeFleets) {
    await withDatabase(server, async (database) => {
      const slots = count * SLOTS;
      const nodes = await startNodes(database, { count, perProcess: Math.min(NODES_PER_PROCESS, count), stepMs });
      const before = server.cpuSeconds();
      const orderIds = await acceptOrders(database.store, orders);
      const efficiency = await measureEfficiency(database, { slots, stepMs, waves: Math.floor(orders / slots) - 1 });
      await untilCompleted(database, orders, LOOK_EVERY_MS);
      const cpu = (server.cpuSeconds() - before) / (orders / 1_000);
      await stopAll(nodes);
      await checkHistories(database.store, orderIds);
      points.push([count, cpu]);
      const steps = `${count} nodes of ${SLOTS} slots, steps of ${stepMs / 1_000} s`;
      figures.push({ name: `efficiency of ${steps}`, value: efficiency, ...EFFICIENCY });
      figures.push({ name: `… PostgreSQL's CPU per 1,000 of ${orders.toLocaleString('en')} orders`, value: cpu, unit: 's' });
    });
  }
  const growth = (points.at(-1)?.[1] ?? Number.NaN) / (points[0]?.[1] ?? Number.NaN);
  const [fewest, most] = [largeFleets[0], largeFleets.at(-1)];
  figures.push({
    name: `PostgreSQL's CPU per 1,000 orders, ${most} nodes to ${fewest}`,
    value: growth,
    unit: 'ratio',
    target: { atMost: 1.2 },
  });
  const lines = [{ label: `${orders.toLocaleString('en')} orders each`, points }];
  return { figures, plots: [{ title: "PostgreSQL's CPU per 1,000 orders", x: 'nodes', y: 's', lines }] };
}

function startNodes({ url }: BenchDatabase, fleet: { count: number; perProcess: number; stepMs: number }): Promise<BenchChild[]> {
  const env = { BENCH_URL: url, BENCH_STEP_MS: String(fleet.stepMs), BENCH_NODES: String(fleet.perProcess) };
  return Promise.all(Array.from({ length: Math.ceil(fleet.count / fleet.perProcess) }, () => startChild('cluster-nodes.ts', env)));
}

async function stopAll(nodes: readonly BenchChild[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}

/** Of what the slots could do while all of them are in use: so many order durations are measured, after one that fills the slots. */
async function measureEfficiency(
  database: BenchDatabase,
  { slots, stepMs, waves }: { slots: number; stepMs: number; waves: number },
): Promise<number> {
  const orderS = (STEPS * stepMs) / 1_000;
  // All slots were filled at one moment, so orders end in waves: measured is from wave to wave.
  const ends: number[] = [];
  for (let wave = 1; wave <= waves + 1; wave += 1) {
    await untilCompleted(database, wave * slots, LOOK_EVERY_MS);
    ends.push(await endOfOrder(database.client, wave * slots - Math.ceil(slots / 2)));
  }
  const took = median(ends.slice(1).map((end, index) => end - (ends[index] ?? 0)));
  return orderS / took;
}

async function countIdleStatements({ client }: BenchDatabase): Promise<number> {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await beginCounting(client);
  await pause(SETTLE_MS);
  const before = await countStatements(client);
  await pause(IDLE_S * 1_000);
  return ((await countStatements(client)) - before) / IDLE_S;
}
