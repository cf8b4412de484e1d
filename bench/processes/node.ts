import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import { defineWorkflow, type StepContext, step } from '#engine/workflow.ts';
import { startNode } from '#node/node.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { timeClaims } from '../support/claim-times.ts';
import { STEP_NAMES } from '../support/server.ts';

/**
 * One node of 50 slots with empty steps; it prints the id of each order of the customer `BENCH_TELL`, and when its first step ran.
 * With `BENCH_TIME_CLAIMS` it prints what its claims took (see support/claim-times.ts).
 * With `BENCH_FAILURE_RATE` it runs the default workflow instead, in no time, with so many failures.
 */
const told = process.env['BENCH_TELL'] ?? 'nobody';
const store = await openPostgresStore({ url: process.env['BENCH_URL'] ?? '', log: silentLog, clock: systemClock });
const first = ({ orderId, order }: StepContext): void => {
  if (order.customer_name === told) console.log(`${orderId} ${performance.timeOrigin + performance.now()}`);
};
const failureRate = process.env['BENCH_FAILURE_RATE'];
const empty = defineWorkflow({
  name: 'order',
  version: 1,
  steps: STEP_NAMES.map((name, index) => step(name, { run: index === 0 ? first : () => undefined })),
});
const workflow =
  failureRate === undefined ? empty : orderWorkflow({ stepDurationMs: 0, failureRate: Number(failureRate), clock: systemClock });
const timed = process.env['BENCH_TIME_CLAIMS'] === '1';
const node = await startNode({
  store: timed ? timeClaims(store, (tookMs) => console.log(`claims ${JSON.stringify(tookMs)}`)) : store,
  registry: new WorkflowRegistry([workflow]),
  slots: 50,
  nodeId: process.env['BENCH_NODE_ID'] ?? '00000000-0000-7000-8000-000000000001',
  nodeName: 'bench',
  version: 'bench',
  log: silentLog,
});
console.log(`ready ${node.session}`);
process.once('SIGTERM', async () => {
  await node.stop({ graceMs: 1_000 });
  await store.close();
});
