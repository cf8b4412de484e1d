import type pg from 'pg';
import { toMillionths } from '#domain/money.ts';

export interface RecomputedTotals {
  completed: number;
  priced: number;
  millionths: bigint;
}

const RECOMPUTE = `
  select count(*)::int as completed, count(p.price)::int as priced, coalesce(sum(p.price), 0)::text as price_sum
    from orders o
    left join lateral (select (e.data -> 'result' ->> 'execution_price')::numeric as price from order_history e
                        where e.order_id = o.order_id and e.kind = 'step_completed' and e.data -> 'result' ? 'execution_price') p on true
   where o.state = 'completed'`;

/** What the totals should be, from nothing but the histories of completed orders. */
export async function recomputeTotals(client: pg.Client): Promise<RecomputedTotals> {
  const { rows } = await client.query<{ completed: number; priced: number; price_sum: string }>(RECOMPUTE);
  const { completed = 0, priced = 0, price_sum = '0' } = rows[0] ?? {};
  return { completed, priced, millionths: toMillionths(price_sum) };
}
