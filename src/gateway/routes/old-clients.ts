import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ConveyorError } from '#domain/errors.ts';
import { priceOfHistory } from '#domain/execution-price.ts';
import { isUuid } from '#domain/ids.ts';
import { textFault } from '#domain/json.ts';
import type { OrderContent, OrderRecord } from '#domain/order.ts';
import { publicStatus } from '#domain/order-state.ts';
import { AcceptedOrder, NoQuery, OrderBody, OrderParams, OrderView, responses } from '../api.ts';
import { DEVELOPMENT_CUSTOMER, type Principal } from '../auth.ts';
import { type GatewayContext, presentOrder, principalOf, readVisibleOrder } from '../context.ts';
import { unknownOrder, type Warehouse } from '../warehouses/warehouses.ts';
import { answerPlaced, placeOrder } from './submit-order.ts';

/**
 * `POST /order`, `GET /order/{id}` and the rest that the old systems' clients call: an order is known by its client's own id, wherever
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
  app.get<{ Params: { id: string } }>('/order/:id', { schema: readSchema, config, preHandler: asDevelopmentCustomer }, async (request) => {
    const found = await findByOwnId(context, request.params.id, principalOf(request));
    return underOwnId(await presentOrder(context, found));
  });
  priceRoutes(app, context, asDevelopmentCustomer);
}

const Info = Type.Object({ quantity: Type.Integer() });
const Price = Type.Object({ value: Type.Number({ description: 'a number, as it was; the exact one is `execution_price` of the order' }) });

/** What the old services asked each other: an order's quantity, and the price of carrying it out. */
function priceRoutes(app: FastifyInstance, context: GatewayContext, preHandler: (request: FastifyRequest) => Promise<void>): void {
  const config = { openInDevelopment: true };
  const codes = ['unauthorized', 'order-not-found', 'order-state-conflict', 'warehouse-unavailable'] as const;
  const shape = { params: OrderParams, querystring: NoQuery };
  const infoSchema = { summary: "An order's quantity (for old clients)", ...shape, response: responses({ 200: Info }, [...codes]) };
  app.get<{ Params: { id: string } }>('/order_info/:id', { schema: infoSchema, config, preHandler }, async (request) => {
    const { record } = await findByOwnId(context, request.params.id, principalOf(request));
    return { quantity: record.order.content.quantity ?? 1 };
  });
  const priceSchema = {
    summary: "An order's execution price (for old clients)",
    ...shape,
    response: responses({ 200: Price }, [...codes]),
  };
  for (const method of ['GET', 'POST'] as const) {
    app.route<{ Params: { id: string } }>({
      ...{ method, url: '/cal_execution_price/:id', schema: priceSchema, config, preHandler },
      handler: async (request) => {
        const { record } = await findByOwnId(context, request.params.id, principalOf(request));
        return { value: Number(priceOf(context, record)) };
      },
    });
  }
}

/** The one it has, or will have: it follows from the order. One that was undone has none. */
function priceOf({ expectedPriceOf }: GatewayContext, { order, events }: OrderRecord): string {
  const price = priceOfHistory(events) ?? (order.state === 'failed' || order.state === 'cancelled' ? undefined : expectedPriceOf(order));
  if (price !== undefined) return price;
  const status = publicStatus(order.state, order.direction);
  throw new ConveyorError('order-state-conflict', `the order is ${status} and has no execution price`);
}

interface Found {
  record: OrderRecord;
  warehouse: Warehouse;
}

/** Asks every warehouse for the client's own id; only when all have answered it is unknown. */
export async function findByOwnId(context: GatewayContext, id: string, principal: Principal): Promise<Found> {
  // What no order can contain, PostgreSQL does not even compare.
  if (textFault(id))
    throw new ConveyorError('order-not-found', `there is no order ${JSON.stringify(id.slice(0, 100))} that this token may see`);
  const key = { customerId: principal.name, kind: 'client' as const, key: id };
  const { all } = context.warehouses;
  const answers = await Promise.allSettled(all.map(({ queues }) => queues.findKey.add(key)));
  const orderId = answers.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value.orderId] : []))[0];
  if (orderId !== undefined) return await readVisibleOrder(context, orderId, principal);
  if (isUuid(id)) {
    const found = await readVisibleOrder(context, id, principal).catch((error: unknown) => {
      if (error instanceof ConveyorError && error.code === 'order-not-found') return undefined;
      throw error;
    });
    if (found) return found;
  }
  const silent = all.filter((_, index) => isUnavailable(answers[index])).map(({ name }) => name);
  const [fault] = answers.flatMap((answer) => (answer.status === 'rejected' && !isUnavailable(answer) ? [answer.reason] : []));
  if (fault !== undefined) throw fault;
  if (silent.length > 0)
    throw new ConveyorError('warehouse-unavailable', `no warehouse that answers has the order; ${silent.join(', ')} did not answer`);
  throw unknownOrder(id.slice(0, 100));
}

function isUnavailable(answer: PromiseSettledResult<unknown> | undefined): boolean {
  return answer?.status === 'rejected' && answer.reason instanceof ConveyorError && answer.reason.code === 'warehouse-unavailable';
}

function underOwnId<View extends { order_id: string; client_order_id?: string }>(view: View): View {
  return view.client_order_id === undefined ? view : { ...view, order_id: view.client_order_id };
}
