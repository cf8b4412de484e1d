import type { FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { textFault } from '#domain/json.ts';
import type { OrderRecord } from '#domain/order.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { Author, Store } from '#engine/store.ts';
import type { OrderViewJson } from './api.ts';
import type { Principal } from './auth.ts';
import type { ClusterLooks } from './cluster-view.ts';
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
    /** Answers without a token where the development tokens exist, though not to pages of other sites. */
    openInDevelopment?: boolean;
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
  looks: ClusterLooks;
  streams: EventStreams;
  queuesOf: (store: Store) => WarehouseQueues;
}

export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error('assertion failed: a route without `public` has a principal');
  return request.principal;
}

export function requireOperator(request: FastifyRequest): void {
  const { role, name } = principalOf(request);
  if (role !== 'operator')
    throw new ConveyorError('forbidden', `the token of ${role} ${name} does not allow this; an operator's is needed`);
}

/** Who does something by hand and why. Refuses a reason that cannot be stored. */
export function authorOf(request: FastifyRequest, reason: string | undefined): Author {
  const fault = reason === undefined ? undefined : textFault(reason);
  if (fault) throw new ConveyorError('invalid-request', `/reason ${fault}`, { faults: [{ field: '/reason', reason: fault }] });
  return { actor: principalOf(request).name, reason };
}

/** The order's view; one that waits says why by what its warehouse's nodes do just now. */
export async function presentOrder(context: GatewayContext, found: { record: OrderRecord; store: Store }): Promise<OrderViewJson> {
  const { record, store } = found;
  const nodes = record.order.state === 'queued' ? await context.looks.of(store) : undefined;
  return context.presenter.order(record, store.warehouse.name, nodes);
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
