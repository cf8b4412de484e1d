import { randomUUID } from 'node:crypto';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import { startNode } from '#node/node.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { orderWorkflow } from '#workflows/order.ts';

/** Nodes of 50 slots with the default workflow, as many as `BENCH_NODES`; they share this process's connections. */
const url = process.env['BENCH_URL'] ?? '';
const nodeCount = Number(process.env['BENCH_NODES'] ?? '1');
const stepDurationMs = Number(process.env['BENCH_STEP_MS'] ?? '5000');
const liveness = process.env['BENCH_LIVENESS'] !== 'off';
const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs, failureRate: 0, clock: systemClock })]);

const store = await openPostgresStore({ url, log: silentLog, clock: systemClock, liveness });
const nodes = await Promise.all(
  Array.from({ length: nodeCount }, (_, index) =>
    startNode({
      ...{ store, registry, slots: 50, nodeId: randomUUID(), nodeName: `bench-${process.pid}-${index}`, version: 'bench', log: silentLog },
    }),
  ),
);
console.log(`ready ${nodes.map(({ session }) => session).join(' ')}`);
process.once('SIGTERM', async () => {
  await Promise.all(nodes.map((node) => node.stop({ graceMs: 0 })));
  await store.close();
});
