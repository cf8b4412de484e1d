import { firstIdAt } from '#domain/ids.ts';
import { startChild } from './support/child.ts';
import { type BarPlot, type Figure, type Measured, median } from './support/figures.ts';
import { type Load, loadOnce } from './support/load.ts';
import { cpuOf } from './support/processes.ts';
import { type BenchDatabase, type BenchServer, withDatabase } from './support/server.ts';
import { countStored } from './support/stored-orders.ts';

const CONNECTIONS = [64, 256];
/** Keeps nothing. */
const BARE = 'bare-route.ts';

export interface Accepted extends Load {
  /** CPU seconds per 1,000 orders. */
  gatewayCpu: number;
  postgresCpu: number;
}

interface Round {
  ours: Accepted;
  bare: Accepted;
  plain: Accepted;
}

/**
 * Orders accepted over HTTP, durable before the answer; in turn with the same route over a store that keeps nothing, and with one
 * insert per request through a pool of 10.
 */
export async function benchAccept(server: BenchServer, rounds: number, seconds: number): Promise<Measured> {
  const figures: Figure[] = [];
  const bars: BarPlot['bars'] = [];
  for (const connections of CONNECTIONS) {
    const results: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const measure = (script: string): Promise<Accepted> =>
        withDatabase(server, (database) => measureAccepted(server, database, { script, connections, seconds }));
      results.push({ ours: await measure('gateway.ts'), bare: await measure(BARE), plain: await measure('one-insert.ts') });
    }
    figures.push(...figuresOf(results, connections));
    bars.push(
      { label: `nothing kept, ${connections} connections`, value: median(results.map(({ bare }) => bare.perSecond)) },
      { label: 'durable', value: median(results.map(({ ours }) => ours.perSecond)), isOurs: true },
      { label: 'one insert per request', value: median(results.map(({ plain }) => plain.perSecond)) },
    );
  }
  return { figures, plots: [{ title: 'Orders accepted over HTTP', unit: 'orders/s', bars }] };
}

function figuresOf(results: readonly Round[], connections: number): Figure[] {
  const mid = (pick: (round: Round) => number): number => median(results.map(pick));
  return [
    { name: `accepted over HTTP, ${connections} connections`, value: mid(({ ours }) => ours.perSecond), unit: 'orders/s' },
    { name: '… p50', value: mid(({ ours }) => ours.p50Ms), unit: 'ms' },
    { name: '… p99', value: mid(({ ours }) => ours.p99Ms), unit: 'ms' },
    {
      id: `accept.cpu.gateway.${connections}`,
      name: '… CPU per 1,000 orders: gateway',
      value: mid(({ ours }) => ours.gatewayCpu),
      unit: 's',
    },
    { id: `accept.cpu.postgres.${connections}`, name: '… PostgreSQL', value: mid(({ ours }) => ours.postgresCpu), unit: 's' },
    { name: `the same route, nothing kept, ${connections} connections`, value: mid(({ bare }) => bare.perSecond), unit: 'orders/s' },
    { name: '… p99', value: mid(({ bare }) => bare.p99Ms), unit: 'ms' },
    { name: '… CPU per 1,000 orders: gateway', value: mid(({ bare }) => bare.gatewayCpu), unit: 's' },
    {
      name: `accepted, to the same route with nothing kept, ${connections} connections`,
      value: mid(({ ours, bare }) => ours.perSecond / bare.perSecond),
      unit: 'ratio',
      target: { atLeast: 0.65 },
    },
    {
      name: `p99, to that of the same route with nothing kept, ${connections} connections`,
      value: mid(({ ours, bare }) => ours.p99Ms / bare.p99Ms),
      unit: 'ratio',
      target: { atMost: 3 },
    },
    { name: `one insert per request, ${connections} connections`, value: mid(({ plain }) => plain.perSecond), unit: 'orders/s' },
    {
      name: `accepted, to one insert per request, ${connections} connections`,
      value: mid(({ ours, plain }) => ours.perSecond / plain.perSecond),
      unit: 'ratio',
      target: { atLeast: 3 },
    },
  ];
}

/** What a process that serves `POST /orders` accepts. Rejects unless all it answered is stored, where something is. */
export async function measureAccepted(
  server: BenchServer,
  database: BenchDatabase,
  { script, connections, seconds }: { script: string; connections: number; seconds: number },
): Promise<Accepted> {
  const child = await startChild(script, { BENCH_URL: database.url });
  try {
    const since = firstIdAt(Date.now());
    const warmUp = await loadOnce(child.ready, { connections, seconds: 1 });
    const before = { gateway: cpuOf(child.pid), postgres: server.cpuSeconds() };
    const load = await loadOnce(child.ready, { connections, seconds });
    const per1000 = load.requests / 1_000;
    const gatewayCpu = (cpuOf(child.pid) - before.gateway) / per1000;
    const postgresCpu = (server.cpuSeconds() - before.postgres) / per1000;
    // What was under way at the end is stored, and was not answered.
    const missing = warmUp.requests + load.requests - (await countStored(database.client, since));
    if (missing > 0 && script !== BARE) throw new Error(`${script}: ${missing} orders were answered as accepted and are not stored`);
    return { ...load, gatewayCpu, postgresCpu };
  } finally {
    await child.stop();
  }
}
