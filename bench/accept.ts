import autocannon from 'autocannon';
import { startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import type { BenchServer } from './support/server.ts';

interface Load {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const CONNECTIONS = [64, 256];

/** Orders accepted over HTTP, durable before the answer, in turn with one insert per request through a pool of 10. */
export async function benchAccept(server: BenchServer, rounds: number, seconds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const connections of CONNECTIONS) {
    const ours: Load[] = [];
    const plain: Load[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await loadOnce(server, 'gateway.ts', connections, seconds));
      plain.push(await loadOnce(server, 'one-insert.ts', connections, seconds));
    }
    const ratios = ours.map((load, round) => load.perSecond / (plain[round]?.perSecond ?? Number.NaN));
    figures.push(
      { name: `accepted over HTTP, ${connections} connections`, value: median(ours.map((load) => load.perSecond)), unit: 'orders/s' },
      { name: '… p50', value: median(ours.map((load) => load.p50Ms)), unit: 'ms' },
      { name: '… p99', value: median(ours.map((load) => load.p99Ms)), unit: 'ms' },
      { name: `one insert per request, ${connections} connections`, value: median(plain.map((load) => load.perSecond)), unit: 'orders/s' },
      { name: '… ours to that', value: median(ratios), unit: 'ratio', target: { atLeast: 2.5 } },
    );
  }
  return figures;
}

async function loadOnce(server: BenchServer, script: string, connections: number, seconds: number): Promise<Load> {
  const database = await server.createDatabase();
  const child = await startChild(script, { BENCH_URL: database.url });
  try {
    const options = {
      url: `${child.ready}/orders`,
      method: 'POST' as const,
      headers: { authorization: 'user', 'content-type': 'application/json' },
      body: '{"customer_name":"Ada Lovelace","region":"HCM","symbol":"abc","quantity":3}',
      connections,
    };
    await autocannon({ ...options, duration: 1 });
    const result = await autocannon({ ...options, duration: seconds });
    if (result.non2xx > 0 || result.errors > 0)
      throw new Error(`${script}: ${result.non2xx} answers were not 2xx, ${result.errors} failed`);
    return { perSecond: result['2xx'] / result.duration, p50Ms: result.latency.p50, p99Ms: result.latency.p99 };
  } finally {
    await child.stop();
    await database.close();
  }
}
