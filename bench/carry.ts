import { randomUUID } from 'node:crypto';
import { measureFlush } from './flush.ts';
import { startChild } from './support/child.ts';
import { type Figure, type Measured, median } from './support/figures.ts';
import { acceptOrders, checkHistories, untilCompleted } from './support/orders.ts';
import { cpuOf, ownCpu } from './support/processes.ts';
import { type BenchDatabase, type BenchServer, withDatabase } from './support/server.ts';
import { completedPerSecond, countCompleted } from './support/stored-orders.ts';
import { measureConcurrentYardstick, measureYardstick } from './yardstick.ts';

/** CPU seconds. */
interface Cpu {
  node: number;
  postgres: number;
}

export interface Carried {
  /** Orders. */
  perSecond: number;
  /** All for 1,000 orders; what the nodes used before they were ready is not counted. */
  carrying: Cpu;
  accepting: Cpu;
  walBytes: number;
}

interface Round {
  alone: number;
  concurrent: number;
  one: Carried;
  two: Carried;
}

/** One node of 50 slots with empty steps, then two, in turn with the yardstick; what an order costs, accepting included. */
export async function benchCarry(server: BenchServer, rounds: number, orderCount: number): Promise<Measured> {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await measureRound(server, orderCount));
  const mid = (pick: (round: Round) => number): number => median(results.map(pick));
  const total = ({ node, postgres }: Cpu): number => node + postgres;
  const figures: Figure[] = [
    { name: 'yardstick R, 1 connection', value: mid(({ alone }) => alone), unit: 'orders/s' },
    { name: 'carried by one node, 50 slots, empty steps', value: mid(({ one }) => one.perSecond), unit: 'orders/s' },
    {
      name: 'one node, to R on 1 connection',
      value: mid(({ one, alone }) => one.perSecond / alone),
      unit: 'ratio',
      target: { atLeast: 0.5 },
    },
    { name: 'yardstick R, 4 connections', value: mid(({ concurrent }) => concurrent), unit: 'orders/s' },
    { name: 'carried by two nodes in two processes', value: mid(({ two }) => two.perSecond), unit: 'orders/s' },
    {
      name: 'two nodes, to R on 4 connections',
      value: mid(({ two, concurrent }) => two.perSecond / concurrent),
      unit: 'ratio',
      target: { atLeast: 0.4 },
    },
    { id: 'carry.cpu.node', name: 'CPU per 1,000 orders carried: Node', value: mid(({ one }) => one.carrying.node), unit: 's' },
    { id: 'carry.cpu.postgres', name: '… PostgreSQL', value: mid(({ one }) => one.carrying.postgres), unit: 's' },
    {
      id: 'store.cpu.node',
      name: 'CPU per 1,000 orders accepted by the store: Node',
      value: mid(({ one }) => one.accepting.node),
      unit: 's',
    },
    { id: 'store.cpu.postgres', name: '… PostgreSQL', value: mid(({ one }) => one.accepting.postgres), unit: 's' },
    {
      name: 'CPU per 1,000 orders accepted and carried, all',
      value: mid(({ one }) => total(one.carrying) + total(one.accepting)),
      unit: 's',
      target: { atMost: 0.1 },
    },
    {
      id: 'wal',
      name: 'WAL per order accepted and carried',
      value: mid(({ one }) => one.walBytes),
      unit: 'bytes',
      target: { atMost: 2_000 },
    },
  ];
  const bars = [
    { label: 'R on 1 connection', value: mid(({ alone }) => alone) },
    { label: 'one node', value: mid(({ one }) => one.perSecond), isOurs: true },
    { label: 'R on 4 connections', value: mid(({ concurrent }) => concurrent) },
    { label: 'two nodes', value: mid(({ two }) => two.perSecond), isOurs: true },
  ];
  return { figures: [...figures, ...(await measureFlush(server))], plots: [{ title: 'Orders carried', unit: 'orders/s', bars }] };
}

async function measureRound(server: BenchServer, orderCount: number): Promise<Round> {
  const yardsticks = await server.createDatabase();
  try {
    const alone = [await measureYardstick(yardsticks.url, orderCount)];
    const one = await withDatabase(server, (database) => measureCarried(server, database, { nodes: 1, orders: orderCount }));
    alone.push(await measureYardstick(yardsticks.url, orderCount));
    const concurrent = [await measureConcurrentYardstick(yardsticks.url, orderCount)];
    const two = await withDatabase(server, (database) => measureCarried(server, database, { nodes: 2, orders: orderCount }));
    concurrent.push(await measureConcurrentYardstick(yardsticks.url, orderCount));
    return { alone: mean(alone), concurrent: mean(concurrent), one, two };
  } finally {
    await yardsticks.close();
  }
}

/** Accepts so many orders through the store, then starts the nodes, each in a process of its own, and lets them carry all. */
export async function measureCarried(
  server: BenchServer,
  database: BenchDatabase,
  { nodes: nodeCount, orders: orderCount }: { nodes: number; orders: number },
): Promise<Carried> {
  const { client, store } = database;
  const completedBefore = await countCompleted(client);
  const walBefore = await walPosition(database);
  const before = { node: ownCpu(), postgres: server.cpuSeconds() };
  const orderIds = await acceptOrders(store, orderCount);
  const accepted = { node: ownCpu(), postgres: server.cpuSeconds() };
  const nodes = await Promise.all(
    Array.from({ length: nodeCount }, () => startChild('node.ts', { BENCH_URL: database.url, BENCH_NODE_ID: randomUUID() })),
  );
  try {
    const atReady = sumOfCpu(nodes);
    await untilCompleted(database, completedBefore + orderCount);
    const ended = { node: sumOfCpu(nodes) - atReady, postgres: server.cpuSeconds() };
    const walBytes = (await walPosition(database)) - walBefore;
    await checkHistories(store, orderIds);
    const per1000 = orderCount / 1_000;
    return {
      perSecond: await completedPerSecond(client, orderIds[0] as string),
      carrying: { node: ended.node / per1000, postgres: (ended.postgres - accepted.postgres) / per1000 },
      accepting: { node: (accepted.node - before.node) / per1000, postgres: (accepted.postgres - before.postgres) / per1000 },
      walBytes: walBytes / orderCount,
    };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

async function walPosition({ client }: BenchDatabase): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(`select pg_current_wal_lsn() - '0/0' as bytes`);
  return Number(rows[0]?.bytes);
}

function sumOfCpu(processes: readonly { pid: number }[]): number {
  return processes.reduce((seconds, { pid }) => seconds + cpuOf(pid), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
