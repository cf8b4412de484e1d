import { PgBoss } from 'pg-boss';
import { type Carrier, CONCURRENCY, inBatches, STEP_NAMES } from './carrier.ts';

/**
 * pg-boss: one job per order, fetched 50 at a time; the batch goes through the steps in lockstep. pg-boss cannot change a
 * job that is active, so a row of the order's own says which steps are done: one statement for the batch after each step, through
 * pg-boss's pool (`getDb().executeSql`); completing the batch makes the last one durable. Every step is durable before the next.
 * Kept is the last step, not when each ended; a slow order holds up the 49 beside it.
 *
 * `batchSize` and `burstWhenBatchFull` (fetch again at once while batches come back full):
 * https://pgboss.io/api/workers; `insert`, the bulk way in: https://pgboss.io/api/jobs; `partition` (a table of its own):
 * https://pgboss.io/api/queues. Maintenance and schedules are off: nothing competes with the work.
 */
const QUEUE = 'orders';
const START = { supervise: false, schedule: false } as const;
const ADVANCE = 'update progress o set step = o.step + 1 from unnest($1::int[]) as i (order_no) where o.order_no = i.order_no';

interface Order {
  order: number;
}

export const carrier: Carrier = {
  async prepare({ url }, count) {
    const boss = await new PgBoss({ connectionString: url, ...START }).start();
    await boss.createQueue(QUEUE, { partition: true });
    const db = boss.getDb();
    await db.executeSql('create table progress (order_no int primary key, step smallint not null default 0) with (fillfactor = 70)');
    await db.executeSql('insert into progress select from_no from generate_series(0, $1::int - 1) as from_no', [count]);
    await inBatches(count, (orders) =>
      boss.insert(
        QUEUE,
        orders.map((order) => ({ data: { order } })),
      ),
    );
    await boss.stop();
  },

  async connect({ url }, { run }) {
    const boss = await new PgBoss({ connectionString: url, ...START }).start();
    const db = boss.getDb();
    return {
      async begin() {
        await boss.work<Order>(QUEUE, { batchSize: CONCURRENCY, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 }, async (jobs) => {
          const orders = jobs.map(({ data }) => data.order);
          for (let step = 0; step < STEP_NAMES.length; step += 1) {
            for (const order of orders) run(order, step);
            if (step < STEP_NAMES.length - 1) await db.executeSql(ADVANCE, [orders]);
          }
        });
      },
      stop: () => boss.stop({ graceful: false }),
    };
  },

  async endedAt({ url }, count) {
    keeper ??= await new PgBoss({ connectionString: url, ...START }).start();
    const { rows } = await keeper.getDb().executeSql(
      `select count(*)::int as ended, extract(epoch from max(completed_on))::float8 * 1000 as at
         from pgboss.job where name = $1 and state = 'completed'`,
      [QUEUE],
    );
    return rows[0].ended === count ? rows[0].at : undefined;
  },
};

let keeper: PgBoss | undefined;
