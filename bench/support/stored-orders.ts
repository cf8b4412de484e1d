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
