import { startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import { acceptOrders, checkHistories } from './support/orders.ts';
import { type BenchServer, cpuOf } from './support/server.ts';
import { measureYardstick } from './yardstick.ts';

interface Round {
  yardstick: number;
  carried: number;
  cpuSeconds: number;
  walBytes: number;
}

/** One node of 50 slots with empty steps, in turn with the yardstick; what it costs, accepting included. */
export async function benchCarry(server: BenchServer, rounds: number, orderCount: number): Promise<Figure[]> {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await carryOnce(server, orderCount));
  return [
    { name: 'yardstick R', value: median(results.map((round) => round.yardstick)), unit: 'orders/s' },
    { name: 'carried by one node, 50 slots, empty steps', value: median(results.map((round) => round.carried)), unit: 'orders/s' },
    { name: '… of R', value: median(results.map((round) => round.carried / round.yardstick)), unit: 'ratio', target: { atLeast: 0.3 } },
    { name: 'CPU per 1,000 orders (node and PostgreSQL)', value: median(results.map((round) => round.cpuSeconds)), unit: 's' },
    { name: 'WAL per 1,000 orders', value: median(results.map((round) => round.walBytes)), unit: 'bytes' },
  ];
}

async function carryOnce(server: BenchServer, orderCount: number): Promise<Round> {
  const database = await server.createDatabase();
  try {
    const before = await measureYardstick(database.url, orderCount);
    const cpuBefore = server.cpuSeconds();
    const walBefore = await walPosition();
    const orderIds = await acceptOrders(database.store, orderCount);
    const node = await startChild('node.ts', { BENCH_URL: database.url });
    await untilAllEnded();
    const cpuSeconds = server.cpuSeconds() - cpuBefore + cpuOf(node.pid);
    const walBytes = (await walPosition()) - walBefore;
    await node.stop();
    await checkHistories(database.store, orderIds);
    const { rows } = await database.client.query<{ seconds: number }>(`
      select extract(epoch from (select max(ended_at) from orders)
                              - (select min(at) from order_events where kind = 'claimed'))::float8 as seconds`);
    const after = await measureYardstick(database.url, orderCount);
    const per1000 = orderCount / 1_000;
    return {
      yardstick: (before + after) / 2,
      carried: orderCount / (rows[0]?.seconds ?? Number.NaN),
      cpuSeconds: cpuSeconds / per1000,
      walBytes: walBytes / per1000,
    };
  } finally {
    await database.close();
  }

  async function walPosition(): Promise<number> {
    const { rows } = await database.client.query<{ bytes: string }>(`select pg_current_wal_lsn() - '0/0' as bytes`);
    return Number(rows[0]?.bytes);
  }

  async function untilAllEnded(): Promise<void> {
    for (;;) {
      const { rows } = await database.client.query(`select from orders where state in ('queued', 'running') limit 1`);
      if (rows.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
