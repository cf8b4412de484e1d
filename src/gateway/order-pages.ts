import type { OrderRecord } from '#domain/order.ts';
import type { ClusterReport, OrderFilter } from '#engine/store.ts';
import type { OrderPageJson } from './api.ts';
import { type GatewayContext, gateOf } from './context.ts';
import { type PageQuery, readPage } from './pages.ts';
import type { Warehouse } from './warehouses/warehouses.ts';

export interface OrderList {
  warehouses: readonly Warehouse[];
  filter: Omit<OrderFilter, 'limit'>;
  query: PageQuery;
  /** Whose list it is and of what: a cursor goes on in the same one only. */
  scope: string;
  withSteps: boolean;
}

/** A page of orders over several warehouses, newest first; those that wait say why. */
export async function readOrderPage(
  context: GatewayContext,
  { warehouses, filter, query, scope, withSteps }: OrderList,
): Promise<OrderPageJson> {
  const { shown, about } = await readPage(warehouses, query, scope, async ({ store }, asked) =>
    (await store.listOrders({ ...filter, ...asked })).map((record) => ({ id: record.order.orderId, record })),
  );
  const page = shown.map(({ entry, warehouse }) => ({ record: entry.record, warehouse }));
  const nodes = await lookWhereOrdersWait(context, page);
  const { presenter } = context;
  const orders = page.map(({ record, warehouse }) => {
    const place = { nodes: nodes.get(warehouse), gateOpen: gateOf(warehouse) };
    return withSteps ? presenter.order(record, warehouse.name, place) : presenter.summary(record, warehouse.name, place);
  });
  return { orders, ...about };
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
