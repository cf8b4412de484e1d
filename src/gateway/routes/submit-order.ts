import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OrderContent } from '#domain/order.ts';
import { formatTime } from '#domain/time.ts';
import { AcceptedOrder, type AcceptedOrderJson, NoQuery, OrderBody, responses } from '../api.ts';
import { checkContent } from '../content.ts';
import { type GatewayContext, principalOf } from '../context.ts';
import { hashBody, keysOf } from '../idempotency.ts';
import type { Placed } from '../warehouses/placement.ts';
import { explainRouting } from '../warehouses/routing.ts';

type SubmitRequest = FastifyRequest<{ Body: OrderContent }>;

/** `POST /orders`: the order is durable when it is answered. */
export function submitOrder(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'Submit an order',
    body: OrderBody,
    querystring: NoQuery,
    response: responses({ 202: AcceptedOrder, 200: AcceptedOrder }, [
      'invalid-request',
      'unauthorized',
      'body-too-large',
      'unsupported-media-type',
      'idempotency-mismatch',
      'overloaded',
    ]),
  };
  app.post<{ Body: OrderContent }>('/orders', { schema }, async (request, reply) =>
    answerPlaced(context, await placeOrder(context, request), reply),
  );
}

/** Finds the order a place and stores it there; durable when this resolves. */
export function placeOrder(context: GatewayContext, request: SubmitRequest): Promise<Placed> {
  const content = request.body;
  checkContent(content);
  const keys = keysOf(request.headers['idempotency-key'], content);
  const customerId = principalOf(request).name;
  return context.placement.place({ customerId, content, keys, bodyHash: keys.length > 0 ? hashBody(content) : null });
}

/** 202 for a new order, 200 for one that its key found. */
export function answerPlaced(context: GatewayContext, placed: Placed, reply: FastifyReply): AcceptedOrderJson {
  const shown = placed.outcome === 'created' ? viewOfNew(context, placed) : viewOfExisting(context, placed);
  reply.code(placed.outcome === 'created' ? 202 : 200).header('location', `/orders/${shown.order_id}`);
  return shown;
}

function viewOfNew({ registry }: GatewayContext, { order, acceptedAt, warehouse }: Placed & { outcome: 'created' }): AcceptedOrderJson {
  const { orderId, content, workflow, workflowVersion } = order;
  return {
    order_id: orderId,
    ...(content.order_id === undefined ? {} : { client_order_id: content.order_id }),
    status: 'queued',
    current_step: registry.find(workflow, workflowVersion)?.steps[0]?.name ?? '',
    start_time: formatTime(acceptedAt),
    ...(content.region === undefined ? {} : { region: content.region }),
    warehouse: warehouse.name,
    routed_because: explainRouting(order, warehouse.name),
  };
}

function viewOfExisting({ presenter }: GatewayContext, { record, warehouse }: Placed & { outcome: 'existing' }): AcceptedOrderJson {
  const { order_id, client_order_id, status, current_step, start_time, region, routed_because } = presenter.summary(record, warehouse.name);
  return {
    order_id,
    ...(client_order_id === undefined ? {} : { client_order_id }),
    status,
    current_step,
    start_time,
    ...(region === undefined ? {} : { region }),
    warehouse: warehouse.name,
    routed_because: routed_because ?? explainRouting(record.order, warehouse.name),
  };
}
