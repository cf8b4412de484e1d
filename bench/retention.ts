import { measureAccepted } from './accept.ts';
import { measureCarried } from './carry.ts';
import { measurePickUps } from './pick-up.ts';
import { startChild } from './support/child.ts';
import { type Figure, median, quantile } from './support/figures.ts';
import { checkHistories } from './support/orders.ts';
import { type BenchDatabase, type BenchServer, waitUntil, withDatabase } from './support/server.ts';
import { someFinishedIds, storeFinishedOrders } from './support/stored-orders.ts';

const CONNECTIONS = 64;
const SAMPLE = 100;

export interface RetentionSize {
  rounds: number;
  carryOrders: number;
  loadSeconds: number;
  pickUps: number;
  storedOrders: number;
}

interface Round {
  carried: number;
  accepted: number;
  pickUpMs: number;
}

/** Carrying, accepting and picking up on a database that keeps very many finished orders, in turn with an empty one. */
export function benchRetention(server: BenchServer, size: RetentionSize): Promise<Figure[]> {
  return withDatabase(server, async (full) => {
    await storeFinishedOrders(full.client, size.storedOrders);
    await checkHistories(full.store, await someFinishedIds(full.client, SAMPLE));
    const bytes = await sizeOf(full);
    const rounds: { full: Round; empty: Round }[] = [];
    for (let round = 0; round < size.rounds; round += 1) {
      const measureEmpty = (): Promise<Round> => withDatabase(server, (database) => measureRound(server, database, size));
      // Whoever is first finds the machine as somebody else left it: that must not always be the same one.
      const before = round % 2 === 0 ? await measureEmpty() : undefined;
      const measured = await measureRound(server, full, size);
      rounds.push({ full: measured, empty: before ?? (await measureEmpty()) });
      await carryTheRest(full);
    }
    const count = size.storedOrders.toLocaleString('en');
    const figuresOf = (what: string, unit: string, pick: (round: Round) => number, target: Figure['target']): Figure[] => [
      { name: `${what}, empty database`, value: median(rounds.map(({ empty }) => pick(empty))), unit },
      { name: `… with ${count} finished orders`, value: median(rounds.map((round) => pick(round.full))), unit },
      {
        name: `${what}, with ${count} finished orders to without`,
        value: median(rounds.map((round) => pick(round.full) / pick(round.empty))),
        unit: 'ratio',
        ...(target ? { target } : {}),
      },
    ];
    return [
      ...figuresOf('carried by one node', 'orders/s', ({ carried }) => carried, { atLeast: 0.9 }),
      ...figuresOf(`accepted over HTTP, ${CONNECTIONS} connections`, 'orders/s', ({ accepted }) => accepted, { atLeast: 0.9 }),
      ...figuresOf('pick-up on an idle system, p50', 'ms', ({ pickUpMs }) => pickUpMs, { atMost: 1.1 }),
      { id: 'disk', name: 'disk per finished order', value: bytes / size.storedOrders, unit: 'bytes' },
    ];
  });
}

async function measureRound(server: BenchServer, database: BenchDatabase, size: RetentionSize): Promise<Round> {
  const { perSecond: carried } = await measureCarried(server, database, { nodes: 1, orders: size.carryOrders });
  const pickUpMs = quantile(await measurePickUps(database, size.pickUps), 0.5);
  // Last, because nobody carries what it stores.
  const load = { script: 'gateway.ts', connections: CONNECTIONS, seconds: size.loadSeconds };
  const { perSecond: accepted } = await measureAccepted(server, database, load);
  return { carried, accepted, pickUpMs };
}

async function carryTheRest({ url, store }: BenchDatabase): Promise<void> {
  const node = await startChild('node.ts', { BENCH_URL: url });
  try {
    await waitUntil(async () => {
      const { queued, running } = await store.readLoad();
      return queued + running === 0;
    });
  } finally {
    await node.stop();
  }
}

async function sizeOf({ client }: BenchDatabase): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return Number(rows[0]?.bytes);
}
