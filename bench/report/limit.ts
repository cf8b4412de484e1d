import { type Figure, formatValue } from '../support/figures.ts';

/** Of the server that is imagined; what is not measured is said here. */
const CORES = 64;
const BUSY = 0.7;
const WAL_BYTES_PER_SECOND = 1_000_000_000;
const WAREHOUSES = 10;
/** Of an order that nothing goes wrong with: claim, three steps, the end. */
const WRITES_OF_NODES = 5;
const SLOTS = 50;
/** Of the default workflow: four steps of five seconds. */
const ORDER_S = 20;
const LARGE_NODE_SLOTS = 500;
const SECONDS_PER_DAY = 86_400;

/** Figures by their ids. */
export type Ids = ReadonlyMap<string, number>;

export function idsOf(figures: readonly Figure[]): Ids {
  return new Map(figures.flatMap(({ id, value }) => (id === undefined ? [] : [[id, value] as const])));
}

interface Limit {
  /** CPU seconds of PostgreSQL for 1,000 orders. */
  fullBatchesCpu: number;
  aloneCpu: number;
  /** Orders per second. */
  byCpu: number;
  byCpuAlone: number;
  byWal: number;
  gatewayCpu: number;
  nodeCpu: number;
  walBytes: number;
  diskBytes: number | undefined;
  flushCpuMs: number;
}

/** `undefined` until what it needs is measured. */
export function computeLimit(ids: Ids): Limit | undefined {
  const needed = ['accept.cpu.postgres.256', 'accept.cpu.gateway.256', 'carry.cpu.postgres', 'carry.cpu.node', 'wal', 'flush.cpu'];
  if (needed.some((id) => !ids.has(id))) return undefined;
  const of = (id: string): number => ids.get(id) as number;
  const fullBatchesCpu = of('accept.cpu.postgres.256') + of('carry.cpu.postgres');
  // Of each write's fixed cost, a full batch has counted a fiftieth already.
  const aloneCpu = fullBatchesCpu + WRITES_OF_NODES * (of('flush.cpu') / 1_000) * 1_000 * (1 - 1 / SLOTS);
  const perSecond = (cpu: number): number => (CORES * BUSY * 1_000) / cpu;
  return {
    fullBatchesCpu,
    aloneCpu,
    byCpu: perSecond(fullBatchesCpu),
    byCpuAlone: perSecond(aloneCpu),
    byWal: WAL_BYTES_PER_SECOND / of('wal'),
    gatewayCpu: of('accept.cpu.gateway.256'),
    nodeCpu: of('carry.cpu.node'),
    walBytes: of('wal'),
    diskBytes: ids.get('disk'),
    flushCpuMs: of('flush.cpu'),
  };
}

/** The section of the document. */
export function describeLimit(limit: Limit | undefined): string[] {
  if (!limit) return ['This needs results of the suites `carry` and `accept`; they are not there yet.'];
  const { fullBatchesCpu, aloneCpu, byCpu, byCpuAlone, byWal, gatewayCpu, nodeCpu, walBytes, diskBytes, flushCpuMs } = limit;
  const most = Math.min(byCpu, byWal);
  const least = Math.min(byCpuAlone, byWal);
  const row = (name: string, one: number, unit: string): string =>
    `| ${name} | ${formatValue(one)} ${unit} | ${formatValue(one * WAREHOUSES)} ${unit} |`;
  const count = (whole: number): string => whole.toLocaleString('en');
  return [
    'Everything about an order happens in one database, so the first thing to end is that database: its CPU, or the write-ahead log',
    'of its disk. Gateways and nodes are added as needed. This is computed from the measurements above, not measured:',
    '',
    `- PostgreSQL uses ${formatValue(fullBatchesCpu)} s of CPU for 1,000 orders accepted and carried in full batches, as they are under load.`,
    `- A write costs ${formatValue(flushCpuMs)} ms of PostgreSQL's CPU before it writes anything. Where nodes are many and each writes a single`,
    `  step at a time, an order's ${WRITES_OF_NODES} writes after accepting share that cost with nobody: ${formatValue(aloneCpu)} s for 1,000 orders.`,
    `- An order writes ${formatValue(walBytes)} bytes of write-ahead log.`,
    '',
    `Assumed: a server with ${CORES} cores like those measured here, ${BUSY * 100} % of them busy, all for PostgreSQL; a disk that takes`,
    `${formatValue(WAL_BYTES_PER_SECOND / 1e6)} MB of log a second; that PostgreSQL's CPU per order stays what it is on two cores (locks and memory of a large`,
    `server cost more: expect less); that ${WAREHOUSES} warehouses share nothing, which holds for all orders that go to their own region.`,
    '',
    `| | one warehouse | ${WAREHOUSES} warehouses |`,
    '| --- | --- | --- |',
    row('by CPU, full batches', byCpu, 'orders/s'),
    row('by CPU, every write alone', byCpuAlone, 'orders/s'),
    row('by the log', byWal, 'orders/s'),
    row('**the limit lies between**', least, 'orders/s'),
    row('**and**', most, 'orders/s'),
    row('cores of gateways for the higher one', (most * gatewayCpu) / 1_000, 'cores'),
    row('cores of nodes, without what the steps do', (most * nodeCpu) / 1_000, 'cores'),
    row('slots, with the default steps of five seconds', most * ORDER_S, 'slots'),
    ...(diskBytes === undefined ? [] : [row('disk a day', (most * diskBytes * SECONDS_PER_DAY) / 1e12, 'TB')]),
    '',
    'A slot is held for as long as the steps of its order take. With the default steps, 1,000 orders a second need',
    `${count(1_000 * ORDER_S)} slots: ${count((1_000 * ORDER_S) / SLOTS)} nodes of ${SLOTS}, or ${count((1_000 * ORDER_S) / LARGE_NODE_SLOTS)} of ${LARGE_NODE_SLOTS}. Each node has connections and a heartbeat of its own, and`,
    'the more slots it has, the more steps end together and share a write: few large nodes come nearer to the higher limit.',
  ];
}
