import { type Figure, quantile } from './support/figures.ts';
import { newOrders } from './support/orders.ts';
import { type BenchServer, withDatabase } from './support/server.ts';

const FLUSHES = 1_000;
const WARM_UP = 100;
const LARGE_BATCH = 250;
const LARGE_FLUSHES = 100;

/** What a write costs before it writes anything, whatever it carries: from batches of one order and of many. */
export function measureFlush(server: BenchServer): Promise<Figure[]> {
  return withDatabase(server, async ({ store }) => {
    const flush = async (count: number, batch: number): Promise<{ cpuMs: number; tookMs: number[] }> => {
      const before = server.cpuSeconds();
      const tookMs: number[] = [];
      for (let flushed = 0; flushed < count; flushed += 1) {
        const began = performance.now();
        await store.acceptOrders(newOrders(store, batch));
        tookMs.push(performance.now() - began);
      }
      return { cpuMs: ((server.cpuSeconds() - before) / count) * 1_000, tookMs };
    };
    await flush(WARM_UP, 1);
    const small = await flush(FLUSHES, 1);
    const large = await flush(LARGE_FLUSHES, LARGE_BATCH);
    const perOrder = (large.cpuMs - small.cpuMs) / (LARGE_BATCH - 1);
    return [
      { name: 'a write of one order: time until it is durable, p50', value: quantile(small.tookMs, 0.5), unit: 'ms' },
      {
        id: 'flush.cpu',
        name: "… PostgreSQL's CPU for a write, whatever is in it",
        value: Math.max(0, small.cpuMs - perOrder),
        unit: 'ms',
      },
      { name: '… and for each order in it', value: perOrder, unit: 'ms' },
    ];
  });
}
