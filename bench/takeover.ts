import type pg from 'pg';
import { type BenchChild, startChild } from './support/child.ts';
import { type Figure, median } from './support/figures.ts';
import { acceptOrders, checkHistories } from './support/orders.ts';
import { type BenchDatabase, type BenchServer, waitUntil } from './support/server.ts';

const SLOTS = 50;
const SURVIVORS = 2;
const LEASE_S = 3;
const STEP_MS = '5000';

interface Kill {
  signal: 'SIGKILL' | 'SIGSTOP';
  liveness: 'on' | 'off';
}

/**
 * From the death of a process that runs 50 steps of 5 seconds to the moment at which all 50 run elsewhere. Both moments are
 * the database's: the first is asked for just before the signal, so the answer's way back is counted against us.
 */
export async function benchTakeover(server: BenchServer, rounds: number, slowRounds: number): Promise<Figure[]> {
  // A server that has just started gives everybody a lease of grace.
  await new Promise((resolve) => setTimeout(resolve, LEASE_S * 1_000));
  const fast = await measure(server, { signal: 'SIGKILL', liveness: 'on' }, rounds);
  const slow = await measure(server, { signal: 'SIGKILL', liveness: 'off' }, slowRounds);
  const paused = await measure(server, { signal: 'SIGSTOP', liveness: 'on' }, slowRounds);
  const limit = { atMost: LEASE_S + 2 };
  return [
    { name: `takeover after kill -9 (${rounds} kills)`, value: median(fast.seconds), unit: 's', target: { atMost: 0.5 } },
    { name: '… the slowest', value: Math.max(...fast.seconds), unit: 's' },
    { name: '… without liveness connection', value: median(slow.seconds), unit: 's', target: limit },
    { name: '… after SIGSTOP', value: median(paused.seconds), unit: 's', target: limit },
    { name: '… writes refused after SIGCONT', value: Math.min(...paused.refused), unit: 'of 50', target: { atLeast: 1 } },
  ];
}

async function measure(server: BenchServer, kill: Kill, rounds: number): Promise<{ seconds: number[]; refused: number[] }> {
  const seconds: number[] = [];
  const refused: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const database = await server.createDatabase();
    try {
      const result = await killOne(database, kill);
      seconds.push(result.seconds);
      refused.push(result.refused);
    } finally {
      await database.close();
    }
  }
  return { seconds, refused };
}

async function killOne(database: BenchDatabase, { signal, liveness }: Kill): Promise<{ seconds: number; refused: number }> {
  const { client, store, url } = database;
  const env = { BENCH_URL: url, BENCH_STEP_MS: STEP_MS, BENCH_LIVENESS: liveness };
  const victim = await startChild('cluster-nodes.ts', env);
  const survivors: BenchChild[] = [];
  try {
    const orderIds = await acceptOrders(store, SLOTS);
    await waitUntil(async () => (await store.readLoad()).running === SLOTS);
    for (let index = 0; index < SURVIVORS; index += 1) survivors.push(await startChild('cluster-nodes.ts', env));
    if (liveness === 'on') await waitUntil(async () => (await countHeld(client)) === SURVIVORS + 1);
    if (signal === 'SIGSTOP') await untilStepsEndSoon(client);
    // Any moment of everybody's ticks is as good as another.
    else await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000));
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    victim.kill(signal);
    const since = rows[0]?.now as Date;
    const taken = (): Promise<Taken> => readTaken(client, since, Number(victim.ready));
    await waitUntil(async () => (await taken()).orders === SLOTS);
    const { seconds } = await taken();
    const refused = signal === 'SIGSTOP' ? await wake(client, victim) : 0;
    await checkHistories(store, orderIds, false);
    return { seconds, refused };
  } finally {
    victim.kill('SIGCONT');
    await Promise.all([victim, ...survivors].map((child) => child.stop()));
  }
}

/** A node that is paused just before its steps end wants to write their ends when it wakes: that is what must be refused. */
function untilStepsEndSoon(client: pg.Client): Promise<void> {
  return waitUntil(async () => {
    const age = `extract(epoch from clock_timestamp() - max(at))`;
    return (await count(client, `select (${age} between 3.5 and 4.2)::int as n from order_history where kind <> 'accepted'`, [])) === 1;
  });
}

/** Lets the paused node go on; how many of its writes were refused, by its own count. */
async function wake(client: pg.Client, victim: BenchChild): Promise<number> {
  victim.kill('SIGCONT');
  const count = async (): Promise<number> => {
    const { rows } = await client.query<{ n: number }>(
      `select coalesce(max(n.fenced_writes), 0)::int as n from node_sessions n
        where n.state <> 'dead' and n.node_id = (select node_id from node_sessions where session_id = $1)`,
      [Number(victim.ready)],
    );
    return rows[0]?.n ?? 0;
  };
  await waitUntil(async () => (await count()) > 0).catch(() => undefined);
  return count();
}

async function countHeld(client: pg.Client): Promise<number> {
  return count(client, `select count(*)::int as n from node_sessions where state <> 'dead' and has_liveness`, []);
}

interface Taken {
  orders: number;
  seconds: number;
}

/** Orders that another session than the victim's has claimed since then, and how long it took until each had been for the first time. */
async function readTaken(client: pg.Client, since: Date, victim: number): Promise<Taken> {
  const { rows } = await client.query<Taken>(
    `select count(*)::int as orders, extract(epoch from max(first) - $1)::float8 as seconds
       from (select min(at) as first from order_history where kind = 'claimed' and at > $1 and session_id <> $2 group by order_id) c`,
    [since, victim],
  );
  return rows[0] as Taken;
}

async function count(client: pg.Client, text: string, values: unknown[]): Promise<number> {
  const { rows } = await client.query<{ n: number }>(text, values);
  return rows[0]?.n ?? 0;
}
