import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import { defineWorkflow, step } from '#engine/workflow.ts';
import { startNode } from '#node/node.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { STEP_NAMES } from '../support/server.ts';

/** One node of 50 slots with empty steps; with `BENCH_TELL` it prints each order's id and when its first step ran. */
const tell = process.env['BENCH_TELL'] === '1';
const store = await openPostgresStore({ url: process.env['BENCH_URL'] ?? '', log: silentLog, clock: systemClock });
const first = (orderId: string): void => {
  if (tell) console.log(`${orderId} ${performance.timeOrigin + performance.now()}`);
};
const workflow = defineWorkflow({
  name: 'order',
  version: 1,
  steps: STEP_NAMES.map((name, index) => step(name, { run: index === 0 ? ({ orderId }) => first(orderId) : () => undefined })),
});
const node = await startNode({
  store,
  registry: new WorkflowRegistry([workflow]),
  slots: 50,
  nodeId: '00000000-0000-7000-8000-000000000001',
  nodeName: 'bench',
  version: 'bench',
  log: silentLog,
});
console.log(`ready ${node.session}`);
process.once('SIGTERM', async () => {
  await node.stop({ graceMs: 1_000 });
  await store.close();
});
