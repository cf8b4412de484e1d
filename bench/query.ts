import { randomUUID } from 'node:crypto';
import { ORDER_STATUSES } from '#domain/order-state.ts';
import { startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import { type Load, loadOnce } from './support/load.ts';
import { acceptOrders, checkHistories } from './support/orders.ts';
import { type BenchServer, withDatabase } from './support/server.ts';
import { someFinishedIds, storeFinishedOrders } from './support/stored-orders.ts';

const CONNECTIONS = 256;
/** Each connection prepares a request for each. */
const PATHS = 100;
const OPEN_ORDERS = 200;
const REQUESTS = 20;
const WARM_UP = 3;
const DAY_MS = 86_400_000;

/**
 * Reading while very many orders are stored: one order by its id on 256 connections, in turn with a bare handler that answers
 * the same; and the first page of the list with each of its filters.
 */
export function benchQuery(server: BenchServer, size: { rounds: number; loadSeconds: number; storedOrders: number }): Promise<Figure[]> {
  return withDatabase(server, async ({ url, client, store }) => {
    await storeFinishedOrders(client, size.storedOrders);
    const gateway = await startChild('gateway.ts', { BENCH_URL: url });
    // 50 run and stay so, the others wait.
    const nodes = await startChild('cluster-nodes.ts', { BENCH_URL: url, BENCH_STEP_MS: String(DAY_MS) });
    try {
      await acceptOrders(store, OPEN_ORDERS);
      const ids = await someFinishedIds(client, PATHS);
      await checkHistories(store, ids);
      return [
        ...(await readById(
          gateway.ready,
          ids.map((id) => `/orders/${id}`),
          size,
        )),
        { name: 'finished orders stored while lists are read', value: size.storedOrders, unit: 'orders' },
        ...(await readLists(gateway.ready)),
      ];
    } finally {
      await nodes.stop();
      await gateway.stop();
    }
  });
}

async function readById(gatewayUrl: string, paths: string[], size: { rounds: number; loadSeconds: number }): Promise<Figure[]> {
  const answer = await read(`${gatewayUrl}${paths[0]}`);
  const bareServer = await startChild('bare-answer.ts', { BENCH_ANSWER: answer });
  try {
    const ours: Load[] = [];
    const bare: Load[] = [];
    const load = { connections: CONNECTIONS, paths };
    for (const url of [gatewayUrl, bareServer.ready]) await loadOnce(url, { ...load, seconds: 1 });
    for (let round = 0; round < size.rounds; round += 1) {
      ours.push(await loadOnce(gatewayUrl, { ...load, seconds: size.loadSeconds }));
      bare.push(await loadOnce(bareServer.ready, { ...load, seconds: size.loadSeconds }));
    }
    const ratios = ours.map(({ perSecond }, round) => perSecond / (bare[round]?.perSecond ?? Number.NaN));
    return [
      { name: `orders read by id, ${CONNECTIONS} connections`, value: median(ours.map(({ perSecond }) => perSecond)), unit: 'answers/s' },
      { name: '… p99', value: median(ours.map(({ p99Ms }) => p99Ms)), unit: 'ms' },
      { name: 'a bare handler that answers the same', value: median(bare.map(({ perSecond }) => perSecond)), unit: 'answers/s' },
      { name: '… p99', value: median(bare.map(({ p99Ms }) => p99Ms)), unit: 'ms' },
      { name: 'orders read by id, to the bare handler', value: median(ratios), unit: 'ratio', target: { atLeast: 0.5 } },
    ];
  } finally {
    await bareServer.stop();
  }
}

/** Median and maximum of each filter, with much to find and with nothing. */
async function readLists(gatewayUrl: string): Promise<Figure[]> {
  const running = JSON.parse(await read(`${gatewayUrl}/orders?status=processing`)) as { orders: { node_id: string }[] };
  const first = JSON.parse(await read(`${gatewayUrl}/orders`)) as { orders: { order_id: string }[]; next_cursor: string };
  const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
  const plain = [
    ...['', ...ORDER_STATUSES.map((status) => `status=${status}`), 'step=Scheduling', 'step=Processing', 'warehouse=HCM'],
    ...['region=HCM', 'region=nowhere', 'customer_name=Customer 7', 'customer_name=nobody'],
    'status=completed&region=HN&customer_name=Customer 7',
    ...['symbol=abc', 'symbol=nothing', 'symbol=abc&region=HN', 'symbol=abc&region=nowhere', 'symbol=abc&status=cancelled'],
    ...['tracking_id=nothing', 'tracking_id=nothing&symbol=abc&region=HN'],
  ];
  const queries: [name: string, query: string][] = [
    ...plain.map((query): [string, string] => [query || 'first page', query]),
    ['second page', `cursor=${first.next_cursor}`],
    ['the beginning of an id', `id=${first.orders[0]?.order_id.slice(0, 11)}`],
    ['node=one that works', `node=${running.orders[0]?.node_id}`],
    ['node=an unknown one', `node=${randomUUID()}`],
    ['since yesterday', `since=${daysAgo(1)}`],
    ['until 15 days ago', `until=${daysAgo(15)}`],
    ['a day 20 days ago', `since=${daysAgo(20)}&until=${daysAgo(19)}`],
  ];
  const figures: Figure[] = [];
  for (const [name, query] of queries) figures.push(...(await readList(`${gatewayUrl}/orders?${query}`, 'operator', name)));
  figures.push(...(await readList(`${gatewayUrl}/orders`, 'user', "a customer's own")));
  return figures;
}

async function readList(url: string, token: string, what: string): Promise<Figure[]> {
  const name = `list: ${what}`;
  const target = { atMost: 20 };
  const tookMs: number[] = [];
  try {
    for (let request = -WARM_UP; request < REQUESTS; request += 1) {
      const began = performance.now();
      await read(url, token);
      if (request >= 0) tookMs.push(performance.now() - began);
    }
  } catch (error) {
    return [{ name, value: Number.NaN, unit: 'ms', target, refused: (error as Error).message }];
  }
  return [
    { name, value: median(tookMs), unit: 'ms', target },
    { name: `${name}, slowest`, value: Math.max(...tookMs), unit: 'ms', target },
  ];
}

async function read(url: string, token = 'operator'): Promise<string> {
  const answer = await fetch(url, { headers: { authorization: token } });
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`${new URL(url).search} was answered with ${answer.status}: ${body.slice(0, 200)}`);
  return body;
}
