import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';
import type { OrderContent } from '#domain/order.ts';
import { AcceptedOrder, NoQuery, OrderBody, OrderParams, OrderView, type OrderViewJson, responses } from '../api.ts';
import { DEVELOPMENT_CUSTOMER, type Principal } from '../auth.ts';
import { type GatewayContext, presentOrder, principalOf, readVisibleOrder } from '../context.ts';
import { unknownOrder } from '../warehouses/warehouses.ts';
import { answerPlaced, placeOrder } from './submit-order.ts';

/**
 * `POST /order` and `GET /order/{id}`, as the old systems' clients call them: an order is known by its client's own id, wherever
 * it is. On a development start they need no token, as then.
 */
export function oldClients(app: FastifyInstance, context: GatewayContext): void {
  const config = { openInDevelopment: true };
  const asDevelopmentCustomer = async (request: FastifyRequest): Promise<void> => {
    request.principal ??= DEVELOPMENT_CUSTOMER;
  };
  const submitSchema = {
    summary: "Submit an order under the client's own id (for old clients)",
    body: OrderBody,
    querystring: NoQuery,
    response: responses({ 202: AcceptedOrder, 200: AcceptedOrder }, [
      ...(['invalid-request', 'unauthorized', 'body-too-large', 'unsupported-media-type', 'idempotency-mismatch', 'overloaded'] as const),
    ]),
  };
  app.post<{ Body: OrderContent }>('/order', { schema: submitSchema, config, preHandler: asDevelopmentCustomer }, async (request, reply) =>
    underOwnId(answerPlaced(context, await placeOrder(context, request), reply)),
  );

  const readSchema = {
    summary: "One order by the client's own id, or by ours (for old clients)",
    params: OrderParams,
    querystring: NoQuery,
    response: responses({ 200: OrderView }, ['unauthorized', 'order-not-found', 'warehouse-unavailable']),
  };
  app.get<{ Params: { id: string } }>('/order/:id', { schema: readSchema, config, preHandler: asDevelopmentCustomer }, (request) =>
    readByOwnId(context, request.params.id, principalOf(request)),
  );
}

/** Asks every warehouse for the client's own id; only when all have answered it is unknown. */
async function readByOwnId(context: GatewayContext, id: string, principal: Principal): Promise<OrderViewJson> {
  const key = { customerId: principal.name, kind: 'client' as const, key: id };
  const { all } = context.warehouses;
  const answers = await Promise.allSettled(all.map(({ queues }) => queues.findKey.add(key)));
  const orderId = answers.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value.orderId] : []))[0];
  if (orderId !== undefined) return underOwnId(await presentOrder(context, await readVisibleOrder(context, orderId, principal)));
  if (isUuid(id)) {
    const found = await readVisibleOrder(context, id, principal).catch((error: unknown) => {
      if (error instanceof ConveyorError && error.code === 'order-not-found') return undefined;
      throw error;
    });
    if (found) return underOwnId(await presentOrder(context, found));
  }
  const silent = all.filter((_, index) => answers[index]?.status === 'rejected').map(({ name }) => name);
  if (silent.length > 0)
    throw new ConveyorError('warehouse-unavailable', `no warehouse that answers has the order; ${silent.join(', ')} did not answer`);
  throw unknownOrder(id.slice(0, 100));
}

function underOwnId<View extends { order_id: string; client_order_id?: string }>(view: View): View {
  return view.client_order_id === undefined ? view : { ...view, order_id: view.client_order_id };
}
