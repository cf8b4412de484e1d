import type { FastifyInstance, FastifyReply } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { formatTime } from '#domain/time.ts';
import {
  ListQuery,
  type ListQueryJson,
  MAX_PAGE,
  NoQuery,
  OrderPage,
  type OrderPageJson,
  OrderParams,
  OrderView,
  responses,
} from '../api.ts';
import type { Principal } from '../auth.ts';
import { type GatewayContext, presentOrder, principalOf, readVisibleOrder } from '../context.ts';
import { exportOrders } from '../order-export.ts';
import { filterOf } from '../order-filter.ts';
import { readOrderPage } from '../order-pages.ts';

/** `GET /orders/{id}` and `GET /orders`. */
export function readOrders(app: FastifyInstance, context: GatewayContext): void {
  const oneSchema = {
    summary: 'One order with its steps',
    params: OrderParams,
    querystring: NoQuery,
    response: responses({ 200: OrderView }, ['invalid-order-id', 'unauthorized', 'order-not-found', 'warehouse-unavailable']),
  };
  app.get<{ Params: { id: string } }>('/orders/:id', { schema: oneSchema }, async (request) => {
    return presentOrder(context, await readVisibleOrder(context, request.params.id, principalOf(request)));
  });

  const listSchema = {
    summary: 'Orders, newest first, over all warehouses',
    description: 'With `format=csv` the answer is a table of all orders that match (RFC 4180, with a header), sent as fast as it is read.',
    querystring: ListQuery,
    response: responses(
      {
        200: {
          description: 'A page, or the table',
          content: { 'application/json': { schema: OrderPage }, 'text/csv': { schema: { type: 'string' } } },
        },
      },
      ['invalid-request', 'invalid-cursor', 'unauthorized', 'warehouse-unavailable'],
    ),
  };
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  app.get<{ Querystring: ListQueryJson }>('/orders', { schema: listSchema }, async (request, reply) =>
    request.query.format === 'csv'
      ? sendTable(context, request.query, principalOf(request), reply, closing.signal)
      : listOrders(context, request.query, principalOf(request)),
  );
}

async function sendTable(
  context: GatewayContext,
  query: ListQueryJson,
  principal: Principal,
  reply: FastifyReply,
  closing: AbortSignal,
): Promise<FastifyReply> {
  for (const field of ['limit', 'cursor', 'include'] as const) refuseBeside(query, field);
  const { format, ...list } = query;
  const table = await exportOrders(
    (cursor) => listOrders(context, { ...list, limit: String(MAX_PAGE), ...(cursor === undefined ? {} : { cursor }) }, principal),
    closing,
  );
  return reply
    .header('content-type', 'text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="orders-${formatTime(context.clock.now()).slice(0, 10)}.csv"`)
    .send(table);
}

function refuseBeside(query: ListQueryJson, field: 'limit' | 'cursor' | 'include'): void {
  if (query[field] === undefined) return;
  const reason = 'does not go with format=csv, which holds every order that matches, one line for each';
  throw new ConveyorError('invalid-request', `${field} ${reason}`, { faults: [{ field, reason }] });
}

async function listOrders(context: GatewayContext, query: ListQueryJson, principal: Principal): Promise<OrderPageJson> {
  const { limit, cursor, include, format, ...criteria } = query;
  const scope = JSON.stringify([principal.role, principal.name, Object.entries(criteria).sort(([a], [b]) => (a < b ? -1 : 1))]);
  const filter = filterOf(criteria, principal);
  const warehouses = context.warehouses.select(criteria.warehouse);
  return readOrderPage(context, { warehouses, filter, query, scope, withSteps: include === 'steps' });
}
