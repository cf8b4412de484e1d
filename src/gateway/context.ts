import type { FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { textFault } from '#domain/json.ts';
import type { Order, OrderRecord } from '#domain/order.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { Author } from '#engine/store.ts';
import type { Workflow } from '#engine/workflow.ts';
import type { OrderViewJson } from './api.ts';
import type { Authenticator, Principal } from './auth.ts';
import type { BulkWorkers } from './bulk/worker.ts';
import type { ClusterLooks } from './cluster-view.ts';
import type { EventStreams } from './event-stream.ts';
import type { OrderGenerator } from './generator/generator.ts';
import type { LiveEvents } from './live/live-events.ts';
import type { OrderPresenter } from './view.ts';
import type { Placement } from './warehouses/placement.ts';
import { unknownOrder, type Warehouse, type Warehouses } from './warehouses/warehouses.ts';

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
  /** The workflow that new orders of a warehouse begin with, in its newest version. */
  workflowOf: (warehouse: string) => Workflow;
  identity: { serviceId: string; serviceName: string; version: string };
  warehouses: Warehouses;
  authenticator: Authenticator;
  /** The tokens `user` and `operator` exist. */
  developmentTokens: boolean;
  /** By region: the warehouses that take its orders when its own cannot. */
  fallback: ReadonlyMap<string, readonly string[]>;
  placement: Placement;
  generator: OrderGenerator;
  bulk: BulkWorkers;
  /** What is wrong with a URL to tell customers at; `undefined` when nothing is. */
  webhookUrlFault: (url: string) => string | undefined;
  expectedPriceOf: (order: Order) => string | undefined;
  presenter: OrderPresenter;
  looks: ClusterLooks;
  streams: EventStreams;
  live: LiveEvents;
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
export async function presentOrder(context: GatewayContext, found: { record: OrderRecord; warehouse: Warehouse }): Promise<OrderViewJson> {
  const { record, warehouse } = found;
  const nodes = record.order.state === 'queued' ? await context.looks.of(warehouse.store) : undefined;
  return context.presenter.order(record, warehouse.name, { nodes, gateOpen: gateOf(warehouse) });
}

/** The order if it exists and the principal may see it. */
export async function readVisibleOrder(
  context: GatewayContext,
  orderId: string,
  principal: Principal,
): Promise<{ record: OrderRecord; warehouse: Warehouse }> {
  const warehouse = context.warehouses.ofOrder(orderId);
  const record = await warehouse.queues.read.add(orderId.toLowerCase());
  if (!record || (principal.role === 'customer' && record.order.customerId !== principal.name)) throw unknownOrder(orderId);
  return { record, warehouse };
}

/** Whether orders with keys may be claimed there, as of a moment ago. */
export function gateOf({ watch }: Warehouse): boolean {
  return watch.latest?.gate.open ?? true;
}
