import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { buildGateway, type GatewayOptions } from '#gateway/app.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { createTestDatabase } from './database.ts';
import { ORDER_WORKFLOW } from './orders.ts';

export interface TestGateway {
  app: FastifyInstance;
  /** Where it listens. */
  url: string;
  store: Store;
  client: pg.Client;
  close(): Promise<void>;
}

/** A gateway that really listens, on a real database of its own. */
export async function openTestGateway(changes: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const database = await createTestDatabase();
  const store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
  await store.registerWorkflows([ORDER_WORKFLOW]);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const app = await buildGateway({
    warehouses: [store],
    registry: new WorkflowRegistry([orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock })]),
    workflowName: 'order',
    clock: systemClock,
    log: silentLog,
    serviceId: randomUUID(),
    serviceName: 'conveyor',
    version: 'test',
    developmentTokens: true,
    maxWaitingOrders: 10_000,
    ...changes,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    url,
    store,
    client,
    async close() {
      await app.close();
      await client.end();
      await store.close();
      await database.drop();
    },
  };
}
