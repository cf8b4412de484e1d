import type pg from 'pg';

/** All that happened lies so much further back, a multiple of ten seconds; what waits may be claimed since the same moment as before. */
export async function shiftIntoPast(client: pg.Client, seconds: number): Promise<void> {
  await client.query(`
    begin;
    update orders set accepted_at = accepted_at - by, ended_at = ended_at - by from ${interval(seconds)};
    update order_work set keyed_at = keyed_at - by from ${interval(seconds)};
    update order_events set at = at - by, claimed_at = claimed_at - by,
           steps_at = (select array_agg(s.at - by order by s.n) from unnest(steps_at) with ordinality as s (at, n)) from ${interval(seconds)};
    update order_journal set at = at - by from ${interval(seconds)};
    update statistics_progress set upto = upto - by from ${interval(seconds)};
    with old as (delete from order_statistics returning *)
      insert into order_statistics
      select bucket - by, accepted, completed, failed, cancelled, latency_bins, latency_counts from old, ${interval(seconds)};
    commit`);
}

function interval(seconds: number): string {
  return `(select interval '${seconds} seconds' as by) shift`;
}
