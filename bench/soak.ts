import pg from 'pg';
import { type BenchChild, startChild } from './support/child.ts';
import { type Figure, type LinePlot, type Measured, median } from './support/figures.ts';
import { checkHistories, untilCompleted } from './support/orders.ts';
import { measureCapacity, startPacedLoad } from './support/paced-load.ts';
import { memoryOf } from './support/processes.ts';
import { type BenchDatabase, type BenchServer, withDatabase } from './support/server.ts';
import { countCompleted, holdSnapshot, readTableState, type TableState } from './support/stored-orders.ts';

const LOAD_OF_CAPACITY = 0.7;
const LOOK_EVERY_S = 60;
/** A short soak looks more often. */
const MIN_LOOKS = 12;
const HISTORIES = 200;

interface Look extends TableState {
  minute: number;
  claimMs: number;
  waiting: number;
  completed: number;
  gatewayMb: number;
  nodeMb: number;
}

/** Load for a long time while somebody keeps an old snapshot open: whether anything grows that must not. */
export function benchSoak(server: BenchServer, minutes: number, capacitySeconds: number): Promise<Measured> {
  return withDatabase(server, async (database) => {
    const gateway = await startChild('gateway.ts', { BENCH_URL: database.url });
    const node = await startChild('node.ts', { BENCH_URL: database.url, BENCH_TIME_CLAIMS: '1' });
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    try {
      const capacity = await measureCapacity(gateway.ready, database, capacitySeconds);
      await holdSnapshot(reader);
      const before = await countCompleted(database.client);
      const load = await startPacedLoad(gateway.ready, capacity * LOAD_OF_CAPACITY);
      const looks = await look(database, gateway, node, minutes);
      const { sent } = await load.end();
      await untilCompleted(database, before + sent);
      const newest = await database.store.listOrders({ limit: HISTORIES });
      await checkHistories(
        database.store,
        newest.map(({ order }) => order.orderId),
      );
      return { figures: figuresOf(looks, { minutes, sent }), plots: plotsOf(looks) };
    } finally {
      await reader.end();
      await node.stop();
      await gateway.stop();
    }
  });
}

async function look({ client, store }: BenchDatabase, gateway: BenchChild, node: BenchChild, minutes: number): Promise<Look[]> {
  let claims: number[] = [];
  node.onLine((line) => {
    if (line.startsWith('claims ')) claims.push(...(JSON.parse(line.slice('claims '.length)) as number[]));
  });
  const everyMs = Math.min(LOOK_EVERY_S, (minutes * 60) / MIN_LOOKS) * 1_000;
  const looks: Look[] = [];
  const began = performance.now();
  for (let number = 1; number * everyMs <= minutes * 60_000; number += 1) {
    await new Promise((resolve) => setTimeout(resolve, began + number * everyMs - performance.now()));
    looks.push({
      minute: (number * everyMs) / 60_000,
      claimMs: median(claims),
      waiting: (await store.readLoad()).queued,
      completed: await countCompleted(client),
      gatewayMb: memoryOf(gateway.pid).nowMb,
      nodeMb: memoryOf(node.pid).nowMb,
      ...(await readTableState(client)),
    });
    claims = [];
  }
  return looks;
}

function figuresOf(looks: readonly Look[], { minutes, sent }: { minutes: number; sent: number }): Figure[] {
  const third = Math.floor(looks.length / 3);
  const [first, last] = [looks.slice(0, third), looks.slice(-third)];
  const mid = (of: readonly Look[], pick: (look: Look) => number): number => median(of.map(pick));
  const most = (of: readonly Look[], pick: (look: Look) => number): number => Math.max(...of.map(pick));
  const claim = { first: mid(first, ({ claimMs }) => claimMs), last: mid(last, ({ claimMs }) => claimMs) };
  const end = looks.at(-1) as Look;
  return [
    { name: `soak of ${minutes} minutes at 70 % of capacity, an old snapshot open: orders`, value: sent, unit: 'orders' },
    { name: '… a second', value: sent / (minutes * 60), unit: 'orders/s' },
    { name: '… most that waited', value: most(looks, ({ waiting }) => waiting), unit: 'orders' },
    { name: 'claim, p50, first third', value: claim.first, unit: 'ms' },
    { name: '… last third', value: claim.last, unit: 'ms' },
    { name: 'claim, p50, last third to first third', value: claim.last / claim.first, unit: 'ratio', target: { atMost: 1.2 } },
    { name: 'dead rows, most of the first third', value: most(first, ({ deadRows }) => deadRows), unit: 'rows' },
    { name: '… at the end', value: end.deadRows, unit: 'rows' },
    {
      name: 'dead rows, at the end to the most of the first third',
      value:
        end.deadRows /
        Math.max(
          1,
          most(first, ({ deadRows }) => deadRows),
        ),
      unit: 'ratio',
    },
    { name: 'tables at the end, per order', value: end.tableBytes / end.completed, unit: 'bytes' },
    { name: 'indexes at the end, per order', value: end.indexBytes / end.completed, unit: 'bytes' },
    { name: 'memory of the gateway at the end', value: end.gatewayMb, unit: 'MB' },
    { name: '… to the most of the first third', value: end.gatewayMb / most(first, ({ gatewayMb }) => gatewayMb), unit: 'ratio' },
    { name: 'memory of the node at the end', value: end.nodeMb, unit: 'MB' },
    { name: '… to the most of the first third', value: end.nodeMb / most(first, ({ nodeMb }) => nodeMb), unit: 'ratio' },
  ];
}

function plotsOf(looks: readonly Look[]): LinePlot[] {
  const line = (label: string, pick: (look: Look) => number): LinePlot['lines'][number] => ({
    label,
    points: looks.map((look) => [look.minute, pick(look)]),
  });
  const x = 'minutes';
  return [
    { title: 'Claim time during the soak', x, y: 'ms', lines: [line('p50', ({ claimMs }) => claimMs)] },
    { title: 'Dead rows during the soak', x, y: 'rows', lines: [line('all tables', ({ deadRows }) => deadRows)] },
    {
      title: 'Memory during the soak',
      x,
      y: 'MB',
      lines: [line('gateway', ({ gatewayMb }) => gatewayMb), line('node', ({ nodeMb }) => nodeMb)],
    },
    {
      title: 'Size during the soak',
      x,
      y: 'MB',
      lines: [line('tables', ({ tableBytes }) => tableBytes / 1e6), line('indexes', ({ indexBytes }) => indexBytes / 1e6)],
    },
  ];
}
