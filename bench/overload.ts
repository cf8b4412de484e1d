import { firstIdAt } from '#domain/ids.ts';
import { startChild } from './support/child.ts';
import type { Figure } from './support/figures.ts';
import { loadOnce } from './support/load.ts';
import { checkHistories, untilCompleted } from './support/orders.ts';
import { startLoad } from './support/paced-load.ts';
import { memoryOf } from './support/processes.ts';
import { type BenchServer, withDatabase } from './support/server.ts';
import { countCompleted, countStored } from './support/stored-orders.ts';

const TIMES_CAPACITY = 10;
const CAPACITY_CONNECTIONS = 64;
const CROWD = { BENCH_CONNECTIONS: '2000', BENCH_BATCH: '10', BENCH_MOST_WAITING: '50', BENCH_SLOW_CLIENTS: '100' };
/** As docs/operations.md says for a gateway with little memory: else Node collects garbage late, as there is room for gigabytes. */
const SMALL_HEAP = '--max-old-space-size=200';
const HISTORIES = 200;

/**
 * Ten times what a gateway can accept, from 2,000 connections that send more before they are answered, with 100 more that send and
 * read a byte at a time. Rejects when an order that was answered as accepted is not stored, or does not end.
 */
export function benchOverload(server: BenchServer, size: { loadSeconds: number; overloadSeconds: number }): Promise<Figure[]> {
  return withDatabase(server, async (database) => {
    const { client, store, url } = database;
    const gateway = await startChild('gateway.ts', { BENCH_URL: url, NODE_OPTIONS: SMALL_HEAP });
    try {
      const since = firstIdAt(0);
      await loadOnce(gateway.ready, { connections: CAPACITY_CONNECTIONS, seconds: 1 });
      const { perSecond } = await loadOnce(gateway.ready, { connections: CAPACITY_CONNECTIONS, seconds: size.loadSeconds });
      const storedBefore = await countStored(client, since);
      const load = await startLoad(gateway.ready, { BENCH_RATE: String(perSecond * TIMES_CAPACITY), ...CROWD });
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, size.overloadSeconds * 1_000));
      const told = await load.end();
      const tookS = (performance.now() - began) / 1_000;
      const { mostMb } = memoryOf(gateway.pid);
      // A request of a slow client may still come in: what is looked at later was stored by now.
      const newest = (await store.listOrders({ limit: HISTORIES })).map(({ order }) => order.orderId);
      const stored = await countStored(client, since);
      if (told.accepted > stored - storedBefore)
        throw new Error(`${told.accepted} orders were answered as accepted, ${stored - storedBefore} are stored`);
      if (told.otherAnswers > 0) throw new Error(`some answers were neither 202 nor 503: ${JSON.stringify(told)}`);
      const node = await startChild('node.ts', { BENCH_URL: url });
      await untilCompleted(database, stored).finally(() => node.stop());
      // Nobody carried the orders before: all of them had to end.
      const completed = (await countCompleted(client)) - storedBefore;
      await checkHistories(store, newest);
      return [
        { name: 'accepted in a closed loop: the capacity', value: perSecond, unit: 'orders/s' },
        { name: 'offered in overload, of the capacity', value: told.offered / size.overloadSeconds / perSecond, unit: 'ratio' },
        {
          name: '… sent (the others found 50 of their connection waiting), of the capacity',
          value: told.sent / size.overloadSeconds / perSecond,
          unit: 'ratio',
        },
        { name: '… accepted, of the capacity', value: told.accepted / tookS / perSecond, unit: 'ratio' },
        { name: '… answered with 503', value: told.overloaded, unit: 'answers' },
        { name: 'answers with 503 without Retry-After', value: told.withoutRetryAfter, unit: 'answers', target: { atMost: 0 } },
        { name: '… not answered, or cut off', value: told.unanswered + told.cutOff, unit: 'requests' },
        { name: 'most memory of the gateway', value: mostMb, unit: 'MB', target: { atMost: 400 } },
        {
          name: 'completed afterwards, to those answered as accepted',
          value: completed / told.accepted,
          unit: 'ratio',
          target: { atLeast: 1 },
        },
      ];
    } finally {
      await gateway.stop();
    }
  });
}
