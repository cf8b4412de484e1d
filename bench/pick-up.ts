import { request } from 'undici';
import { type BenchChild, startChild } from './support/child.ts';
import { type Figure, quantile } from './support/figures.ts';
import { untilCompleted } from './support/orders.ts';
import { measureCapacity, startPacedLoad } from './support/paced-load.ts';
import { type BenchDatabase, type BenchServer, withDatabase } from './support/server.ts';
import { countCompleted } from './support/stored-orders.ts';

const MAX_PAUSE_MS = 40;
const WARM_UP = 30;
const GIVE_UP_MS = 30_000;
/** Of the customer whose orders the node tells of. */
const PROBE = 'Probe';
const LOAD_OF_CAPACITY = 0.5;

/** From sending the request over HTTP to the first step's handler running, one order at a time: on an idle system, then under load. */
export function benchPickUp(server: BenchServer, orderCount: number, capacitySeconds: number): Promise<Figure[]> {
  return withDatabase(server, (database) =>
    withProbe(database, async (probe, gatewayUrl) => {
      const idle = await probe.measure(orderCount);
      const perSecond = await measureCapacity(gatewayUrl, database, capacitySeconds);
      const loaded = await measureUnderLoad(database, probe, { orderCount, gatewayUrl, perSecond: perSecond * LOAD_OF_CAPACITY });
      return [
        { name: 'pick-up on an idle system, p50', value: quantile(idle, 0.5), unit: 'ms', target: { atMost: 2.5 } },
        { name: 'pick-up on an idle system, p99', value: quantile(idle, 0.99), unit: 'ms', target: { atMost: 6 } },
        { name: 'capacity: accepted by one process, carried by one', value: perSecond, unit: 'orders/s' },
        { name: 'pick-up at half of capacity, p50', value: quantile(loaded, 0.5), unit: 'ms' },
        { name: 'pick-up at half of capacity, p99', value: quantile(loaded, 0.99), unit: 'ms', target: { atMost: 50 } },
      ];
    }),
  );
}

/** The latencies of an idle system on this database. */
export function measurePickUps(database: BenchDatabase, orderCount: number): Promise<number[]> {
  return withProbe(database, (probe) => probe.measure(orderCount));
}

async function withProbe<Result>({ url }: BenchDatabase, measure: (probe: Probe, gatewayUrl: string) => Promise<Result>): Promise<Result> {
  const gateway = await startChild('gateway.ts', { BENCH_URL: url });
  const node = await startChild('node.ts', { BENCH_URL: url, BENCH_TELL: PROBE });
  try {
    return await measure(new Probe(gateway.ready, node), gateway.ready);
  } finally {
    await node.stop();
    await gateway.stop();
  }
}

async function measureUnderLoad(
  database: BenchDatabase,
  probe: Probe,
  { orderCount, gatewayUrl, perSecond }: { orderCount: number; gatewayUrl: string; perSecond: number },
): Promise<number[]> {
  const before = await countCompleted(database.client);
  const load = await startPacedLoad(gatewayUrl, perSecond);
  const latencies = await probe.measure(orderCount);
  const { sent } = await load.end();
  await untilCompleted(database, before + sent + orderCount + WARM_UP);
  return latencies;
}

class Probe {
  private readonly gatewayUrl: string;
  private readonly began = new Map<string, (at: number) => void>();
  private readonly early = new Map<string, number>();

  constructor(gatewayUrl: string, node: BenchChild) {
    this.gatewayUrl = gatewayUrl;
    node.onLine((line) => {
      const [orderId = '', at = ''] = line.split(' ');
      const waiter = this.began.get(orderId);
      if (waiter) waiter(Number(at));
      else this.early.set(orderId, Number(at));
    });
  }

  /** Milliseconds of each order; the first ones meet cold connections and code that is not compiled yet, and are left out. */
  async measure(orderCount: number): Promise<number[]> {
    const latencies: number[] = [];
    for (let index = -WARM_UP; index < orderCount; index += 1) {
      const latency = await this.submit();
      if (index >= 0) latencies.push(latency);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_PAUSE_MS));
    }
    return latencies;
  }

  private async submit(): Promise<number> {
    const body = JSON.stringify({ customer_name: PROBE });
    const sentAt = performance.timeOrigin + performance.now();
    // `fetch` takes half a millisecond before it sends anything.
    const answer = await request(`${this.gatewayUrl}/orders`, {
      method: 'POST',
      headers: { authorization: 'user', 'content-type': 'application/json' },
      body,
    });
    if (answer.statusCode !== 202) throw new Error(`an order was answered with ${answer.statusCode}: ${await answer.body.text()}`);
    const { order_id: orderId } = (await answer.body.json()) as { order_id: string };
    const startedAt = this.early.get(orderId) ?? (await this.untilBegun(orderId));
    return startedAt - sentAt;
  }

  private untilBegun(orderId: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`order ${orderId} was accepted and not begun`)), GIVE_UP_MS);
      this.began.set(orderId, (at) => {
        clearTimeout(timer);
        resolve(at);
      });
    });
  }
}
