import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { type Carrier, CONCURRENCY, inBatches, type Place, STEP_NAMES } from './carrier.ts';

/**
 * DBOS: one workflow per order, four steps (`DBOS.runStep`), each checkpointed in PostgreSQL before the next:
 * https://docs.dbos.dev/typescript/tutorials/workflow-tutorial. The orders wait in a queue, from which a process takes as many
 * as `workerConcurrency` allows: https://docs.dbos.dev/typescript/tutorials/queue-tutorial; asked every 5 ms instead of every
 * second (`minPollingIntervalMs`): https://docs.dbos.dev/typescript/reference/queues. Calling the workflow without a queue,
 * 50 at a time, was a little slower here. `useListenNotify` is off because nothing waits for a message.
 */
const QUEUE = 'orders';
const WORKFLOW = 'carry';
const configuration = (place: Place, executor: string) => ({
  name: 'orders',
  systemDatabaseUrl: place.url,
  systemDatabasePoolSize: 20,
  useListenNotify: false,
  logLevel: 'error',
  applicationVersion: '1',
  executorID: executor,
});

export const carrier: Carrier = {
  async prepare(place, count) {
    DBOS.setConfig(configuration(place, 'keeper'));
    await DBOS.launch();
    await DBOS.registerQueue(QUEUE, { workerConcurrency: CONCURRENCY, minPollingIntervalMs: 5 });
    await DBOS.shutdown();
    const client = await DBOSClient.create({ systemDatabaseUrl: place.url, applicationName: 'orders' });
    const enqueue = (order: number) => client.enqueue({ workflowName: WORKFLOW, queueName: QUEUE, appVersion: '1' }, order);
    await inBatches(count, (orders) => Promise.all(orders.map(enqueue)));
    await client.destroy();
  },

  /** A launched process takes orders at once, so it is launched when it may begin. */
  async connect(place, { process, run }) {
    DBOS.registerWorkflow(
      async (order: number) => {
        for (const [step, name] of STEP_NAMES.entries()) await DBOS.runStep(async () => run(order, step), { name });
      },
      { name: WORKFLOW },
    );
    DBOS.setConfig(configuration(place, `process-${process}`));
    return { begin: () => DBOS.launch(), stop: () => DBOS.shutdown() };
  },

  async endedAt({ url }, count) {
    keeper ??= new pg.Pool({ connectionString: url, max: 1 });
    const { rows } = await keeper.query<{ ended: number; at: number }>(
      `select count(*)::int as ended, max(updated_at)::float8 as at from dbos.workflow_status where name = $1 and status = 'SUCCESS'`,
      [WORKFLOW],
    );
    return rows[0]?.ended === count ? rows[0].at : undefined;
  },
};

let keeper: pg.Pool | undefined;
