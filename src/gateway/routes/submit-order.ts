import type { FastifyInstance, FastifyReply } from 'fastify';
import { newOrderId } from '#domain/ids.ts';
import type { OrderContent } from '#domain/order.ts';
import { formatTime } from '#domain/time.ts';
import type { NewOrder } from '#engine/store.ts';
import { AcceptedOrder, type AcceptedOrderJson, NoQuery, OrderBody, responses } from '../api.ts';
import { checkContent } from '../content.ts';
import { type GatewayContext, principalOf } from '../context.ts';
import { hashBody, keysOf, refuseKey } from '../idempotency.ts';
import type { Route } from '../routing.ts';

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
  app.post<{ Body: OrderContent }>('/orders', { schema }, async (request, reply) => {
    const content = request.body;
    checkContent(content);
    const route = context.routing.routeNew(content.region);
    const keys = keysOf(request.headers['idempotency-key'], content);
    const workflow = context.registry.latest(context.workflowName);
    const order: NewOrder = {
      orderId: newOrderId(route.store.warehouse.number, context.clock.now(), context.clock.entropy()),
      customerId: principalOf(request).name,
      workflow: workflow.name,
      workflowVersion: workflow.version,
      content,
      keys,
      bodyHash: keys.length > 0 ? hashBody(content) : null,
    };
    const verdict = await context.queuesOf(route.store).accept.add(order);
    switch (verdict.outcome) {
      case 'created':
        reply.code(202).header('location', `/orders/${verdict.orderId}`);
        return {
          order_id: verdict.orderId,
          ...(content.order_id === undefined ? {} : { client_order_id: content.order_id }),
          status: 'queued',
          current_step: workflow.steps[0]?.name ?? '',
          start_time: formatTime(verdict.acceptedAt),
          ...placeOf(content, route),
        } satisfies AcceptedOrderJson;
      case 'existing':
        return await answerExisting(context, reply, verdict.orderId, route);
      default:
        return refuseKey(verdict.outcome, verdict.key);
    }
  });
}

async function answerExisting(context: GatewayContext, reply: FastifyReply, orderId: string, route: Route): Promise<AcceptedOrderJson> {
  const record = await context.queuesOf(route.store).read.add(orderId);
  if (!record) throw new Error(`assertion failed: order ${orderId} has a key and does not exist`);
  const { order_id, client_order_id, status, current_step, start_time } = context.presenter.summary(record, route.store.warehouse.name);
  reply.code(200).header('location', `/orders/${order_id}`);
  return {
    order_id,
    ...(client_order_id === undefined ? {} : { client_order_id }),
    status,
    current_step,
    start_time,
    ...placeOf(record.order.content, route),
  };
}

function placeOf(content: OrderContent, route: Route): Pick<AcceptedOrderJson, 'region' | 'warehouse' | 'routed_because'> {
  return {
    ...(content.region === undefined ? {} : { region: content.region }),
    warehouse: route.store.warehouse.name,
    routed_because: route.because,
  };
}
