import { type BenchChild, startChild } from '../support/child.ts';
import { acceptOrders, checkHistories, untilCompleted } from '../support/orders.ts';
import { cpuOf } from '../support/processes.ts';
import { type BenchDatabase, type BenchServer, waitUntil } from '../support/server.ts';
import { type Place, STEP_NAMES } from './carrier.ts';
import type { Executions } from './executions.ts';
import type { PeerServer } from './servers.ts';

/** What carrying so many orders took. */
export interface Run {
  ordersPerSecond: number;
  /** Of the processes that carry and of the server they stand on; storing the orders beforehand is not in it. */
  cpuPer1000: number;
  /** Undefined where it is not PostgreSQL that stores. */
  walPerOrder: number | undefined;
}

/** `ended` is when the last order did, both in ms of the epoch. */
interface Span {
  began: number;
  ended: number;
}

/** What is read before and after. */
interface Meters {
  cpuSeconds(): number;
  walBytes?: () => Promise<number>;
}

/** Conveyor's nodes of 50 slots, with empty steps; the orders wait already. */
export async function runConveyor(server: BenchServer, database: BenchDatabase, processes: number, orders: number): Promise<Run> {
  const orderIds = await acceptOrders(database.store, orders);
  await database.client.query('vacuum analyze');
  const nodes: BenchChild[] = [];
  let run: Run;
  try {
    const meters = await startMeters(metersOf(server, database));
    const ids = Array.from({ length: processes }, (_, index) => `00000000-0000-7000-8000-00000000000${index + 1}`);
    nodes.push(...(await Promise.all(ids.map((id) => startChild('node.ts', { BENCH_URL: database.url, BENCH_NODE_ID: id })))));
    const loading = cpuOfAll(nodes);
    await untilCompleted(database, orders);
    run = { ...(await meters.costOf(orders, cpuOfAll(nodes) - loading)), ordersPerSecond: rateOf(orders, await spanOf(database)) };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
  await checkHistories(database.store, orderIds);
  // The last step's end is the order's.
  const { rows } = await database.client.query<{ steps: number }>(
    `select count(*)::int as steps from order_history where kind in ('step_completed', 'completed')`,
  );
  refuseFewer('Conveyor', rows[0]?.steps ?? 0, orders * STEP_NAMES.length);
  return run;
}

/** A peer's processes; the orders wait already, or the processes submit them, as its file says. */
export async function runPeer(
  peer: string,
  place: Place,
  processes: number,
  orders: number,
  stands: { server: BenchServer; database: BenchDatabase } | PeerServer,
): Promise<Run> {
  const env = {
    BENCH_PEER: peer,
    BENCH_PLACE: JSON.stringify(place),
    BENCH_ORDERS: String(orders),
    BENCH_PROCESSES: String(processes),
    // Some warn of calls that their own dependencies deprecate.
    NODE_NO_WARNINGS: '1',
  };
  const start = (role: string, index: number): Promise<BenchChild> =>
    startChild('../peers/process.ts', { ...env, BENCH_ROLE: role, BENCH_PROCESS: String(index) });
  const keeper = await start('keeper', 0);
  const workers: BenchChild[] = [];
  try {
    if ('database' in stands) await stands.database.client.query('vacuum analyze');
    workers.push(...(await Promise.all(Array.from({ length: processes }, (_, index) => start('worker', index)))));
    const meters = await startMeters('database' in stands ? metersOf(stands.server, stands.database) : stands);
    const loading = cpuOfAll(workers);
    const span = await carry(peer, keeper, workers, orders);
    return { ...(await meters.costOf(orders, cpuOfAll(workers) - loading)), ordersPerSecond: rateOf(orders, span) };
  } finally {
    await Promise.all([keeper, ...workers].map((child) => child.stop()));
  }
}

/** Tells the workers to begin, and waits until every order has run its steps and the product says that all have ended. */
async function carry(peer: string, keeper: BenchChild, workers: readonly BenchChild[], orders: number): Promise<Span> {
  const told = workers.map(executionsOf);
  const ended = endOf(keeper);
  for (const worker of workers) worker.kill('SIGUSR2');
  const sum = (of: (executions: Executions) => number): number => told.reduce((total, read) => total + of(read()), 0);
  await waitUntil(async () => sum(({ total }) => total) >= orders * STEP_NAMES.length);
  keeper.kill('SIGUSR2');
  await waitUntil(async () => ended() !== undefined);
  refuseFewer(peer, sum(({ whole }) => whole) * STEP_NAMES.length, orders * STEP_NAMES.length);
  return { began: Math.min(...told.map((read) => read().beganAt || Number.POSITIVE_INFINITY)), ended: ended() as number };
}

function executionsOf(worker: BenchChild): () => Executions {
  let latest: Executions = { beganAt: 0, total: 0, whole: 0 };
  worker.onLine((line) => {
    if (line.startsWith('executions ')) latest = JSON.parse(line.slice('executions '.length)) as Executions;
  });
  return () => latest;
}

function endOf(keeper: BenchChild): () => number | undefined {
  let at: number | undefined;
  keeper.onLine((line) => {
    if (line.startsWith('ended ')) at = Number(line.slice('ended '.length));
  });
  return () => at;
}

const rateOf = (orders: number, { began, ended }: Span): number => (orders / (ended - began)) * 1_000;

type Cost = Pick<Run, 'cpuPer1000' | 'walPerOrder'>;

/** What the server uses counts from now on; what the processes that carry used is told at the end. */
async function startMeters(meters: Meters): Promise<{ costOf(orders: number, ownCpuSeconds: number): Promise<Cost> }> {
  const [cpuBefore, walBefore] = [meters.cpuSeconds(), await meters.walBytes?.()];
  return {
    async costOf(orders, ownCpuSeconds) {
      const cpuSeconds = ownCpuSeconds + meters.cpuSeconds() - cpuBefore;
      const walAfter = await meters.walBytes?.();
      return {
        cpuPer1000: (cpuSeconds / orders) * 1_000,
        walPerOrder: walBefore === undefined || walAfter === undefined ? undefined : (walAfter - walBefore) / orders,
      };
    },
  };
}

/** What processes have used when they are ready is the loading of their code, and left out of what carrying costs. */
const cpuOfAll = (processes: readonly BenchChild[]): number => processes.reduce((sum, { pid }) => sum + cpuOf(pid), 0);

function metersOf(server: BenchServer, { client }: BenchDatabase): Meters {
  return {
    cpuSeconds: server.cpuSeconds,
    async walBytes() {
      const { rows } = await client.query<{ bytes: string }>(`select pg_current_wal_lsn() - '0/0' as bytes`);
      return Number(rows[0]?.bytes);
    },
  };
}

async function spanOf({ client }: BenchDatabase): Promise<Span> {
  const { rows } = await client.query<Span>(`
    select extract(epoch from (select min(at) from order_history where kind = 'claimed'))::float8 * 1000 as began,
           extract(epoch from (select max(ended_at) from orders))::float8 * 1000 as ended`);
  return rows[0] as Span;
}

function refuseFewer(carrier: string, ran: number, expected: number): void {
  if (ran < expected) throw new Error(`${carrier} ran ${ran} of ${expected} steps: its figure would mean nothing`);
}
