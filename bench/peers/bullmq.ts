import { Queue, Worker } from 'bullmq';
import { type Carrier, CONCURRENCY, inBatches, type Place, STEP_NAMES } from './carrier.ts';

/**
 * BullMQ: one job per order, 50 at once, as its "process step jobs": the processor saves the next step in the job's data
 * (`updateData`) after each: https://docs.bullmq.io/patterns/process-step-jobs; `concurrency`:
 * https://docs.bullmq.io/guide/workers/concurrency; `addBulk`: https://docs.bullmq.io/guide/queues/adding-bulks.
 *
 * Redis appends every write to its log and waits for the disk before it answers (`appendfsync always`), as PostgreSQL does
 * here; so every step is durable before the next. Redis gathers the fsyncs of all commands of one round of its loop. Redis
 * keeps everything in memory.
 */
const QUEUE = 'orders';

interface Order {
  order: number;
  step: number;
}

function connection({ url }: Place) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

export const carrier: Carrier = {
  async prepare(place, count) {
    const queue = new Queue<Order>(QUEUE, { connection: connection(place) });
    await inBatches(count, (orders) => queue.addBulk(orders.map((order) => ({ name: 'order', data: { order, step: 0 } }))));
    await queue.close();
  },

  async connect(place, { run }) {
    const worker = new Worker<Order>(
      QUEUE,
      async (job) => {
        const { order } = job.data;
        for (let { step } = job.data; step < STEP_NAMES.length; step += 1) {
          run(order, step);
          if (step < STEP_NAMES.length - 1) await job.updateData({ order, step: step + 1 });
        }
      },
      { connection: connection(place), concurrency: CONCURRENCY, autorun: false },
    );
    worker.on('error', (error) => console.error(error));
    await worker.waitUntilReady();
    return {
      async begin() {
        void worker.run();
      },
      stop: () => worker.close(true),
    };
  },

  async endedAt(place, count) {
    keeper ??= new Queue<Order>(QUEUE, { connection: connection(place) });
    if ((await keeper.getCompletedCount()) !== count) return undefined;
    const [last] = await keeper.getCompleted(0, 0);
    return last?.finishedOn;
  },
};

let keeper: Queue<Order> | undefined;
