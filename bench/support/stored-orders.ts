import type pg from 'pg';

/** All that the benchmark knows of the tables: what it counts in them, and how it fills them. */

/** Orders completed so far, without reading them. */
export async function countCompleted(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: number }>('select coalesce(sum(completed), 0)::int as n from order_totals');
  return rows[0]?.n ?? 0;
}

/** Orders with an id from `firstId` on. */
export async function countStored(client: pg.Client, firstId: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from orders where order_id >= $1', [firstId]);
  return rows[0]?.n ?? 0;
}

/**
 * Orders completed per second among those with an id from `firstId` on, while all nodes worked: from when the first tenth of the
 * orders had ended (code is compiled by then) and each node had begun, to the first node's last order.
 */
export async function completedPerSecond(client: pg.Client, firstId: string): Promise<number> {
  const { rows } = await client.query<{ rate: number }>(
    `with done as materialized (
       select at, session_id, percent_rank() over (order by at) as share
         from order_events where order_id >= $1 and kind = 'completed'
     ), nodes as (
       select min(at) as first, max(at) as last from done group by session_id
     ), span as (
       select greatest((select min(at) from done where share >= 0.1), max(first)) as began, min(last) as ended from nodes
     )
     select ((count(*) - 1) / extract(epoch from max(at) - min(at)))::float8 as rate
       from done, span where at between began and ended`,
    [firstId],
  );
  return rows[0]?.rate ?? Number.NaN;
}

/** When the n-th order was completed; in seconds. */
export async function endOfOrder(client: pg.Client, n: number): Promise<number> {
  const { rows } = await client.query<{ at: number }>(
    `select extract(epoch from ended_at)::float8 as at from orders where state = 'completed' order by ended_at offset $1 limit 1`,
    [n],
  );
  return rows[0]?.at ?? Number.NaN;
}

export interface TableState {
  deadRows: number;
  tableBytes: number;
  indexBytes: number;
}

/** Of all tables together. */
export async function readTableState(client: pg.Client): Promise<TableState> {
  const { rows } = await client.query<TableState>(
    `select sum(n_dead_tup)::float8 as "deadRows", sum(pg_table_size(relid))::float8 as "tableBytes",
            sum(pg_indexes_size(relid))::float8 as "indexBytes" from pg_stat_user_tables`,
  );
  return rows[0] as TableState;
}

/** Lets one snapshot stay, as a backup or a forgotten session does: nothing dead since then can be removed. */
export async function holdSnapshot(client: pg.Client): Promise<void> {
  await client.query('begin isolation level repeatable read');
  await client.query('select from warehouse');
}

const CHUNK = 100_000;
const DAYS = 30;
/** One order in so many was cancelled while it waited; all others were completed. */
const CANCELLED_EVERY = 1_000;
const STEPS_APART_MS = 5_000;

/** Ids as gateways make them: by time, with the warehouse's number and random digits (see #domain/ids.ts). */
const ID_AT = `(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(random, 1, 3)
                || to_hex(32768 + (select number from warehouse)) || substr(random, 4, 12))::uuid`;

const CHUNK_OF_ORDERS = `
  insert into finished
  select ${ID_AT}, at, n, n % ${CANCELLED_EVERY} = 0
    from (select n, md5(random()::text) as random, now() - interval '1 hour' - ($3 - n)::float8 / $3 * interval '${DAYS} days' as at
            from generate_series($1::int, $2::int) n) x`;

const CHUNK_OF_ROWS = `
  insert into orders (order_id, accepted_at, next_run_at, ended_at, fence, version, state, workflow_id, step, customer_id, content)
  select order_id, at, ended_at, ended_at, case when cancelled then 1 else 2 end, case when cancelled then 2 else 6 end,
         case when cancelled then 'cancelled' else 'completed' end::order_state, 1, case when cancelled then 1 else 4 end,
         case when n % 1009 = 0 then 'user' else 'customer-' || n % 1009 end,
         jsonb_build_object('customer_name', 'Customer ' || n % 20011, 'region', (array['HCM', 'HN', 'DN'])[1 + n % 3],
                            'symbol', 'abc', 'quantity', 1 + n % 7)
    from (select *, at + case when cancelled then interval '1 second' else ${4 * STEPS_APART_MS} * interval '1 millisecond' end as ended_at
            from finished) x`;

/** Acceptance, claim and completed steps are told by other rows (see the view order_history). */
const CHUNK_OF_EVENTS = `
  insert into order_events (order_id, at, session_id, version, fence, kind, direction, step, claimed_at, steps_at, results)
  select order_id, at + case when cancelled then interval '0' else ${4 * STEPS_APART_MS} * interval '1 millisecond' end,
         case when not cancelled then 0 end, case when cancelled then 2 else 6 end, 1,
         case when cancelled then 'cancelled' else 'completed' end::event_kind, 'forward', case when cancelled then 1 else 4 end,
         case when not cancelled then at end,
         case when not cancelled then array(select at + n * ${STEPS_APART_MS} * interval '1 millisecond' from generate_series(1, 3) as n) end,
         case when not cancelled then '[null, null, {"result": {"execution_price": "101.250000"}}]'::jsonb end
    from finished
   order by at, order_id`;

/** Fills a database with orders that ended in the last 30 days, with their histories, as time leaves it. */
export async function storeFinishedOrders(client: pg.Client, count: number): Promise<void> {
  await client.query('set synchronous_commit = off');
  await client.query('create temporary table finished (order_id uuid, at timestamptz, n int, cancelled boolean)');
  for (let from = 1; from <= count; from += CHUNK) {
    await client.query('truncate finished');
    await client.query(CHUNK_OF_ORDERS, [from, Math.min(count, from + CHUNK - 1), count]);
    await client.query(CHUNK_OF_ROWS);
    await client.query(CHUNK_OF_EVENTS);
  }
  await client.query('drop table finished');
  await client.query('reset synchronous_commit');
  // Otherwise the server would do it while something is measured.
  await client.query('vacuum analyze');
  await client.query('select seal_ranges(1000000)');
  await client.query('checkpoint');
}

/** Ids of orders that ended, from all times. */
export async function someFinishedIds(client: pg.Client, count: number): Promise<string[]> {
  const { rows } = await client.query<{ order_id: string }>(
    `select order_id from orders tablesample system (1) where state = 'completed' order by random() limit $1`,
    [count],
  );
  return rows.map((row) => row.order_id);
}

/** The first `from` orders with their histories, again and again under new ids, until there are `to`. */
export async function copyOrders(client: pg.Client, from: number, to: number): Promise<void> {
  await client.query(`create temporary table copied (order_id uuid, new_id uuid)`);
  for (let stored = from; stored < to; stored += from) {
    await client.query(`truncate copied`);
    await client.query(
      `insert into copied select order_id, uuidv7() from (select order_id from orders order by accepted_at, order_id limit ${from}) o`,
    );
    await client.query(`
      insert into orders (order_id, accepted_at, next_run_at, ended_at, fence, version, state, direction, workflow_id, step, customer_id, content)
      select c.new_id, accepted_at, next_run_at, ended_at, fence, version, state, direction, workflow_id, step, customer_id, content
        from orders o join copied c using (order_id)`);
    await client.query(`
      insert into order_events (order_id, at, session_id, version, fence, kind, direction, step, claimed_at, data, steps_at, results)
      select c.new_id, e.at, e.session_id, e.version, e.fence, e.kind, e.direction, e.step, e.claimed_at, e.data, e.steps_at, e.results
        from order_events e join copied c using (order_id)`);
  }
  await client.query(`vacuum analyze`);
}

export interface Generated {
  ticks: number;
  orders: number;
  keys: number;
}

/** Orders of the generator, and the keys that say for which tick they are. */
export async function countGenerated(client: pg.Client): Promise<Generated> {
  const { rows } = await client.query<Generated>(`
    select count(distinct k.key)::int as ticks, count(distinct o.order_id)::int as orders, count(*)::int as keys
      from orders o left join order_keys k using (order_id) where o.customer_id = 'generator'`);
  return rows[0] as Generated;
}

/** A new order as accepting stores it, in a statement of its own. */
export const INSERT_ONE = {
  name: 'insert_one',
  text: `with stored as (
           insert into orders (order_id, customer_id, workflow_id, content, accepted_at, next_run_at)
           values ($1, $2, 1, $3, statement_timestamp(), statement_timestamp()))
         insert into order_work (order_id, next_run_at, workflow_id)
         values ($1, statement_timestamp(), 1) returning next_run_at as at`,
};

/** Counts what was stored, as the leader does in good time: right after a start it would still be at it. */
export async function rollUpStatistics(client: pg.Client): Promise<void> {
  for (let isDone = false; !isDone; ) {
    const { rows } = await client.query<{ done: boolean }>(`select due_in > interval '0' as done from roll_up_statistics(10000)`);
    isDone = rows[0]?.done ?? true;
  }
}
