import { randomUUID } from 'node:crypto';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import { startNode } from '#node/node.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { orderWorkflow } from '#workflows/order.ts';

/** Nodes of 50 slots with the default workflow, as many as `BENCH_NODES`, each with connections of its own. */
const url = process.env['BENCH_URL'] ?? '';
const nodeCount = Number(process.env['BENCH_NODES'] ?? '1');
const stepDurationMs = Number(process.env['BENCH_STEP_MS'] ?? '5000');
const liveness = process.env['BENCH_LIVENESS'] !== 'off';
const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs, failureRate: 0, clock: systemClock })]);

const started = await Promise.all(
  Array.from({ length: nodeCount }, async (_, index) => {
    const store = await openPostgresStore({ url, log: silentLog, clock: systemClock, liveness });
    const nodeName = `bench-${process.pid}-${index}`;
    const node = await startNode({ store, registry, slots: 50, nodeId: randomUUID(), nodeName, version: 'bench', log: silentLog });
    return { store, node };
  }),
);
console.log(`ready ${started.map(({ node }) => node.session).join(' ')}`);
process.once('SIGTERM', async () => {
  await Promise.all(started.map(({ node }) => node.stop({ graceMs: 0 })));
  await Promise.all(started.map(({ store }) => store.close()));
});
