import type pg from 'pg';

const STRAYS = `
  select coalesce(o.order_id, w.order_id)::text as id, o.state::text as state, w.order_id is not null as listed
    from orders o full join order_work w on w.order_id = o.order_id
   where (coalesce(o.state in ('queued', 'running'), false)) <> (w.order_id is not null)
      or (w.order_id is not null
          and ((w.owner_session, w.workflow_id, w.keyed_at)
                 is distinct from (o.owner_session, o.workflow_id, case when o.keyed then o.accepted_at end)
               or (w.owner_session is null and w.next_run_at <> o.next_run_at)))`;

/** Where the table of waiting and running orders does not say what the orders' own rows say; empty when all is well. */
export async function findStrayWork(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ id: string; state: string | null; listed: boolean }>(STRAYS);
  return rows.map(
    ({ id, state, listed }) => `order ${id} is ${state ?? 'unknown'} and ${listed ? 'listed otherwise' : 'not listed'} in order_work`,
  );
}
