import { findConsole } from '#cli/compose.ts';
import { defaultSettings } from '#config/load.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { buildGateway } from '#gateway/app.ts';
import { orderWorkflow } from '#workflows/order.ts';

/** A gateway as `conveyor gateway` composes it by default, over this store, until the process is asked to end. */
export async function serveOrders(store: Store): Promise<void> {
  const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock })]);
  const { maxWaitingOrders } = defaultSettings(['maxWaitingOrders']);
  const app = await buildGateway({
    warehouses: [store],
    registry,
    workflowName: 'order',
    clock: systemClock,
    log: silentLog,
    serviceId: process.env['BENCH_SERVICE_ID'] ?? '00000000-0000-7000-8000-000000000000',
    serviceName: 'conveyor',
    version: 'bench',
    developmentTokens: true,
    maxWaitingOrders,
    consoleFolder: findConsole(),
    webhookUrlFault: () => undefined,
  });
  console.log(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
  process.once('SIGTERM', async () => {
    await app.close();
    await store.close();
  });
}
