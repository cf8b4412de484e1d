import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import type { OrderState } from '#domain/order-state.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { readRecords, violationsOf } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { RealWarehouses } from '../support/warehouses.ts';

const NAMES = ['HCM', 'HN', 'DN'];
const LOST_ONE = 'HN';
const RETRY_MS = 200;
const GIVE_UP_MS = 180_000;

export interface OutageOptions {
  /** Over all regions, each under a key of its own. */
  orders: number;
  ordersPerSecond: number;
  outageMs: number;
  stepMs: number;
  /** Sent to the lost warehouse at the moment of its end, and again and again across it. */
  keyed: number;
  onPhase?: (phase: string) => void;
}

export interface OutageResult {
  accepted: number;
  /** Of those, what the lost warehouse's orders say while it was away. */
  fallbacks: number;
  /** Orders of the lost region that were accepted while it was away and do not say why they are elsewhere. */
  unexplained: number;
  longestRequestS: number;
  /** Of the other regions' requests. */
  p99BeforeMs: number;
  p99DuringMs: number;
  keys: number;
  processedOnce: number;
  conflicts: number;
  /** Breaches, in words; empty when all is well. */
  violations: string[];
}

interface Attempt {
  region: string;
  sentAt: number;
  ms: number;
}

interface Accepted {
  key: string;
  orderId: string;
  region: string;
  warehouse: string;
  because: string;
  at: number;
}

type Phase = 'before' | 'during' | 'after';

/** Three warehouses under load; the server of one is killed, stays away, and is started again. */
export async function runOutage(options: OutageOptions): Promise<OutageResult> {
  const { onPhase = () => undefined } = options;
  const warehouses = await RealWarehouses.open({ names: NAMES, nodesEach: 1, slots: 100, stepMs: options.stepMs });
  const client = new LoadClient(warehouses.url);
  try {
    const perPhase = Math.floor((options.outageMs / 1_000) * options.ordersPerSecond);
    const load = steadyLoad(client, options);
    onPhase('before');
    await waitUntil('the first part of the load', () => load.sent >= Math.max(50, (options.orders - perPhase) / 2), GIVE_UP_MS);
    client.phase = 'during';
    const burst = keyedBurst(client, options.keyed);
    onPhase(`${LOST_ONE} is killed`);
    await waitUntil('half of the burst', () => burst.answered >= options.keyed / 2, GIVE_UP_MS);
    await warehouses.killServer(LOST_ONE);
    const killedAt = performance.now();
    await burst.again();
    await pauseUntil(killedAt + options.outageMs);
    const restoredAt = performance.now();
    await warehouses.startServer(LOST_ONE);
    onPhase(`${LOST_ONE} is back`);
    client.phase = 'after';
    await load.done;
    await waitUntil(
      'all warehouses to be healthy',
      async () => (await warehouses.health()).every(({ status }) => status === 'OK'),
      GIVE_UP_MS,
    );
    await burst.again();
    onPhase('waiting for every order to end');
    await allEnded(warehouses);
    return await judgeOutage(warehouses, client, { killedAt, restoredAt });
  } finally {
    await client.close();
    await warehouses.close();
  }
}

/** A client that repeats what was not answered, under the same key, and writes down how long each request took. */
class LoadClient {
  phase: Phase = 'before';
  readonly attempts: Record<Phase, Attempt[]> = { before: [], during: [], after: [] };
  readonly accepted = new Map<string, Accepted[]>();
  /** Answers that no client should ever get. */
  readonly odd: string[] = [];
  private readonly url: string;
  private readonly agent = new Agent({ connections: 64 });

  constructor(url: string) {
    this.url = url;
  }

  /** Until it is accepted. */
  async place(region: string, key: string): Promise<void> {
    const end = performance.now() + GIVE_UP_MS;
    while (performance.now() < end) {
      if (await this.tryOnce(region, key)) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    this.odd.push(`an order of ${region} was not accepted within ${GIVE_UP_MS} ms`);
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async tryOnce(region: string, key: string): Promise<boolean> {
    const { phase } = this;
    const sentAt = performance.now();
    const answer = await request(`${this.url}/orders`, {
      dispatcher: this.agent,
      method: 'POST',
      headers: { authorization: 'user', 'content-type': 'application/json' },
      body: JSON.stringify({ region, symbol: 'abc', tracking_id: key }),
    });
    const body = (await answer.body.json()) as { order_id: string; warehouse: string; routed_because: { code: string }; detail?: string };
    this.attempts[phase].push({ region, sentAt, ms: performance.now() - sentAt });
    if (answer.statusCode === 503) return false;
    if (answer.statusCode !== 202 && answer.statusCode !== 200) {
      this.odd.push(`HTTP ${answer.statusCode}: ${body.detail}`);
      return true;
    }
    const { order_id: orderId, warehouse, routed_because } = body;
    const known = this.accepted.get(key) ?? [];
    this.accepted.set(key, [...known, { key, orderId, region, warehouse, because: routed_because.code, at: sentAt }]);
    return true;
  }
}

/** Orders that come evenly, whatever happens to the ones before. */
function steadyLoad(client: LoadClient, { orders, ordersPerSecond }: OutageOptions): { readonly sent: number; done: Promise<void> } {
  const startedAt = performance.now();
  const open: Promise<void>[] = [];
  const run = async (): Promise<void> => {
    while (open.length < orders) {
      const due = Math.min(orders, Math.ceil(((performance.now() - startedAt) / 1_000) * ordersPerSecond));
      while (open.length < due) open.push(client.place(NAMES[open.length % NAMES.length] as string, randomUUID()));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await Promise.all(open);
  };
  return {
    get sent() {
      return open.length;
    },
    done: run(),
  };
}

/** Keyed orders for the lost warehouse, all at once; and all of them again, as a client does that lost the answers. */
function keyedBurst(client: LoadClient, count: number): { readonly answered: number; again(): Promise<void> } {
  const keys = Array.from({ length: count }, () => `burst-${randomUUID()}`);
  let answered = 0;
  const placeOne = async (key: string): Promise<void> => {
    await client.place(LOST_ONE, key);
    answered += 1;
  };
  const first = Promise.all(keys.map(placeOne));
  return {
    get answered() {
      return answered;
    },
    async again() {
      await first;
      await Promise.all(keys.map((key) => client.place(LOST_ONE, key)));
    },
  };
}

async function allEnded(warehouses: RealWarehouses): Promise<void> {
  const countOpen = `select count(*)::int as n from orders where state not in ('completed', 'failed', 'cancelled')`;
  await waitUntil(
    'every order to end',
    async () =>
      (await warehouses.eachDatabase(async (client) => (await client.query(countOpen)).rows[0].n as number)).every((n) => n === 0),
    GIVE_UP_MS,
  );
}

interface StoredOrder {
  id: string;
  key: string;
  state: OrderState;
  warehouse: string;
}

async function judgeOutage(
  warehouses: RealWarehouses,
  client: LoadClient,
  { killedAt, restoredAt }: { killedAt: number; restoredAt: number },
): Promise<OutageResult> {
  const stored = (
    await warehouses.eachDatabase(async (database, warehouse) => {
      const { rows } = await database.query(`select order_id::text as id, content ->> 'tracking_id' as key, state from orders`);
      return rows.map((row) => ({ ...row, warehouse }) as StoredOrder);
    })
  ).flat();
  const conflicts = await readConflicts(warehouses.url);
  const violations = [
    ...warehouses.faults,
    ...client.odd,
    ...warehouses.unexpectedFailures(),
    ...(await brokenHistories(warehouses, stored)),
  ];
  const ids = new Set(stored.map(({ id }) => id));
  for (const { orderId } of [...client.accepted.values()].flat())
    if (!ids.has(orderId)) violations.push(`I1 order ${orderId} was accepted and is lost`);
  const byKey = Map.groupBy(stored, ({ key }) => key);
  let processedOnce = 0;
  for (const key of client.accepted.keys()) {
    const processed = (byKey.get(key) ?? []).filter(({ state }) => state === 'completed' || state === 'failed');
    if (processed.length === 1) processedOnce += 1;
    else if (!conflicts.has(key))
      violations.push(`I2 key ${key} has ${processed.length} processed orders: ${JSON.stringify(byKey.get(key))}`);
  }
  const isAway = ({ at }: Accepted): boolean => at > killedAt + 2_000 && at < restoredAt;
  const away = [...client.accepted.values()].flatMap(([first]) => (first && first.region === LOST_ONE && isAway(first) ? [first] : []));
  const others = (phase: Phase): number[] => client.attempts[phase].filter(({ region }) => region !== LOST_ONE).map(({ ms }) => ms);
  return {
    accepted: client.accepted.size,
    fallbacks: away.filter(({ because, warehouse }) => because === 'fallback' && warehouse !== LOST_ONE).length,
    unexplained: away.filter(({ because }) => because !== 'fallback').length,
    longestRequestS: Math.max(...Object.values(client.attempts).flatMap((attempts) => attempts.map(({ ms }) => ms))) / 1_000,
    p99BeforeMs: percentile(others('before'), 0.99),
    p99DuringMs: percentile(others('during'), 0.99),
    keys: client.accepted.size,
    processedOnce,
    conflicts: conflicts.size,
    violations,
  };
}

/** Keys that the operator's list names. */
async function readConflicts(url: string): Promise<Set<string>> {
  const keys = new Set<string>();
  let cursor: string | undefined;
  do {
    const answer = await fetch(`${url}/conflicts?limit=200${cursor === undefined ? '' : `&cursor=${cursor}`}`, {
      headers: { authorization: 'operator' },
    });
    const page = (await answer.json()) as { conflicts: { key?: { key: string } }[]; next_cursor?: string };
    for (const { key } of page.conflicts) if (key) keys.add(key.key);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return keys;
}

async function brokenHistories(warehouses: RealWarehouses, stored: readonly StoredOrder[]): Promise<string[]> {
  const found: string[] = [];
  for (const [warehouse, orders] of Map.groupBy(stored, (order) => order.warehouse)) {
    const store = await openPostgresStore({ url: warehouses.urlOf(warehouse), log: silentLog, clock: systemClock });
    const records = await readRecords(
      store,
      orders.map(({ id }) => id),
    );
    await store.close();
    found.push(...violationsOf(records).map(({ invariant, orderId, message }) => `${invariant} ${orderId}: ${message}`));
  }
  return found;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function pauseUntil(moment: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now())));
}
