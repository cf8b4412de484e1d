import type pg from 'pg';
import { type BenchChild, startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import { type BenchServer, waitUntil } from './support/server.ts';
import { countGenerated, type Generated } from './support/stored-orders.ts';

const EVERY_MS = 500;
const MEASURED_S = 60;
const KILLS = 5;
const LEASE_MS = 3_000;

/** Two gateways and the generator: one order for each tick over a minute; then the gateway that does it is killed again and again. */
export async function benchGenerator(server: BenchServer): Promise<Figure[]> {
  const database = await server.createDatabase();
  const { client } = database;
  const node = await startChild('node.ts', { BENCH_URL: database.url });
  const gateways = new Map<string, BenchChild>();
  const add = async (name: string): Promise<void> => {
    gateways.set(name, await startChild('gateway.ts', { BENCH_URL: database.url, BENCH_SERVICE_ID: name }));
  };
  try {
    await add('gateway-0');
    await add('gateway-1');
    await ask(gateways, 'POST', '/generator/start', { every: `${EVERY_MS}ms` });
    await waitUntil(async () => (await countGenerated(client)).orders > 0);
    const before = await countGenerated(client);
    await new Promise((resolve) => setTimeout(resolve, MEASURED_S * 1_000));
    const after = await countGenerated(client);
    const waits: number[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      waits.push(await killHolder(client, gateways));
      await add(`gateway-${kill + 1}`);
    }
    const end = await countGenerated(client);
    return [
      {
        name: 'generated in a minute, of one order per interval',
        value: (after.orders - before.orders) / ((MEASURED_S * 1_000) / EVERY_MS),
        unit: 'ratio',
        target: { atLeast: 0.9 },
      },
      { name: '… ticks with two orders, or orders with two ticks', value: doubled(end), unit: 'orders', target: { atMost: 0 } },
      { name: 'its gateway killed: until the other’s first order', value: median(waits), unit: 's' },
      { name: '… slowest', value: Math.max(...waits), unit: 's', target: { atMost: (LEASE_MS + EVERY_MS) / 1_000 } },
    ];
  } finally {
    for (const gateway of gateways.values()) await gateway.stop();
    await node.stop();
    await database.close();
  }
}

/** Kills the gateway that places the orders; seconds until another one has placed one. */
async function killHolder(client: pg.Client, gateways: Map<string, BenchChild>): Promise<number> {
  const { holder } = await ask(gateways, 'GET', '/generator');
  const victim = gateways.get(holder ?? '');
  if (!victim) throw new Error(`the generator is held by ${JSON.stringify(holder)}, which is none of the gateways`);
  gateways.delete(holder ?? '');
  victim.kill('SIGKILL');
  const killedAt = performance.now();
  const before = await countGenerated(client);
  await waitUntil(async () => (await countGenerated(client)).orders > before.orders);
  const waitedS = (performance.now() - killedAt) / 1_000;
  await victim.stop();
  return waitedS;
}

function doubled({ ticks, orders, keys }: Generated): number {
  return Math.abs(orders - ticks) + Math.abs(keys - orders);
}

async function ask(gateways: Map<string, BenchChild>, method: string, path: string, body?: object): Promise<{ holder?: string }> {
  const [gateway] = gateways.values();
  const answer = await fetch(`${gateway?.ready}${path}`, {
    method,
    headers: { authorization: 'operator', ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { holder?: string };
}
