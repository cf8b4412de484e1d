import pg from 'pg';

const BATCH = 50;
const STEPS = 4;
const CONNECTIONS = 4;
const ADVANCE = {
  name: 'yardstick',
  text: `update yardstick y set step = y.step + 1, times = y.times || clock_timestamp()
           from unnest($1::uuid[]) as i (order_id) where y.order_id = i.order_id`,
};

/**
 * The yardstick R: orders per second that one connection carries through four durable transitions, 50 orders a statement,
 * each an `UPDATE … FROM unnest` that appends to an array on the order's row. What PostgreSQL can do here and now.
 */
export function measureYardstick(url: string, orderCount: number): Promise<number> {
  return measure(url, orderCount, 1);
}

/** The same on four connections at once, an equal part of the orders each: what one process gets out of PostgreSQL. */
export function measureConcurrentYardstick(url: string, orderCount: number): Promise<number> {
  return measure(url, orderCount, CONNECTIONS);
}

async function measure(url: string, orderCount: number, connectionCount: number): Promise<number> {
  const clients = Array.from({ length: connectionCount }, () => new pg.Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  try {
    const batches = await storeBatches(clients[0] as pg.Client, orderCount);
    const share = Math.ceil(batches.length / connectionCount);
    const began = performance.now();
    await Promise.all(clients.map((client, index) => carry(client, batches.slice(index * share, (index + 1) * share))));
    return (orderCount / (performance.now() - began)) * 1_000;
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

async function storeBatches(client: pg.Client, orderCount: number): Promise<string[][]> {
  await client.query('drop table if exists yardstick');
  await client.query(`create table yardstick (order_id uuid primary key default uuidv7(), step smallint not null default 0,
                                              times timestamptz[] not null default '{}') with (fillfactor = 70)`);
  const { rows } = await client.query<{ order_id: string }>(
    `insert into yardstick select from generate_series(1, ${orderCount}) returning order_id`,
  );
  await client.query('vacuum analyze yardstick');
  const ids = rows.map((row) => row.order_id);
  return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) => ids.slice(index * BATCH, (index + 1) * BATCH));
}

async function carry(client: pg.Client, batches: readonly string[][]): Promise<void> {
  for (const ids of batches) for (let step = 0; step < STEPS; step += 1) await client.query({ ...ADVANCE, values: [ids] });
}
