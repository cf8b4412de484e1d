import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { percentileOf } from '#domain/histogram.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { PLANNER } from '#store/postgres/connect.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { acceptMany, ORDER_WORKFLOW } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('rolling up on PostgreSQL', () => {
  let database: TestDatabase;
  let store: Store;
  let client: pg.Client;
  beforeEach(async () => {
    database = await createTestDatabase();
    store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
    await store.registerWorkflows([ORDER_WORKFLOW]);
    client = new pg.Client({ connectionString: database.url, options: PLANNER });
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await store.close();
    await database.drop();
  });

  const ask = async (sql: string, values: unknown[] = []) => (await client.query(sql, values)).rows[0];
  const sums = () =>
    ask(`select coalesce(sum(accepted), 0)::int as accepted, coalesce(sum(completed), 0)::int as completed,
                coalesce(sum(cancelled), 0)::int as cancelled from order_statistics`);

  /** Orders that completed after these many milliseconds each, accepted so long ago. */
  async function makeCompleted(count: number, agoMs: number, latency: string): Promise<void> {
    await client.query(
      `with made as (
         insert into orders (order_id, accepted_at, next_run_at, ended_at, version, state, workflow_id, step, customer_id, content)
         select uuidv7(), at, at, at + (${latency}) * interval '1 millisecond', 6, 'completed', 1, 4, 'user', '{}'
           from (select n, clock_timestamp() - $2 * interval '1 millisecond' as at from generate_series(1, $1::int) n) s
         returning order_id, ended_at)
       insert into order_events (order_id, at, version, fence, kind, direction, step)
       select order_id, ended_at, 6, 1, 'completed', 'forward', 4 from made`,
      [count, agoMs],
    );
  }

  async function countAll(maxBuckets = 720): Promise<number> {
    for (let calls = 1; ; calls += 1) {
      if ((await store.statistics.rollUp({ maxBuckets })).dueInMs > 0) return calls;
    }
  }

  it('I13: what a transaction tells that is still open is waited for, and then counted', async () => {
    const writer = new pg.Client({ connectionString: database.url, application_name: 'conveyor accept' });
    await writer.connect();
    try {
      await countAll();
      await writer.query('begin');
      const open = await writer.query(
        `insert into orders (order_id, accepted_at, next_run_at, workflow_id, customer_id, content)
         values (uuidv7(), statement_timestamp(), statement_timestamp(), 1, 'user', '{}') returning accepted_at`,
      );
      await acceptMany(store, 2);
      const isOver = `select date_bin('10 seconds', clock_timestamp() - interval '10 milliseconds', 'epoch') > $1 as over`;
      await waitUntil('its bucket to be over', async () => (await ask(isOver, [open.rows[0].accepted_at])).over);
      const { upto, dueInMs } = await store.statistics.rollUp({ maxBuckets: 100 });
      expect(upto).toBeLessThanOrEqual(open.rows[0].accepted_at.getTime());
      expect([dueInMs, await sums()]).toEqual([1_000, { accepted: 0, completed: 0, cancelled: 0 }]);
      await writer.query('commit');
      await countAll();
      expect(await sums()).toEqual({ accepted: 3, completed: 0, cancelled: 0 });
    } finally {
      await writer.end();
    }
  });

  it('begins seven days ago at the earliest, goes on in pieces, and adds up what is past an hour to five minutes', async () => {
    await makeCompleted(2, 9 * DAY_MS, '100');
    await makeCompleted(3, 6 * DAY_MS, '100');
    await makeCompleted(4, 5 * DAY_MS, '5000');
    await makeCompleted(5, 10 * 60_000, '100');
    await client.query(
      `insert into order_statistics values (date_bin('5 minutes', now() - interval '8 days 1 hour', 'epoch'), 1, 0, 0, 0, '{}', '{}')`,
    );
    const first = await store.statistics.rollUp({ maxBuckets: 6 });
    expect(Math.abs(first.upto - (systemClock.now() - 7 * DAY_MS + 60_000))).toBeLessThan(30_000);
    expect(first.dueInMs).toBe(0);
    expect(await countAll()).toBeGreaterThanOrEqual(84);
    expect(await sums()).toEqual({ accepted: 12, completed: 12, cancelled: 0 });
    const { rows } = await client.query<{ bucket: Date; completed: number }>('select bucket, completed from order_statistics order by 1');
    expect(rows.filter(({ completed }) => completed > 0).map(({ completed }) => completed)).toEqual([3, 4, 5]);
    const [wide, , narrow] = rows.map(({ bucket }) => bucket.getTime());
    expect([(wide ?? 0) % 300_000, (narrow ?? 0) % 10_000]).toEqual([0, 0]);
    const { points, latencies } = await store.statistics.readWindow({
      ...{ since: (wide ?? 0) - ((wide ?? 0) % 7_200_000), until: systemClock.now(), pointMs: 7_200_000 },
    });
    expect(points.map(({ completed }) => completed)).toEqual([3, 4, 5]);
    expect([50, 99].map((percent) => Math.round(percentileOf(latencies, percent) ?? 0))).toEqual([103, 5_087]);
  });

  it('adds up without a loss', async () => {
    await client.query(`update statistics_progress set upto = date_bin('10 seconds', clock_timestamp() - interval '3 hours', 'epoch')`);
    await client.query(
      `insert into order_statistics
       select (select upto from statistics_progress) - n * interval '10 seconds', n, 2 * n, 1, 3, array[n % 7, 8]::smallint[], array[1, 2]
         from generate_series(1, 350) n`,
    );
    await countAll(50);
    const all = await ask(`select sum(accepted)::int as accepted, sum(completed)::int as completed, count(*)::int as rows,
                                  count(*) filter (where extract(epoch from bucket)::bigint % 300 <> 0)::int as narrow from order_statistics`);
    expect(all).toEqual({ accepted: 61_425, completed: 122_850, rows: expect.any(Number), narrow: 0 });
    expect(all.rows).toBeLessThanOrEqual(13);
    const bins = await client.query(
      `select l.bin, sum(l.count)::int as count from order_statistics, unnest(latency_bins, latency_counts) as l (bin, count) group by 1 order by 1`,
    );
    expect(bins.rows.map(({ bin, count }) => [bin, count])).toEqual([...[0, 1, 2, 3, 4, 5, 6].map((bin) => [bin, 50]), [8, 700]]);
  });

  it('of very many orders some stand for the others: all are counted, their times nearly', async () => {
    await client.query(`update statistics_progress set upto = date_bin('10 seconds', clock_timestamp() - interval '1 minute', 'epoch')`);
    await makeCompleted(12_000, 40_000, '1000 + n % 1000');
    await countAll(1);
    expect(await sums()).toMatchObject({ accepted: 12_000, completed: 12_000 });
    const { latencies } = await store.statistics.readWindow({
      since: systemClock.now() - HOUR_MS,
      until: systemClock.now(),
      pointMs: 10_000,
    });
    const total = [...latencies.values()].reduce((sum, count) => sum + count, 0);
    expect(Math.abs(total - 12_000)).toBeLessThan(1_200);
    expect(Math.abs((percentileOf(latencies, 50) ?? 0) - 1_500)).toBeLessThan(100);
  });

  it('reads no table from end to end; without one of its indexes it would', async () => {
    await makeCompleted(100, 40_000, '1000');
    const scans = async (): Promise<number> => {
      await client.query(`update statistics_progress set upto = date_bin('10 seconds', clock_timestamp() - interval '1 minute', 'epoch')`);
      const counted = `select coalesce(sum(seq_scan), 0)::int as n from pg_stat_user_tables where relname ~ '^(orders|order_events|order_statistics)'`;
      await client.query('select pg_stat_force_next_flush()');
      const before = await ask(counted);
      await client.query('delete from order_statistics where bucket > $1', [new Date(systemClock.now() - HOUR_MS)]);
      await client.query('select * from roll_up_statistics(10)');
      await client.query('select pg_stat_force_next_flush()');
      return (await ask(counted)).n - before.n;
    };
    expect(await scans()).toBe(0);
    await client.query('drop index orders_by_acceptance');
    expect(await scans()).toBeGreaterThan(0);
  });
});
