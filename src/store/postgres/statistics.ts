import type { EpochMs } from '#domain/time.ts';
import { MAX_NEEDS_ATTENTION, type StatisticsStore } from '#engine/statistics-store.ts';
import type { Connection, Statement } from './connect.ts';

const ROLL_UP: Statement = {
  name: 'roll_up_statistics',
  text: `select upto, (extract(epoch from due_in) * 1000)::float8 as due_in_ms from roll_up_statistics($1)`,
};

/** The head of the claim's index, and at most a thousand entries of the one of rare states. */
const READ_PRESENT: Statement = {
  name: 'read_present',
  text: `
    select p.upto, w.order_id, w.next_run_at,
           (select count(*) from (select from orders o where o.rare_state = 'needs_attention' limit ${MAX_NEEDS_ATTENTION}) n) as needs_attention
      from statistics_progress p
      left join lateral (
        select w.order_id, w.next_run_at from order_work w
         where w.owner_session is null and w.next_run_at <= statement_timestamp()
         order by w.next_run_at, w.order_id limit 1) w on true`,
};

const READ_WINDOW: Statement = {
  name: 'read_statistics_window',
  text: `
    with found as materialized (
      select date_bin($3 * interval '1 millisecond', s.bucket, 'epoch') as at, s.* from order_statistics s
       where s.bucket >= $1::timestamptz and s.bucket < $2::timestamptz
    ), points as (
      select f.at, sum(f.accepted) as accepted, sum(f.completed) as completed, sum(f.failed) as failed, sum(f.cancelled) as cancelled
        from found f group by f.at
    ), latencies as (
      select l.bin, sum(l.count) as count from found f, unnest(f.latency_bins, f.latency_counts) as l (bin, count) group by l.bin
    )
    select (select json_agg(json_build_array((extract(epoch from p.at) * 1000)::bigint, p.accepted, p.completed, p.failed, p.cancelled)
                            order by p.at) from points p) as points,
           (select json_agg(json_build_array(l.bin, l.count)) from latencies l) as latencies`,
};

interface PresentRow {
  upto: EpochMs | null;
  order_id: string | null;
  next_run_at: EpochMs | null;
  needs_attention: number;
}

interface WindowRow {
  points: [at: EpochMs, accepted: number, completed: number, failed: number, cancelled: number][] | null;
  latencies: [bin: number, count: number][] | null;
}

/** What asks does not wait for what is being rolled up. */
export function statisticsStore({ statistics, rare }: Record<'statistics' | 'rare', Connection>): StatisticsStore {
  return {
    async rollUp({ maxBuckets }) {
      const [row] = await statistics.run<{ upto: EpochMs; due_in_ms: number }>(ROLL_UP, [maxBuckets]);
      const { upto, due_in_ms } = row as NonNullable<typeof row>;
      return { upto, dueInMs: due_in_ms };
    },
    async readPresent() {
      const [row] = await rare.run<PresentRow>(READ_PRESENT, []);
      const { upto, order_id, next_run_at, needs_attention } = row as PresentRow;
      const oldestWaiting = order_id === null || next_run_at === null ? undefined : { orderId: order_id, since: next_run_at };
      return { countedUpto: upto ?? undefined, oldestWaiting, needsAttention: needs_attention };
    },
    async readWindow({ since, until, pointMs }) {
      const [row] = await rare.run<WindowRow>(READ_WINDOW, [new Date(since).toISOString(), new Date(until).toISOString(), pointMs]);
      const { points, latencies } = row as WindowRow;
      return {
        points: (points ?? []).map(([at, accepted, completed, failed, cancelled]) => ({ at, accepted, completed, failed, cancelled })),
        latencies: new Map(latencies),
      };
    },
  };
}
