import pg from 'pg';

const BATCH = 50;
const STEPS = 4;

/**
 * The yardstick R: orders per second that one connection carries through four durable transitions, 50 orders a statement,
 * each an `UPDATE … FROM unnest` that appends to an array on the order's row. What PostgreSQL can do here and now.
 */
export async function measureYardstick(url: string, orderCount: number): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('drop table if exists yardstick');
    await client.query(`create table yardstick (order_id uuid primary key default uuidv7(), step smallint not null default 0,
                                                times timestamptz[] not null default '{}') with (fillfactor = 70)`);
    const { rows } = await client.query<{ order_id: string }>(
      `insert into yardstick select from generate_series(1, ${orderCount}) returning order_id`,
    );
    await client.query('vacuum analyze yardstick');
    const advance = {
      name: 'yardstick',
      text: `update yardstick y set step = y.step + 1, times = y.times || clock_timestamp()
               from unnest($1::uuid[]) as i (order_id) where y.order_id = i.order_id`,
    };
    const began = performance.now();
    for (let from = 0; from < rows.length; from += BATCH) {
      const ids = rows.slice(from, from + BATCH).map((row) => row.order_id);
      for (let step = 0; step < STEPS; step += 1) await client.query({ ...advance, values: [ids] });
    }
    return (orderCount / (performance.now() - began)) * 1_000;
  } finally {
    await client.end();
  }
}
