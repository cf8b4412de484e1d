import type { Carrier, Place, Share } from './carrier.ts';
import { ExecutionCount } from './executions.ts';

/**
 * One process of a product. The `keeper` stores the orders, and, once told to (SIGUSR2), says when the last one ended.
 * A `worker` loads and connects, begins when told to, and tells what it has run.
 */
const env = (name: string): string => process.env[name] ?? '';
const TELL_EVERY_MS = 20;
const LOOK_EVERY_MS = 10;

const { carrier } = (await import(`./${env('BENCH_PEER')}.ts`)) as { carrier: Carrier };
const place = JSON.parse(env('BENCH_PLACE')) as Place;
const orders = Number(env('BENCH_ORDERS'));
const told = Promise.withResolvers<void>();
process.once('SIGUSR2', () => told.resolve());
/** Waiting for a signal alone would let the process end. */
setInterval(() => undefined, 60_000);

if (env('BENCH_ROLE') === 'keeper') await keep();
else await work();

async function keep(): Promise<void> {
  await carrier.prepare(place, orders);
  console.log('ready keeper');
  process.once('SIGTERM', () => process.exit(0));
  await told.promise;
  for (;;) {
    const at = await carrier.endedAt(place, orders);
    if (at !== undefined) return console.log(`ended ${at}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function work(): Promise<void> {
  const [index, processes] = [Number(env('BENCH_PROCESS')), Number(env('BENCH_PROCESSES'))];
  const count = new ExecutionCount(orders);
  const share: Share = {
    process: index,
    from: Math.floor((orders * index) / processes),
    to: Math.floor((orders * (index + 1)) / processes),
    run: (order, step) => count.add(order, step),
  };
  const worker = await carrier.connect(place, share);
  console.log('ready worker');
  let last = 0;
  setInterval(() => {
    const executions = count.read();
    if (executions.total > last) console.log(`executions ${JSON.stringify(executions)}`);
    last = executions.total;
  }, TELL_EVERY_MS);
  process.once('SIGTERM', () => void worker.stop().finally(() => process.exit(0)));
  await told.promise;
  await worker.begin();
}
