import { toMillionths } from '#domain/money.ts';
import { type RecomputedTotals, recomputeTotals } from '#test/recomputed-totals.ts';
import { startChild } from './support/child.ts';
import { type Figure, quantile } from './support/figures.ts';
import { acceptOrders, checkHistories } from './support/orders.ts';
import { type BenchServer, waitUntil } from './support/server.ts';
import { copyOrders } from './support/stored-orders.ts';

const ORDERS = 20_000;
const FAILURE_RATE = '0.05';
const STORED = 1_000_000;
const READS = 500;

interface Metrics {
  TotalOrdersProcessed: number;
  TotalOrderExecutionPrice: string;
  AverageOrderExecutionPrice: string;
}

/** Totals of execution prices: whether they are exact after failures and rollbacks, and how long reading them takes with many orders. */
export async function benchPrices(server: BenchServer): Promise<Figure[]> {
  const database = await server.createDatabase();
  const env = { BENCH_URL: database.url };
  const gateway = await startChild('gateway.ts', env);
  try {
    const orderIds = await acceptOrders(database.store, ORDERS);
    const nodes = await Promise.all(
      [1, 2].map((n) =>
        startChild('node.ts', { ...env, BENCH_FAILURE_RATE: FAILURE_RATE, BENCH_NODE_ID: `00000000-0000-7000-8000-00000000000${n}` }),
      ),
    );
    await waitUntil(async () => {
      const { queued, running } = await database.store.readLoad();
      return queued + running === 0;
    });
    await Promise.all(nodes.map((node) => node.stop()));
    await checkHistories(database.store, orderIds);
    const recomputed = await recomputeTotals(database.client);
    const shown = (await readMetrics(gateway.ready)).metrics;
    await copyOrders(database.client, ORDERS, STORED);
    const latencies: number[] = [];
    for (let read = 0; read < READS; read += 1) latencies.push((await readMetrics(gateway.ready)).tookMs);
    return [
      { name: 'completed of 20,000 orders with failures', value: recomputed.completed, unit: 'orders' },
      {
        name: '… faults of count, total and average in /metrics',
        value: countFaults(shown, recomputed),
        unit: 'of 3',
        target: { atMost: 0 },
      },
      { name: '/metrics with 1,000,000 orders stored, p50', value: quantile(latencies, 0.5), unit: 'ms', target: { atMost: 5 } },
      { name: '… p99', value: quantile(latencies, 0.99), unit: 'ms' },
    ];
  } finally {
    await gateway.stop();
    await database.close();
  }
}

async function readMetrics(url: string): Promise<{ metrics: Metrics; tookMs: number }> {
  const before = performance.now();
  const answer = await fetch(`${url}/metrics?format=json`, { headers: { authorization: 'operator' } });
  const metrics = (await answer.json()) as Metrics;
  return { metrics, tookMs: performance.now() - before };
}

/** To the last digit: the average as the same sum rounded half up to six places. */
function countFaults(shown: Metrics, { completed, priced, millionths }: RecomputedTotals): number {
  const average = (2n * millionths + BigInt(priced)) / (2n * BigInt(priced));
  return [
    shown.TotalOrdersProcessed === completed,
    toMillionths(shown.TotalOrderExecutionPrice) === millionths,
    toMillionths(shown.AverageOrderExecutionPrice) === average,
  ].filter((isRight) => !isRight).length;
}
