import type { FastifyRequest } from 'fastify';
import type { OrderRecord } from '#domain/order.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import type { Principal } from './auth.ts';
import type { EventStreams } from './event-stream.ts';
import type { WarehouseQueues } from './queues.ts';
import { type Routing, unknownOrder } from './routing.ts';
import type { OrderPresenter } from './view.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handler of every route that is not public. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** Answers without a token. */
    public?: boolean;
  }
}

/** What the routes share. */
export interface GatewayContext {
  clock: Clock;
  log: Log;
  registry: WorkflowRegistry;
  workflowName: string;
  identity: { serviceId: string; serviceName: string; version: string };
  routing: Routing;
  presenter: OrderPresenter;
  streams: EventStreams;
  queuesOf: (store: Store) => WarehouseQueues;
}

export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error('assertion failed: a route without `public` has a principal');
  return request.principal;
}

/** The order if it exists and the principal may see it. */
export async function readVisibleOrder(
  context: GatewayContext,
  orderId: string,
  principal: Principal,
): Promise<{ record: OrderRecord; store: Store }> {
  const store = context.routing.routeId(orderId);
  const record = await context.queuesOf(store).read.add(orderId.toLowerCase());
  if (!record || (principal.role === 'customer' && record.order.customerId !== principal.name)) throw unknownOrder(orderId);
  return { record, store };
}
