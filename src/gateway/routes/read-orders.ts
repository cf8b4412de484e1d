import type { FastifyInstance } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { textFault } from '#domain/json.ts';
import type { OrderRecord } from '#domain/order.ts';
import type { ClusterReport, OrderFilter } from '#engine/store.ts';
import { ListQuery, type ListQueryJson, NoQuery, OrderPage, OrderParams, OrderView, responses } from '../api.ts';
import type { Principal } from '../auth.ts';
import { parseTime } from '../content.ts';
import { type GatewayContext, gateOf, presentOrder, principalOf, readVisibleOrder } from '../context.ts';
import { readPage } from '../pages.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

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
    querystring: ListQuery,
    response: responses({ 200: OrderPage }, ['invalid-request', 'unauthorized', 'warehouse-unavailable']),
  };
  app.get<{ Querystring: ListQueryJson }>('/orders', { schema: listSchema }, (request) =>
    listOrders(context, request.query, principalOf(request)),
  );
}

async function listOrders(context: GatewayContext, query: ListQueryJson, principal: Principal): Promise<unknown> {
  const { limit, cursor, ...selection } = query;
  refuseUnstorableText(selection);
  const scope = JSON.stringify([principal.role, principal.name, Object.entries(selection).sort(([a], [b]) => (a < b ? -1 : 1))]);
  const filter = filterOf(selection, principal);
  const warehouses = context.warehouses.select(selection.warehouse);
  const { shown, about } = await readPage(warehouses, query, scope, async ({ store }, asked) =>
    (await store.listOrders({ ...filter, ...asked })).map((record) => ({ id: record.order.orderId, record })),
  );
  const page = shown.map(({ entry, warehouse }) => ({ record: entry.record, warehouse }));
  const nodes = await lookWhereOrdersWait(context, page);
  return {
    orders: page.map(({ record, warehouse }) =>
      context.presenter.summary(record, warehouse.name, { nodes: nodes.get(warehouse), gateOpen: gateOf(warehouse) }),
    ),
    ...about,
  };
}

/** What no order can contain, PostgreSQL does not even compare. */
export function refuseUnstorableText(selection: Readonly<Record<string, string>>): void {
  for (const [field, text] of Object.entries(selection)) {
    const reason = textFault(text);
    if (reason) throw new ConveyorError('invalid-request', `the query: ${field} ${reason}`, { faults: [{ field, reason }] });
  }
}

function filterOf(selection: Omit<ListQueryJson, 'limit' | 'cursor'>, principal: Principal): Omit<OrderFilter, 'limit'> {
  const since = parseTime('since', selection.since);
  const until = parseTime('until', selection.until);
  return {
    ...(principal.role === 'customer' ? { customerId: principal.name } : {}),
    ...(selection.status === undefined ? {} : { status: selection.status }),
    ...(selection.step === undefined ? {} : { step: selection.step }),
    ...(selection.region === undefined ? {} : { region: selection.region }),
    ...(selection.node === undefined ? {} : { nodeId: nodeIdOf(selection.node) }),
    ...(selection.customer_name === undefined ? {} : { customerName: selection.customer_name }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

export function nodeIdOf(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  throw new ConveyorError('invalid-request', `node is ${JSON.stringify(text)}; the id of a node is expected`, {
    faults: [{ field: 'node', reason: 'must be a UUID' }],
  });
}

interface Found {
  record: OrderRecord;
  warehouse: Warehouse;
}

/** What the nodes do, of every warehouse that has an order of the page waiting. */
async function lookWhereOrdersWait(context: GatewayContext, page: readonly Found[]): Promise<Map<Warehouse, ClusterReport | undefined>> {
  const asked = new Set(page.filter(({ record }) => record.order.state === 'queued').map(({ warehouse }) => warehouse));
  return new Map(await Promise.all([...asked].map(async (warehouse) => [warehouse, await context.looks.of(warehouse.store)] as const)));
}
