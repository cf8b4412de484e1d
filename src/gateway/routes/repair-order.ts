import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import type { OrderViewJson } from '../api.ts';
import { NoQuery, OrderParams, OrderView, responses } from '../api.ts';
import { ReasonBody, type ReasonJson } from '../api-cluster.ts';
import { authorOf, type GatewayContext, presentOrder, principalOf, readVisibleOrder, requireOperator } from '../context.ts';
import { retryOrder, wakeOne } from '../retry.ts';
import { unknownOrder } from '../warehouses/warehouses.ts';

type RepairRequest = FastifyRequest<{ Params: { id: string }; Body: ReasonJson }>;

/** `POST /orders/{id}/retry` and `/release`: what a person does about an order that failed or stopped. */
export function repairOrder(app: FastifyInstance, context: GatewayContext): void {
  const shape = { params: OrderParams, querystring: NoQuery, body: ReasonBody };
  const codes = ['invalid-order-id', 'unauthorized', 'order-not-found', 'order-state-conflict', 'warehouse-unavailable'] as const;
  const retrySchema = {
    summary: 'Place the content of a failed or cancelled order again, as a new order',
    ...shape,
    response: responses({ 202: OrderView, 200: OrderView }, [...codes]),
  };
  app.post<{ Params: { id: string }; Body: ReasonJson }>('/orders/:id/retry', { schema: retrySchema }, (request, reply) =>
    retry(context, request, reply),
  );
  const releaseSchema = {
    summary: 'Give an order that stopped for a person back to the queue',
    ...shape,
    response: responses({ 202: OrderView }, [...codes, 'forbidden']),
  };
  app.post<{ Params: { id: string }; Body: ReasonJson }>('/orders/:id/release', { schema: releaseSchema }, (request, reply) =>
    release(context, request, reply),
  );
}

async function retry(context: GatewayContext, request: RepairRequest, reply: FastifyReply): Promise<OrderViewJson> {
  const { id } = request.params;
  const principal = principalOf(request);
  const author = authorOf(request, request.body.reason);
  const { record, warehouse } = await readVisibleOrder(context, id, principal);
  const customerId = principal.role === 'customer' ? principal.name : undefined;
  const verdict = await retryOrder(context, warehouse, record, { customerId, ...author });
  if (verdict.outcome === 'unknown') throw unknownOrder(id);
  if (verdict.outcome === 'refused')
    throw new ConveyorError('order-state-conflict', `the order is ${verdict.status}; only one that failed or was cancelled can be retried`);
  reply.code(verdict.outcome === 'created' ? 202 : 200).header('location', `/orders/${verdict.orderId}`);
  return presentOrder(context, await readVisibleOrder(context, verdict.orderId, principal));
}

async function release(context: GatewayContext, request: RepairRequest, reply: FastifyReply): Promise<OrderViewJson> {
  requireOperator(request);
  const { id } = request.params;
  const author = authorOf(request, request.body.reason);
  const { store } = context.warehouses.ofOrder(id);
  const verdict = await store.operations.releaseOrder(id.toLowerCase(), author);
  if (verdict.outcome === 'unknown') throw unknownOrder(id);
  if (verdict.outcome === 'refused')
    throw new ConveyorError(
      'order-state-conflict',
      `the order is ${verdict.status}; only one that needs attention or is held can be released`,
    );
  wakeOne(context, store);
  reply.code(202);
  return presentOrder(context, await readVisibleOrder(context, id, principalOf(request)));
}
