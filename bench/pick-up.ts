import { startChild } from './support/child.ts';
import { type Figure, quantile } from './support/figures.ts';
import type { BenchServer } from './support/server.ts';

const MAX_PAUSE_MS = 40;
const WARM_UP = 30;

/** On an idle system: from sending the request over HTTP to the first step's handler running, one order at a time. */
export async function benchPickUp(server: BenchServer, orderCount: number): Promise<Figure[]> {
  const database = await server.createDatabase();
  const gateway = await startChild('gateway.ts', { BENCH_URL: database.url });
  const node = await startChild('node.ts', { BENCH_URL: database.url, BENCH_TELL: '1' });
  const began = new Map<string, (at: number) => void>();
  const early = new Map<string, number>();
  node.onLine((line) => {
    const [orderId = '', at = ''] = line.split(' ');
    const waiter = began.get(orderId);
    if (waiter) waiter(Number(at));
    else early.set(orderId, Number(at));
  });
  try {
    const latencies: number[] = [];
    // The first ones meet cold connections and code that is not compiled yet.
    for (let index = -WARM_UP; index < orderCount; index += 1) {
      const sentAt = performance.timeOrigin + performance.now();
      const answer = await fetch(`${gateway.ready}/orders`, {
        method: 'POST',
        headers: { authorization: 'user', 'content-type': 'application/json' },
        body: '{}',
      });
      const { order_id: orderId } = (await answer.json()) as { order_id: string };
      const startedAt = early.get(orderId) ?? (await new Promise<number>((resolve) => began.set(orderId, resolve)));
      if (index >= 0) latencies.push(startedAt - sentAt);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_PAUSE_MS));
    }
    return [
      { name: 'pick-up on an idle system, p50', value: quantile(latencies, 0.5), unit: 'ms' },
      { name: '… p99', value: quantile(latencies, 0.99), unit: 'ms', target: { atMost: 20 } },
    ];
  } finally {
    await node.stop();
    await gateway.stop();
    await database.close();
  }
}
