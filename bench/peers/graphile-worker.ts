import { makeWorkerUtils, type Runner, run as runWorker } from 'graphile-worker';
import pg from 'pg';
import { type Carrier, CONCURRENCY, inBatches, STEP_NAMES } from './carrier.ts';

/**
 * graphile-worker: one job per order, 50 at once. After each of the first three steps a row of the order's own says so, in a
 * statement through the worker's pool; the job's completion makes the last one durable.
 *
 * `localQueue` of 500 and `completeJobBatchDelay: 0` are those of the configuration that its makers measure with:
 * https://worker.graphile.org/docs/performance; the pool is as there one larger than the concurrency. `addJobs`, the bulk way
 * in: https://worker.graphile.org/docs/library/add-job. A batched completion is durable a moment after the handler returned,
 * and so is the order's end here.
 */
const TASK = 'order';
const preset = (connectionString: string) => ({
  worker: {
    connectionString,
    concurrentJobs: CONCURRENCY,
    maxPoolSize: CONCURRENCY + 1,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
});
const ADVANCE = { name: 'advance', text: 'update progress set step = step + 1 where order_no = $1' };

export const carrier: Carrier = {
  async prepare({ url }, count) {
    const utils = await makeWorkerUtils({ connectionString: url });
    await utils.migrate();
    await utils.withPgClient(async (client) => {
      await client.query('create table progress (order_no int primary key, step smallint not null default 0) with (fillfactor = 70)');
      await client.query('insert into progress select from_no from generate_series(0, $1::int - 1) as from_no', [count]);
    });
    await inBatches(count, (orders) => utils.addJobs(orders.map((order) => ({ identifier: TASK, payload: { order } }))));
    await utils.release();
  },

  async connect({ url }, { run }) {
    let runner: Runner | undefined;
    const task = async (payload: unknown, { withPgClient }: { withPgClient: WithClient }): Promise<void> => {
      const { order } = payload as { order: number };
      for (let step = 0; step < STEP_NAMES.length; step += 1) {
        run(order, step);
        if (step < STEP_NAMES.length - 1) await withPgClient((client) => client.query({ ...ADVANCE, values: [order] }));
      }
    };
    return {
      async begin() {
        runner = await runWorker({ preset: preset(url), noHandleSignals: true, taskList: { [TASK]: task } });
      },
      stop: async () => runner?.stop(),
    };
  },

  /** Jobs that are done are deleted, so the end is when none is left. */
  async endedAt({ url }) {
    keeper ??= new pg.Pool({ connectionString: url, max: 1 });
    const { rows } = await keeper.query('select from graphile_worker._private_jobs limit 1');
    return rows.length === 0 ? Date.now() : undefined;
  },
};

type WithClient = <Result>(use: (client: pg.PoolClient) => Promise<Result>) => Promise<Result>;
let keeper: pg.Pool | undefined;
