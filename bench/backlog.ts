import { randomUUID } from 'node:crypto';
import { type Figure, median, quantile } from './support/figures.ts';
import { acceptOrders } from './support/orders.ts';
import { type BenchDatabase, type BenchServer, withDatabase } from './support/server.ts';

const SLOTS = 50;
const WARM_UP = 20;
/** The claims' session is nobody's: no heartbeat keeps it. */
const LEASE_MS = 3_600_000;

/** What a claim takes while few and while very many orders wait, in turn; each claim's orders are made up for by new ones. */
export function benchBacklog(server: BenchServer, size: { claims: number; backlog: number; smallBacklog: number }): Promise<Figure[]> {
  return withDatabase(server, (small) =>
    withDatabase(server, async (large) => {
      await acceptBacklog(small, size.smallBacklog);
      await acceptBacklog(large, size.backlog);
      const few = { database: small, session: await openSession(small), tookMs: [] as number[] };
      const many = { database: large, session: await openSession(large), tookMs: [] as number[] };
      for (let claim = -WARM_UP; claim < size.claims; claim += 1) {
        for (const { database, session, tookMs } of [few, many]) {
          const took = await claimOnce(database, session);
          if (claim >= 0) tookMs.push(took);
        }
      }
      const count = (orders: number): string => orders.toLocaleString('en');
      const ratio = median(many.tookMs) / median(few.tookMs);
      return [
        { name: `claim of ${SLOTS}, ${count(size.smallBacklog)} orders waiting`, value: median(few.tookMs), unit: 'ms' },
        { name: '… p99', value: quantile(few.tookMs, 0.99), unit: 'ms' },
        { name: `claim of ${SLOTS}, ${count(size.backlog)} orders waiting`, value: median(many.tookMs), unit: 'ms' },
        { name: '… p99', value: quantile(many.tookMs, 0.99), unit: 'ms' },
        {
          name: `claim with ${count(size.backlog)} waiting, to that with ${count(size.smallBacklog)}`,
          value: ratio,
          unit: 'ratio',
          target: { atMost: 1.2 },
        },
      ];
    }),
  );
}

async function acceptBacklog({ client, store }: BenchDatabase, count: number): Promise<void> {
  await acceptOrders(store, count);
  // Otherwise the server would do it while claims are measured.
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}

function openSession({ store }: BenchDatabase): Promise<number> {
  const node = { nodeId: randomUUID(), nodeName: 'bench', version: 'bench', host: 'bench', pid: process.pid, address: undefined };
  return store.openSession({ ...node, slots: SLOTS, workflows: [{ name: 'order', version: 1 }] }, LEASE_MS);
}

async function claimOnce({ store }: BenchDatabase, session: number): Promise<number> {
  const began = performance.now();
  const { length } = await store.claimOrders(session, SLOTS);
  const took = performance.now() - began;
  if (length !== SLOTS) throw new Error(`a claim of ${SLOTS} orders got ${length}`);
  await acceptOrders(store, SLOTS);
  return took;
}
